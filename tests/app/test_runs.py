"""The Runs page: found, compared, named; whatever the URL says."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from explorer.charts.words import literal
from explorer.runs.library import open_library
from explorer.runs.zoo import Zoo
from explorer.system.paths import ROOT
from explorer.transfer.export import zip_runs
from explorer.ui.runs import activity
from explorer.ui.runs.run_list import forget

HOME = str(ROOT / "explorer" / "app.py")
PLAIN, RESIDUAL = "digits-plain-20-s0", "digits-residual-20-s0"


def open_page(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/runs.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


@pytest.fixture
def own_run():
    """A finished run of the user's, as kept by the shell, without the wait."""
    library = open_library()
    store = library.sources[1]
    zoo = library.run("digits-plain-8-s0")
    run = replace(zoo, run_id="mine-1", source="mine", checkpoint=None, created="2026-11-24T10:00:00+00:00")
    store.add_run(run)
    yield store
    store.close()


def test_it_opens_with_a_true_comparison_and_no_click():
    page = open_page()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 3
    assert "has the lowest test error" in text(page)
    zoo = Zoo().listing()
    dataset = "cifar10-jpeg" if "cifar10-jpeg" in set(zoo["dataset"]) else "digits"
    twins = zoo["family"].isin(["plain", "residual"]) & zoo["depth"].isin([20, 56])
    mine = zoo[twins & (zoo["dataset"] == dataset)]
    nets = mine.groupby("iterations").apply(lambda part: len(part.groupby(["family", "depth"])))
    count = int((mine["iterations"] == nets[nets == 4].index.max()).sum())
    assert f"**{count}** of {len(zoo)} runs chosen" in text(page)


def test_the_runs_in_the_url_are_compared():
    page = open_page(runs=f"{RESIDUAL},{PLAIN},nobody")
    assert not page.exception
    assert "**ResNet-20** has the lowest test error, 2.5 % (one seed)" in text(page)
    assert page.dataframe[1].value["setting"].tolist() == ["net", "family"]


@pytest.mark.parametrize(
    "garbage", [{"runs": "nobody,<script>"}, {"ofdepth": "-1"}, {"logy": "?", "seeds": "9"}, {"run": "../.."}]
)
def test_garbage_in_the_url_gives_the_default(garbage):
    page = open_page(**garbage)
    assert not page.exception
    assert "has the lowest test error" in text(page)


def test_nothing_chosen_says_what_to_do():
    page = open_page(runs="")
    assert not page.exception
    assert "Tick runs" in page.info[0].value


def test_search_and_filters_narrow_the_list_and_keep_the_choice():
    page = open_page(runs=PLAIN)
    page = page.text_input(key="find").set_value("ResNet digits-residual-56").run()
    assert page.dataframe[0].value["run_id"].tolist() == [f"digits-residual-56-s{seed}" for seed in range(3)]
    assert "**plain-20** ends with" in text(page)
    page = page.text_input(key="find").set_value("no such run").run()
    assert "No runs match" in page.info[0].value
    page = page.text_input(key="find").set_value("").run()
    page = page.multiselect(key="offamily").set_value(["highway"]).run()
    assert {name.partition("-")[0] for name in page.dataframe[0].value["shown"]} == {"Highway"}


def test_an_own_run_is_compared_with_its_counterparts(own_run):
    page = open_page()
    assert not page.exception
    assert page.dataframe[0].value["run_id"].iloc[0] == "mine-1"
    assert "ResNet-8" in text(page)


def test_means_take_finished_runs_each_seed_once_and_imports_stand_apart(own_run):
    first = own_run.get_run("mine-1")
    seeded = replace(first.recipe, seed=1)
    others = {
        "again": replace(first, created="2026-11-25T10:00:00+00:00"),
        "halted": replace(first, recipe=seeded, status="stopped", results={"test_error_pct": 91.9}),
        "copy": replace(first, provenance=first.provenance | {"imported": {"at": "x", "run_id": "y"}}),
    }
    for name, run in others.items():
        own_run.add_run(replace(run, run_id=name))
    page = open_page(runs=",".join(["mine-1", *others]))
    assert not page.exception
    said = text(page)
    assert "**No difference in the test:** plain-8 and plain-8, imported end with 1.7 %" in said
    assert "Not in these means: 1 " in said
    assert "1 stopped" in said
    assert "1 of a seed that was trained again" in said
    assert "91.9" not in said


def test_renaming_noting_and_pinning(own_run):
    page = open_page(runs="mine-1")
    page.text_input(key="name-mine-1").set_value("Baseline")
    page.text_area(key="note-mine-1").set_value("before the change")
    page.toggle(key="pin-mine-1").set_value(True)
    page = page.button(key="save-mine-1").click().run()
    assert not page.exception
    kept = own_run.get_state("mine-1")
    assert (kept.name, kept.note, kept.pinned) == ("Baseline", "before the change", True)
    first = page.dataframe[0].value.iloc[0]
    assert (first["mark"], first["shown"]) == ("★", "Baseline")
    assert "**Baseline** ends with" in text(page)


def test_what_a_person_or_a_file_said_is_shown_as_it_is(own_run):
    evil = "![x](http://e.example/x.png)"
    made = {"hardware": evil, "commit": "<script>", "data_hash": evil, "versions": {"torch": evil}}
    own_run.update_run("mine-1", name=evil, provenance=made)
    page = open_page(runs="mine-1")
    assert not page.exception
    assert "![x](" not in text(page) + " ".join(caption.value for caption in page.caption)
    assert "\\[x\\](http\\://e.example" in text(page)


def test_a_run_of_the_zoo_cannot_be_changed():
    page = open_page(runs=PLAIN)
    assert any("came with the explorer" in caption.value for caption in page.caption)
    assert len(page.text_area) == 0


def test_deleting_hides_the_run_and_undo_brings_it_back_whole(own_run):
    before = own_run.get_run("mine-1")
    page = open_page(runs=f"mine-1,{PLAIN}").button(key="runs-delete").click().run()
    assert not page.exception
    assert "mine-1" not in set(page.dataframe[0].value["run_id"])
    assert "Deleted **plain-8**" in text(page)
    assert page.query_params["runs"] == PLAIN
    page = page.button(key="runs-undo-button").click().run()
    assert page.dataframe[0].value["run_id"].iloc[0] == "mine-1"
    assert "Deleted" not in text(page)
    assert own_run.get_run("mine-1") == before


def test_several_own_runs_are_deleted_and_restored_together(own_run):
    own_run.add_run(replace(own_run.get_run("mine-1"), run_id="mine-2"))
    page = open_page(runs=f"mine-1,mine-2,{PLAIN}").button(key="runs-delete-all").click().run()
    assert not page.exception
    assert set(page.dataframe[0].value["whose"]) == {"the zoo"}
    assert "Deleted **2 runs**" in text(page)
    page = page.button(key="runs-undo-button").click().run()
    assert {"mine-1", "mine-2"} <= set(page.dataframe[0].value["run_id"])


def test_a_run_that_vanished_meanwhile_is_told_of_and_takes_nothing_down(own_run):
    page = open_page(runs="mine-1")
    own_run.delete_run("mine-1")
    page = page.button(key="runs-delete").click().run()
    assert not page.exception
    assert "no run" in page.error[0].value


def test_what_goes_on_is_told_with_its_progress_and_reason(own_run, monkeypatch):
    asked = []
    monkeypatch.setattr(activity, "ready", lambda: asked.append(1) or "")
    base = own_run.get_run("mine-1")
    own_run.add_run(replace(base, run_id="waits", status="queued", results={}))
    own_run.add_run(replace(base, run_id="broke", status="failed", results={}), reason="The disk is full.")
    page = open_page(runs="broke")
    assert not page.exception
    assert "Going on now" in text(page)
    assert asked
    assert page.dataframe[1].value["where"].tolist() == ["place 1 in the queue"]
    assert "**failed**: The disk is full." in text(page)
    assert "None of these runs has finished yet" in text(page)


def test_without_own_runs_the_page_says_how_to_make_one(own_run):
    assert "None of these runs is yours" not in text(open_page())
    own_run.delete_run("mine-1")
    forget()
    assert "python -m explorer train residual-20" in text(open_page())


def test_none_and_start_over():
    page = open_page(runs=PLAIN).button(key="runs-none").click().run()
    assert "Tick runs" in page.info[0].value
    page = page.button(key="runs-default").click().run()
    assert "has the lowest test error" in text(page)


def test_an_uploaded_zip_is_kept_and_chosen_and_a_bad_one_says_why(own_run):
    page = open_page()
    page = page.file_uploader[0].set_value(("runs.zip", b"no zip", "application/zip")).run()
    page = page.button(key="runs-import-go").click().run()
    assert "Nothing was imported. runs.zip cannot be read as a zip file" in page.error[0].value
    packed = zip_runs(Zoo(), [PLAIN], ["json", "csv"])
    page = page.file_uploader[0].set_value(("runs.zip", packed, "application/zip")).run()
    page = page.button(key="runs-import-go").click().run()
    assert not page.exception
    assert "One run was imported" in page.success[0].value
    (new,) = set(own_run.runs()["run_id"]) - {"mine-1"}
    assert page.query_params["runs"] == new
    assert f"**Imported** {literal(own_run.get_run(new).provenance['imported']['at'])}" in text(page)


def test_a_run_made_in_the_shell_appears_without_a_restart(tmp_path):
    page = open_page()
    trained = subprocess.run(
        [sys.executable, "-m", "explorer", "train", "plain-8", "--epochs", "1", "--device", "cpu", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted, until = json.loads(trained.stdout)["run_id"], time.monotonic() + 120
    while (first := page.run().dataframe[0].value.iloc[0])["run_id"] != wanted:
        assert time.monotonic() < until, "the list is shared by all sessions for a second, and no longer"
    assert not page.exception
    assert first["status"] == "done"
    assert "plain-8" in text(page)


def test_a_home_that_cannot_be_used_is_named_and_the_zoo_stays(tmp_path, monkeypatch):
    broken = tmp_path / "file"
    broken.write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(broken))
    page = open_page()
    assert not page.exception
    assert str(broken) in page.warning[0].value
    assert len(page.get("plotly_chart")) == 3
