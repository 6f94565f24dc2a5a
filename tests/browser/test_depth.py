"""What a person does: slide, read, reload, share, download, on a desk and on a phone."""

import csv
import io

import pytest
from playwright.sync_api import expect
from visit import complaints, let_draw, settle

pytestmark = pytest.mark.browser


def open_depth(page, server, query=""):
    page.goto(f"{server}/depth{query}")
    for chart in ("error-over-epochs", "error-over-depth"):
        expect(page.locator(f".st-key-{chart} .main-svg").first).to_be_visible()


def slide(page, steps):
    handle = page.locator("input[type=range]").first
    handle.focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def sheet(page):
    """Where the first chart lies, and the ticks of its axis."""
    ticks = page.locator(".js-plotly-plot .yaxislayer-above").first.text_content()
    return page.locator(".js-plotly-plot").first.bounding_box(), ticks


def test_home_leads_to_depth_without_a_console_error(page, server):
    page.goto(server)
    expect(page.get_by_text("From 8 to 110 layers the plain nets")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Depth", exact=True).click()
    expect(page.get_by_role("heading", name="What does depth do to a plain network?")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    assert page.complaints == []


def test_sliding_with_the_keyboard_changes_the_sentence_and_the_lines_but_never_the_sheet(page, server):
    open_depth(page, server, "?depth=8")
    expect(page.get_by_text("plain-8 ends with")).to_be_visible()
    settle(page)
    before = sheet(page)
    slide(page, 8)
    expect(page.get_by_text("plain-56 ends with 70.4 % training error")).to_be_visible()
    expect(page.get_by_text("The plain net is worse in training already")).to_be_visible()
    page.wait_for_url("**depth=56**")
    assert sheet(page) == before
    assert complaints(page) == []


def test_the_numbers_can_be_taken_away(page, server):
    open_depth(page, server, "?depth=56")
    page.get_by_text("The same numbers as a table, and downloads").last.click()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible()
    settle(page)  # a button that is pressed while the page still draws it gives no file
    let_draw(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {(row["family"], row["depth"]) for row in rows} >= {("plain", "110"), ("residual", "8")}
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML", exact=True).click()
    assert "plotly" in download.value.path().read_text().lower()


def test_garbage_in_the_url_draws_the_defaults(page, server):
    open_depth(page, server, "?depth=banana&families=%00&smooth=-4&data=%3Cscript%3E")
    expect(page.get_by_text("plain-20 ends with")).to_be_visible()


def test_the_charts_follow_the_slider_and_a_reload_gives_the_same_view(page, server):
    open_depth(page, server, "?depth=8")
    name = "() => document.querySelector('.st-key-error-over-epochs .js-plotly-plot')?.data.at(-2).name ?? ''"
    page.wait_for_function(f"({name})().includes('-8,')")
    slide(page, 8)
    expect(page.get_by_text("plain-56 ends with")).to_be_visible()
    page.wait_for_function(f"({name})().includes('-56,')")
    page.reload()
    expect(page.get_by_text("plain-56 ends with")).to_be_visible()
    page.wait_for_function(f"({name})().includes('-56,')")
