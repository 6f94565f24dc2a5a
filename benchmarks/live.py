"""How soon after Start is there a point on the chart of Live training, and how often does it grow?

Starts the app, opens Live training in Chromium, waits until the workers are warm, and starts twins of 20
layers on digits, several times over: server, browser and workers share the machine's cores. A point
counts when it is in the drawn chart. Growth is counted from the first point until a run has all its
points: how often in each second the drawn lines of this page's own runs changed. Both are told as a
ratio to what the project promises: 1.5 s, and 2 changes a second.

    python benchmarks/live.py --starts 5
"""

import argparse
import itertools
import statistics
import tempfile
import time

from _alternating import hardware
from _browser import chromium, served

# the length of every own line of both upper charts, and when it was last another one
WATCH = """() => {
  const own = (trace) => /seed \\d+, (training|test)$/.test(trace.name ?? "") && !/, zoo/.test(trace.name);
  const lines = () => ["loss-over-steps", "error-while-training"].flatMap((key) =>
    [...(document.querySelector(`.st-key-${key} .js-plotly-plot`)?.data ?? [])].filter(own)
      .map((trace) => trace.x?.length ?? 0));
  window.told = {changes: [], last: "", points: 0};
  clearInterval(window.telling);
  window.telling = setInterval(() => {
    const now = lines(), text = now.join();
    const points = now.reduce((sum, length) => sum + length, 0);
    if (text === window.told.last || points === 0) return;
    window.told = {changes: [...window.told.changes, performance.now()], last: text, points};
  }, 10);
  window.pressed = null;
  addEventListener("click", () => { window.pressed ??= performance.now(); }, {once: true, capture: true});
}"""
TOLD = "() => ({pressed: window.pressed, ...window.told})"
QUIET_S = 15.0  # until the workers have imported torch and warmed up
FIRST_S, PER_S = 1.5, 2.0


def start(page, address: str, seed: int) -> tuple[float, float, float]:
    """Seconds to the first point, changes of the chart per second, and the longest pause in seconds."""
    page.goto(f"{address}/train?layers=20&seed={seed}")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
    time.sleep(4)
    page.evaluate(WATCH)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("2 done", exact=True).first.wait_for(timeout=240_000)
    time.sleep(0.5)
    told = page.evaluate(TOLD)
    changes = [at - told["pressed"] for at in told["changes"]]
    pauses = [(later - sooner) / 1000 for sooner, later in itertools.pairwise(changes)]
    return changes[0] / 1000, len(pauses) / sum(pauses), max(pauses)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(["explorer/Home.py"], folder) as (address,),
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{address}/train")
        time.sleep(QUIET_S)
        print(hardware())
        rows = [start(page, address, seed) for seed in range(arguments.starts)]
    for number, (first, rate, pause) in enumerate(rows, 1):
        print(f"start {number}: first point {first:.2f} s, {rate:.1f} changes/s, longest pause {pause:.2f} s")
    first, rate, pause = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"median:  first point {first:.2f} s ({first / FIRST_S:.2f} of the promise), {rate:.1f} changes/s "
        f"({rate / PER_S:.2f}), longest pause {pause:.2f} s"
    )


if __name__ == "__main__":
    main()
