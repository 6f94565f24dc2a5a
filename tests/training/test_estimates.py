"""Estimates: exact where counted, in proportion where scaled, silent where nothing is known."""

import subprocess
import sys
from dataclasses import replace

import pytest

from explorer.nets.spec import NetSpec
from explorer.training.calibration import time_steps
from explorer.training.estimates import (
    DoesNotFitError,
    Speed,
    Timing,
    check_fits,
    duration,
    estimate,
    fit_speed,
    together,
)
from explorer.training.recipe import Recipe

SPEC = NetSpec("residual", 20, in_channels=1)
RECIPE = Recipe(epochs=10, batch_size=128)
SPEED = Speed((1e-4, 2e-3, 1e-4))


def timing(spec=SPEC, size=8, batch=128, step_s=0.05, run=False):
    return Timing(spec, size, batch, step_s, run)


def test_without_a_measured_speed_no_time_is_made_up():
    cost = estimate(SPEC, RECIPE, 8, 1437)

    assert (cost.seconds, cost.images_per_s) == (None, None)
    assert "unknown" in cost.basis
    assert cost.parameters == 269_434


def test_a_speed_that_is_made_of_known_weights_is_found_again():
    nets = [NetSpec("residual", depth, width=width) for depth, width in ((8, 4), (20, 16), (56, 16), (8, 64))]
    made = [timing(spec, size) for spec in nets for size in (8, 32)]
    steps = [
        replace(one, step_s=sum(w * c for w, c in zip(SPEED.weights, one.cost, strict=True))) for one in made
    ]

    assert fit_speed(steps).weights == pytest.approx(SPEED.weights, rel=1e-6)


def test_weights_never_fall_below_zero():
    odd = [timing(step_s=0.5), timing(NetSpec("residual", 110), step_s=0.1), timing(size=32, step_s=0.2)]

    assert min(fit_speed(odd).weights) >= 0


def test_time_grows_with_epochs_and_depth():
    short, long = (estimate(SPEC, replace(RECIPE, epochs=n), 8, 1437, SPEED).seconds for n in (5, 50))
    deep = estimate(replace(SPEC, depth=110), replace(RECIPE, epochs=5), 8, 1437, SPEED).seconds

    assert long / short == pytest.approx(10, rel=0.05)
    assert deep > 4 * short


def test_a_finished_run_of_the_same_net_counts_more_than_the_calibration():
    speed = replace(SPEED, runs=(timing(step_s=0.5, run=True),))
    cost = estimate(SPEC, RECIPE, 8, 1437, speed)

    assert cost.images_per_s == pytest.approx(128 / 0.5)
    assert cost.seconds == pytest.approx(0.5 * (110 * 13 / 12 + 11 / 2))
    assert "one finished run of this very net" in cost.basis


def test_other_runs_scale_the_calibration():
    near = timing(NetSpec("plain", 20))
    slow = replace(
        near, step_s=3 * sum(w * c for w, c in zip(SPEED.weights, near.cost, strict=True)), run=True
    )
    plain, scaled = (
        estimate(SPEC, RECIPE, 8, 1437, speed).seconds for speed in (SPEED, replace(SPEED, runs=(slow,)))
    )

    assert scaled == pytest.approx(3 * plain)


def test_what_does_not_fit_is_refused_with_its_numbers():
    cost = estimate(replace(SPEC, depth=1202), replace(RECIPE, batch_size=1024), 32, 50_000, SPEED)

    with pytest.raises(
        DoesNotFitError, match=r"needs about \d+\.\d GiB, and 2.0 GiB are free. Take a smaller"
    ):
        check_fits(cost, 2048)
    with pytest.raises(DoesNotFitError, match=r"would take about .*, and at most 60 s are allowed"):
        check_fits(cost, 1e9, max_seconds=60)
    check_fits(cost, 1e9)


def test_runs_that_share_workers_end_when_the_last_one_does():
    assert together([4, 3, 2, 1], 1) == 10
    assert together([4, 3, 2, 1], 2) == 5
    assert together([], 2) == 0


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (25.4, "25 s"), (140, "2 min"), (20_000, "5.6 h")]
)
def test_durations_have_as_many_digits_as_an_estimate_deserves(seconds, said):
    assert duration(seconds) == said


def test_the_calibration_times_real_steps():
    steps = time_steps("cpu")

    assert min(step.step_s for step in steps) > 0
    assert min(fit_speed(steps).weights) >= 0


def test_estimates_wake_no_torch():
    script = (
        "import sys, explorer.training.estimates, explorer.jobs.machine_speed\n"
        "print(sorted(set(sys.modules) & {'torch', 'sklearn', 'scipy'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
