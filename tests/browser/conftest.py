"""A real server and a real Chromium; with CI=true they must be there."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

from explorer.runs.zoo import ROOT

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


expect.set_options(timeout=30_000)


def chromium_path():
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs a browser: install Debian's chromium.")
    if found is None:
        pytest.skip("no Chromium found; install one to run the browser tests")
    return found


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The app as a user starts it; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "explorer/Home.py", "--server.port", str(port)]
    home = {"EXPLORER_HOME": str(tmp_path_factory.mktemp("home"))}
    log = (tmp_path_factory.mktemp("log") / "server.txt").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | home, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait_until_healthy(address, process):
    for _ in range(300):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not become healthy within a minute")


@pytest.fixture(scope="session")
def chromium():
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page at 1400x900 that keeps what the console said in `page.complaints`."""
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.complaints = []
    page.on(
        "console", lambda message: page.complaints.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def settle(page):
    """Waits until the server has nothing left to send: what is pressed before may be drawn anew."""

    def wait():
        page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')

    return wait


@pytest.fixture
def unfold(page):
    """Opens a fold by its title; what is pressed while it still opens would be missed."""

    def press(title):
        page.get_by_text(title, exact=True).first.click()
        page.wait_for_timeout(800)

    return press
