"""A data folder and empty caches of its own for every test of a page."""

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    st.cache_data.clear()
    st.cache_resource.clear()
