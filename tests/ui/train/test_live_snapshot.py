"""What a view shows: its address, what a page must be redrawn for, and what is told as JSON."""

import json

import pytest

from explorer.charts.live import LiveStyle
from explorer.data.sources import digits
from explorer.jobs import actions
from explorer.jobs.run_queue import take
from explorer.nets.spec import NetSpec
from explorer.runs.store import Store
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
from explorer.ui.train.live_snapshot import CONCLUSION, LOSSES, LiveQuery, LiveQueryError, load_snapshot

STYLE = LiveStyle(log_x=True, smoothing=9)
SPEC = NetSpec("residual", 8, width=4, in_channels=1)
ZOO = ("digits-plain-8-s0", "digits-residual-8-s0")


@pytest.fixture
def store(tmp_path, monkeypatch):
    import streamlit as st

    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    st.cache_resource.clear()
    yield Store()
    st.cache_resource.clear()


def query_of(*ids):
    return LiveQuery(ids, ZOO, LiveStyle(), False)


def test_a_view_comes_back_from_its_address():
    query = LiveQuery(("a", "b"), ZOO, STYLE, True)

    assert LiveQuery.from_params(query.params | {"had": "1"}) == query
    assert LiveQuery.from_params(LiveQuery((), (), LiveStyle(), False).params).ids == ()


@pytest.mark.parametrize(
    "wrong",
    [{"smoothing": "-1"}, {"smoothing": "9" * 400}, {"dark": "yes"}, {"logx": ""}, {"smoothing": "²"}],
)
def test_what_no_page_asks_is_refused(wrong):
    with pytest.raises(LiveQueryError, match="Ask with runs, context"):
        LiveQuery.from_params(query_of("a").params | wrong)


def test_a_run_of_the_zoo_that_is_not_there_is_no_view(store):
    with pytest.raises(LiveQueryError):
        load_snapshot(LiveQuery((), ("digits-plain-9000-s0",), LiveStyle(), False))


def test_numbers_are_told_and_what_is_steered_draws_the_page_anew(store):
    run_id = actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512))
    records = list(Trainer(SPEC, store.get_run(run_id).recipe, digits()).records())
    query = query_of(run_id)
    queued = load_snapshot(query)

    store.add_epoch(run_id, records[0])
    store.add_epoch(run_id, records[1])
    begun = load_snapshot(query)
    actions.pause(store, run_id)
    paused = load_snapshot(query)

    assert queued.layout_keys == begun.layout_keys
    assert paused.layout_keys["sheets"] == begun.layout_keys["sheets"]
    assert paused.layout_keys["rest"] != begun.layout_keys["rest"]
    assert queued.wait_ms < begun.wait_ms < paused.wait_ms
    told = json.loads(begun.payload)
    assert told["drawn"] == begun.layout_keys
    assert [round(loss, 4) for loss in told["charts"][LOSSES]["values"]["y"][0]] == [
        round(float(loss), 4) for loss in records[1].step_losses
    ]
    assert "<b>After epoch 1 of 2:</b>" in told["texts"][CONCLUSION]["html"]
    assert told["texts"][run_id]["percent"] == 50.0


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (actions.pause, "pausing after this step"),
        (actions.stop, "stopping after this step"),
        (actions.step_epoch, "pausing after this epoch"),
    ],
)
def test_what_a_running_run_was_asked_is_said_until_it_is_done(store, ask, said):
    run_id = actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512))
    take(store, this_process())
    before = load_snapshot(query_of(run_id)).texts[run_id].text
    ask(store, run_id)

    assert load_snapshot(query_of(run_id)).texts[run_id].text == f"{before} · {said}"


def test_a_reason_is_shown_as_text_whatever_is_in_it(store):
    run_id = actions.submit(store, SPEC, Recipe(epochs=1))
    store.set_status(run_id, "queued", "failed", reason="<img src=x onerror=alert(1)>")

    html = json.loads(load_snapshot(query_of(run_id)).payload)["texts"][run_id]["html"]

    assert "&lt;img" in html
    assert "<img" not in html
