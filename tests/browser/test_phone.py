"""On a phone: states of pages in light and in dark, fingers, taps. Every page stands in test_crawl.py."""

import pytest
from playwright.sync_api import expect
from visit import complaints, expect_large, expect_readable, settle

pytestmark = pytest.mark.browser
SOURCES = "Where these numbers come from"
NET = "net=digits-residual-20-s0"
INK = """() => {
  const ticks = [...document.querySelectorAll(".js-plotly-plot .xtick text")];
  const seen = ticks.find((tick) => tick.getClientRects().length);
  return seen ? getComputedStyle(seen).fill : null;
}"""
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
CHART = ".js-plotly-plot .main-svg"
STATES = {
    "residuals?data=digits": CHART, f"inspect?{NET}": ".maps img", "paper?part=Table%201": None,
    f"attributions?{NET}&method=saliency": CHART, f"nets?{NET}&beside=digits-plain-20-s0": CHART,
}  # fmt: skip


@pytest.mark.parametrize("path", STATES)
def test_a_phone_shows_all_of_a_state_that_is_no_pages_first_one_and_follows_when_it_turns_dark(
    page, server, path
):
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server}/{path}")
    # the first net of a session wakes torch
    shown = page.locator(f"{STATES[path]}:visible").first if STATES[path] else page.get_by_text(SOURCES).last
    expect(shown).to_be_visible(timeout=120_000)
    settle(page)
    expect_readable(page, "light")
    expect_large(page)
    page.emulate_media(color_scheme="dark")
    expect_readable(page, "dark")
    assert complaints(page) == []


def test_a_page_that_turns_dark_while_it_still_computes_follows_too(page, server):
    page.emulate_media(color_scheme="light")
    page.goto(f"{server}/residuals?data=digits&live=true&probed=untrained:residual-1202-w32")
    stop = page.get_by_role("button", name="Stop computing")
    expect(stop).to_be_visible(timeout=120_000)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"({INK})() === 'rgb(201, 209, 217)'")
    expect(page.get_by_text("Probing ResNet-1202-w32, untrained: ")).to_be_visible()  # it has not ended
    stop.dispatch_event("click")
    expect(page.get_by_role("button", name="Compute it")).to_be_visible()


def swipe_up(page, x, y, far=300):
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for moved in range(0, far + 1, 20):
        finger.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - moved}]}
        )
        page.wait_for_timeout(16)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("path", ["depth", "train", f"nets?{NET}"])
def test_a_finger_that_passes_over_a_chart_scrolls_the_page(phone, server, path):
    phone.goto(f"{server}/{path}")
    chart = phone.locator(".js-plotly-plot").first
    expect(chart.locator(".main-svg").first).to_be_visible(timeout=120_000)
    settle(phone)
    chart.scroll_into_view_if_needed()
    expect(phone.locator(".modebar-btn:visible")).to_have_count(0)
    before = phone.evaluate(SCROLLED)
    box = chart.bounding_box()
    swipe_up(phone, box["x"] + box["width"] * 0.45, min(box["y"] + box["height"] * 0.6, 760))
    phone.wait_for_function(f"({SCROLLED}) > {before + 100}")


def test_a_tap_on_a_block_of_the_drawing_chooses_it(phone, server):
    phone.goto(f"{server}/nets?{NET}")
    expect(phone.get_by_text("Block 1: 3x3, 3x3")).to_be_visible(timeout=120_000)
    boxes = phone.locator(".js-plotly-plot .barlayer .point path")
    expect(boxes).to_have_count(11)
    settle(phone)
    boxes.nth(5).scroll_into_view_if_needed()
    box = boxes.nth(5).bounding_box()
    phone.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(phone.get_by_text("Block 5: 3x3, 3x3")).to_be_visible()
