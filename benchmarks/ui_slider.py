"""How long from a key press on the depth slider to the redrawn charts, in Chromium?

Starts the app and, as the baseline, a bare Streamlit page with one slider and one small chart; presses
arrow keys in both, in turn; prints n, median and 95th percentile of each, and their ratio. A press
counts as answered at the first frame after the chart shows the new depth.

    python benchmarks/ui_slider.py --presses 40
"""

import argparse
import tempfile
import time
from pathlib import Path

from _browser import answered, chromium, machine, report, served, watch

DEPTHS = [8, 14, 20, 26, 32, 38, 44, 50, 56, 74, 92, 110]
BARE = f"""
import plotly.graph_objects as go, streamlit as st
depth = st.select_slider("Depth", {DEPTHS}, key="depth")
st.markdown(f"{{depth}} layers")
st.plotly_chart(go.Figure(go.Scatter(y=[0, depth, 1])))
"""
# the lines' paths change with the depth
LINES = """[...document.querySelectorAll('.js-plotly-plot .scatterlayer path')]
  .map(path => path.getAttribute('d')).join()"""


class Slider:
    """One open page with a depth slider, moved to and fro."""

    def __init__(self, browser, address: str) -> None:
        """Open the page and wait for its first chart."""
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.page.goto(address)
        self.page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
        time.sleep(2)
        self.place, self.step = DEPTHS.index(int(self._value())), 1

    def _value(self) -> str:
        text = self.page.locator("[data-testid=stSliderThumbValue]").first.inner_text()
        return text.strip()

    def press(self) -> float | None:
        """Milliseconds from one key press to the painted answer; None where none came."""
        if not 0 <= self.place + self.step < len(DEPTHS):
            self.step = -self.step
        self.place += self.step
        self.page.locator("input[type=range]").first.focus()
        watch(self.page, "keydown", LINES)
        self.page.keyboard.press("ArrowRight" if self.step > 0 else "ArrowLeft")
        return answered(self.page)


def main() -> None:
    """Measure both pages in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=40)
    presses = parser.parse_args().presses
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        with served([str(bare), "explorer/Home.py"], folder) as addresses, chromium() as browser:
            sliders = [Slider(browser, f"{addresses[0]}/"), Slider(browser, f"{addresses[1]}/depth")]
            found: list[list[float | None]] = [[], []]
            for press in range(presses + 5):
                for number, slider in enumerate(sliders):
                    slider.page.bring_to_front()
                    answer = slider.press()
                    if press >= 5:
                        found[number].append(answer)
                    time.sleep(0.3)
    print(f"{machine()}, one run, in turn")
    medians = [report(name, part) for name, part in zip(("bare page", "Depth"), found, strict=True)]
    print(f"Depth takes {medians[1] / medians[0]:.2f} times the bare page")


if __name__ == "__main__":
    main()
