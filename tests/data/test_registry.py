"""Datasets by name: added once, opened without their decoder, listed without a pixel, removed for good."""

import numpy as np
import pytest
from image_files import GREEN, encoded, write_images, write_shard

from explorer.data import registry
from explorer.data.add_dataset import AddRequest, add, remove
from explorer.data.dataset import DataError
from explorer.data.sources import digits, open_dataset


@pytest.fixture
def pets(tmp_path):
    """Twelve images of two classes, no splits."""
    for number in range(6):
        write_images(tmp_path / "pets", {f"cat/{number}.png": encoded((number, 0, 0))})
        write_images(tmp_path / "pets", {f"dog/{number}.png": encoded(GREEN)})
    return tmp_path / "pets"


def test_digits_are_always_there_and_described_as_they_are():
    train, test = (digits().split(name) for name in ("train", "test"))

    assert registry.available() == [
        (
            "digits",
            digits().title,
            train.image_size,
            train.in_channels,
            10,
            len(train.labels),
            len(test.labels),
        )
    ]


def test_one_split_becomes_two_by_class(pets):
    entry = add(AddRequest("pets", str(pets)))

    assert entry.available() == ("pets", "pets", 6, 3, 2, 10, 2)
    assert registry.available()[1:] == [entry.available()]
    dataset = open_dataset("pets")
    assert (dataset.id, dataset.classes) == ("pets", ("cat", "dog"))
    assert np.bincount(dataset.split("train").labels).tolist() == [5, 5]
    assert np.bincount(dataset.split("test").labels).tolist() == [1, 1]


def test_two_splits_stay_as_they_are(tmp_path):
    write_shard(tmp_path / "mine" / "train-0.parquet", [encoded(), encoded(GREEN)], [0, 1])
    write_shard(tmp_path / "mine" / "test-0.parquet", [encoded()], [0])

    assert add(AddRequest("mine", str(tmp_path / "mine"), title="Mine")).available() == (
        "mine",
        "Mine",
        6,
        3,
        2,
        2,
        1,
    )
    assert open_dataset("mine").title == "Mine"
    assert len(open_dataset("mine").split("test").labels) == 1


def test_listing_reads_no_source(pets):
    add(AddRequest("pets", str(pets)))
    for path in pets.rglob("*.png"):
        path.unlink()

    assert [found.name for found in registry.available()] == ["digits", "pets"]


def test_a_source_that_is_gone_is_named(pets):
    add(AddRequest("pets", str(pets)))
    pets.rename(pets.with_name("moved"))

    with pytest.raises(DataError, match=r"pets' is not a dataset"):
        open_dataset("pets")


def test_classes_that_changed_are_noticed(pets):
    add(AddRequest("pets", str(pets)))
    write_images(pets, {"bird/1.png": encoded(), "bird/2.png": encoded()})

    with pytest.raises(DataError, match="have changed since pets was added"):
        open_dataset("pets")


def test_removing_deletes_what_was_kept_and_not_the_users_images(pets):
    add(AddRequest("pets", str(pets)))
    assert list(registry.home().glob("arrays/*/images.npy"))

    remove("pets")

    assert registry.available() == [registry.DIGITS]
    assert list(registry.home().glob("arrays/*")) == []
    assert len(list(pets.rglob("*.png"))) == 12
    with pytest.raises(DataError, match="No dataset called pets"):
        remove("pets")


@pytest.mark.parametrize("name", ["digits", "digits-validation", "cifar10"])
def test_the_explorers_own_names_cannot_be_taken(pets, name):
    with pytest.raises(DataError, match="taken by the explorer"):
        add(AddRequest(name, str(pets)))


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a/b", "a b", "-a", "ü", "x" * 41, "a\n"])
def test_what_cannot_be_a_name(pets, name):
    with pytest.raises(DataError, match="cannot be a dataset's name"):
        add(AddRequest(name, str(pets)))
    with pytest.raises(DataError, match="cannot be a dataset's name"):
        remove(name)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', '{"classes": 3}'])
def test_a_damaged_description_is_left_out(pets, text):
    add(AddRequest("pets", str(pets)))
    (registry.folder_of("pets") / "dataset.json").write_text(text)

    assert registry.available() == [registry.DIGITS]
    assert registry.find("pets") is None


def test_splits_of_two_sizes_are_refused(tmp_path):
    write_images(tmp_path / "x" / "train", {"a/1.png": encoded(size=(8, 8)), "b/1.png": encoded(size=(8, 8))})
    write_images(tmp_path / "x" / "test", {"a/1.png": encoded(), "b/1.png": encoded()})

    with pytest.raises(DataError, match="Make them one size"):
        add(AddRequest("x", str(tmp_path / "x")))
    assert add(AddRequest("x", str(tmp_path / "x"), resize=8)).image_size == 8


def test_a_home_that_cannot_be_written_to_is_named(pets, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file"))

    with pytest.raises(DataError, match="cannot be written to"):
        add(AddRequest("pets", str(pets)))
