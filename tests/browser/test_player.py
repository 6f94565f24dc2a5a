"""Charts that follow the slider in the browser must show what the server would have drawn."""

import json

import pytest
from playwright.sync_api import expect
from visit import complaints, let_draw, settle

pytestmark = pytest.mark.browser
DRAWN = """() => [...document.querySelectorAll('.js-plotly-plot')].map((plot) =>
  [...plot.querySelectorAll('.scatterlayer path')].map((path) =>
    path.getAttribute('d') + path.getAttribute('transform')).join())"""

# both charts are drawn and have taken their frames in, which Plotly does later
FOLLOWS = """() => {
  const plots = [...document.querySelectorAll('.js-plotly-plot')];
  return plots.length === 2 && plots.every((plot) =>
    plot._transitionData?._frames?.length && plot.querySelector('.scatterlayer path'));
}"""


# nothing is played, and nothing waits to be
AT_REST = """() => [...document.querySelectorAll('.js-plotly-plot')].every((plot) =>
  !plot._transitioning && !plot._transitionData._frameQueue.length)"""
WIDTHS = "() => [...document.querySelectorAll('.js-plotly-plot')].map((plot) => plot._fullLayout.width)"


AFRESH = {}


def open_depth(page, server, query=""):
    page.goto(f"{server}/depth{query}")
    page.wait_for_function(FOLLOWS)
    settle(page)


def handle(page):
    return page.locator(".st-key-depth input[type=range]")


def drawn_afresh(page, server, query):
    """What the server draws for that address; asked once."""
    if query not in AFRESH:
        fresh = page.context.new_page()
        open_depth(fresh, server, query)
        AFRESH[query] = fresh.evaluate(DRAWN)
        fresh.close()
    return AFRESH[query]


def settled_at(page, depth):
    expect(page.get_by_text(f"plain-{depth} ends with")).to_be_visible()
    return page.evaluate(DRAWN)


def shows(page, wanted):
    page.wait_for_function(f"wanted => JSON.stringify(({DRAWN})()) === wanted", arg=compact(wanted))


@pytest.mark.parametrize("query", ["", "&logy=true&seeds=each&families=plain&families=Highway"])
def test_many_fast_presses_end_where_a_fresh_page_at_that_depth_is(page, server, query):
    open_depth(page, server, f"?depth=8{query}")
    handle(page).focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert settled_at(page, 56) == drawn_afresh(page, server, f"?depth=56{query}")
    page.wait_for_url("**depth=56**")


PRESS_FIVE_TIMES = """() => {
  const slider = document.querySelector('.st-key-depth input[type=range]');
  const key = {key: 'ArrowRight', code: 'ArrowRight', bubbles: true, cancelable: true};
  for (let i = 0; i < 5; i++) slider.dispatchEvent(new KeyboardEvent('keydown', key));
}"""


def test_keys_faster_than_the_browser_paints_are_no_errors_on_the_console(page, server):
    """Plotly rejects what an animation leaves out, and nobody would hear it but the console."""
    open_depth(page, server, "?depth=8")
    handle(page).focus()
    page.evaluate(PRESS_FIVE_TIMES)
    assert settled_at(page, 38) == drawn_afresh(page, server, "?depth=38")
    page.wait_for_url("**depth=38**")
    assert complaints(page) == []


def test_a_key_moves_the_charts_before_the_server_answers(page, server):
    open_depth(page, server, "?depth=50")
    wanted = drawn_afresh(page, server, "?depth=56")
    handle(page).focus()
    page.context.set_offline(True)
    page.keyboard.press("ArrowRight")
    shows(page, wanted)
    assert page.get_by_role("figure").first.get_attribute("aria-label").count("plain-56") == 2
    page.context.set_offline(False)


def test_the_ends_of_the_slider_hold(page, server):
    open_depth(page, server, "?depth=92")
    handle(page).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Home", "ArrowLeft", "End"):
        page.keyboard.press(key)
    assert settled_at(page, 110) == drawn_afresh(page, server, "?depth=110")


PRESS_WHEN_A_CHART_APPEARS = """() => new MutationObserver((_, observer) => {
  const slider = document.querySelector('.st-key-depth input[type=range]');
  if (!slider || !document.querySelectorAll('.updatemenu-button').length) return;
  observer.disconnect();
  slider.focus();
  const key = {key: 'End', code: 'End', bubbles: true, cancelable: true};
  slider.dispatchEvent(new KeyboardEvent('keydown', key));
}).observe(document, {subtree: true, childList: true})"""


def test_a_key_pressed_while_the_charts_are_still_being_drawn_is_not_lost(page, server):
    page.add_init_script(f"({PRESS_WHEN_A_CHART_APPEARS})()")
    page.goto(f"{server}/depth?depth=92")
    expect(page.get_by_text("plain-110 ends with")).to_be_visible()
    shows(page, drawn_afresh(page, server, "?depth=110"))


def test_charts_at_rest_are_left_alone(page, server):
    open_depth(page, server, "?depth=50&logy=true&families=plain&families=Highway")
    page.evaluate("""() => {
      window.played = 0;
      for (const plot of document.querySelectorAll('.js-plotly-plot'))
        plot.on('plotly_animatingframe', () => { window.played += 1; });
    }""")
    handle(page).focus()
    page.keyboard.press("ArrowRight")
    settled_at(page, 56)
    settle(page)
    page.wait_for_function(AT_REST)
    let_draw(page)
    played = page.evaluate("window.played")
    page.mouse.move(700, 500)
    let_draw(page)
    assert 2 <= played <= 6
    assert page.evaluate("window.played") == played


def test_dragging_moves_the_charts_too(page, server):
    open_depth(page, server, "?depth=8")
    settle(page)
    box = page.locator(".st-key-depth .stSlider").bounding_box()
    knob = page.locator(".st-key-depth [data-testid=stSliderThumbValue]").bounding_box()
    page.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + 25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], knob["y"] + 25, steps=12)
    page.mouse.up()
    assert settled_at(page, 110) == drawn_afresh(page, server, "?depth=110")


TEXTS = """() => [...document.querySelectorAll('[data-follows]')].map((text) => text.innerText).join(' ')"""


def test_while_the_slider_is_held_texts_and_figures_are_those_of_the_curves(page, server):
    """The server hears of a drag when it ends: until then all that is seen has to come from the browser."""
    open_depth(page, server, "?depth=8")
    wanted = drawn_afresh(page, server, "?depth=110")
    box = page.locator(".st-key-depth .stSlider").bounding_box()
    knob = page.locator(".st-key-depth [data-testid=stSliderThumbValue]").bounding_box()
    page.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + 25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], knob["y"] + 25, steps=12)
    shows(page, wanted)
    said = page.evaluate(TEXTS)
    assert "Error while training, 110 layers" in said
    assert "plain-110 ends with" in said
    assert "plain-110, training" in said
    assert "-8 " not in said
    page.mouse.up()
    page.wait_for_url("**depth=110**")
    settle(page)
    assert page.evaluate(TEXTS) == said
    assert complaints(page) == []


def test_other_choices_and_another_size_keep_the_depth(page, server):
    open_depth(page, server, "?depth=50")
    handle(page).focus()
    page.keyboard.press("ArrowRight")
    settled_at(page, 56)
    page.get_by_role("radio", name="test", exact=True).click()
    page.wait_for_url("**errors=test**")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    before = page.evaluate(WIDTHS)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(f"before => ({WIDTHS})().every((width, at) => width < before[at])", arg=before)
    page.set_viewport_size({"width": 1400, "height": 900})
    shows(page, drawn_afresh(page, server, "?depth=56&errors=test"))
    assert complaints(page) == []


def compact(paths):
    return json.dumps(paths, separators=(",", ":"), ensure_ascii=False)
