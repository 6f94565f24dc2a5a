"""The data folder and the caches of the tests of pages: own ones, or shared where only the zoo is read."""

import pytest
import streamlit as st


def forget():
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    forget()
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_home(request, tmp_path, monkeypatch):
    """A data folder and empty caches for each test; for each file where its tests are marked `reads_the_zoo`.

    Most of the time of a page's first run goes into reading the zoo and drawing it, which all tests of a
    file may share. A test that writes, or changes what a page reads, is marked `own_home`.
    """
    node = request.node
    if node.get_closest_marker("reads_the_zoo") and not node.get_closest_marker("own_home"):
        monkeypatch.setenv("EXPLORER_HOME", str(request.getfixturevalue("shared_home")))
        yield
        return
    forget()
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    yield
    forget()
