"""Errors of published nets: measured on real files, kept, and told beside the paper's number."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from published_names import published_names

from explorer import paper
from explorer.data import registry
from explorer.data.cifar import CIFAR10_CLASSES
from explorer.evidence.board import board
from explorer.evidence.published_errors import (
    PublishedError,
    fitting_datasets,
    keep_error,
    kept_errors,
    measure_error,
)
from explorer.nets.build import build
from explorer.nets.published_cifar import PUBLISHED_CIFAR, published_cifar
from explorer.nets.spec import NetSpec
from explorer.runs.library import open_library
from explorer.runs.net_catalogue import cifar_folder


@pytest.fixture
def small_cifar10(tmp_path):
    """Twenty test images, two of each class, added as a dataset called small."""
    from explorer.data.add_dataset import AddRequest, add

    random = np.random.default_rng(0)
    for split, count in (("train", 1), ("test", 2)):
        for name in CIFAR10_CLASSES:
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (32, 32, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return add(AddRequest("small", str(tmp_path / "pictures")))


@pytest.fixture
def resnet20(monkeypatch):
    """A ResNet-20 with random weights in the place of the published one."""
    net = build(NetSpec.parse("residual-20"), seed=1)
    state = {f"module.{name}": tensor for name, tensor in published_names(net, head="linear").items()}
    cifar_folder().mkdir(parents=True)
    file = cifar_folder() / "made.th"
    torch.save({"state_dict": state}, file)
    digits = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    about = replace(published_cifar("resnet20"), digits=digits)
    file.rename(cifar_folder() / about.file)
    monkeypatch.setitem(PUBLISHED_CIFAR, "resnet20", about)
    return about


def test_an_error_is_measured_on_every_test_image_kept_and_told_on_the_board(small_cifar10, resnet20):
    assert [entry.name for entry in fitting_datasets()] == ["small"]
    told = []

    error = measure_error(resnet20, "small", lambda *at: told.append(at))

    assert told[-1] == (20, 20)
    assert error.n == 20
    assert 0 <= error.wrong <= 20
    assert kept_errors("residual-20") == [error]
    assert kept_errors("residual-56") == []
    lines = board(open_library().runs(), [paper.TABLES["table-6"]])
    mine = lines[(lines["id"] == "residual-20") & (lines["quantity"] == "test_error_pct")]
    assert mine["others"].str.contains(f"{error.error_pct:.2f} (the published net", regex=False).all()
    assert "20 test images of" in mine["others"].iloc[0]


def test_a_later_error_replaces_the_earlier_one_of_that_dataset_alone():
    first, other = PublishedError("resnet56", "a", "A", 100, 7), PublishedError("resnet56", "b", "B", 100, 9)
    for error in (first, other, replace(first, wrong=6)):
        keep_error(error)

    assert kept_errors() == [replace(first, wrong=6), other]


@pytest.mark.parametrize("text", ["", "[", "{}", '[{"net": "resnet20"}]', '[{"net": 3}]'])
def test_a_damaged_file_counts_as_nothing_measured(text):
    cifar_folder().mkdir(parents=True)
    (cifar_folder() / "errors.json").write_text(text)

    assert kept_errors() == []


def test_other_classes_or_sizes_do_not_fit():
    entry = registry.RegisteredDataset("x", "X", "/x", CIFAR10_CLASSES, 28, 3, 10, 10)
    registry.keep(entry)
    registry.keep(replace(entry, name="y", image_size=32, classes=CIFAR10_CLASSES[::-1]))
    registry.keep(replace(entry, name="z", image_size=32))

    assert [one.name for one in fitting_datasets()] == ["z"]
