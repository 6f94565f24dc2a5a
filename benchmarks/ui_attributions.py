"""How long from a key press to the map on Attributions, in Chromium?

Takes an untrained ResNet-56 for 32x32 pixels and steps through the test images by a key, with one method
at a time; a press counts as answered at the first frame after the method's map has changed. `computing` is
the part of it that the page says the method took; the ratio is that of the two medians.

    python benchmarks/ui_attributions.py --presses 8
"""

import argparse
import re
import tempfile
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from _browser import answered, chromium, machine, report, served, settled, watch
from playwright.sync_api import Page

METHODS = {
    "Integrated gradients, 50 steps": {"methods": "Integrated gradients"},
    "Occlusion, window 8": {"methods": "Occlusion", "occlusion-window": "8", "occlusion-stride": "8"},
    "SmoothGrad, 25 samples": {"methods": "Saliency", "saliency-smooth_samples": "25"},
}
MAP = """[...document.querySelectorAll('[class*=st-key-map-] .js-plotly-plot .heatmaplayer image')]
  .map(image => image.getAttribute('xlink:href') ?? image.getAttribute('href')).join()"""


PICTURE = "Digits (scikit-learn, 8x8): test images"


def presses(
    page: Page, address: str, query: Mapping[str, str], count: int
) -> list[tuple[float | None, float]]:
    """Milliseconds of each press, and of its computing; the first, which wakes all, does not count."""
    page.goto(f"{address}/attributions?{urlencode({'picture': PICTURE, **query})}")
    page.wait_for_selector("[class*=st-key-map-] .heatmaplayer image", state="attached", timeout=120_000)
    settled(page)
    times = []
    for _ in range(count + 1):
        time.sleep(0.5)
        page.locator(".st-key-index input").focus()
        watch(page, "keydown", MAP)
        page.keyboard.press("ArrowUp")
        spent = answered(page)
        settled(page)
        took = page.get_by_text(re.compile(r"Took [0-9.]+ s")).first.inner_text()
        times.append((spent, 1000 * float(re.findall(r"Took ([0-9.]+) s", took)[0])))
    return times[1:]


def main() -> None:
    """Measure each method in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=8)
    parser.add_argument("--net", default="untrained:residual-56")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(["explorer/Home.py"], folder) as (address,),
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        print(f"{machine()}, {asked.net}")
        for title, query in METHODS.items():
            times = presses(page, address, {"net": asked.net, **query}, asked.presses)
            whole = report(title, [spent for spent, _ in times])
            computing = report(f"{title}: computing", [took for _, took in times])
            print(f"{'':44} ratio {whole / computing:.2f}")


if __name__ == "__main__":
    main()
