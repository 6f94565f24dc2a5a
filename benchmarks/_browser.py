"""What the benchmarks of pages share: a real server, a real Chromium, and a watch on what is painted."""

import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_PATIENCE_MS = 10_000
# from the event to the first frame after the picture has changed
_WATCH = """([event, picture, patience]) => { window.answer = new Promise(done => {
  let start = null;
  addEventListener(event, () => start = performance.now(), {once: true, capture: true});
  const drawn = () => { try { return Function('return ' + picture)(); } catch { return before; } };
  let before; before = drawn();
  const look = () => {
    const spent = start === null ? 0 : performance.now() - start;
    if (start !== null && drawn() !== before) requestAnimationFrame(() => done(performance.now() - start));
    else if (spent > patience) done(null);
    else setTimeout(look, 2);
  };
  look();
}); }"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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


@contextmanager
def served(scripts: Sequence[str], home: str) -> Iterator[list[str]]:
    """A server for each script; their addresses."""
    ports = [free_port() for _ in scripts]
    servers = [serve(script, port, home) for script, port in zip(scripts, ports, strict=True)]
    try:
        yield [f"http://127.0.0.1:{port}" for port in ports]
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(60)  # it ends its workers, which have files in its home


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


def watch(page: Page, event: str, picture: str) -> None:
    """Begin to wait for an event, and for what it changes.

    Args:
        page: where it will happen.
        event: such as keydown; the time runs from it.
        picture: JavaScript expression whose value tells one picture from another.
    """
    page.evaluate(_WATCH, [event, picture, _PATIENCE_MS])


def answered(page: Page) -> float | None:
    """Milliseconds from the event to the painted change; None where none came."""
    spent: float | None = page.evaluate("() => window.answer")
    return spent


def settled(page: Page) -> None:
    """Wait until the server has nothing left to send."""
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]', timeout=120_000)


def report(name: str, times: Sequence[float | None]) -> float:
    """Print one row; returns the median in milliseconds."""
    came = [spent for spent in times if spent is not None]
    if not came:
        print(f"{name:44} n   0  unanswered {len(times)}")
        return float("nan")
    middle, high = statistics.median(came), sorted(came)[int(0.95 * (len(came) - 1))]
    print(
        f"{name:44} n {len(came):3}  unanswered {len(times) - len(came)}  median {middle:6.0f} ms  "
        f"p95 {high:6.0f} ms  most {max(came):6.0f} ms"
    )
    return middle


def machine() -> str:
    """The machine in one line, with its load at the moment."""
    load = os.getloadavg()[0]
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"
