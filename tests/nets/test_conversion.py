"""torchvision's own files, made here with random weights: known by their tensors, read without trust."""

from dataclasses import replace

import pytest
import torch
from torchvision import models

from explorer.nets.checkpoint_reading import Reading
from explorer.nets.checkpoints import CheckpointError, load_any
from explorer.nets.conversion import recognise_vgg
from explorer.nets.published_imagenet import PUBLISHED, published_like
from explorer.nets.third_party import recognise

NAMED = [about.id for about in PUBLISHED.values() if about.file]


def shapes(name, **settings):
    with torch.device("meta"):
        state = models.get_model(name, weights=None, **settings).state_dict()
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


@pytest.fixture(scope="module")
def state():
    """ResNet-18 with BN statistics of its own."""
    generator = torch.Generator().manual_seed(2)
    made = models.resnet18(weights=None).state_dict()
    for name, tensor in made.items():
        if name.endswith(("running_mean", "running_var")):
            tensor.uniform_(0.1, 1, generator=generator)
    return made


def kept(tmp_path, content, **settings):
    path = tmp_path / "anything.pth"
    torch.save(content, path, **settings)
    return path


@pytest.mark.parametrize("name", NAMED)
def test_each_net_is_known_by_its_shapes(name):
    found = recognise_vgg(shapes(name))
    if PUBLISHED[name].layout == "vgg":
        assert found.id == name
        return
    assert found is None
    entries = {key: ("F32", shape) for key, shape in shapes(name).items()}
    spec = recognise(entries, Reading(), ordered=True).spec
    assert spec == PUBLISHED[name].spec
    assert published_like(replace(spec, classes=10)).id == name


def test_another_vgg_is_not_taken_for_one_of_them():
    assert recognise_vgg(shapes("vgg16")) is None


@torch.no_grad()
@pytest.mark.parametrize("old", [False, True])
def test_a_file_of_torchvision_computes_what_torchvision_computes(tmp_path, state, old):
    if old:  # as the files from before PyTorch 0.4.1, from several GPUs
        state = {f"module.{name}": value for name, value in state.items() if "num_batches" not in name}
    found = load_any(kept(tmp_path, state, _use_new_zipfile_serialization=not old))
    theirs = models.resnet18(weights=None)
    theirs.load_state_dict(
        {name.removeprefix("module."): value for name, value in state.items()}, strict=not old
    )
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    assert found.spec == PUBLISHED["resnet18"].spec
    assert not found.net.training
    expected = theirs.eval()(images)
    assert float((found.net(images) - expected).abs().max()) < 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s | {"fc.bias": torch.full((1000,), float("nan"))}, "not finite"),
        (lambda s: s | {"bn1.running_var": -torch.ones(64)}, "negative"),
        (lambda s: s | {"fc.bias": torch.ones(1000, dtype=torch.int32)}, "has the type I32"),
        (lambda s: s | {"layer4.1.extra": torch.ones(1)}, "layer4.1.extra belongs to no"),
        (lambda s: {name: value for name, value in s.items() if "layer4.1.bn2" not in name}, "1 norms"),
        (
            lambda s: {name: value for name, value in s.items() if name != "layer4.1.bn2.bias"},
            "layer4.1.bn2 lacks",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, state, spoil, said):
    with pytest.raises(CheckpointError, match=said):
        load_any(kept(tmp_path, spoil(dict(state))))
