"""Folders and zips of somebody else's making: what is taken, and what is refused in words."""

import os
import zipfile

import numpy as np
import pytest
from image_files import GREEN, encoded, write_images
from test_sources import read_error

from explorer.data import file_tree
from explorer.data.dataset import DataError
from explorer.data.sources import open_dataset


def make_zip(path, content, kind=zipfile.ZIP_DEFLATED):
    """A zip with these paths and bytes, names as they are given."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, kind)
    return path


def small(**more):
    return {"cat/1.png": encoded(), "dog/1.png": encoded(GREEN)} | more


def snapshot(folder):
    return sorted(path for path in folder.rglob("*"))


def test_a_zip_reads_as_the_folder_it_was_made_of(tmp_path):
    content = {"cat/1.png": encoded(), "dog/1.png": encoded(GREEN), "dog/0.png": encoded((1, 1, 1))}
    write_images(tmp_path / "pets", content)
    path = make_zip(tmp_path / "pets.zip", content)

    folder, packed = open_dataset(str(tmp_path / "pets")), open_dataset(str(path))

    assert (packed.id, packed.classes) == (folder.id, folder.classes) == ("pets", ("cat", "dog"))
    assert packed.split("test").sha256 == folder.split("test").sha256


def test_folders_around_the_splits_and_what_systems_add_are_passed_over(tmp_path):
    inside = {
        f"mine/data/{split}/{name}": data for split in ("train", "val") for name, data in small().items()
    }
    noise = {"__MACOSX/mine/._1.png": b"x", "mine/.DS_Store": b"x", "mine/data/readme.txt": b"x"}

    dataset = open_dataset(str(make_zip(tmp_path / "a.zip", inside | noise)))

    assert list(dataset.readers) == ["train", "test"]
    assert dataset.classes == ("cat", "dog")
    assert len(dataset.split("test").labels) == 2


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "cat/../../evil.png",
        "/etc/evil.png",
        "C:/evil.png",
        "cat\\..\\evil.png",
        "cat/a\nb.png",
    ],
)
def test_names_that_lead_out_are_refused_and_nothing_is_written(tmp_path, name):
    (tmp_path / "in").mkdir()
    path = make_zip(tmp_path / "in" / "a.zip", small())
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, encoded())
    before = snapshot(tmp_path)

    assert "leads out of it" in read_error(path)
    assert snapshot(tmp_path) == before


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", small())
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("dog/link.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")

    assert "'dog/link.png' in the zip is a link" in read_error(path)


def test_an_encrypted_entry_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", small())
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    assert "is encrypted" in read_error(path)


def test_an_unusual_method_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", small(), zipfile.ZIP_LZMA)

    assert "the usual method, deflate" in read_error(path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = make_zip(tmp_path / "a.zip", small(**{"dog/bomb.bmp": bytes(60 * 2**20)}))
    assert path.stat().st_size < 200_000

    assert "times its size" in read_error(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(file_tree, "MAX_TOTAL", 1000)

    assert "would unpack to" in read_error(
        make_zip(tmp_path / "a.zip", small(**{"dog/2.png": os.urandom(2000)}))
    )


def test_an_entry_larger_than_it_declares_is_refused(tmp_path):
    """Python reads no more than was declared, and then the checksum is wrong."""
    path = make_zip(tmp_path / "a.zip", small(**{"dog/2.bmp": bytes(500_000)}))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(content)

    assert "is damaged" in read_error(path)


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(file_tree, "MAX_FILES", 2)
    content = small(**{"dog/2.png": encoded()})

    assert "holds 3 files; 2 are taken" in read_error(make_zip(tmp_path / "a.zip", content))
    assert "holds more than 2 files" in read_error(write_images(tmp_path / "b", content))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)

    assert read_error(tmp_path / "a.zip")


def outcome(path):
    try:
        open_dataset(str(path)).split("test")
    except DataError as error:
        return str(error)
    return "it was read after all"


def test_random_damage_gives_words_and_never_a_traceback(tmp_path):
    whole = make_zip(tmp_path / "a.zip", small()).read_bytes()
    random = np.random.RandomState(0)
    for _ in range(150):
        content = bytearray(whole)
        for place in random.randint(0, len(content), random.randint(1, 6)):
            content[place] = random.randint(256)
        (tmp_path / "a.zip").write_bytes(content[: random.randint(1, len(content) + 1)])
        assert len(outcome(tmp_path / "a.zip")) > 20


def test_two_files_of_one_name(tmp_path):
    path = make_zip(tmp_path / "a.zip", small())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cat/1.png", encoded(GREEN))

    assert "two files of one name" in read_error(path)


def test_one_class_in_a_zip(tmp_path):
    assert "at least two; it has 1" in read_error(make_zip(tmp_path / "a.zip", {"cat/1.png": encoded()}))


def test_a_link_out_of_a_folder_is_refused(tmp_path):
    (tmp_path / "secret.png").write_bytes(encoded())
    write_images(tmp_path / "pets", small())
    (tmp_path / "pets" / "dog" / "2.png").symlink_to(tmp_path / "secret.png")

    assert "a link that leads out of the folder" in read_error(tmp_path / "pets")


def test_a_link_in_a_circle_ends(tmp_path):
    write_images(tmp_path / "pets", small())
    (tmp_path / "pets" / "dog" / "again").symlink_to(tmp_path / "pets")

    assert len(open_dataset(str(tmp_path / "pets")).split("test").labels) == 2


def test_a_huge_file_is_not_read(tmp_path):
    write_images(tmp_path / "pets", small())
    with (tmp_path / "pets" / "dog" / "huge.png").open("wb") as file:
        file.truncate(3 * 2**30)

    assert "more than 20 MB" in read_error(tmp_path / "pets")


def test_classes_that_only_one_split_has(tmp_path):
    write_images(tmp_path / "train", small())
    write_images(tmp_path / "test", small(**{"eel/1.png": encoded()}))

    assert "Only test has a class 'eel'" in read_error(tmp_path)


def test_a_raw_deflate_stream_that_breaks_off(tmp_path):
    path = make_zip(tmp_path / "a.zip", small(**{"dog/2.png": os.urandom(3000)}))
    content = path.read_bytes()
    start = content.index(b"dog/2.png") + len("dog/2.png")
    path.write_bytes(content[:start] + bytes(200) + content[start + 200 :])

    assert "damaged" in read_error(path)
