"""The kept measurement is what the code measures; a new one runs beside, reports and can be stopped."""

import time

import pandas as pd
import pytest

from explorer.evidence import signal_propagation
from explorer.evidence.signal_propagation import Measurement, keep, kept, measure
from explorer.runs.zoo import PRETRAINED


def wait(measurement, seconds=600):
    until = time.monotonic() + seconds
    while measurement.running and time.monotonic() < until:
        time.sleep(0.05)
    assert not measurement.running


def test_what_is_kept_can_be_measured_again():
    table = kept()
    for net in ("plain-20", "residual-56"):
        old = table[(table["net"] == net) & (table["seed"] == 1)].reset_index(drop=True)
        new = measure(net, 1)
        for column in ("output_std", "output_gradient_norm", "gradient_norm"):
            assert new[column].tolist() == pytest.approx(old[column].tolist(), rel=1e-6)


def test_every_net_up_to_1202_layers_is_kept_with_its_seeds():
    table = kept()
    assert set(table["net"]) == set(signal_propagation.NETS)
    assert table.groupby("net")["seed"].nunique().eq(len(signal_propagation.SEEDS)).all()
    assert table.notna().all().all()
    assert table.loc[table["net"] == "residual-1202", "block"].max() == 600
    assert (PRETRAINED / signal_propagation.FILE).stat().st_size < 0.5 * 2**20


def test_keeping_writes_what_was_measured(tmp_path):
    said = []
    rows = keep(tmp_path, said.append, ["residual-8"], [0, 1])
    assert rows == len(kept(tmp_path)) == 6
    assert said == ["residual-8: 3 blocks, 2 seeds"]


def test_nothing_is_kept_where_nothing_was_written(tmp_path):
    assert kept(tmp_path).empty


def test_a_measurement_in_a_process_of_its_own_equals_one_here():
    measurement = Measurement(("residual-8", "plain-8"), seed=2)
    measurement.start()
    wait(measurement)
    assert measurement.finished == 2
    table = measurement.result()
    ours = pd.concat([measure("plain-8", 2), measure("residual-8", 2)], ignore_index=True)
    pd.testing.assert_frame_equal(table, ours)
    measurement.stop()
    assert not measurement.folder.exists()


def test_a_measurement_can_be_stopped():
    measurement = Measurement(("residual-1202",))
    measurement.start()
    assert measurement.running
    measurement.stop()
    assert not measurement.running
    assert measurement.finished == 0


def test_a_net_that_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="cannot be built"):
        measure("plain-21")
