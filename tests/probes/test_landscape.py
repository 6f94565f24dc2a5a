"""The landscape: its middle is the net, its points are those of a loop over state dicts, and it can go on."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.landscape import fill, principal_plane, random_plane, random_walk_shares, square


@pytest.fixture(scope="module")
def subject():
    net = build(NetSpec("residual", 8, in_channels=1), 0).eval()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(40, 1, 8, 8, generator=generator)
    labels = torch.randint(0, 10, (40,), generator=generator)
    net.train()
    with torch.no_grad():
        net(images)
    return net.eval(), images, labels


def by_state_dicts(net, plane, grid, images, labels, *, training):
    """Loss and error of each point: a state dict loaded into a copy, which is then asked."""
    state, asked = net.state_dict(), copy.deepcopy(net).train(training)
    found = np.empty((2, len(grid.y), len(grid.x)))
    for row, y in enumerate(grid.y):
        for column, x in enumerate(grid.x):
            moved = {
                name: state[name] + x * way + y * plane.second[name] for name, way in plane.first.items()
            }
            asked.load_state_dict(state | moved)
            with torch.no_grad():
                logits = asked(images)
            found[0, row, column] = functional.cross_entropy(logits, labels)
            found[1, row, column] = 100 * (logits.argmax(1) != labels).double().mean()
    return found


@pytest.mark.parametrize("statistics", ["batch", "running"])
def test_a_grid_equals_a_loop_over_state_dicts(subject, statistics):
    net, images, labels = subject
    plane, grid = random_plane(net, 1), square(5)
    fill(net, plane, grid, images, labels, statistics=statistics)
    loss, error = by_state_dicts(net, plane, grid, images, labels, training=statistics == "batch")
    assert grid.loss == pytest.approx(loss, rel=1e-4)
    assert np.abs(grid.error_pct - error).max() <= 2.5  # an image at the edge may be rounded over it


@pytest.mark.parametrize("statistics", ["batch", "running"])
def test_the_middle_is_the_loss_of_the_net(subject, statistics):
    net, images, labels = subject
    before = copy.deepcopy(net.state_dict())
    grid = square(3)
    fill(net, random_plane(net, 0), grid, images, labels, statistics=statistics)
    with torch.no_grad():
        asked = copy.deepcopy(net).train(statistics == "batch")
        assert grid.loss[1, 1] == pytest.approx(
            float(functional.cross_entropy(asked(images), labels)), rel=1e-5
        )
    assert not net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_directions_have_the_norm_of_each_filter_and_leave_the_rest(subject):
    net = subject[0]
    plane = random_plane(net, 3)
    weights = dict(net.named_parameters())
    assert plane.first.keys() == {name for name, weight in weights.items() if weight.dim() > 1}
    for way in (plane.first, plane.second):
        for name, drawn in way.items():
            norms = [rows.flatten(1).norm(dim=1) for rows in (drawn, weights[name])]
            assert torch.allclose(*norms, rtol=1e-4)
    again, other = random_plane(net, 3), random_plane(net, 4)
    assert all(torch.equal(again.first[name], plane.first[name]) for name in plane.first)
    assert not any(torch.equal(other.first[name], plane.first[name]) for name in plane.first)


def test_a_grid_that_was_stopped_goes_on(subject):
    net, images, labels = subject
    plane, whole, stopped = random_plane(net, 0), square(5), square(5)
    fill(net, plane, whole, images, labels)

    def stop(share):
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(net, plane, stopped, images, labels, told=stop)
    first = stopped.loss.copy()
    assert 0 < stopped.done < 25
    assert not np.isnan(first[0, 0])  # the coarse points come first
    asked = []
    fill(net, plane, stopped, images, labels, told=asked.append)
    assert asked[0] == pytest.approx(np.isfinite(first).sum() / 25)
    assert stopped.loss == pytest.approx(whole.loss)


@pytest.mark.parametrize(("points", "span"), [(4, 1), (1, 1), (103, 1), (5, 0), (5, float("nan"))])
def test_grids_that_make_no_sense_are_refused(points, span):
    with pytest.raises(ValueError, match="give a"):
        square(points, span)


def test_the_plane_of_a_trajectory_holds_one_that_lies_in_it():
    drawn = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    factors = [(4.0, 1.0), (2.0, -1.0), (1.0, 0.5), (0.0, 0.0)]
    states = [{"a": 3 + x * drawn[0] + y * drawn[1]} for x, y in factors]
    plane, at, shares = principal_plane(states)
    assert sum(shares[:2]) == pytest.approx(1.0, abs=1e-6)
    assert at[-1].tolist() == [0, 0]
    for state, (x, y) in zip(states, at, strict=True):
        found = states[-1]["a"] + float(x) * plane.first["a"] + float(y) * plane.second["a"]
        assert torch.allclose(found, state["a"], atol=1e-4)


def test_a_random_walk_has_the_shares_that_one_has_when_it_is_drawn():
    steps = torch.randn(10, 20_000, generator=torch.Generator().manual_seed(0))
    walk = torch.cat([torch.zeros(1, 20_000), steps.cumsum(0)])
    _, _, shares = principal_plane([{"w": state} for state in walk])
    assert random_walk_shares(11)[:2] == pytest.approx(shares[:2], abs=0.02)
    assert sum(random_walk_shares(11)[:2]) == pytest.approx(0.906, abs=0.001)
