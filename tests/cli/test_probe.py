"""`probe` on the shell: which net and which images are taken, what is said of it, what is refused."""

import csv
import json

import pytest
from PIL import Image

from explorer.cli.main import main


def responses(capsys, *arguments):
    main(["probe", "responses", *arguments, "--json"])
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_run_is_probed_over_a_split(capsys):
    found, said = responses(capsys, "digits-residual-8-s0", "--data", "digits", "--count", "50")
    assert (found["images"], found["mode"], found["trained"]) == (50, "eval", True)
    assert [row["layer"] for row in found["layers"]] == list(range(1, 8))
    assert found["blocks"][0]["cosine"] is not None
    assert found["blocks"][1]["cosine"] is None  # the map shrinks: x and F(x) have different shapes
    assert said == ""


def test_an_id_takes_the_trained_net_and_says_so(capsys):
    named, said = responses(capsys, "residual-8", "--data", "digits", "--count", "5")
    assert named["net"] == "digits-residual-8-s0"
    assert "took the trained net digits-residual-8-s0" in said


def test_an_id_without_weights_is_taken_untrained_and_says_so(capsys):
    found, said = responses(capsys, "plain-14", "--data", "digits", "--count", "5")
    assert found["trained"] is False
    assert "taken untrained" in said
    assert "Grey was repeated as three channels" in said


def test_a_file_and_a_run_of_the_same_net_give_the_same_numbers(capsys):
    from explorer.runs.zoo import PRETRAINED

    path = str(PRETRAINED / "digits" / "plain-8.safetensors")
    images = ("--data", "digits", "--count", "20", "--batch-size", "7")
    by_file, _ = responses(capsys, path, *images)
    by_id, _ = responses(capsys, "digits-plain-8-s0", *images)
    assert by_file["blocks"] == by_id["blocks"]


def test_pictures_are_resized_and_said_so(capsys, tmp_path):
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "red.png")
    found, said = responses(capsys, "untrained:residual-8", "--image", str(tmp_path / "red.png"))
    assert found["images"] == 1
    assert "Resized from 60x40 to 32x32" in said


def test_tables_are_written_as_csv(capsys, tmp_path):
    out = tmp_path / "responses.csv"
    found, _ = responses(
        capsys, "digits-plain-8-s0", "--data", "digits", "--count", "9", "--mode", "train", "--out", str(out)
    )
    assert found["files"] == [str(out), str(tmp_path / "responses-layers.csv")]
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [float(row["residual_rms"]) for row in rows] == pytest.approx(
        [row["residual_rms"] for row in found["blocks"]]
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nonsense", "--data", "digits"], "is neither a run nor a file"),
        (["untrained:plain-9", "--data", "digits"], "cannot be built"),
        (["residual-8"], "one of the arguments --data --image is required"),
        (["residual-8", "--data", "digits", "--count", "0"], "ask for 1 or more"),
        (["residual-8", "--data", "digits", "--batch-size", "0"], "number of images from 1"),
        (["residual-8", "--image", "nowhere.png"], "nowhere.png"),
        (["residual-8", "--data", "digits", "--count", "2", "--out", "/nowhere/x.csv"], "Choose another"),
    ],
)
def test_mistakes_give_one_line_and_exit_with_2(capsys, arguments, reason):
    with pytest.raises(SystemExit) as stopped:
        main(["probe", "responses", *arguments])
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]
