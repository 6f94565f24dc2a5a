"""probe attributions: fixed fields, an .npz that the net itself confirms, one clear line per mistake."""

import json

import numpy as np
import pytest
from PIL import Image

from explorer.cli.main import main

NET = "digits-residual-8-s0"


def probe(capsys, *words):
    main(["probe", "attributions", NET, *map(str, words), "--json"])
    return json.loads(capsys.readouterr().out)


def test_the_fields_are_fixed_and_the_arrays_confirm_the_delta(capsys, tmp_path):
    from explorer.nets.checkpoints import load_checkpoint
    from explorer.runs.zoo import PRETRAINED

    out = tmp_path / "map.npz"
    found = probe(capsys, "--data", "digits", "--index", 3, "--out", out)
    assert list(found) == ["method", "target", "probability", "delta", "seconds"]
    assert found["method"] == "integrated_gradients"
    with np.load(out) as arrays:
        inputs, attributions = arrays["inputs"], arrays["attributions"]
    assert inputs.shape == attributions.shape == (1, 1, 8, 8)
    import torch

    kept = load_checkpoint(PRETRAINED / "digits" / "residual-8.safetensors")
    black = -kept.normalisation.mean[0] / kept.normalisation.std[0]
    with torch.no_grad():
        scores = kept.net(torch.cat([torch.tensor(inputs), torch.full((1, 1, 8, 8), black)]))
    target = found["target"]
    assert target == int(scores[0].argmax())
    assert found["probability"] == pytest.approx(float(scores[0].softmax(0)[target]), abs=1e-5)
    rise = float(scores[0, target] - scores[1, target])
    assert found["delta"] == pytest.approx(float(attributions.sum()) - rise, abs=1e-3)


def test_a_picture_a_target_and_a_parameter(capsys, tmp_path):
    picture = tmp_path / "picture.png"
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save(picture)
    out = tmp_path / "map.png"
    found = probe(
        capsys, "--image", picture, "--method", "occlusion", "--target", 5, "--set", "window=2",
        "--set", "baseline=black", "--out", out,
    )  # fmt: skip
    assert (found["method"], found["target"], found["delta"]) == ("occlusion", 5, None)
    with Image.open(out) as drawn:
        assert drawn.size == (512, 512)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "magic"), "no method 'magic'"),
        (("--index", "360"), "the split has 360 images"),
        (("--index", "-1"), "from 0 on"),
        (("--target", "ten"), "no class 'ten'"),
        (("--target", "10"), "this net has 0 to 9"),
        (("--set", "n_steps=0"), "from 2 to 300"),
        (("--set", "steps=5"), "no parameter 'steps'"),
        (("--out", "map.txt"), "must end in .npz or .png"),
        (("--out", "/nowhere/map.npz"), "folder"),
    ],
)
def test_a_mistake_is_one_line(capsys, words, said):
    with pytest.raises(SystemExit) as stop:
        main(["probe", "attributions", NET, "--data", "digits", *words])
    error = capsys.readouterr().err.strip()
    assert stop.value.code == 2
    assert len(error.splitlines()) == 1
    assert said in error
