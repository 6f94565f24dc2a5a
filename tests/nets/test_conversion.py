"""torchvision's own files, made here with random weights: known by their tensors, read without trust."""

import pytest
import torch
from torchvision import models

from explorer.nets.checkpoints import CheckpointError, load_any, load_checkpoint
from explorer.nets.conversion import recognise_published
from explorer.nets.imagenet import ImageNet
from explorer.nets.published import PUBLISHED

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
def test_each_net_is_known_by_names_and_shapes(name):
    assert recognise_published(shapes(name)).id == name


@pytest.mark.parametrize(
    ("name", "settings"),
    [("resnet18", {"num_classes": 10}), ("wide_resnet50_2", {}), ("resnext50_32x4d", {}), ("vgg16", {})],
)
def test_other_nets_are_not_taken_for_one_of_them(name, settings):
    assert recognise_published(shapes(name, **settings)) is None


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

    assert isinstance(found, ImageNet)
    assert not found.training
    expected = theirs.eval()(images)
    assert float((found(images) - expected).abs().max()) < 1e-5 * float(expected.abs().max())


def test_where_small_nets_are_wanted_it_is_refused_by_name(tmp_path, state):
    with pytest.raises(CheckpointError, match="torchvision's ResNet-18, for photographs"):
        load_checkpoint(kept(tmp_path, state))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s | {"fc.bias": torch.full((1000,), float("nan"))}, "not finite"),
        (lambda s: s | {"bn1.running_var": -torch.ones(64)}, "negative"),
        (lambda s: s | {"fc.bias": torch.ones(1000, dtype=torch.int32)}, "has the type I32"),
        (lambda s: s | {"fc.weight": torch.ones(10, 512), "fc.bias": torch.ones(10)}, "four stages"),
        (lambda s: s | {"extra": torch.ones(1)}, "four stages"),
        (lambda s: {name: value for name, value in s.items() if name != "layer4.1.bn2.bias"}, "four stages"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, state, spoil, said):
    with pytest.raises(CheckpointError, match=said):
        load_any(kept(tmp_path, spoil(dict(state))))
