"""The Data page: digits at first paint, every control, datasets added and removed, garbage in the URL."""

import io
import time
import zipfile

import pytest
from image_files import GREEN, encoded, write_images
from small_cifar import instead_of_cifar10
from streamlit.testing.v1 import AppTest

from explorer.data import registry
from explorer.data.add_dataset import AddRequest, add
from explorer.runs import cifar_download
from explorer.system.paths import ROOT

HOME = str(ROOT / "explorer" / "app.py")


@pytest.fixture(autouse=True)
def fresh():
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/data.py")
    for name, value in query.items():
        page.query_params[name] = value
    page = page.run()
    assert not page.exception
    return page


def text(page):
    return " ".join(element.value for element in page.markdown)


@pytest.fixture
def pets(tmp_path):
    """A dataset of two classes whose test image is a training image too, under the other name."""
    for number in range(3):
        write_images(tmp_path, {f"pets/train/cat/{number}.png": encoded((number, 0, 0), (9, 9))})
        write_images(tmp_path, {f"pets/train/dog/{number}.png": encoded((0, number, 9), (9, 9))})
    write_images(tmp_path, {"pets/test/cat/1.png": encoded(GREEN, (9, 9))})
    write_images(tmp_path, {"pets/test/dog/1.png": encoded((1, 0, 0), (9, 9))})
    return add(AddRequest("pets", str(tmp_path / "pets"), title="My pets"))


def test_digits_are_there_at_first_paint():
    page = opened()

    assert page.selectbox(key="set").value == "digits"
    assert len(page.get("plotly_chart")) == 4
    assert "1,437 images to train on, 135 to 154 of a class, and 360 to test on, in 10 classes" in text(page)
    assert "No test image is also, pixel for pixel, a training image." in text(page)
    assert [metric.value for metric in page.metric] == ["1,437", "360", "8x8, grey", ".31", ".38"]


def test_what_the_colour_nets_learnt_from_is_said_where_it_is_not_here():
    page = opened()
    assert "The colour nets of the zoo learnt from CIFAR-10 (JPEG)" in page.info[0].value
    assert "Download CIFAR-10 below" in page.info[0].value


def test_an_added_dataset_is_chosen_measured_and_its_leak_is_told(pets):
    page = opened().selectbox(key="set").set_value("pets").run()

    assert not page.exception
    assert "**My pets**: 6 images to train on, 3 of each class, and 2 to test on" in text(page)
    assert "**1 test image (50.0 %) is, pixel for pixel, a training image too**, 1 of them" in text(page)
    assert "9x9, colour" in [metric.value for metric in page.metric]


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("button_group", "part", ["test"]),
        ("number_input", "drawn", 7),
        ("number_input", "image-number", 99999),
        ("number_input", "run-seed", 3),
    ],
)
def test_every_control_can_be_used(kind, key, value):
    page = getattr(opened(), kind)(key=key).set_value(value).run()

    assert not page.exception
    assert len(page.get("plotly_chart")) == 4


@pytest.mark.parametrize(
    "garbage",
    [{"set": "../../etc"}, {"set": "cifar10"}, {"part": "?"}, {"drawn": "-4"}, {"classes": "11 to 20"},
     {"image-number": "1e9"}, {"run-seed": "x"}],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = opened(**garbage)

    assert page.selectbox(key="set").value == "digits"
    assert len(page.get("plotly_chart")) == 4


def test_many_classes_are_shown_ten_at_a_time(tmp_path):
    for number in range(23):
        write_images(
            tmp_path / "x", {f"{split}/c{number:02}/1.png": encoded() for split in ("train", "test")}
        )
    add(AddRequest("many", str(tmp_path / "x")))

    page = opened(set="many").selectbox(key="classes").set_value(20).run()

    assert not page.exception
    assert "in 23 classes" in text(page)


def test_a_dataset_whose_files_are_gone_is_named_and_can_be_removed(pets, tmp_path):
    (tmp_path / "pets").rename(tmp_path / "moved")
    page = opened(set="pets")

    assert "pets' is not a dataset" in page.error[0].value
    page = page.button(key="remove-pets").click().run()
    assert not page.exception
    assert page.selectbox(key="set").value == "digits"
    assert registry.entries() == []


def packed(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".png", content)
    return file.getvalue()


def upload(page, content, name):
    page.file_uploader(key="own-zip").set_value(("own.zip", content, "application/zip"))
    page.text_input(key="own-name").set_value(name)
    page = page.run()
    page = page.button(key="own-add").click().run()
    assert not page.exception
    return page


def test_a_zip_is_added_and_shown_at_once():
    names = {f"{kind}__{number}": encoded((number, 1, 1)) for kind in ("cat", "dog") for number in range(5)}
    names |= {"cat__wild_*__9": encoded(), "loose": encoded()}
    page = upload(opened(), packed(**names), "mine")

    assert page.selectbox(key="set").value == "mine"
    assert "**mine**: 9 images to train on" in text(page)
    (told,) = (info.value for info in page.info if "colour nets" not in info.value)
    assert "hold 1 image, taken as that class's" in told
    assert "1 image" in told
    assert "loose.png" in told
    assert r"wild\_\*" in told  # as text, not as marks


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"no zip", "mine", "cannot be read as a zip"),
        (packed(cat__1=encoded()), "mine", "at least two"),
        (packed(cat__1=encoded(), dog__1=encoded()), "mine", "at least two are needed"),
        (packed(cat__1=encoded(), dog__1=encoded()), "../x", "cannot be a dataset's name"),
        (packed(cat__1=encoded(), dog__1=encoded()), "digits", "already"),
        (packed(cat__1=encoded(size=(9, 8)), cat__2=encoded(), dog__1=encoded()), "mine", "different sizes"),
    ],
)
def test_a_bad_upload_is_told_and_nothing_stays(content, name, said):
    page = upload(opened(), content, name)

    assert said in page.error[0].value
    assert list(registry.home().glob("data/*")) == []
    assert len(page.get("plotly_chart")) == 4


def wait_for(check, seconds=60):
    for _ in range(seconds * 10):
        if (found := check()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_cifar_is_downloaded_by_a_process_of_its_own_and_shown(monkeypatch):
    with instead_of_cifar10(monkeypatch) as (archive, _):
        opened().button(key="get-cifar10").click().run()
        wait_for(lambda: None if cifar_download.current("cifar10").active else True)

        page = opened(set="cifar10")

        assert cifar_download.current("cifar10").phase == "done"
        assert "100 images to train on, 10 of each class, and 20 to test on" in text(page)
        page = page.button(key="remove-cifar10").click().run()
        assert not page.exception
        assert not archive.folder.exists()


def test_a_download_is_seen_by_everybody_and_can_be_cancelled(monkeypatch):
    with instead_of_cifar10(monkeypatch, drip_s=30) as (archive, _):
        opened().button(key="get-cifar10").click().run()
        wait_for(lambda: True if archive.path.exists() else None)

        page = opened()
        page = page.button(key="cancel-cifar10").click().run()

        assert not page.exception
        assert cifar_download.current("cifar10").phase == "cancelled"
        assert not archive.path.exists()
        assert page.button(key="get-cifar10").label.startswith("Download CIFAR-10")


def test_a_download_that_fails_says_what_to_do_by_hand(monkeypatch):
    with instead_of_cifar10(monkeypatch, status=503):
        opened().button(key="get-cifar10").click().run()
        wait_for(lambda: None if cifar_download.current("cifar10").active else True)

    page = opened()
    assert "the server answered 503" in page.error[0].value
    assert "put cifar-10-python.tar.gz into" in page.error[0].value


def test_a_killed_download_is_told_as_interrupted(monkeypatch):
    import psutil

    with instead_of_cifar10(monkeypatch, drip_s=30) as (archive, _):
        cifar_download.start("cifar10")
        wait_for(lambda: True if archive.path.exists() else None)
        pid = cifar_download._task("cifar10").state["pid"]
        psutil.Process(pid).kill()
        wait_for(lambda: None if cifar_download.current("cifar10").active else True)

    assert cifar_download.current("cifar10").phase == "interrupted"
    half = cifar_download.Download("cifar10", "downloading", 5, 10, time.time() - 30)
    assert half.seconds_left == pytest.approx(30, rel=0.1)
