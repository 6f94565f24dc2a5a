"""In Chromium: charts that follow the slider over the epochs, a reload, a live probe, a phone."""

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

pytestmark = pytest.mark.browser
LAST_Y = (
    "() => document.querySelector('.st-key-responses-in-order .js-plotly-plot')?.data?.at(-1).y.join() ?? ''"
)


def open_residuals(page, server, query=""):
    page.goto(f"{server}/residuals?data=digits{query}")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    page.wait_for_function(f"() => ({LAST_Y})()")
    settle(page)


def test_the_slider_moves_the_lines_before_the_server_answers_and_never_the_sheet(page, server):
    open_residuals(page, server, "&quantity=std")
    ticks = "document.querySelector('.st-key-responses-in-order .yaxislayer-above').textContent"
    before, sheet = page.evaluate(LAST_Y), page.evaluate(ticks)
    page.locator(".st-key-epoch input[type=range]").focus()
    page.context.set_offline(True)
    page.keyboard.press("Home")
    page.wait_for_function(f"before => ({LAST_Y})() !== before", arg=before)
    page.context.set_offline(False)
    assert page.evaluate(ticks) == sheet


def test_the_end_of_the_slider_changes_the_sentences_and_a_reload_keeps_the_view(page, server):
    open_residuals(page, server, "&quantity=std")
    page.locator(".st-key-epoch input[type=range]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("in layer order, after epoch 7")).to_be_visible()
    page.wait_for_url("**epoch=7**")
    page.reload()
    expect(page.get_by_text("in layer order, after epoch 7")).to_be_visible()
    expect(page.get_by_text("Response std in layer order")).to_be_visible()
    assert complaints(page) == []


def test_a_live_probe_is_drawn_beside_what_was_recorded(page, server):
    page.goto(f"{server}/residuals?data=digits&live=true&probed=digits-residual-8-s0&images=50")
    expect(page.get_by_text("ResNet-8, digits, seed 0: block")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    assert complaints(page) == []


def test_a_slow_probe_can_be_stopped_and_begun_again(page, server):
    page.goto(f"{server}/residuals?data=digits&live=true&probed=untrained:residual-1202-w32")
    stop = page.get_by_role("button", name="Stop computing")
    expect(stop).to_be_visible()
    stop.dispatch_event("click")  # the charts above are still being drawn, and a real click waits for them
    expect(page.get_by_text("Probing ResNet-1202-w32, untrained was stopped.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    page.get_by_role("button", name="Compute it").click()
    expect(stop).to_be_visible()
    stop.dispatch_event("click")
    expect(page.get_by_role("button", name="Compute it")).to_be_visible()
    assert complaints(page) == []
