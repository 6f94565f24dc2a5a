"""Live training as a person does it: start, watch, zoom, reload, pause, resume, finish, take away."""

import copy
import csv
import io
import itertools
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

from explorer.jobs import actions
from explorer.nets.spec import NetSpec
from explorer.runs.status import Status
from explorer.runs.store import Store
from explorer.system.paths import HOME_VARIABLE
from explorer.training.recipe import Recipe

pytestmark = pytest.mark.browser
PATIENCE_MS = 240_000  # on a machine that does other work as well
POINTS = """() => {
  const plot = document.querySelector('.st-key-loss-over-steps .js-plotly-plot');
  const own = (plot?.data ?? []).filter((t) => t.name?.endsWith("training") && !t.name.includes("zoo"));
  return own.reduce((sum, trace) => Math.max(sum, trace.x?.length ?? 0), 0);
}"""
RANGE = """() => document.querySelector('.st-key-error-while-training .js-plotly-plot')
  ._fullLayout.yaxis.range.map((end) => Math.round(end))"""


def open_train(page, server, query=""):
    page.goto(f"{server}/train{query}")
    expect(page.locator(".js-plotly-plot .main-svg:visible").first).to_be_visible()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(4)


def wait_for_points(page, more_than):
    page.wait_for_function(f"({POINTS})() > {more_than}", timeout=PATIENCE_MS)
    return page.evaluate(POINTS)


def zoom_into_errors(page):
    sheet = page.locator(".st-key-error-while-training .nsewdrag").first
    expect(sheet).to_be_visible()
    box = sheet.bounding_box()
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 90, steps=4)
    page.mouse.up()
    page.wait_for_function(f"({RANGE})()[1] < 90")
    return page.evaluate(RANGE)


def taken_away(page):
    """The rows of the CSV file."""
    page.get_by_text("The same numbers as a table, and downloads").first.click()
    button = page.get_by_role("button", name="CSV", exact=True)
    expect(button).to_be_visible()
    settle(page)
    with page.expect_download(timeout=PATIENCE_MS) as download:
        button.click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def status(page, text):
    return page.get_by_text(text, exact=True).first


@pytest.mark.slow
def test_twins_are_started_watched_steered_and_taken_away(page, server):
    open_train(page, server, "?layers=20&epochs=15")  # they still run when everything up to Pause is done
    page.get_by_role("button", name="Start", exact=True).click()
    first = wait_for_points(page, 0)
    page.wait_for_url(re.compile("runs=plain-20.*residual-20"))
    zoomed = zoom_into_errors(page)
    second = wait_for_points(page, first)
    assert page.evaluate(RANGE) == zoomed, "a live chart lost a reader's zoom"

    page.reload()
    wait_for_points(page, second - 1)
    wait_for_points(page, second)

    for_both = page.locator(".st-key-steer-all")  # each run has buttons of its own as well
    for_both.get_by_role("button", name="Pause").click()
    expect(status(page, "2 paused")).to_be_visible(timeout=PATIENCE_MS)
    kept = page.evaluate(POINTS)
    for_both.get_by_role("button", name="Resume").click()
    wait_for_points(page, kept)
    expect(status(page, "2 done")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("plain-20 ends with")).to_be_visible()
    page.wait_for_function(f"({POINTS})() === 165")

    names = "() => document.querySelector('.st-key-loss-over-steps .js-plotly-plot').data.map((t) => t.name)"
    assert any("ResNet-20, zoo" in (name or "") for name in page.evaluate(names))
    # once these stand, the page has been drawn as that of finished runs, and no redraw takes the button away
    expect(page.get_by_role("link", name="Compare them with other runs")).to_be_visible(timeout=PATIENCE_MS)
    rows = taken_away(page)
    mine = [row for row in rows if row["group"] == "plain-20"]
    assert [int(row["iteration"]) for row in mine] == list(range(1, 166))
    assert {row["group"] for row in rows} == {"plain-20", "ResNet-20", "plain-20, zoo", "ResNet-20, zoo"}

    assert complaints(page) == []


def test_a_preset_fills_the_form_and_the_address_and_a_reload_keeps_it(page, server):
    open_train(page, server)
    page.get_by_text("Highway, 32").click()
    expect(page.get_by_text("463,866 to 902,650 parameters")).to_be_visible()
    page.wait_for_url(lambda url: "layers=32" in url and "nets=residual&nets=highway" in url)
    page.reload()
    expect(page.get_by_text("463,866 to 902,650 parameters")).to_be_visible()
    assert complaints(page) == []


@pytest.fixture
def paused_run(server_home, monkeypatch):
    """A run in the data folder of the app that tests share, which no worker takes."""
    monkeypatch.setenv(HOME_VARIABLE, str(server_home))
    run = replace(actions.new_run(NetSpec("residual", 8), Recipe(epochs=1), "digits"), status=Status.PAUSED)
    store = Store()
    store.add_run(run, data="digits")
    yield run.run_id
    store.delete_run(run.run_id)
    store.close()


def test_what_is_told_of_a_run_never_runs_ahead_of_the_buttons_beside_it(page, server, paused_run):
    """A feed answers sooner than a page is redrawn: "paused" beside a button that pauses misleads."""
    said, real, versions = {"html": "as drawn", "other": ""}, {}, itertools.count()

    def tell(route):
        if not real:
            real.update(route.fetch().json())
        told = copy.deepcopy(real) | {"version": str(next(versions)), "wait": 100}
        told["texts"]["summary"]["html"] = said["html"]
        told["drawn"]["rest"] += said["other"]
        route.fulfill(json=told)

    page.route("**/watched?*", tell)
    open_train(page, server, f"?runs={paused_run}")
    expect(status(page, "as drawn")).to_be_visible()

    said |= {"html": "ahead", "other": "another page"}
    for _ in range(3):
        page.wait_for_event("response", lambda answer: "/watched?" in answer.url)
    expect(status(page, "ahead")).to_have_count(0)

    said["other"] = ""
    expect(status(page, "ahead")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
