"""Memory is estimated with the size of the images that a run is trained on, whatever they are called."""

import pytest

from explorer.jobs.memory_check import check_memory
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe

DEEP = NetSpec("residual", 302)


@pytest.mark.parametrize("data", ["digits-validation", "digits-small", "digits:400", "digits-small:100"])
def test_digits_under_any_name_need_what_digits_need(data):
    assert check_memory(DEEP, Recipe(device="cuda"), data) == check_memory(
        DEEP, Recipe(device="cuda"), "digits"
    )


def test_what_is_not_known_is_taken_for_32_pixels():
    unknown = check_memory(DEEP, Recipe(device="cuda"), "somewhere").memory_mib

    assert unknown > 4 * check_memory(DEEP, Recipe(device="cuda"), "digits").memory_mib
