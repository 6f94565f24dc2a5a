"""The store: exact, whole epochs or none, and never over a file that it does not understand."""

import json
import math
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import store_processes as processes
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from explorer.jobs import actions
from explorer.nets.spec import NetSpec
from explorer.runs import database, schema, tables
from explorer.runs import postgres as postgres_rules
from explorer.runs import run as run_module
from explorer.runs.database import StoreAwayError
from explorer.runs.migrations import FOLDER
from explorer.runs.run import RESULTS, RUN_COLUMNS, TABLE_COLUMNS, TABLES
from explorer.runs.run_paths import checkpoint_path
from explorer.runs.store import Store, StoreBusyError, StoreError, UnknownRunError, new_run_id
from explorer.runs.tables import record_tables
from explorer.training.recipe import Recipe

SPAWN = multiprocessing.get_context("spawn")
REVISIONS, TABLE = schema.REVISIONS, schema.REVISION_TABLE
NUMBERED = "CREATE TABLE explorer_schema (version INTEGER NOT NULL)"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, home):
    if request.param == "sqlite":
        return f"sqlite:///{home / 'runs.sqlite3'}"
    return request.getfixturevalue("postgres").fresh_url()


@pytest.fixture
def store(url):
    opened = Store(url)
    yield opened
    opened.close()


@pytest.fixture
def filled(url, make_run, records):
    """A store with one whole run."""
    store = Store(url)
    run = make_run()
    store.add_run(run)
    for record in records:
        store.add_epoch(run.run_id, record)
    yield store
    store.close()


def start(function, *arguments):
    process = SPAWN.Process(target=function, args=arguments)
    process.start()
    return process


def database_file(home):
    return home / "runs.sqlite3"


def test_every_table_comes_back_bit_by_bit(filled, make_run, records):
    run_id = make_run().run_id
    expected = record_tables(make_run(), records)
    for name in TABLES:
        found = getattr(filled, name)([run_id])
        pd.testing.assert_frame_equal(found, expected[name], check_exact=True)
        numbers = [column for column in found if column != "run_id"]
        assert found[numbers].to_numpy().tobytes() == expected[name][numbers].to_numpy().tobytes()


def test_a_run_comes_back_with_the_results_of_its_last_epoch(filled, make_run, records):
    run = make_run()
    found = filled.get_run(run.run_id)
    assert found.results == {name: getattr(records[-1], name) for name in RESULTS}
    assert found.seconds == pytest.approx(sum(record.seconds for record in records))
    assert replace(found, results={}, seconds=0.0) == run
    row = filled.runs().iloc[0].to_dict()
    assert list(row) == list(RUN_COLUMNS)
    assert row["spec"] == run.spec.to_dict()
    assert row["recipe"] == run.recipe.to_dict()


def test_numbers_that_are_not_finite_come_back(url, make_run, records):
    store = Store(url)
    run = make_run(results={"train_loss": math.nan})
    store.add_run(run)
    losses = np.array([1e-40, math.inf, math.nan, -0.0], np.float32)
    store.add_epoch(
        run.run_id, replace(records[1], train_loss=math.inf, test_loss=math.nan, step_losses=losses)
    )
    row = store.epochs([run.run_id]).iloc[0]
    assert row["train_loss"] == math.inf
    assert math.isnan(row["test_loss"])
    assert store.steps([run.run_id])["loss"].to_numpy().tobytes() == losses.tobytes()
    assert store.get_run(run.run_id).results["train_loss"] == math.inf
    store.close()


def test_empty_tables_have_their_columns_and_types(store, records, make_run):
    expected = record_tables(make_run(), records)
    for name in TABLES:
        for run_ids in ([], ["nobody"]):
            found = getattr(store, name)(run_ids)
            assert len(found) == 0
            assert tuple(found) == TABLE_COLUMNS[name]
            assert (found.dtypes == expected[name].dtypes).all()
    assert tuple(store.runs()) == RUN_COLUMNS


def test_tables_of_several_runs_hold_only_these(url, make_run, records):
    store = Store(url)
    for name in "abc":
        store.add_run(make_run(name))
        store.add_epoch(name, records[1])
    assert set(store.blocks(["a", "c", "nobody"])["run_id"]) == {"a", "c"}
    assert list(store.runs()["run_id"]) == ["a", "b", "c"]
    assert [store.get_state(name).position for name in "abc"] == [1, 2, 3]
    store.close()


def test_an_epoch_trained_again_replaces_it_and_all_later_ones(filled, make_run, records):
    run_id = make_run().run_id
    again = replace(records[1], test_error_pct=12.5)
    filled.add_epoch(run_id, again)
    assert list(filled.epochs([run_id])["epoch"]) == [0, 1]
    assert set(filled.layers([run_id])["epoch"]) == {0, 1}
    assert filled.steps([run_id])["iteration"].max() == records[1].iteration
    assert filled.get_run(run_id).results["test_error_pct"] == 12.5


def test_a_series_that_was_cut_is_named(filled, make_run):
    with filled.database.writing() as connection:
        connection.execute(schema.series.update().filter_by(name="layers", epoch=1).values(data=b"12345"))
    with pytest.raises(StoreError, match=r"layers of run .*, epoch 1, are damaged"):
        filled.layers([make_run().run_id])


def test_only_known_fields_change(store, make_run):
    run = make_run()
    store.add_run(run, owner="session")
    store.update_run(run.run_id, note="good", pinned=True, checkpoint="there")
    state = store.get_state(run.run_id)
    assert (state.note, state.pinned, state.owner, state.status) == ("good", True, "session", "running")
    assert store.get_run(run.run_id).checkpoint == "there"
    for wrong in ("status", "spec", "nonsense"):
        with pytest.raises(ValueError, match=f"{wrong} cannot be changed"):
            store.update_run(run.run_id, **{wrong: "x"})


def test_a_missing_run_and_one_that_is_there_already(store, make_run, records):
    for act in (
        store.get_run, store.get_state, store.delete_run, lambda run_id: store.update_run(run_id, note="x"),
        lambda run_id: store.add_epoch(run_id, records[0]),
    ):  # fmt: skip
        with pytest.raises(UnknownRunError, match="no run 'nobody'"):
            act("nobody")
    store.add_run(make_run())
    with pytest.raises(StoreError, match="already a run"):
        store.add_run(make_run())
    assert not store.set_status("nobody", "queued", "running")


def test_a_run_id_is_unique_and_stays_in_its_folder(home, make_run, store):
    ids = {new_run_id(NetSpec(depth=20), Recipe(seed=3)) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(run_id.startswith("residual-20-s3-") and len(run_id) == 23 for run_id in ids)
    highway = new_run_id(NetSpec("highway", 20, gate_bias=-3.5), Recipe())
    assert store.checkpoint_path(highway).parent == home / "checkpoints"
    assert (home / "checkpoints").is_dir()
    for wrong in ("../x", "a/b", "", ".hidden", "a\\b", "x" * 300, "a\n"):
        with pytest.raises(ValueError, match="cannot be the id of a run"):
            checkpoint_path(wrong)
        with pytest.raises(ValueError, match="cannot be the id of a run"):
            store.add_run(make_run(wrong))


def test_deleting_a_run_takes_its_records_and_weights_and_no_others(filled, make_run, records):
    run_id = make_run().run_id
    filled.add_run(make_run("other"))
    filled.add_epoch("other", records[1])
    for name in (run_id, "other"):
        filled.checkpoint_path(name).write_bytes(b"weights")
    filled.delete_run(run_id)
    with filled.database.reading() as connection:
        for table in (schema.epochs, schema.series):
            assert set(connection.scalars(table.select().with_only_columns(table.c.run_id))) == {"other"}
    assert not checkpoint_path(run_id).exists()
    assert checkpoint_path("other").exists()


def test_the_status_is_compared_before_it_is_set(store, make_run):
    store.add_run(make_run(status="queued"))
    run_id = make_run().run_id
    assert not store.set_status(run_id, "running", "done")
    assert store.set_status(run_id, "queued", "failed", reason="No memory.", pid=7)
    state = store.get_state(run_id)
    assert (state.status, state.reason, state.pid) == ("failed", "No memory.", 7)
    assert store.set_status(run_id, "failed", "queued")
    assert store.get_state(run_id).reason is None


def test_of_several_racers_exactly_one_wins(url, make_run):
    store = Store(url)
    store.add_run(make_run(status="queued"))
    barrier, results = SPAWN.Barrier(2), SPAWN.Queue()
    racers = [start(processes.race, url, make_run().run_id, barrier, results) for _ in range(2)]
    assert sorted(results.get(timeout=180) for _ in racers) == [False, True]
    for racer in racers:
        racer.join(60)
    assert store.get_state(make_run().run_id).pid in {racer.pid for racer in racers}
    store.close()


def test_two_processes_that_write_at_once_lose_nothing(url, make_run, records):
    writers = [start(processes.append, url, make_run(name), records[1], 50) for name in "ab"]
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    store = Store(url)
    for name in "ab":
        assert list(store.epochs([name])["epoch"]) == list(range(50))
        assert len(store.blocks([name])) == 50 * len(records[1].blocks)
    assert sorted(store.get_state(name).position for name in "ab") == [1, 2]
    store.close()


def test_processes_that_meet_at_an_empty_place_all_open_it(url):
    # SQLite refuses one in forty if its change to WAL is not tried again
    urls = [f"{url}-{number}" for number in range(30)] if url.startswith("sqlite") else [url]
    barrier, results = SPAWN.Barrier(4), SPAWN.Queue()
    openers = [start(processes.open_together, urls, barrier, results) for _ in range(4)]
    assert [results.get(timeout=180) for _ in openers] == [[]] * 4
    for opener in openers:
        opener.join(60)


def test_a_process_killed_within_an_epoch_leaves_whole_epochs(filled, url, make_run, records):
    run_id = make_run().run_id
    process = start(processes.die_within_an_epoch, url, run_id, replace(records[2], epoch=3))
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert list(filled.epochs([run_id])["epoch"]) == [0, 1, 2]
    assert_whole(filled, run_id, records[1])


def test_a_writer_killed_at_any_instant_leaves_whole_epochs(url, make_run, records):
    chance = random.Random(0)
    for attempt in range(3):
        store = Store(url)
        run_id = f"run-{attempt}"
        store.add_run(make_run(run_id))
        ready = SPAWN.Event()
        process = start(processes.append_for_ever, url, run_id, records[1], ready)
        assert ready.wait(60)
        time.sleep(0.1 + 0.3 * chance.random())
        process.kill()
        process.join(60)
        store.close()
        store = Store(url)  # the check at the start finds a sound database
        assert_whole(store, run_id, records[1])
        store.add_epoch(run_id, records[2])
        store.close()


def assert_whole(store, run_id, record):
    epochs = store.epochs([run_id])["epoch"].tolist()
    assert epochs == list(range(len(epochs)))
    for name in ("blocks", "layers"):
        counts = getattr(store, name)([run_id]).groupby("epoch").size()
        assert counts.index.tolist() == epochs
        assert set(counts) <= {len(getattr(record, name))}


def test_sqlite_runs_as_it_should(home):
    store = Store()
    with store.database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "busy_timeout": 5000, "foreign_keys": 1, "synchronous": 2}


def test_the_write_ahead_log_is_really_used(home, make_run):
    store = Store()
    reader = sqlite3.connect(database_file(home))
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    store.add_run(make_run())  # a reader holds up no writer, and sees what it saw
    assert database_file(home).with_name("runs.sqlite3-wal").stat().st_size > 0
    assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    reader.close()


def test_a_database_that_is_held_is_busy_and_not_broken(home, make_run, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0)
    store = Store()
    locked, release = SPAWN.Event(), SPAWN.Event()
    holder = start(processes.hold_lock, database_file(home), locked, release)
    assert locked.wait(60)
    with pytest.raises(StoreBusyError, match=r"runs\.sqlite3.*Another process"):
        store.add_run(make_run())
    assert len(store.runs()) == 0  # reading goes on
    release.set()
    holder.join(60)
    store.add_run(make_run())
    store.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (f"UPDATE {TABLE} SET version_num = '0700'", "schema version is 0700.*knows version 0001 to"),
        (f"DELETE FROM {TABLE}", "schema version is none"),
        (f"INSERT INTO {TABLE} VALUES ('0700')", f"schema version is {REVISIONS[-1]}, 0700"),
        (f"DROP TABLE {TABLE}", f"no table {TABLE}"),
        (f"DROP TABLE {TABLE}; {NUMBERED}; INSERT INTO explorer_schema VALUES (7)", "is 7.*version 1 to 3"),
        (f"DROP TABLE {TABLE}; {NUMBERED}; INSERT INTO explorer_schema VALUES ('x')", "version is x"),
        (f"DROP TABLE {TABLE}; {NUMBERED}", "schema version is none"),
        ("DROP TABLE series", "table series lacks columns, data, epoch"),
        ("ALTER TABLE runs DROP COLUMN note", "table runs lacks note"),
    ],
)
def test_another_schema_is_refused_and_left_alone(home, damage, words):
    Store().close()
    file = database_file(home)
    connection = sqlite3.connect(file)
    connection.executescript(damage)
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match=words) as caught:
        Store()
    assert str(file) in str(caught.value)
    assert "EXPLORER_HOME" in str(caught.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_older_database_gets_what_it_lacks_and_keeps_its_runs(home, make_run, records, number):
    store = Store()
    store.add_run(make_run())
    for record in records:
        store.add_epoch(make_run().run_id, record)
    before = store.get_run(make_run().run_id)
    store.close()
    {1: to_version_1, 2: to_version_2, 3: to_version_3}[number](database_file(home))

    store = Store()

    assert store.get_run(make_run().run_id) == before
    assert len(store.epochs([before.run_id])) == len(records)
    assert (store.get_state(before.run_id).attempt, store.get_state(before.run_id).deleted) == (1, None)
    assert actions.live(store, [before.run_id]) == {}
    store.close()
    Store().close()


def test_an_upgrade_that_fails_leaves_the_older_database(home, monkeypatch):
    Store().close()
    to_version_1(database_file(home))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "check_columns", lambda _connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Store()
    assert "deleted" not in columns_of(database_file(home))
    Store().close()
    assert "deleted" in columns_of(database_file(home))


LATER = ("data", "group_id", "command", "attempt", "turn", "host", "threads", "deleted")


def to_version_1(file):
    """The database as version 1 made it."""
    to_version_2(file)
    change(file, *(f"ALTER TABLE runs DROP COLUMN {name}" for name in LATER), "DROP TABLE live")
    change(file, "UPDATE explorer_schema SET version = 1")


def to_version_2(file):
    """The database as version 2 made it, whose series do not name their columns."""
    to_version_3(file)
    change(file, "ALTER TABLE series DROP COLUMN columns", "UPDATE explorer_schema SET version = 2")


def to_version_3(file):
    """The database as the last explorer before Alembic made it."""
    later = ["DROP TABLE artifacts", "DROP TABLE clusters"]
    later += [f"DROP INDEX {name}" for name in ("runs_turns", "runs_turn", "runs_waiting")]
    later += [f"ALTER TABLE runs DROP COLUMN {name}" for name in ("task", "node")]
    change(file, *later, f"DROP TABLE {TABLE}", NUMBERED, "INSERT INTO explorer_schema VALUES (3)")


def change(file, *statements):
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def further_column(monkeypatch):
    """As in a version of the explorer that records one measurement more."""

    def add():
        more = (*TABLE_COLUMNS["blocks"], "sharpness")
        monkeypatch.setitem(run_module.TABLE_COLUMNS, "blocks", more)
        monkeypatch.setattr(tables, "MEASURED", tables.MEASURED | {"sharpness"})

    return add


@pytest.mark.parametrize("blocks", [3, 8, 9, 16])
@pytest.mark.parametrize("named", [True, False], ids=["named", "as version 2 stored it"])
def test_records_of_before_a_further_measurement_are_read_as_they_were(
    home, make_run, records, further_column, blocks, named
):
    """8 and 16 rows of seven numbers are also 7 and 14 rows of eight."""
    run_id = make_run().run_id
    rows = pd.concat([records[1].blocks] * 6, ignore_index=True).iloc[:blocks].assign(block=range(blocks))
    store = Store()
    store.add_run(make_run())
    store.add_epoch(run_id, replace(records[1], blocks=rows))
    before = store.blocks([run_id])
    store.close()
    if not named:
        to_version_2(database_file(home))

    further_column()
    store = Store()
    after = store.blocks([run_id])
    pd.testing.assert_frame_equal(after.drop(columns="sharpness"), before)
    assert after["sharpness"].isna().all()

    wider = records[2].blocks.assign(sharpness=0.5)
    store.add_epoch(run_id, replace(records[2], blocks=wider))
    both = store.blocks([run_id])
    assert both["epoch"].tolist() == [1] * blocks + [2] * 3
    assert both["sharpness"].tolist()[blocks:] == [0.5] * 3
    pd.testing.assert_frame_equal(both.iloc[:blocks], after)
    store.close()


def test_records_of_a_later_version_are_read_without_what_is_not_known(
    store, make_run, records, further_column, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setitem(run_module.TABLE_COLUMNS, "blocks", (*TABLE_COLUMNS["blocks"], "sharpness"))
        store.add_run(make_run())
        store.add_epoch(
            make_run().run_id, replace(records[1], blocks=records[1].blocks.assign(sharpness=1.0))
        )

    found = store.blocks([make_run().run_id])

    assert tuple(found.columns) == TABLE_COLUMNS["blocks"]
    assert found["gradient_norm"].tolist() == records[1].blocks["gradient_norm"].tolist()


def columns_of(file):
    connection = sqlite3.connect(file)
    found = {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
    connection.close()
    return found


@pytest.mark.parametrize("kind", ["text", "head", "page", "cut"])
def test_a_damaged_file_is_refused_and_left_byte_by_byte(home, make_run, records, kind):
    store = Store()
    store.add_run(make_run())
    for record in records:
        store.add_epoch(make_run().run_id, record)
    store.close()
    file = database_file(home)
    whole = file.read_bytes()
    damaged = {
        "text": b"this is no database\n" * 300,
        "head": b"\0" * 100 + whole[100:],
        "page": whole[:4096] + b"\xff" * 4096 + whole[8192:],
        "cut": whole[: len(whole) // 2],
    }[kind]
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"damaged.*Move it aside") as caught:
        Store()
    assert str(file) in str(caught.value)
    assert file.read_bytes() == damaged
    assert sum(path.stat().st_size for path in home.glob("*-wal")) == 0


def test_a_home_in_which_nothing_can_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="EXPLORER_HOME"):
        Store()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_is_read_only(home):
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(StoreError, match="EXPLORER_HOME"):
        Store()
    home.chmod(0o700)


@pytest.mark.parametrize("wrong", ["nonsense", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_names_no_database_of_ours(wrong):
    with pytest.raises(StoreError, match="postgresql://user") as caught:
        Store(wrong)
    assert "secret" not in str(caught.value)


def test_the_url_of_the_environment_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    store = Store()
    assert store.place == str(tmp_path / "elsewhere.db")
    assert (tmp_path / "elsewhere.db").exists()
    store.close()


def test_the_revisions_make_the_tables_that_the_explorer_uses(store):
    with store.database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": TABLE, "compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_heads() == (REVISIONS[-1],)
    scripts = ScriptDirectory(str(FOLDER)).walk_revisions()
    assert tuple(reversed([script.revision for script in scripts])) == REVISIONS


def test_a_password_is_never_shown():
    with pytest.raises(StoreError) as caught:
        Store("postgresql://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
    assert "does not answer" in str(caught.value)
    assert isinstance(caught.value, StoreAwayError)


def test_a_wrong_database_is_no_server_that_is_away(postgres):
    with pytest.raises(StoreError, match="does not exist") as caught:
        Store(postgres.url("nowhere"))
    assert not isinstance(caught.value, StoreAwayError)


@pytest.mark.parametrize(
    ("said", "away"),
    [
        ("connection failed: FATAL:  the database system is not yet accepting connections", True),
        ("connection failed: SSL SYSCALL error: EOF detected", True),
        ("consuming input failed: could not receive data from server: No route to host", True),
        ('connection failed: FATAL:  password authentication failed for user "me"', False),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "10.0.0.1"', False),
        ("connection failed: server does not support SSL, but SSL was required", False),
    ],
)
def test_a_connection_that_breaks_is_a_server_that_is_away_whatever_it_says(said, away):
    assert postgres_rules.is_away(pytest.importorskip("psycopg").OperationalError(said)) is away


def test_a_server_that_was_killed_is_told_and_answers_after_its_start(postgres, make_run):
    store = Store(postgres.fresh_url())
    store.add_run(make_run())
    postgres.stop()
    try:
        for act in (store.runs, lambda: store.update_run(make_run().run_id, note="x")):
            with pytest.raises(StoreAwayError, match="does not answer"):
                act()
    finally:
        postgres.start()
    store.update_run(make_run().run_id, note="back")
    assert store.get_state(make_run().run_id).note == "back"
    store.close()


def test_neither_torch_nor_what_only_a_cluster_needs_is_imported():
    code = (
        "import sys, json, explorer.jobs.worker_pool, explorer.jobs.actions, explorer.transfer.export;"
        "import explorer.cli.main, explorer.cluster.trainers, explorer.cluster.sweep;"
        "print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))"
    )
    heavy = ["torch", "streamlit", "psycopg", "alembic", "fsspec", "s3fs", "ray"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
