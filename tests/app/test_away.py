"""A database server that goes away and comes back, under pages that are open."""

import pytest
import streamlit as st
from kept_runs import make_run
from postgres_server import postgres
from streamlit.testing.v1 import AppTest

from explorer.runs.store import Store
from explorer.system.paths import ROOT
from explorer.ui import cached_runs
from explorer.ui.runs import run_list

__all__ = ["make_run", "postgres"]
HOME = str(ROOT / "explorer" / "app.py")


@pytest.fixture
def run_id(postgres, monkeypatch, make_run):
    """Of a paused run in PostgreSQL."""
    monkeypatch.setenv("EXPLORER_WORKERS", "0")
    monkeypatch.setattr(cached_runs, "_AGAIN_S", 0.0)
    monkeypatch.setenv("EXPLORER_DATABASE_URL", postgres.fresh_url())
    store = Store()
    store.add_run(make_run(status="paused"))
    store.close()
    yield make_run().run_id
    forget_library()


def opened(name, run_id):
    page = AppTest.from_file(HOME, default_timeout=300)
    if name == "train":
        page.query_params["runs"] = run_id
    return page.switch_page(f"../pages/{name}.py").run()


def forget_library():
    cached_runs.library().own().close()
    st.cache_resource.clear()


def said(page):
    return " ".join(element.value for element in (*page.error, *page.warning))


@pytest.mark.parametrize("name", ["train", "runs"])
def test_a_page_says_that_the_database_does_not_answer_and_comes_back(postgres, run_id, name):
    page = opened(name, run_id)
    assert not page.exception
    assert said(page) == ""
    postgres.stop()
    try:
        st.cache_data.clear()
        run_list.forget()  # sessions share the list for a second
        page.run()
        assert not page.exception
        assert "The database does not answer" in said(page)
        forget_library()  # as a server that is started while the database is away
        page.run()
        assert not page.exception
        assert "The database does not answer" in said(page)
    finally:
        postgres.start()
    page.run()
    page.run()
    assert not page.exception
    assert said(page) == ""
