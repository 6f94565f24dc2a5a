"""Runs leave and come back by the shell, each mistake in one line."""

import json
import zipfile

import pytest

from explorer.cli.main import main

RUN = "digits-plain-8-s1"


def run_json(capsys, *words):
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_zip_is_exported_and_imported_as_ones_own(capsys, tmp_path):
    out = str(tmp_path / "out")
    (file,) = run_json(capsys, "runs", "export", RUN, "--format", "zip", "--out", out)["files"]
    with zipfile.ZipFile(file) as archive:
        assert f"{RUN}/{RUN}.py" in archive.namelist()
    (run_id,) = run_json(capsys, "runs", "import", file)["run_ids"]
    shown = run_json(capsys, "runs", "show", run_id)
    assert shown["provenance"]["imported"]["run_id"] == RUN
    assert [row["run_id"] for row in run_json(capsys, "runs", "list", "--mine")] == [run_id]


def test_several_formats_at_once(capsys, tmp_path):
    words = ("--format", "script", "--format", "tensorboard", "--out", str(tmp_path))
    files = run_json(capsys, "runs", "export", RUN, *words)["files"]
    assert any(file.endswith(f"{RUN}.py") for file in files)
    assert any("tfevents" in file for file in files)
    assert len(files) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "nowhere.zip"), "There is no file nowhere.zip"),
        (("export", RUN, "--format", "safetensors"), "No weights"),
        (("export", RUN, "--format", "onnx"), "invalid choice"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(capsys, words, said):
    with pytest.raises(SystemExit) as stop:
        main(["runs", *words])
    lines = capsys.readouterr().err.strip().splitlines()
    assert (stop.value.code, len(lines)) == (2, 1)
    assert said in lines[0]
