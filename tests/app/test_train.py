"""The Live training page: a form that cannot be broken, runs that start from it, and what it says of them."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs import actions, machine_speed
from explorer.jobs.experiment import PRESETS, Experiment
from explorer.nets.spec import NetSpec
from explorer.runs.status import Action
from explorer.runs.store import Store
from explorer.system.paths import ROOT
from explorer.training.estimates import Timing
from explorer.ui.train import run_controls

HOME = str(ROOT / "explorer" / "app.py")


@pytest.fixture(autouse=True)
def nothing_outlives_the_test(own_home, monkeypatch):
    """No workers and no calibration of their own."""
    monkeypatch.setenv("EXPLORER_WORKERS", "0")
    monkeypatch.setattr(machine_speed, "start_calibration", lambda: False)
    monkeypatch.setattr("explorer.ui.components.machine.start_calibration", lambda: False)


@pytest.fixture
def calibrated(monkeypatch):
    steps = [Timing(NetSpec("residual", 20), 8, 128, 0.05), Timing(NetSpec("residual", 8), 32, 32, 0.2)]
    monkeypatch.setattr("explorer.training.calibration.time_steps", lambda *_: steps)
    return machine_speed.calibrate()


def open_page(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/train.py")
    for name, value in ({"layers": "20"} | query).items():
        page.query_params[name] = value
    return page.run()


def text(page):
    """All that is said, without the tags of what is told anew while runs are trained."""
    told = [re.sub("<b>|</b>", "**", element.proto.body) for element in page.get("html")]
    return " ".join([*(element.value for element in page.markdown), *told])


def link(page):
    """The watched runs in the URL."""
    said = page.query_params["runs"]
    return said if isinstance(said, str) else said[0]


def start(page):
    return page.button(key="start").click().run()


def train_until_idle():
    from explorer.jobs.worker import WorkerOptions, work

    work(Store(), WorkerOptions(until_idle=True))


def test_it_opens_without_the_end_of_the_story():
    page = open_page()

    assert not page.exception
    assert "From the zoo" not in text(page)
    assert "**Start** trains these nets" in text(page)
    shown = open_page(zoo="true")
    assert "**From the zoo, finished before:** plain-20 and ResNet-20, 3 seeds each." in text(shown)
    assert len(page.get("plotly_chart")) == 4
    assert "269,434 parameters" in text(page)
    assert "time not yet measured" in text(page)


def test_the_time_is_said_once_the_machine_was_measured(calibrated):
    page = open_page()

    assert "about **" in text(page)
    assert any("Twins, 56 layers · " in label for label in page.button_group(key="preset").options)


def test_presets_fill_the_form():
    page = open_page()
    page = page.button_group(key="preset").set_value("highway-32").run()

    assert not page.exception
    assert page.number_input(key="layers").value == 32
    assert page.button_group(key="nets").value == ["residual", "highway"]
    assert "463,866 to" in text(page)


def test_what_cannot_be_built_cannot_be_started_and_says_why():
    page = open_page()
    page = page.number_input(key="layers").set_value(21).run()

    assert "Depth 21 cannot be built of basic blocks: it must be 6n+2" in text(page)
    assert page.button(key="start").disabled
    page = page.number_input(key="layers").set_value(26).run()
    assert not page.button(key="start").disabled


def test_no_family_is_no_order():
    page = open_page().button_group(key="nets").set_value([]).run()

    assert "Choose at least one family" in text(page)
    assert page.button(key="start").disabled


def test_what_does_not_fit_into_memory_is_refused_with_its_numbers(monkeypatch):
    monkeypatch.setattr("explorer.ui.train.start_run.available_mib", lambda _device: 100.0)

    page = open_page()

    assert re.search(r"This run needs about \d{3} MiB, and 100 MiB are free", text(page))
    assert page.button(key="start").disabled


@pytest.mark.parametrize(
    "garbage",
    [
        {"layers": "banana", "nets": "nobody"}, {"lr": "-3", "epochs": "1e99"}, {"images": "../../etc"},
        {"drops": "50", "warmup": "900"}, {"runs": "<script>,nothing"}, {"steps": "4", "zoo": "maybe"},
        {"batch": "127", "precision": "fp8", "device": "tpu", "block": "x"},
    ],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = open_page(**garbage)

    assert not page.exception
    assert page.number_input(key="layers").value == (Experiment().depth if "layers" in garbage else 20)
    assert page.button_group(key="nets").value == ["plain", "residual"]
    assert not page.button(key="start").disabled
    assert len(page.get("plotly_chart")) == 4


def test_a_prepared_link_fills_the_form():
    page = open_page(
        nets=["residual", "highway"], layers="14", epochs="3", lr="0.05", schedule="step", repeats="3"
    )

    assert page.number_input(key="layers").value == 14
    assert "**6 runs**" in text(page)
    assert page.button_group(key="nets").value == ["residual", "highway"]
    assert page.button_group(key="schedule").value == "step"


def test_twins_are_started_steered_and_finished():
    page = open_page(layers="8", epochs="2")
    page = start(page)

    assert not page.exception
    assert "**2 queued**" in text(page)
    ids = link(page).split(",")
    assert len(ids) == 2
    page = page.button(key="Pause-all").click().run()
    assert "**2 paused**" in text(page)
    page = page.button(key="Resume-all").click().run()
    assert "**2 queued**" in text(page)

    train_until_idle()
    page = page.run()

    assert not page.exception
    assert "**2 done**" in text(page)
    assert "**Done.** Twins: plain-8 ends with" in text(page)
    assert page.button(key="Pause-all").disabled


def test_a_press_means_the_runs_as_they_stand_then_not_as_they_were_drawn():
    page = start(open_page(layers="8", epochs="1"))
    store, (first, second) = Store(), link(page).split(",")

    store.set_status(first, "queued", "stopped")  # since the page was drawn
    page = page.button(key="Pause-all").click().run()
    assert "**1 stopped, 1 paused**" in text(page)
    assert not page.warning

    actions.resume(store, second)
    actions.pause(store, second)
    actions.retry(store, first)
    actions.pause(store, first)  # the page knows of one that is paused, and there are two
    page = page.button(key="Resume-all").click().run()
    assert "**2 queued**" in text(page)

    for run_id in (first, second):
        store.set_status(run_id, "queued", "done")
    page = page.button(key="Pause-all").click().run()
    assert "**2 done**" in text(page)
    assert [warning.value for warning in page.warning] == [
        "Nothing to pause: none of these runs is running or queued any more."
    ]


@pytest.mark.parametrize(("pressed", "said"), [("Pause", "paused"), ("Stop", "stopped")])
def test_two_presses_of_one_button_are_one_action(pressed, said):
    """The second is sent before the page is drawn again: whatever is drawn there then, it is still Pause."""
    page = start(open_page(layers="8", epochs="1"))
    page = page.button(key=f"{pressed}-all").click().run()
    assert page.button(key=f"{pressed}-all").disabled
    run_controls._ask(Action(pressed.lower()), link(page).split(","))
    page = page.run()

    assert f"**2 {said}**" in text(page)
    assert not page.warning


@pytest.mark.parametrize(
    "order",
    [{}, {"layers": "8", "epochs": "3", "repeats": "2"}, {"nets": "highway", "layers": "32", "seed": "5"}],
)
def test_start_draws_no_chart_anew(order):
    """The lines are there before, and empty: drawing four charts is what the first point would wait for."""
    page = open_page(**order)
    before = [chart.proto.spec for chart in page.get("plotly_chart")]

    page = start(page)

    assert "queued**" in text(page)
    assert len(before) == 4
    assert all(before)
    assert [chart.proto.spec for chart in page.get("plotly_chart")] == before


def test_a_link_to_a_group_shows_its_runs_to_anybody():
    page = start(open_page(layers="8", epochs="1"))
    states = actions.states(Store())

    other = open_page(runs=states["group_id"].iloc[0])

    assert "**2 queued**" in text(other)
    assert link(other) != link(page)


def test_runs_of_others_are_said_and_can_be_watched():
    start(open_page(layers="8", epochs="1"))

    other = open_page()
    assert "2 other runs are waiting or being trained here" in text(other)
    other = other.button(key="watch-others").click().run()
    assert "**2 queued**" in text(other)


def test_a_failed_run_says_why_and_can_be_retried():
    page = start(open_page(layers="8", epochs="1"))
    store = Store()
    run_id = link(page).split(",")[0]
    store.set_status(run_id, "queued", "failed", reason="The loss is no number.")

    page = open_page(runs=run_id)

    assert "**1 failed**" in text(page)
    assert "failed at epoch 0 of 1: The loss is no number." in text(page)
    page = page.button(key="Retry-all").click().run()
    assert "**1 queued**" in text(page)


def test_without_a_store_nothing_can_start_and_the_zoo_stays(tmp_path, monkeypatch):
    broken = tmp_path / "file"
    broken.write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(broken))

    page = open_page()

    assert not page.exception
    assert len(page.get("plotly_chart")) == 4
    assert page.button(key="start").disabled
    assert str(broken) in text(page)


def test_the_learning_rate_of_a_run_that_has_begun_is_said(monkeypatch):
    """What a page has read of a run while it waited may not stay what it knows of it."""
    from explorer.ui.train.watched_runs import load_watched_runs, runs_of

    page = start(open_page(layers="8", epochs="2"))
    ids = tuple(link(page).split(","))
    assert set(runs_of(load_watched_runs(ids, ()))["iterations"]) == {0}
    train_until_idle()

    assert set(runs_of(load_watched_runs(ids, ()))["iterations"]) == {22}


def test_it_starts_from_twins_whose_difference_is_certain():
    page = AppTest.from_file(HOME, default_timeout=60).switch_page("../pages/train.py").run()
    assert page.number_input(key="layers").value >= 32
    assert PRESETS[0].experiment().depth == page.number_input(key="layers").value
    assert "zoo's finished" not in text(page)


def test_a_limit_of_this_server_is_told_where_it_bites(monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_STEPS", "50")
    page = open_page()
    assert "at most 50 steps, and this one would take 110" in text(page)
    assert page.button(key="start").disabled
    monkeypatch.delenv("EXPLORER_MAX_STEPS")
    monkeypatch.setenv("EXPLORER_MAX_RUNS_PER_HOUR", "3")
    page = start(page.run())
    assert len(Store().listing()) == 2
    assert "at most 3 runs per visitor and hour; you have started 2" in text(page)
    assert page.button(key="start").disabled
    monkeypatch.setenv("EXPLORER_PROFILE", "clasroom")
    page.run()
    assert not page.exception
    assert "laptop, classroom or internet" in page.error[0].value


def test_a_sweep_is_priced_started_steered_as_one_and_shown_by_its_link():
    order = {"depths": "8", "vary": "lr", "values": "0.02, 0.05", "epochs": "1", "width": "4"}
    page = open_page(**order)
    assert "**4 runs**, time not yet measured" in text(page)
    assert "--vary lr=0.02,0.05" in page.code[0].value
    page.button(key="start-sweep").click().run()
    assert not page.exception
    assert "4 runs: 4 queued" in page.get("progress")[0].proto.text
    said = page.query_params["sweep"]
    page.button(key="Pause-sweep").click().run()
    assert "4 runs: 4 paused" in page.get("progress")[0].proto.text
    page.button(key="Resume-sweep").click().run()

    train_until_idle()
    again = open_page(sweep=said if isinstance(said, str) else said[0])
    assert "4 runs: 4 done" in again.get("progress")[0].proto.text
    assert "Lowest mean test error: " in text(again)
    assert len(again.get("plotly_chart")) == 6


def test_a_wrong_sweep_is_told_and_not_started():
    page = open_page(depths="20 56")
    assert "Depths: '20 56' cannot be read" in text(page)
    assert page.button(key="start-sweep").disabled
    assert not page.exception
