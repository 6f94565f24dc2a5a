"""`probe activations` on the shell: what it prints, what it writes, what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

from explorer.cli.main import main
from explorer.data.sources import digits

NET = "digits-residual-8-s0"


def activations(capsys, *words):
    main(["probe", "activations", *words, "--json"])
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main(["probe", "activations", *words])
    assert stop.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_a_test_image_is_read_and_told(capsys):
    found, said = activations(capsys, NET, "--data", "digits", "--index", "5")

    assert found["label"] == str(digits().split("test").labels[5])
    assert found["top"][0]["class"] == found["blocks"][-1]["answer"]
    assert found["top"][0]["probability"] == pytest.approx(found["blocks"][-1]["probability"], abs=1e-5)
    assert [row["block"] for row in found["blocks"]] == [1, 2, 3]
    assert "pixel by pixel" in said


def test_maps_of_one_block_are_written(capsys, tmp_path):
    out = tmp_path / "maps.npz"
    found, _ = activations(capsys, NET, "--data", "digits", "--block", "2", "--out", str(out))
    kept = np.load(out)

    assert found["files"] == [str(out)]
    assert set(kept) == {"pixels", "stem", "logits", "readout", "x", "shortcut", "branch", "total", "output"}
    assert np.array_equal(np.maximum(kept["shortcut"] + kept["branch"], 0), kept["output"])
    row = found["blocks"][1]
    assert row["residual_norm"] == pytest.approx(np.linalg.norm(kept["branch"]), rel=1e-5)


def test_maps_of_all_blocks_are_written(capsys, tmp_path):
    activations(capsys, "digits-plain-8-s0", "--data", "digits", "--out", str(tmp_path / "all"))
    kept = np.load(tmp_path / "all.npz")

    assert {"x_1", "branch_2", "output_3"} <= set(kept)
    assert not any(name.startswith("shortcut") for name in kept)
    assert np.array_equal(kept["output_1"], kept["x_2"])


def test_a_picture_of_ones_own_is_fitted_and_said_so(capsys, tmp_path):
    Image.new("RGBA", (60, 40), (255, 255, 255, 0)).save(tmp_path / "paper.png")

    found, said = activations(capsys, NET, "--image", str(tmp_path / "paper.png"))
    assert found["picture"] == "paper.png"
    assert found["label"] is None
    assert all(part in said for part in ("on white", "Resized from 60x40 to 8x8", "Inverted"))
    _, said = activations(capsys, NET, "--image", str(tmp_path / "paper.png"), "--tone", "as it is")
    assert "Inverted" not in said


def test_people_read_a_table(capsys):
    main(["probe", "activations", NET, "--data", "digits"])
    assert "residual_ratio" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([NET], "one of the arguments --image --data is required"),
        ([NET, "--data", "digits", "--index", "360"], "360 test images"),
        ([NET, "--data", "digits", "--index", "-1"], "360 test images"),
        ([NET, "--data", "digits", "--block", "4"], "has the blocks 1 to 3"),
        ([NET, "--data", "nowhere"], "not a dataset"),
        ([NET, "--image", "nowhere.png"], "There is no file nowhere.png"),
        ([NET, "--data", "digits", "--out", "/nowhere/at/all.npz"], "Cannot write"),
        (["nobody", "--data", "digits"], "nobody"),
    ],
)
def test_bad_input_is_one_line(capsys, words, said):
    assert said in refused(capsys, *words)
