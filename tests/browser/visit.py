"""What any visit of a page asks: is it done, what did the console say, what is folded away."""

PATIENCE_MS = 60_000
"""For whatever a page has to show, on a machine that does other work as well."""

# on a subpage Streamlit looks for its server below the page's own path first
_PROBING = "the server responded with a status of 404"


def complaints(page):
    """What the console said, but for Streamlit's own search for its server."""
    return [text for text in page.complaints if _PROBING not in text]


def settle(page):
    """Wait until the server has nothing left to send: what is pressed before may be redrawn."""
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


_AT_REST = """() => document.getAnimations().every(
  (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity
)"""


def expect_rest(page):
    """Wait until nothing fades or slides any more: colours of a transition are nobody's choice."""
    page.wait_for_function(_AT_REST)


# a fold that still opens grows from one drawing of the browser to the next
_UNFOLDED = """(title) => new Promise((done) => {
  let height = -1, same = 0;
  const look = () => {
    const now = title.closest("details")?.getBoundingClientRect().height ?? -2;
    same = now === height ? same + 1 : 0;
    height = now;
    if (same >= 5) done(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
_FRAMES = """(count) => new Promise((done) => {
  const next = () => (count-- ? requestAnimationFrame(next) : done());
  next();
})"""


def unfold(page, title):
    """Open a fold by its title; what is pressed while it still opens would be missed."""
    fold = page.get_by_text(title, exact=True).first
    fold.click()
    fold.evaluate(_UNFOLDED)


def let_draw(page, frames=30):
    """Let the browser draw so many times: whatever was about to move has moved by then."""
    page.evaluate(_FRAMES, frames)


_COLOURS = """() => {
  const ticks = [...document.querySelectorAll(".js-plotly-plot .xtick text")];
  const seen = ticks.find((tick) => tick.getClientRects().length);
  return {
    ground: getComputedStyle(document.querySelector(".stApp")).backgroundColor,
    ink: seen ? getComputedStyle(seen).fill : null,
  };
}"""
_BRIGHTNESS = "(colour) => colour.match(/\\d+/g).slice(0, 3).reduce((all, part) => all + Number(part), 0)"
_LIGHT = f"""() => {{
  const {{ ground, ink }} = ({_COLOURS})(), bright = {_BRIGHTNESS};
  return bright(ground) > 700 && (ink === null || bright(ink) < 400);
}}"""
_DARK = f"""() => {{
  const {{ ground, ink }} = ({_COLOURS})();
  return ground === "rgb(18, 22, 27)" && (ink === null || ink === "rgb(201, 209, 217)");
}}"""


def expect_large(page):
    """The first chart of a page, where there is one, is high enough for a thumb."""
    for chart in page.locator(".js-plotly-plot:visible").all()[:1]:
        assert chart.bounding_box()["height"] >= 300, page.url


def expect_readable(page, scheme):
    """On a page, and in its charts, ink stands out from the ground; nothing has to be scrolled sideways."""
    page.wait_for_function(_LIGHT if scheme == "light" else _DARK)
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
