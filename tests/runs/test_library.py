"""The library: the zoo and the user's runs as one, and never down because one of them is."""

import json

import pandas as pd
import pytest

from explorer.runs.library import Library, find_run, open_library
from explorer.runs.run import RUN_COLUMNS, TABLE_COLUMNS, TABLES
from explorer.runs.store import Store, StoreError, UnknownRunError
from explorer.runs.tables import record_tables


@pytest.fixture
def pretrained(tmp_path, make_run, records):
    """A zoo of one run, as `bake` lays it out."""
    folder = tmp_path / "pretrained"
    (folder / "digits").mkdir(parents=True)
    run = make_run("zoo-run", status="done", source="zoo", results={"test_error_pct": 5.0}, checkpoint="w.st")
    (folder / "manifest.json").write_text(json.dumps([run.row()]))
    for name, table in record_tables(run, records).items():
        table.to_parquet(folder / "digits" / f"{name}.parquet", index=False)
    return folder


@pytest.fixture
def library(pretrained, make_run, records):
    opened = open_library(pretrained)
    store = opened.sources[1]
    store.add_run(make_run("mine"))
    for record in records:
        store.add_epoch("mine", record)
    yield opened
    store.close()


def test_runs_of_all_sources_are_one_table(library):
    runs = library.runs()
    assert runs["run_id"].tolist() == ["zoo-run", "mine"]
    assert runs["source"].tolist() == ["zoo", "mine"]
    assert library.problems == []
    assert library.place.endswith("runs.sqlite3")


def test_tables_are_the_same_from_every_source(library, make_run, records):
    for name in TABLES:
        table = getattr(library, name)(["mine", "zoo-run", "nobody"])
        for run_id in ("zoo-run", "mine"):
            found = table[table["run_id"] == run_id].reset_index(drop=True)
            expected = record_tables(make_run(run_id), records)[name]
            pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert len(table) == 2 * len(expected)


def test_columns_and_types_do_not_depend_on_what_is_there(library, tmp_path):
    full, none = library.runs(), Library([])
    for some in (none.runs(), open_library(tmp_path / "no zoo").runs()):
        assert tuple(some) == RUN_COLUMNS
        assert (some.dtypes == full.dtypes).all()
    for name in TABLES:
        table = getattr(none, name)([])
        assert tuple(table) == TABLE_COLUMNS[name]
        assert (table.dtypes == getattr(library, name)(["mine"]).dtypes).all()
    assert none.place == ""


def test_a_run_is_found_as_it_was_kept(library, make_run):
    mine = find_run(library, "mine")
    assert mine == library.sources[1].get_run("mine")
    assert mine.checkpoint is None
    zoo = library.run("zoo-run")
    assert zoo.results == {"test_error_pct": 5.0}
    with pytest.raises(UnknownRunError, match="no run 'nobody'"):
        library.run("nobody")


def test_a_run_that_two_sources_have_is_shown_once(library, make_run, records):
    store = library.sources[1]
    store.add_run(make_run("zoo-run"))
    store.add_epoch("zoo-run", records[0])
    assert library.runs()["run_id"].tolist() == ["zoo-run", "mine"]
    assert library.run("zoo-run").source == "zoo"
    assert len(library.epochs(["zoo-run"])) == len(records)


def test_only_own_runs_can_be_deleted(library):
    with pytest.raises(ValueError, match="came with the explorer"):
        library.delete("zoo-run")
    library.delete("mine")
    assert library.runs()["run_id"].tolist() == ["zoo-run"]
    with pytest.raises(UnknownRunError):
        library.delete("mine")


def test_a_broken_home_leaves_the_zoo(pretrained, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file"))
    library = open_library(pretrained)
    assert library.runs()["run_id"].tolist() == ["zoo-run"]
    assert len(library.epochs(["zoo-run"])) == 3
    assert len(library.problems) == 1
    assert "EXPLORER_HOME" in library.problems[0]


def test_a_damaged_database_leaves_the_zoo(pretrained, home):
    home.mkdir()
    (home / "runs.sqlite3").write_bytes(b"not a database" * 100)
    library = open_library(pretrained)
    assert library.runs()["run_id"].tolist() == ["zoo-run"]
    assert "damaged" in library.problems[0]


def test_a_store_that_fails_later_is_named_until_it_is_back(library, monkeypatch):
    def fail(_store):
        raise StoreError("The server is away.")

    with monkeypatch.context() as away:
        away.setattr(Store, "runs", fail)
        assert library.runs()["run_id"].tolist() == ["zoo-run"]
        assert library.problems == ["The server is away."]
    assert len(library.runs()) == 2
    assert library.problems == []


def test_what_came_with_the_explorer_is_read_without_the_users_runs(home, make_run, monkeypatch):
    library = open_library()
    library.own().add_run(make_run("mine"))
    whole = library.runs()
    monkeypatch.setattr(Store, "runs", lambda _store: pytest.fail("the user's runs were read"))
    pd.testing.assert_frame_equal(library.finished_runs(), whole[whole["source"] == "zoo"])
