"""Which runs count: finished, each seed once, imports apart, and nets of one protocol together."""

from dataclasses import replace

import pytest

from explorer.analysis import selection
from explorer.nets.spec import NetSpec
from explorer.runs.run import Run, run_table
from explorer.training.recipe import Recipe


def run(
    name, net="plain-20", *, status="done", source="mine", created="2026-01-01", imported=False, **recipe
):
    settings = Recipe(**{"iterations": 100} | recipe)
    made = {"imported": {"run_id": "x"}} if imported else {}
    return Run(name, NetSpec.parse(net), settings, "digits", status, 10, settings.iterations, 1,
               {"test_error_pct": 1.0}, provenance=made, created=created, source=source)  # fmt: skip


def counted(*runs):
    return selection.counted(run_table(list(runs)))


@pytest.mark.parametrize("status", ["queued", "running", "paused", "stopped", "failed", "interrupted"])
def test_a_run_that_is_not_finished_does_not_count(status):
    assert counted(run("a", status=status), run("b"))["run_id"].tolist() == ["b"]


def test_a_seed_trained_twice_counts_once_and_the_newest_does():
    found = counted(run("new", created="2026-02-01"), run("old"), run("other", seed=1))
    assert found["run_id"].tolist() == ["new", "other"]


def test_imported_own_and_zoo_runs_are_told_apart():
    found = counted(run("zoo", source="zoo"), run("own"), run("copy", imported=True))
    assert found["origin"].tolist() == ["zoo", "own", "imported"]


def test_what_trains_otherwise_is_another_protocol_and_a_seed_or_a_warm_up_is_not():
    base, others = run("a"), [run("b", lr=0.1), run("c", iterations=200), run("d", batch_size=64)]
    assert counted(base, *others)["protocol"].nunique() == 4
    alike = [run("e", seed=3), run("f", warmup=0.3, seed=4), run("g", device="cpu", seed=5)]
    assert counted(base, *alike)["protocol"].nunique() == 1
    assert counted(base, *alike)["settings"].nunique() == 2


def test_nets_are_compared_under_the_longest_protocol_that_has_them_all():
    long = [run(f"l{net}", net, iterations=900) for net in ("plain-20", "plain-56")]
    short = [run(f"s{net}", net) for net in ("plain-20", "plain-56", "plain-110")]
    runs = counted(*long, *short)
    assert set(selection.longest_with(runs, ["plain-20", "plain-56"])["iterations"]) == {900}
    assert set(selection.longest_with(runs, ["plain-20", "plain-110"])["iterations"]) == {100}
    assert selection.longest_with(runs, ["plain-8"]).empty


def test_protocols_are_named_by_their_length_and_the_longest_with_twins_at_two_depths_is_first():
    def twins(prefix, depths, **rest):
        nets = [f"{family}-{depth}" for family in ("plain", "residual") for depth in depths]
        return [run(f"{prefix}{net}", net, **rest) for net in nets]

    one, two, three = (20,), (20, 56), (20, 32, 56)
    found = selection.protocols(
        counted(*twins("a", three), *twins("b", one, iterations=900), *twins("c", two, iterations=500))
    )
    assert list(found) == ["500", "100", "900"]
    assert found["900"].title == "900 iterations, cosine decay"
    alike = selection.protocols(counted(run("a"), run("b", lr=0.1)))
    assert list(alike) == ["100", "100-2"]
    assert len({protocol.title for protocol in alike.values()}) == 2


def test_what_is_left_out_is_named():
    table = run_table(
        [run("a"), run("b", created="2026-02-01"), run("c", status="stopped"), replace(run("d"))]
    )
    marked = selection.keyed(table).assign(counts=False)
    marked.loc[0, "counts"] = True
    assert selection.left_out(marked) == {"of a seed that was trained again": 2, "stopped": 1}
