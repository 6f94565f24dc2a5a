"""Exported files: what other programs read is what was measured."""

import io
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from explorer.runs.run import TABLES, Run
from explorer.runs.store import UnknownRunError
from explorer.transfer.export import ExportError, export_run, run_json, table_csv


@pytest.fixture
def kept(store, make_run, records):
    run = make_run(checkpoint=str(store.checkpoint_path("kept")))
    store.checkpoint_path("kept").write_bytes(b"weights")
    store.add_run(run)
    for record in records:
        store.add_epoch(run.run_id, record)
    return run.run_id


def read_back(text, like):
    table = pd.read_csv(io.StringIO(text))
    return table.astype(like.dtypes.to_dict())


def test_the_tables_read_back_equal(store, kept, tmp_path):
    files = export_run(store, kept, tmp_path / "new" / "out")
    suffixes = [".json", *(f"-{name}.csv" for name in TABLES), ".safetensors"]
    assert [file.name for file in files] == [kept + suffix for suffix in suffixes]
    for name in TABLES:
        expected = getattr(store, name)([kept])
        found = read_back((tmp_path / "new" / "out" / f"{kept}-{name}.csv").read_text(), expected)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert files[-1].read_bytes() == b"weights"
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(f.name for f in files)


def test_the_json_reads_back_as_the_run_and_its_epochs(store, kept):
    read = json.loads(run_json(store, kept))
    expected = replace(store.get_run(kept), checkpoint=f"{kept}.safetensors")
    assert Run.from_row(read["run"]) == expected
    epochs = store.epochs([kept]).drop(columns="run_id")
    found = pd.DataFrame(read["epochs"]).astype(epochs.dtypes.to_dict())
    pd.testing.assert_frame_equal(found, epochs, check_exact=True)
    assert read["epochs"][0]["train_loss"] is None  # nothing is trained at epoch 0


def test_numbers_that_json_lacks_are_null_and_infinite_ones_stay_in_the_csv(store, kept, records):
    store.add_epoch(kept, replace(records[2], train_loss=math.inf, test_loss=math.nan))
    read = json.loads(run_json(store, kept), parse_constant=pytest.fail)
    assert read["epochs"][-1]["train_loss"] is None
    assert read["run"]["test_loss"] is None
    last = read_back(table_csv(store, "epochs", kept), store.epochs([kept])).iloc[-1]
    assert last["train_loss"] == np.inf
    assert np.isnan(last["test_loss"])


def test_files_are_replaced_only_where_that_is_allowed(store, kept, tmp_path):
    mine = tmp_path / f"{kept}-steps.csv"
    mine.write_text("do not touch")
    with pytest.raises(ExportError, match=r"already holds .*-steps\.csv.*overwriting"):
        export_run(store, kept, tmp_path)
    assert mine.read_text() == "do not touch"
    assert not list(tmp_path.glob("*.json"))
    export_run(store, kept, tmp_path, overwrite=True)
    assert mine.read_text().startswith("run_id,iteration,loss,lr\n")


def test_a_run_without_weights_or_epochs(store, make_run, tmp_path):
    store.add_run(make_run("queued", status="queued", checkpoint=str(tmp_path / "gone.safetensors")))
    files = export_run(store, "queued", tmp_path)
    assert [file.suffix for file in files] == [".json"] + [".csv"] * 4
    read = json.loads(files[0].read_text())
    assert read["epochs"] == []
    assert read["run"]["checkpoint"] is None


def test_what_cannot_be_exported(store, kept, tmp_path):
    with pytest.raises(UnknownRunError, match="no run 'nobody'"):
        export_run(store, "nobody", tmp_path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="cannot be written"):
        export_run(store, kept, tmp_path / "file")
