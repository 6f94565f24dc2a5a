"""CIFAR: really downloaded from this machine, checked, put in its place by hand, and what goes wrong."""

import numpy as np
import pytest
from small_cifar import CLASSES, archive_bytes, batches, instead_of_cifar10, known_as, served

from explorer.data.add_dataset import AddRequest, add, remove
from explorer.data.cifar import _CIFAR100_CLASSES, ARCHIVES, fetch
from explorer.data.dataset import DataError
from explorer.data.registry import available
from explorer.data.sources import open_dataset


@pytest.fixture
def small(monkeypatch):
    with instead_of_cifar10(monkeypatch) as (archive, asked):
        yield archive, asked


def test_download_decode_and_open(small):
    told = []

    entry = add(AddRequest("cifar10", "cifar10"), lambda *numbers: told.append(numbers))

    assert entry.available() == ("cifar10", "CIFAR-10", 32, 3, 10, 100, 20)
    assert told[-1] == (20, 20)
    train, test = (open_dataset("cifar10").split(name) for name in ("train", "test"))
    first = batches()["data_batch_1"]
    np.testing.assert_array_equal(train.images[:20], first["data"].reshape(-1, 3, 32, 32))
    assert train.labels.tolist() == first["labels"] * 5
    np.testing.assert_array_equal(test.images, batches()["test_batch"]["data"].reshape(-1, 3, 32, 32))
    assert open_dataset("cifar10").classes == tuple(CLASSES)


def test_what_is_there_is_not_asked_for_again(small):
    archive, asked = small
    fetch(archive)
    before = len(asked)
    fetch(archive)

    assert 0 < before == len(asked)


def test_an_archive_put_there_by_hand_needs_no_network(monkeypatch):
    content, sums = archive_bytes()
    monkeypatch.setitem(ARCHIVES, "cifar10", known_as("http://127.0.0.1:9/nothing", content, sums))
    ARCHIVES["cifar10"].folder.mkdir(parents=True)
    ARCHIVES["cifar10"].path.write_bytes(content)

    assert add(AddRequest("cifar10", "cifar10")).train == 100


def test_without_a_network_the_file_and_its_place_are_named(monkeypatch):
    content, sums = archive_bytes()
    monkeypatch.setitem(ARCHIVES, "cifar10", known_as("http://127.0.0.1:9/nothing", content, sums))

    with pytest.raises(DataError) as caught:
        add(AddRequest("cifar10", "cifar10"))

    said = str(caught.value)
    assert "cannot be reached" in said
    assert f"put cifar-10-python.tar.gz into {ARCHIVES['cifar10'].folder} by hand" in said


def test_before_the_download_it_is_said_how_to_get_it():
    with pytest.raises(DataError, match=r"CIFAR-10 is not here yet. `python -m explorer data add cifar10`"):
        open_dataset("cifar10")


def test_another_archive_at_the_address_is_refused_and_deleted(monkeypatch):
    content, sums = archive_bytes()
    with served(b"x" * len(content)) as (url, _):
        monkeypatch.setitem(ARCHIVES, "cifar10", known_as(url, content, sums))
        with pytest.raises(DataError, match="wrong checksum and was deleted"):
            add(AddRequest("cifar10", "cifar10"))

    assert not ARCHIVES["cifar10"].path.exists()
    assert available() == available()[:1]


def test_a_server_that_refuses_is_quoted(monkeypatch):
    with (
        instead_of_cifar10(monkeypatch, status=404),
        pytest.raises(DataError, match=r"the server answered 404"),
    ):
        add(AddRequest("cifar10", "cifar10"))


def test_a_batch_changed_on_disk_is_never_unpickled(small):
    archive, _ = small
    fetch(archive)
    (archive.batches / "test_batch").write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    with pytest.raises(DataError, match="are damaged"):
        open_dataset("cifar10").split("test")


def test_a_mirror_has_the_same_checksums(small):
    archive, asked = small
    url = archive.differs["url"].replace("/cifar", "/mirror/cifar")

    add(AddRequest("cifar10", "cifar10", url=url))

    assert set(asked) == {"/mirror/cifar-10-python.tar.gz"}
    with pytest.raises(DataError, match="not the address"):
        add(AddRequest("cifar10", "cifar10", url="file:///etc/passwd"))


def test_removing_deletes_the_archive_too(small):
    archive, _ = small
    add(AddRequest("cifar10", "cifar10"))
    remove("cifar10")

    assert not archive.folder.exists()


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_names_and_checksums_are_those_of_torchvision(name):
    from torchvision.datasets import CIFAR10, CIFAR100

    known = ARCHIVES[name].known()
    assert known is {"cifar10": CIFAR10, "cifar100": CIFAR100}[name]
    assert ARCHIVES[name].path.name == known.filename
    assert ARCHIVES[name].batches.name == known.base_folder
    assert len(_CIFAR100_CLASSES) == len(set(_CIFAR100_CLASSES)) == 100
    assert list(_CIFAR100_CLASSES) == sorted(_CIFAR100_CLASSES)
