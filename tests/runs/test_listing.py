"""The light list says the same as the whole runs, and reads what a person wrote."""

from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import event

from explorer.nets.spec import NetSpec
from explorer.runs import listing
from explorer.runs.library import Library, open_library
from explorer.runs.listing import LISTING_COLUMNS, list_runs
from explorer.runs.run import RESULTS
from explorer.runs.store import Store


@pytest.fixture
def library():
    opened = open_library()
    yield opened
    opened.sources[1].close()


def test_the_list_agrees_with_the_whole_runs(library, make_run, records):
    store = library.sources[1]
    store.add_run(make_run("mine"))
    store.add_epoch("mine", records[-1])
    listed, whole = library.listing(), library.runs()
    assert listed["run_id"].tolist() == whole["run_id"].tolist()
    shared = [
        "family",
        "depth",
        "dataset",
        "seed",
        "status",
        "epochs",
        *RESULTS,
        "seconds",
        "created",
        "source",
    ]
    pd.testing.assert_frame_equal(listed[shared], whole[shared])
    assert listed["net"].iloc[-1] == "ResNet-8-w4"
    assert listed["weights"].tolist() == whole["checkpoint"].notna().tolist()


def test_names_notes_pins_and_reasons_are_listed_and_nothing_is_an_empty_text(library, make_run):
    store = library.sources[1]
    store.add_run(make_run("first"))
    store.add_run(make_run("second"), name="My run", note="why", pinned=True, reason="No disk.")
    rows = library.listing().set_index("run_id")
    assert rows.loc["second", ["name", "note", "reason"]].tolist() == ["My run", "why", "No disk."]
    assert rows.loc["first", ["name", "note", "reason"]].tolist() == ["", "", ""]
    assert rows["pinned"].sum() == 1


def test_columns_and_types_do_not_depend_on_what_is_there(library, make_run):
    library.sources[1].add_run(make_run("mine", status="queued"))
    none, full = Library([]).listing(), library.listing()
    assert tuple(none) == LISTING_COLUMNS
    assert (none.dtypes == full.dtypes).all()


def test_whole_runs_are_not_read_for_a_list(library, make_run, monkeypatch):
    library.sources[1].add_run(make_run("mine"))
    library.listing()
    from explorer.runs import rows

    monkeypatch.setattr(rows, "read_run", pytest.fail)
    assert "mine" in set(library.listing()["run_id"])


def test_settings_are_fetched_once_and_belong_to_one_database(library, make_run, tmp_path):
    store, other = library.sources[1], Store(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    store.add_run(make_run("same"))
    other.add_run(replace(make_run("same"), spec=NetSpec("plain", 14)))
    for _ in range(2):
        assert store.listing()["net"].tolist() == ["ResNet-8-w4"]
        assert other.listing()["net"].tolist() == ["plain-14"]
    asked = []
    with store.database.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *more: asked.append(more[2]))
        list_runs(connection)
    assert len(asked) == 1
    assert "recipe" not in asked[0]
    store.delete_run("same")
    store.add_run(replace(make_run("same"), spec=NetSpec("plain", 20), created="2031-03-03T00:00:00+00:00"))
    assert store.listing()["net"].tolist() == ["plain-20"]
    other.close()


def test_a_run_that_is_removed_between_two_reads_is_left_out(library, make_run, monkeypatch):
    library.sources[1].add_run(make_run("mine"))
    monkeypatch.setattr(listing, "_settings", lambda _connection, runs: [None] * len(runs))
    assert library.sources[1].listing().empty
