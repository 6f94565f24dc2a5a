"""How soon does a run that is trained answer Pause and Stop?

Starts the app, opens Live training in Chromium, starts twins on digits, and presses "all"'s Pause, Resume
and Stop in turns. Two times are told for Pause and Stop, each from the press: until the page says that it
was heard ("pausing after this step", or already "paused"), and until it says that the run is paused or
stopped. Both are ratios to what the project promises on an idle machine: 1 s.

    python benchmarks/steering.py --pauses 5
"""

import argparse
import statistics
import tempfile
import time

from _alternating import hardware
from _browser import chromium, served

# seconds from the press until the summary says one of these words, and until it says the last of them
WATCH = """([label, heard, done]) => new Promise((told) => {
  const start = performance.now(), times = {};
  const said = () => document.querySelector('.st-key-live-status')?.innerText
    ?? document.querySelector('[data-testid=stMain]').innerText;
  const look = () => {
    const text = said(), now = (performance.now() - start) / 1000;
    if (times.heard === undefined && (text.includes(heard) || text.includes(done))) times.heard = now;
    if (text.includes(done)) return told([times.heard, now]);
    if (now > 60) return told(null);
    setTimeout(look, 5);
  };
  [...document.querySelectorAll('button')].find((one) => one.innerText.trim().endsWith(label)).click();
  look();
})"""
PROMISED_S = 1.0
QUIET_S = 15.0  # until the workers have imported torch and warmed up


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pauses", type=int, default=5)
    parser.add_argument("--layers", type=int, default=56)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(["explorer/Home.py"], folder) as (address,),
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{address}/train?layers={arguments.layers}&epochs=200")
        time.sleep(QUIET_S)
        print(hardware())
        page.get_by_role("button", name="Start", exact=True).click()
        pauses = []
        for _ in range(arguments.pauses):
            page.get_by_text("2 running").first.wait_for(timeout=60_000)
            time.sleep(2)
            pauses.append(page.evaluate(WATCH, ["Pause", "pausing after this step", "2 paused"]))
            page.get_by_role("button", name="Resume").first.click()
        page.get_by_text("2 running").first.wait_for(timeout=60_000)
        time.sleep(2)
        stopped = page.evaluate(WATCH, ["Stop", "stopping after this step", "2 stopped"])
    for name, rows in (("pause", pauses), ("stop", [stopped])):
        heard, done = (statistics.median(column) for column in zip(*rows, strict=True))
        worst = max(row[1] for row in rows)
        print(
            f"{name}: heard after {heard:.2f} s ({heard / PROMISED_S:.2f} of the promise), done after "
            f"{done:.2f} s ({done / PROMISED_S:.2f}), at most {worst:.2f} s; {len(rows)} presses"
        )


if __name__ == "__main__":
    main()
