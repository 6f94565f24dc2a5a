"""A real server and a real Chromium; with CI=true they must be there."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from playwright.sync_api import expect, sync_playwright
from visit import PATIENCE_MS

from explorer.system.paths import ROOT

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip

expect.set_options(timeout=PATIENCE_MS)


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


class Served(NamedTuple):
    """A running app: where it answers, and its process."""

    address: str
    process: subprocess.Popen


@contextmanager
def serving(home, log):
    """The app as a user starts it, with its data in `home`; what it prints goes to the file `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "explorer/Home.py", "--server.port", str(port)]
    own = os.environ | {"EXPLORER_HOME": str(home)}
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=output, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process)
        yield Served(address, process)
    finally:
        process.terminate()
        process.wait(60)  # it waits for its workers


@pytest.fixture(scope="session")
def server_home(tmp_path_factory):
    """The data folder of the app that tests share; who keeps a run there takes it away again."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def server(tmp_path_factory, server_home):
    """The app that most tests share; its address."""
    with serving(server_home, tmp_path_factory.mktemp("log") / "server.txt") as served:
        yield served.address


@pytest.fixture
def own_server(tmp_path, monkeypatch):
    """An app for one test alone, whose data folder is the test's own too."""
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    with serving(tmp_path, tmp_path / "server.txt") as served:
        yield served


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


@contextmanager
def visiting(chromium, **device):
    """A page of its own context that keeps what the console said in `page.complaints`."""
    context = chromium.new_context(**device)
    context.set_default_timeout(PATIENCE_MS)  # of this page, and of those that a test opens beside it
    page = context.new_page()
    page.complaints = []
    page.on(
        "console", lambda message: page.complaints.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def page(chromium):
    """A page at 1400x900."""
    with visiting(chromium, viewport={"width": 1400, "height": 900}, accept_downloads=True) as page:
        yield page


@pytest.fixture
def phone(chromium):
    """A page on a phone that is touched, and calls itself mobile."""
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    device = {"is_mobile": True, "has_touch": True, "user_agent": agent}
    with visiting(chromium, viewport={"width": 390, "height": 844}, **device) as page:
        yield page
