"""Decoded once: the second start maps a file; damage, change, and disks that refuse are survived."""

import json
import logging
import os
import shutil

import numpy as np
import pytest
from image_files import GREEN, encoded, write_images

from explorer.data import decoding
from explorer.data.array_cache import arrays_folder
from explorer.data.sources import open_dataset


@pytest.fixture
def pets(tmp_path):
    return write_images(
        tmp_path / "pets",
        {"cat/1.png": encoded(), "cat/2.png": encoded((1, 2, 3)), "dog/1.png": encoded(GREEN)},
    )


@pytest.fixture
def decoded(monkeypatch):
    """The names of all files decoded so far."""
    names, real = [], decoding.pixels_of

    def spy(content, where, resize=None):
        names.append(where)
        return real(content, where, resize)

    monkeypatch.setattr("explorer.data.folders.pixels_of", spy)
    return names


def read(path):
    return open_dataset(str(path)).split("test")


def kept():
    (folder,) = arrays_folder().iterdir()
    return folder


def test_the_second_start_maps_a_file(pets, decoded):
    first = read(pets)
    assert len(decoded) == 3

    second = read(pets)

    assert len(decoded) == 3
    assert isinstance(second.images, np.memmap)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)
    fresh = type(second)(np.array(second.images), second.labels)
    assert second.sha256 == fresh.sha256
    np.testing.assert_array_equal(second.histogram, fresh.histogram)


def test_writing_into_the_images_leaves_the_file_alone(pets):
    read(pets)
    read(pets).images[:] = 0

    assert read(pets).images.max() == 250


def test_torch_takes_mapped_images_as_they_are(pets):
    import torch

    read(pets)
    assert torch.from_numpy(read(pets).images).shape == (3, 3, 6, 6)


@pytest.mark.parametrize("change", ["new", "gone", "touched", "resized"])
def test_a_changed_source_is_decoded_again(pets, decoded, change):
    read(pets)
    if change == "new":
        write_images(pets, {"dog/2.png": encoded()})
    elif change == "gone":
        (pets / "cat" / "2.png").unlink()
    elif change == "touched":
        os.utime(pets / "cat" / "1.png", ns=(1, 1))
    else:
        write_images(pets, {"dog/1.png": encoded((9, 9, 9))})
    before = len(decoded)

    split = read(pets)

    assert len(decoded) - before == len(split.labels)
    assert kept()


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "swapped", "about", "histogram", "missing"])
def test_a_damaged_cache_is_made_again(pets, decoded, damage):
    whole = np.array(read(pets).images)
    images, about = kept() / "images.npy", kept() / "about.json"
    content = images.read_bytes()
    if damage == "cut":
        images.write_bytes(content[:-5])
    elif damage == "empty":
        images.write_bytes(b"")
    elif damage == "flipped":
        images.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    elif damage == "swapped":
        np.save(images, whole[:, :, :3])
    elif damage == "about":
        about.write_text(about.read_text()[:-9])
    elif damage == "histogram":
        about.write_text(json.dumps(json.loads(about.read_text()) | {"histogram": [[1]]}))
    else:
        (kept() / "labels.npy").unlink()

    np.testing.assert_array_equal(read(pets).images, whole)
    assert len(decoded) == 6
    np.testing.assert_array_equal(read(pets).images, whole)
    assert len(decoded) == 6


def test_a_cache_moved_elsewhere_still_counts(pets, decoded):
    read(pets)
    os.utime(kept() / "images.npy", ns=(5, 5))

    read(pets)

    assert len(decoded) == 3


def test_a_process_killed_while_writing_leaves_nothing_that_counts(pets, decoded):
    read(pets)
    part = kept().with_name(".part-killed")
    kept().rename(part)
    (part / "about.json").write_text("{")
    os.utime(part, (0, 0))

    assert len(read(pets).labels) == 3
    assert len(decoded) == 6
    assert not part.exists()


def test_a_home_that_refuses_costs_only_a_warning(pets, decoded, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file"))

    with caplog.at_level(logging.WARNING):
        assert len(read(pets).labels) == 3

    assert "stay in memory" in caplog.text


def test_a_full_disk_costs_only_a_warning(pets, monkeypatch, caplog):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with caplog.at_level(logging.WARNING):
        split = read(pets)

    assert len(split.labels) == 3
    assert "No space left on device" in caplog.text
    assert list(arrays_folder().iterdir()) == []


def test_two_folders_of_one_name_do_not_meet(pets, tmp_path):
    other = tmp_path / "elsewhere" / "pets"
    shutil.copytree(pets, other)
    write_images(other, {"cat/1.png": encoded((7, 7, 7))})

    assert read(pets).sha256 != read(other).sha256
    assert len(list(arrays_folder().iterdir())) == 2
