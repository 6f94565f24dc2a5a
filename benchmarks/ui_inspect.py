"""How long until a chosen block, a channel or a dropped picture is drawn on Inspect, in Chromium?

Presses arrow keys on the block slider and in the channel's field, of digits ResNet-56 and of a colour net,
and drops JPEGs. A key counts as answered at the first frame after x, F(x) and their sum show the other
block or channel; `whole` at the last change that any picture of the page makes for it, when the server has
answered. The ratio is that of the two medians: what the maps in the browser save.

    python benchmarks/ui_inspect.py --presses 20
"""

import argparse
import io
import tempfile
import time

import numpy as np
from _browser import answered, chromium, machine, report, served, settled, watch
from PIL import Image
from playwright.sync_api import Browser

NETS = ["digits-residual-56-s0", "cifar10-jpeg-residual-20-s0"]
MAPS = "[...document.querySelectorAll('.maps img')].map(image => image.src).join()"
STRIP = "getComputedStyle(document.querySelector('.tiles i')).backgroundImage"
QUIET_MS = 600
# the last change of a picture, in milliseconds after the event that began it
LAST = """([event, quiet]) => { window.whole = new Promise(done => {
  let start = null, last = 0;
  const changes = new MutationObserver(() => { if (start !== null) last = performance.now() - start; });
  addEventListener(event, () => {
    start = performance.now();
    const look = () => {
      if (performance.now() - start - last > quiet) { changes.disconnect(); done(last); }
      else setTimeout(look, 20);
    };
    look();
  }, {once: true, capture: true});
  changes.observe(document.querySelector('.stMain'), {subtree: true, childList: true, attributes: true,
    attributeFilter: ['src', 'd', 'href', 'xlink:href']});
}); }"""


class Inspect:
    """The page with one net, as a person has it open."""

    def __init__(self, browser: Browser, address: str, net: str) -> None:
        """Open it and wait until all is drawn."""
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.page.goto(f"{address}/inspect?net={net}&picture=Flower+(photograph)")
        self.page.wait_for_selector(".maps img", timeout=120_000)
        self.page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
        settled(self.page)
        time.sleep(2)

    def blocks(self, presses: int) -> tuple[list[float | None], list[float]]:
        """Press an arrow key on the slider, to and fro."""
        self.page.locator("input[type=range]").first.focus()
        return self._press(["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"], presses)

    def channels(self, presses: int) -> tuple[list[float | None], list[float]]:
        """Press an arrow key in the channel's field."""
        self.page.locator(".st-key-channel input").focus()
        return self._press(["ArrowUp"], presses)

    def drop(self, count: int) -> list[float | None]:
        """Drop JPEGs, one after the other, until the strip of all blocks shows the new one."""
        self.page.get_by_role("button", name="Your own picture").click()
        files = self.page.locator("input[type=file]")
        times = []
        for number in range(count):
            watch(self.page, "change", STRIP)
            files.set_input_files([photograph(number)])
            times.append(answered(self.page))
            settled(self.page)
            time.sleep(1)
        return times

    def _press(self, keys: list[str], presses: int) -> tuple[list[float | None], list[float]]:
        times, whole = [], []
        for number in range(presses + 4):
            watch(self.page, "keydown", MAPS)
            self.page.evaluate(LAST, ["keydown", QUIET_MS])
            self.page.keyboard.press(keys[number % len(keys)])
            spent, all_of_it = answered(self.page), self.page.evaluate("() => window.whole")
            if number >= 4:
                times.append(spent)
                whole.append(all_of_it)
        return times, whole


def photograph(seed: int, size: tuple[int, int] = (640, 480)) -> dict[str, object]:
    """A JPEG of nothing: smooth noise of its own for each seed; as a file to be dropped."""
    rough = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG")
    return {"name": f"{seed}.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def measure(page: Inspect, net: str, presses: int, drops: int) -> None:
    """Print the rows of one net."""
    for what, press in (("block", page.blocks), ("channel", page.channels)):
        times, whole = press(presses)
        first = report(f"{net}: {what}", times)
        print(f"{'':44} ratio {first / report(f'{net}: {what}, whole', whole):.2f}")
    if drops:
        report(f"{net}: JPEG", page.drop(drops))


def main() -> None:
    """Measure each net in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--nets", nargs="*", default=NETS, help="keys, as in the page's address")
    parser.add_argument("--drops", type=int, default=5)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(["explorer/Home.py"], folder) as (address,),
        chromium() as browser,
    ):
        for net in asked.nets:
            page = Inspect(browser, address, net)
            print(machine())
            measure(page, net, asked.presses, asked.drops)
            page.page.close()


if __name__ == "__main__":
    main()
