"""What is known of a dataset by its name is what its images say, for every name and for subsets."""

import pytest

from explorer.data import facts
from explorer.data.registry import BUILT_IN, RegisteredDataset, keep
from explorer.data.sources import open_dataset


@pytest.mark.parametrize("name", [*BUILT_IN, "digits:400", "digits-small:50"])
def test_the_facts_of_embedded_data_are_those_of_its_images(name):
    split = open_dataset(name).split("train")
    known = facts.facts(name)

    assert (known.image_size, known.channels) == (split.image_size, split.in_channels)


def test_the_facts_of_what_was_added_are_those_of_its_entry():
    keep(
        RegisteredDataset(
            "flowers", "Flowers", "/somewhere", ("a", "b"), image_size=64, channels=1, train=90, test=10
        )
    )

    assert facts.facts("flowers:50") == facts.Facts("Flowers", "Flowers", 64, 1)
    assert facts.title("flowers") == "Flowers"


@pytest.mark.parametrize("data", ["nobody", "", "/no/such/folder", "../etc:5", "flowers:1e3"])
def test_what_is_not_known_is_called_as_it_was_asked_for(data):
    assert facts.facts(data) is None
    assert (facts.title(data), facts.image_size(data)) == (data, facts.USUAL_SIZE)


def test_a_path_that_exists_is_no_subset(tmp_path):
    (tmp_path / "images:50").mkdir()

    assert facts.parse_subset(str(tmp_path / "images:50")) == (str(tmp_path / "images:50"), None)
    assert facts.parse_subset(f"{tmp_path}:50") == (str(tmp_path), 50)
