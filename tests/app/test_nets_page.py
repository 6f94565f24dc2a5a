"""The Nets page: the picture and its figures, uploads of the session, nets by name, clear refusals."""

import pytest
import torch
from owners import Owner, named
from streamlit.testing.v1 import AppTest

from explorer.nets.build import build
from explorer.nets.checkpoints import save_checkpoint
from explorer.nets.spec import NetSpec
from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")


def open_page(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/nets.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def figures(page):
    return {metric.label: metric.value for metric in page.metric}


@pytest.fixture
def mine(tmp_path):
    """A checkpoint of one's own: name and bytes."""
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, build(NetSpec("plain", 14, width=4), seed=1))
    return (path.name, path.read_bytes(), "application/octet-stream")


def test_it_opens_with_a_net_its_totals_and_one_sentence():
    page = open_page()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1
    assert (
        figures(page)["Weighted layers"]
        == page.selectbox(key="net").value.partition("residual-")[2].split("-")[0]
    )
    assert "Stage 3 of ResNet-" in text(page)
    assert page.selectbox(key="part").value == "block 1"


def test_a_part_shows_its_shape_cost_and_receptive_field():
    page = open_page(net="untrained:residual-20", part="block 4")
    assert not page.exception
    assert figures(page)["Output (C × H × W)"] == "32 × 16 × 16"
    assert figures(page)["Receptive field"] == "21 px"
    assert "shortcut: padding" in text(page)
    page = page.selectbox(key="part").set_value("stem").run()
    assert figures(page)["Receptive field"] == "3 px"


def test_a_link_to_a_part_marks_it_in_the_drawing():
    def drawing(page):
        return page.get("plotly_chart")[0].proto.spec

    unmarked = open_page(net="untrained:residual-20")
    linked = drawing(open_page(net="untrained:residual-20", part="block 4"))

    assert linked != drawing(unmarked)
    assert linked == drawing(unmarked.selectbox(key="part").set_value("block 4").run())


def test_twins_have_equal_parameters_and_the_page_says_so():
    page = open_page(net="digits-residual-20-s0", beside="digits-plain-20-s0")
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2
    assert "exactly the same number of parameters, 269,434" in text(page)


@pytest.mark.parametrize(
    ("key", "parameters"),
    [("untrained:plain34", "21,623,848"), ("untrained:highway-32", "902,938"),
     ("untrained:residual-110", "1,727,962")],
)  # fmt: skip
def test_nets_of_every_kind_open_by_their_name_in_the_url(key, parameters):
    page = open_page(net=key)
    assert not page.exception
    assert page.selectbox(key="net").value == key
    assert parameters in [metric.value for metric in page.metric]
    assert "Random weights" in text(page)


def test_an_upload_is_shown_and_listed_on_another_page_of_the_session(mine):
    page = open_page()
    page = page.file_uploader(key="net-file").set_value(mine).run()
    assert not page.exception
    key = page.selectbox(key="net").value
    assert key.startswith("upload:")
    assert figures(page)["Weighted layers"] == "14"
    elsewhere = page.switch_page("../pages/inspect.py").run()
    assert any("your file mine.safetensors" in option for option in elsewhere.selectbox(key="net").options)
    fresh = open_page()
    assert not any("mine.safetensors" in option for option in fresh.selectbox(key="net").options)


@pytest.mark.own_home
def test_torchvisions_own_file_can_be_uploaded(tmp_path):
    from torchvision import models

    path = tmp_path / "resnet18-f37072fd.pth"
    torch.save(models.resnet18(weights=None).state_dict(), path)
    page = open_page()
    page = page.file_uploader(key="net-file").set_value((path.name, path.read_bytes(), "")).run()

    assert not page.exception
    assert not page.error
    assert any("ResNet-18, your file" in option for option in page.selectbox(key="net").options)


def test_what_a_file_does_not_say_is_told_and_can_be_said(tmp_path):
    owner = Owner((1, 1), (4, 8), shortcut="A")
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": named(owner.draw(), "torchvision"), "epoch": 3}, path)
    page = open_page()
    (uploader,) = page.get("file_uploader")
    assert not uploader.proto.type  # any ending: what a file is, its content says
    page = page.file_uploader(key="net-file").set_value((path.name, path.read_bytes(), "")).run()
    first = page.selectbox(key="net").value
    assert "padding with all new channels after the old ones" in text(page)
    assert "Also in the file, and not read: epoch" in text(page).replace("\\", "")
    page = page.selectbox(key="net-padding").set_value("both").run()
    assert not page.exception
    assert page.selectbox(key="net").value != first
    assert "padding with all new channels" not in text(page)
    assert "normalised" in text(page)
    page = page.text_input(key="net-mean").set_value("120, 115, 100").run()
    page = page.text_input(key="net-std").set_value("60, 60, 60").run()
    assert "--mean 0.4706,0.451,0.3922" in page.error[-1].value


def test_an_upload_can_be_forgotten(mine):
    page = open_page()
    page = page.file_uploader(key="net-file").set_value(mine).run()
    (button,) = [button for button in page.button if button.label.startswith("Forget")]
    page = button.click().run()
    assert not page.exception
    assert page.selectbox(key="net").value.endswith("-s0")


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"PK\x03\x04 no zip", b"\x80\x02}q\x00."])
def test_garbage_gives_one_message_and_the_page_still_works(content):
    page = open_page()
    page = page.file_uploader(key="net-file").set_value(("x.pth", content, "")).run()
    assert not page.exception
    assert len(page.error) == 1
    assert "x.pth" in page.error[0].value
    assert len(page.get("plotly_chart")) == 1
    assert not page.run().error


@pytest.mark.own_home
def test_of_many_uploads_the_last_few_are_kept(tmp_path):
    from explorer.ui.components import net_picker

    page = open_page()
    for seed in range(net_picker.MAX_UPLOADS + 2):
        path = tmp_path / f"net{seed}.safetensors"
        save_checkpoint(path, build(NetSpec("plain", 8, width=2), seed=seed))
        page = page.file_uploader(key="net-file").set_value((path.name, path.read_bytes(), "")).run()
    titles = [option for option in page.selectbox(key="net").options if "your file" in option]
    assert len(titles) == net_picker.MAX_UPLOADS
    assert "net0" not in " ".join(titles)


def test_an_id_that_cannot_be_built_says_what_can():
    page = open_page()
    page.text_input(key="net-id").set_value("residual-21")
    (button,) = [button for button in page.button if button.label == "Open untrained"]
    page = button.click().run()
    assert not page.exception
    assert "The nearest are" in page.error[0].value


def test_published_weights_that_are_not_here_say_what_to_do():
    page = open_page(net="torchvision:resnet18")
    assert not page.exception
    assert "not here yet" in page.error[0].value
    assert any("Fetch the published weights (45 MiB)" in button.label for button in page.button)


@pytest.mark.parametrize(
    "garbage",
    [{"net": "<script>"}, {"net": "untrained:plain-7"}, {"part": "block 99"}, {"beside": "upload:x"}],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = open_page(**garbage)
    assert not page.exception
    assert page.selectbox(key="net").value.endswith("-s0")
    assert page.selectbox(key="part").value == "block 1"
    assert len(page.get("plotly_chart")) == 1
