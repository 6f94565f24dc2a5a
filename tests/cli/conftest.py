"""A data folder of its own for every test of a command, whatever the environment names."""

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EXPLORER_DATABASE_URL", raising=False)
