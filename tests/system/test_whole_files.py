"""Files and folders come to their place whole or not at all, and what a kill leaves is swept away."""

import os
import signal
import subprocess
import sys

import pytest

from explorer.system import files
from explorer.system.files import new_folder, replace_folder, replace_text, replacing, sweep_temporaries

KILLED = """
import os, signal, sys
from pathlib import Path
from explorer.system.files import new_folder, replacing
place = Path(sys.argv[1])
with replacing(place / "file") as part:
    part.write_text("half")
    with new_folder(place / "folder") as half:
        (half / "inside").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_what_was_there_and_nothing_beside_it(tmp_path):
    path = tmp_path / "settings.json"
    replace_text(path, "old")

    with pytest.raises(UnicodeEncodeError), replacing(path) as part:
        part.write_text("half, \ud800", encoding="utf-8")

    assert (path.read_text(), names(tmp_path)) == ("old", ["settings.json"])


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            files.os, name, lambda *words, name=name, real=real: (order.append(name), real(*words))[1]
        )
    replace_text(tmp_path / "file", "text")

    assert order == ["fsync", "replace", "fsync"]  # the file, its place, the folder


def test_a_folder_replaces_another_whole(tmp_path):
    for text in ("old", "new"):
        with new_folder(tmp_path / "run") as part:
            (part / text).write_text(text)
            replace_folder(part, tmp_path / "run")

    assert (names(tmp_path), names(tmp_path / "run")) == (["run"], ["new"])


def test_a_folder_that_is_not_put_in_a_place_goes(tmp_path):
    with new_folder(tmp_path / "run") as part:
        (part / "half").write_text("half")

    assert names(tmp_path) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ | _path())
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2

    with replacing(tmp_path / "mine") as part:
        part.write_text("whole")
        assert sweep_temporaries(tmp_path) == 2
        assert names(tmp_path) == [part.name]
    assert names(tmp_path) == ["mine"]


def _path():
    return {"PYTHONPATH": os.pathsep.join(sys.path)}
