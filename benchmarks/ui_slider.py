"""How long from a key press on the depth slider to the redrawn charts, in Chromium?

Starts the app and, as the baseline, a bare Streamlit page with one slider and one small chart; presses
arrow keys in both, in turn; prints n, median and 95th percentile of each, and their ratio. A press
counts as answered at the first frame after the chart shows the new depth.

    python benchmarks/ui_slider.py --presses 40
"""

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DEPTHS = [8, 14, 20, 26, 32, 38, 44, 50, 56, 74, 92, 110]
BARE = f"""
import plotly.graph_objects as go, streamlit as st
depth = st.select_slider("Depth", {DEPTHS}, key="depth")
st.markdown(f"{{depth}} layers")
st.plotly_chart(go.Figure(go.Scatter(y=[0, depth, 1])))
"""
# the lines' paths change with the depth; the frame after the change has been painted
ANSWER = """() => new Promise(done => {
  let start = null;
  addEventListener('keydown', () => start = performance.now(), {once: true, capture: true});
  const paths = () => [...document.querySelectorAll('.js-plotly-plot .scatterlayer path')]
    .map(path => path.getAttribute('d')).join();
  const before = paths();
  const look = () => {
    if (start !== null && paths() !== before) requestAnimationFrame(() => done(performance.now() - start));
    else if (start !== null && performance.now() - start > 5000) done(null);
    else setTimeout(look, 2);
  };
  look();
})"""


def serve(script: str, port: int, home: str) -> subprocess.Popen[bytes]:
    """Start a Streamlit server and wait until it is healthy."""
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"EXPLORER_HOME": home}, stdout=subprocess.DEVNULL
    )
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            return process
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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
        self.page.evaluate(f"() => {{ window.answer = ({ANSWER})(); }}")
        self.page.keyboard.press("ArrowRight" if self.step > 0 else "ArrowLeft")
        return self.page.evaluate("() => window.answer")


def report(name: str, times: list[float], lost: int) -> float:
    """Print one row; returns the median."""
    middle, high = statistics.median(times), sorted(times)[int(0.95 * (len(times) - 1))]
    print(f"{name:12} n {len(times):3}  unanswered {lost}  median {middle:6.0f} ms  p95 {high:6.0f} ms")
    return middle


def main() -> None:
    """Measure both pages in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=40)
    presses = parser.parse_args().presses
    browser_path = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        ports = free_port(), free_port()
        servers = [serve(str(bare), ports[0], folder), serve("explorer/Home.py", ports[1], folder)]
        try:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            sliders = [
                Slider(browser, f"http://127.0.0.1:{ports[0]}/"),
                Slider(browser, f"http://127.0.0.1:{ports[1]}/depth"),
            ]
            found: list[list[float | None]] = [[], []]
            for press in range(presses + 5):
                for number, slider in enumerate(sliders):
                    slider.page.bring_to_front()
                    answer = slider.press()
                    if press >= 5:
                        found[number].append(answer)
                    time.sleep(0.3)
        finally:
            for server in servers:
                server.terminate()
    times = [[answer for answer in answers if answer is not None] for answers in found]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one run, in turn")
    medians = [
        report(name, part, presses - len(part))
        for name, part in zip(("bare page", "Depth"), times, strict=True)
    ]
    print(f"Depth takes {medians[1] / medians[0]:.2f} times the bare page")


if __name__ == "__main__":
    main()
