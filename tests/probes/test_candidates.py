"""Readings of a checkpoint put to the test on images that the right reading classifies without a mistake."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from owners import Owner, named

from explorer.data.dataset import Dataset, Split
from explorer.nets.checkpoint_reading import Reading
from explorer.nets.normalisation import Normalisation
from explorer.probes import candidates
from explorer.probes.candidates import check_match, is_open, offered
from explorer.runs.net_opening import open_file, other_readings_of

OWNER = Owner((1, 1, 1), (4, 8, 16), shortcut="AA", classes=4)
SCALE = Normalisation((0.2, 0.5, 0.8), (0.1, 0.2, 0.4))


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "net.safetensors"
    safetensors.torch.save_file(named(OWNER.draw(7), "torchvision"), found)
    return found


@pytest.fixture
def dataset(path):
    """Noise, labelled by the net as its owner reads it."""
    images = np.random.default_rng(0).integers(0, 256, (160, 3, 16, 16), dtype=np.uint8)
    scale = [torch.tensor(values).view(1, 3, 1, 1) for values in (SCALE.mean, SCALE.std)]
    with torch.no_grad():
        logits = OWNER.logits(OWNER.draw(7), (torch.from_numpy(images) / 255 - scale[0]) / scale[1])
    split = Split(images, logits.argmax(1).numpy().astype(np.int64))
    names = tuple(f"class {number}" for number in range(4))
    return Dataset("noise", "Noise", names, {"train": lambda: split})


def test_the_reading_without_mistakes_is_offered_by_its_options(path, dataset):
    asked = Reading(normalisation=SCALE)
    found = candidates.tested(other_readings_of(path, "net", asked), asked, dataset)
    assert [each.options for each in found] == ["", "--family residual --padding both", "--family plain"]
    assert found[1].error_pct == 0 < found[0].error_pct
    said = offered(found, 4)
    assert "160 training images" in said
    assert "--padding both 0 %: give that" in said


def test_nothing_is_offered_where_what_was_taken_is_right(path, dataset):
    asked = Reading(normalisation=SCALE, padding="both")
    assert offered(candidates.tested(other_readings_of(path, "net", asked), asked, dataset), 4) == ""


def test_scales_are_tried_where_nobody_gave_one(path, dataset):
    asked = Reading(padding="both", family="residual")
    loaded = open_file(path, "net", "net", reading=asked)
    assert is_open(loaded)
    found = candidates.tested(other_readings_of(path, "net", asked), asked, dataset)
    assert len(found) > 4
    assert all(each.options.startswith("--mean") for each in found[1:])
    assert not is_open(open_file(path, "net", "net", reading=replace(asked, normalisation=SCALE)))


def test_a_dataset_of_other_classes_or_channels_is_refused_with_both_numbers(path, dataset):
    asked = Reading()
    with pytest.raises(ValueError, match=r"4 classes apart; Noise has 5"):
        candidates.tested(
            other_readings_of(path, "net", asked), asked, replace(dataset, classes=tuple("abcde"))
        )
    with pytest.raises(ValueError, match=r"have 3 channels, the net and its normalisation 1"):
        check_match(4, 1, dataset, "train")
