"""Event files, read with TensorBoard's own reader."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from explorer.transfer.tensorboard_events import events_name, run_events


@pytest.fixture
def read(store, make_run, records, tmp_path):
    run = make_run("mine", created="2026-01-02T00:00:00+00:00")
    store.add_run(run)
    for record in records:
        store.add_epoch("mine", record)
    (tmp_path / events_name(run)).write_bytes(run_events(store, "mine"))
    return EventAccumulator(str(tmp_path), size_guidance={"scalars": 0}).Reload()


def test_every_curve_reads_back_at_its_iteration(read, store):
    epochs = store.epochs(["mine"])
    found = read.Scalars("error_pct/test")
    assert [event.step for event in found] == epochs["iteration"].tolist() == [0, 4, 8]
    assert [event.value for event in found] == pytest.approx(epochs["test_error_pct"].tolist())
    steps = read.Scalars("step/loss")
    assert [event.value for event in steps] == pytest.approx(store.steps(["mine"])["loss"].tolist())


def test_nothing_is_said_of_training_before_the_first_step(read):
    assert [event.step for event in read.Scalars("loss/train")] == [4, 8]


def test_blocks_and_layers_have_a_chart_each(read, store):
    tags = set(read.Tags()["scalars"])
    assert {f"residual_ratio/block-00{number}" for number in (1, 2, 3)} <= tags
    assert {f"response_std/layer-00{number}" for number in range(1, 8)} <= tags
    last = store.blocks(["mine"]).query("epoch == 2 and block == 3")["residual_ratio"].item()
    assert read.Scalars("residual_ratio/block-003")[-1].value == pytest.approx(last)


def test_wall_times_are_those_of_the_training(read, store):
    times = [event.wall_time for event in read.Scalars("error_pct/test")]
    assert times[0] == 1767312000.0
    assert times[2] - times[0] == pytest.approx(float(store.epochs(["mine"])["seconds"].sum()), abs=1e-3)


def test_a_run_without_records_gives_an_empty_file(store, make_run):
    store.add_run(make_run("queued", status="queued", created=""))
    assert run_events(store, "queued")
