"""data add, list and remove in a shell, and training on what was added."""

import json

import pytest
from image_files import GREEN, encoded, write_images

from explorer.cli.main import main


@pytest.fixture
def pets(tmp_path):
    for number in range(20):
        write_images(tmp_path / "pets", {f"cat/{number}.png": encoded((200, number, 0), (8, 8))})
        write_images(tmp_path / "pets", {f"dog/{number}.png": encoded(GREEN, (8, 8))})
    return str(tmp_path / "pets")


def run_json(capsys, *words):
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_add_list_train_and_remove(capsys, pets):
    added = run_json(capsys, "data", "add", "pets", pets, "--title", "My pets")
    assert added == {
        "name": "pets", "title": "My pets", "image_size": 8, "channels": 3, "classes": 2,
        "train": 32, "test": 8,
    }  # fmt: skip
    assert run_json(capsys, "data", "list")[1:] == [added]

    trained = run_json(capsys, "train", "residual-8", "--data", "pets", "--epochs", "1", "--batch-size", "16")
    listed = run_json(capsys, "runs", "list", "--mine")
    assert [(row["run_id"], row["dataset"]) for row in listed] == [(trained["run_id"], "pets")]

    assert run_json(capsys, "data", "remove", "pets") == {"name": "pets", "removed": True}
    assert [row["name"] for row in run_json(capsys, "data", "list")] == ["digits"]


def test_progress_goes_to_stderr(capsys, pets):
    main(["data", "add", "pets", pets])

    told = capsys.readouterr()
    assert "40 of 40 images decoded" in told.err
    assert "images decoded" not in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "pets"), "Say where pets is"),
        (("add", "pets", "/nowhere"), "'/nowhere' is not a dataset"),
        (("add", "PETS", "PATH"), "cannot be a dataset's name"),
        (("add", "pets", "PATH", "--resize", "3"), "8 to 224 pixels wide, not 3"),
        (("remove", "pets"), "No dataset called pets"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(capsys, pets, words, said):
    with pytest.raises(SystemExit) as stop:
        main(["data", *(pets if word == "PATH" else word for word in words)])

    assert stop.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
