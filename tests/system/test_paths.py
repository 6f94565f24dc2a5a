"""The data folder: the variable, the platform's place, and where earlier versions kept it."""

from pathlib import Path

from explorer.system import paths


def test_the_variable_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "mine"))

    assert paths.home() == tmp_path / "mine"


def test_a_folder_of_an_earlier_version_is_still_found(monkeypatch, tmp_path):
    monkeypatch.delenv(paths.HOME_VARIABLE)
    monkeypatch.setattr(paths, "_former_data", lambda: tmp_path / "former")
    monkeypatch.setattr(paths.platformdirs, "user_data_path", lambda name, **_: tmp_path / "new" / name)

    assert paths.home() == tmp_path / "new" / "resnet-explorer"
    (tmp_path / "former" / "resnet-explorer").mkdir(parents=True)
    assert paths.home() == tmp_path / "former" / "resnet-explorer"
    (tmp_path / "new" / "resnet-explorer").mkdir(parents=True)
    assert paths.home() == tmp_path / "new" / "resnet-explorer"


def test_on_linux_it_is_where_it_always_was(monkeypatch, tmp_path):
    monkeypatch.delenv(paths.HOME_VARIABLE)
    monkeypatch.setattr(paths.sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths._former_data() == tmp_path

    monkeypatch.delenv("XDG_DATA_HOME")
    assert paths._former_data() == Path.home() / ".local" / "share"
