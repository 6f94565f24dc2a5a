"""Where limits bite in a page: files beyond the session's bytes, computations beyond their seconds."""

import ast

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT

PICTURE = ROOT / "assets" / "screenshot.png"


def uploads(path):
    from io import BytesIO
    from pathlib import Path

    import streamlit as st

    from explorer.ui.components.uploads import take_in, tell_refused

    content, taken = Path(path).read_bytes(), 0
    for number in range(int(st.query_params["files"])):
        file = BytesIO(content + b"\0" * (0 if st.query_params.get("same") else number))
        file.name = f"{number}.png"
        taken += take_in([file]) is not None
    tell_refused()
    st.text(f"{taken} taken")


def page_of(script, **query):
    page = AppTest.from_function(script, args=(str(PICTURE),), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


@pytest.fixture
def one_more_does_not_fit(monkeypatch):
    mib = PICTURE.stat().st_size / 2**20
    monkeypatch.setenv("EXPLORER_MAX_UPLOAD_MIB", str(int(mib) + 1))
    return int((int(mib) + 1) // mib)


def test_files_beyond_the_sessions_bytes_are_refused_in_words(one_more_does_not_fit):
    page = page_of(uploads, files=str(one_more_does_not_fit + 1))

    assert f"{one_more_does_not_fit}.png has" in page.error[0].value
    assert "at most 1 MiB of files per session" in page.error[0].value
    assert page.text[0].value == f"{one_more_does_not_fit} taken"


def test_a_file_that_was_sent_before_is_not_counted_again(one_more_does_not_fit):
    page = page_of(uploads, files=str(one_more_does_not_fit + 3), same="yes")

    assert not page.error


def test_every_place_that_takes_files_counts_them():
    takers = {"file_uploader", "camera_input"}
    counters = {"count_upload", "take_in"}
    found = {}
    for path in (ROOT / "explorer" / "ui").rglob("*.py"):
        names = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        }
        if names & takers:
            found[path.name] = bool(names & counters) and "most_mib" in names

    assert len(found) >= 5
    assert {name for name, counted in found.items() if not counted} == set()


def computation(_path):
    import time

    import streamlit as st

    from explorer.ui.components.computation import run_cancellable

    def work(tell):
        until = time.perf_counter() + 0.01
        while time.perf_counter() < until:
            tell(0.5)
        return "done"

    st.text(str(run_cancellable(("limits", st.query_params["key"]), "Conductance, plain-20", work)))


def test_a_computation_beyond_its_seconds_is_stopped_in_words(monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_PROBE_SECONDS", "0")
    page = page_of(computation, key="bounded")
    said = "Conductance, plain-20 was stopped: this server computes at most 0 seconds for one question."
    assert not page.exception
    assert page.markdown[0].value.startswith(said)
    assert page.text[0].value == "None"
    assert page.run().markdown[0].value.startswith(said)  # and is not begun again by another press

    monkeypatch.setenv("EXPLORER_MAX_PROBE_SECONDS", "60")
    page.button[0].click().run()
    assert page.text[0].value == "done"
