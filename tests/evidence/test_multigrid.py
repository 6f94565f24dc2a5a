"""Multigrid: V-cycles reach scipy's direct solution, the bases span the same, conditions are exact."""

import numpy as np
import pytest
from scipy.sparse import diags
from scipy.sparse.linalg import spsolve

from explorer.evidence.multigrid import (
    SIZES,
    by_level,
    cycles,
    hats,
    minus_second,
    most_levels,
    on_a_line,
    on_a_square,
    smooth,
    steps_to,
    v_cycle,
)


def matrix(points):
    square = float((points + 1) ** 2)
    return diags([-square, 2 * square, -square], [-1, 0, 1], shape=(points, points), format="csc")


def test_the_operator_is_the_usual_matrix():
    u = np.random.RandomState(1).normal(size=31)
    np.testing.assert_allclose(minus_second(u), matrix(31) @ u, rtol=1e-12)


@pytest.mark.parametrize("points", SIZES)
def test_v_cycles_reach_the_direct_solution(points):
    f = np.random.RandomState(2).normal(size=points)
    direct, u = spsolve(matrix(points), f), np.zeros(points)
    for _ in range(14):
        u = v_cycle(u, f, most_levels(points))
    np.testing.assert_allclose(u, direct, atol=1e-10 * np.abs(direct).max())


def test_one_level_is_four_sweeps_of_weighted_jacobi():
    u, f = np.random.RandomState(3).normal(size=(2, 15))
    by_hand = u
    for _ in range(4):
        by_hand = by_hand + 2 / 3 * (f - matrix(15) @ by_hand) / matrix(15).diagonal()
    np.testing.assert_allclose(v_cycle(u, f, 1), by_hand, rtol=1e-10)
    np.testing.assert_allclose(smooth(u, f, 4), by_hand, rtol=1e-10)


def test_corrections_shrink_an_error_that_smoothing_keeps():
    alone, all_grids = (np.abs(cycles(255, levels, 8)).max(1) for levels in (1, most_levels(255)))
    assert alone[8] > 0.5 * alone[0]
    assert all_grids[8] < 1e-6 * all_grids[0]


def test_hats_span_every_grid_function():
    basis, levels = hats(15)
    assert np.linalg.matrix_rank(basis) == 15
    assert np.bincount(levels).tolist() == [1, 2, 4, 8]
    assert basis.max(0).tolist() == [1] * 15


def test_on_a_line_hats_are_orthogonal_in_energy():
    nodal, found = (on_a_line(63, hierarchical=way, steps=100) for way in (False, True))
    assert nodal.condition == pytest.approx(np.tan(np.pi / 128) ** -2, rel=1e-6)
    assert found.condition == pytest.approx(1, abs=1e-9)
    assert steps_to(found) == 1
    assert steps_to(nodal) is None
    direct = spsolve(matrix(63), np.pi**2 * np.sin(np.pi * np.arange(1, 64) / 64))
    np.testing.assert_allclose(found.solutions[-1], direct, rtol=1e-9)
    assert by_level(found)[:4] == pytest.approx([1.0002, 0.2071, 0.0703, 0.0188], abs=1e-4)


def test_on_a_square_the_same_descent_needs_far_fewer_steps():
    nodal, found = (on_a_square(15, hierarchical=way) for way in (False, True))
    assert nodal.condition == pytest.approx(103.1, abs=0.1)
    assert found.condition == pytest.approx(8.56, abs=0.01)
    assert steps_to(nodal) > 15 * steps_to(found)
    np.testing.assert_allclose(found.solutions[-1], nodal.solutions[-1], atol=5e-3)


@pytest.mark.parametrize("points", [0, 1, 30, 64])
def test_other_sizes_are_refused(points):
    with pytest.raises(ValueError, match="give 2\\^k - 1"):
        cycles(points, 1, 1)


@pytest.mark.parametrize("levels", [0, 7])
def test_levels_that_are_not_there_are_refused(levels):
    with pytest.raises(ValueError, match="63 points have 1 to 6"):
        cycles(63, levels, 1)
