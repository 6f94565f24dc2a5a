"""Precision and kernels that are left to the machine: by its calibration, with the reason in words."""

import pytest

from explorer.jobs.experiment import DatasetInfo
from explorer.jobs.fastest_settings import PAYS_S, costliest, fastest
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Speed, estimate
from explorer.training.recipe import Recipe

SPEC = NetSpec("residual", 56)
IMAGES = DatasetInfo("some", 32, 3, 10, 50_000)
LONG, SHORT = Recipe(iterations=2000), Recipe(iterations=1)


def speeds(**times):
    """Speed by precision and kernels: 'fp32_fused'; each a factor of the time per multiply-add."""
    known = {name: Speed((0.0, 0.0, factor * 1e-5)) for name, factor in times.items()}
    return lambda recipe: known.get(f"{recipe.precision}_{recipe.kernels}")


def test_fused_kernels_are_taken_where_they_pay_and_the_saving_is_told():
    speed_of = speeds(fp32_eager=1.0, fp32_fused=0.8)
    found = fastest(SPEC, LONG, IMAGES, speed_of)
    saved = 0.2 * estimate(SPEC, LONG, 32, 50_000, speed_of(LONG)).seconds

    assert found.recipe.kernels == "fused"
    assert saved > PAYS_S
    assert found.reasons == (
        f"Fused kernels save about {saved:.0f} s of {round(saved * 5 / 60)} min per run.",
    )


@pytest.mark.parametrize(
    ("recipe", "times"),
    [
        (SHORT, {"fp32_eager": 1.0, "fp32_fused": 0.5}),  # saves too little of a short run
        (LONG, {"fp32_eager": 1.0, "fp32_fused": 1.1}),  # slower on this processor
        (LONG, {"fp32_eager": 1.0}),  # cannot be built here
        (LONG, {}),  # not measured yet
    ],
)
def test_else_the_kernels_stay_eager_and_nothing_is_said(recipe, times):
    found = fastest(SPEC, recipe, IMAGES, speeds(**times))

    assert found.recipe == recipe
    assert found.reasons == ()


@pytest.mark.parametrize(("half", "precision"), [(0.5, "bf16"), (0.95, "fp32"), (1.4, "fp32")])
def test_auto_takes_bf16_only_where_it_is_clearly_faster(half, precision):
    speed_of = speeds(fp32_eager=1.0, bf16_eager=half)
    found = fastest(SPEC, LONG, IMAGES, speed_of, auto_precision=True)

    assert found.recipe.precision == precision
    assert f"Precision: {precision}" in found.reasons[0]
    assert f"{1 / half:.1f} times" in found.reasons[0]


def test_auto_compares_each_precision_with_the_kernels_that_suit_it():
    speed_of = speeds(fp32_eager=1.0, fp32_fused=0.7, bf16_eager=1.0, bf16_fused=0.35)
    found = fastest(SPEC, LONG, IMAGES, speed_of, auto_precision=True)

    assert (found.recipe.precision, found.recipe.kernels) == ("bf16", "fused")
    assert "2.0 times" in found.reasons[0]
    assert "Fused kernels save" in found.reasons[1]


def test_auto_is_fp32_before_the_machine_was_measured():
    found = fastest(SPEC, LONG, IMAGES, speeds(), auto_precision=True)

    assert found.recipe == LONG
    assert "until this machine's speed has been measured" in found.reasons[0]


def test_a_choice_of_kernels_is_kept():
    fused = Recipe(iterations=1, kernels="fused")

    assert fastest(SPEC, fused, IMAGES, speeds(fp32_eager=1.0, fp32_fused=2.0)).recipe == fused


def test_the_costliest_net_decides_for_twins():
    nets = [NetSpec("plain", 20), NetSpec("residual", 20, shortcut="C"), NetSpec("plain", 8)]

    assert costliest(nets, 32) == nets[1]
