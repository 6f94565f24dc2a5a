"""Nets found by their tensors' shapes and order compute what their owners' code does, under any names."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import pytest
import safetensors.torch
import torch
from owners import Owner, State, images, named

from explorer.nets.checkpoint_reading import Reading
from explorer.nets.checkpoints import Checkpoint, CheckpointError, load_checkpoint, load_readings
from explorer.nets.sandbox import ORDER
from explorer.nets.spec import NetSpec

NETS = {
    "cifar-resnet18": Owner((2, 2, 2, 2), (4, 8, 16, 32)),
    "unequal": Owner((3, 1, 2), (4, 8, 16), shortcut="A"),
    "padded on both sides": Owner((1, 2), (4, 9), shortcut="AA"),
    "projections everywhere": Owner((2, 1), (4, 8), shortcut="C"),
    "stem narrower": Owner((1, 1, 1), (8, 16, 32), stem=4),
    "stem narrower, padded": Owner((2, 1), (8, 16), stem=4, shortcut="AA"),
    "imagenet": Owner((1, 2, 1, 1), (4, 8, 16, 32), kernel=7),
    "imagenet bottleneck": Owner((2, 2, 1, 1), (2, 4, 8, 16), kernel=7, bottleneck=True),
    "wide bottleneck": Owner((1, 1), (4, 8), stem=2, bottleneck=True, expansion=2),
    "bottleneck padded": Owner((2, 1), (2, 4), bottleneck=True, shortcut="AA"),
    "one stage": Owner((2,), (4,)),
    "five stages": Owner((1, 1, 1, 1, 1), (2, 4, 6, 8, 10)),
    "stages of one width": Owner((2, 2, 2), (4, 4, 4)),
    "preact input": Owner((2, 2, 2), (4, 8, 16), preact="input"),
    "preact activated": Owner((2, 1, 2), (8, 16, 32), stem=4, preact="activated"),
    "preact bottleneck": Owner((2, 1), (2, 4), preact="activated", bottleneck=True),
    "preact padded": Owner((1, 2), (4, 8), preact="input", shortcut="A"),
    "preact without an end": Owner((1, 2), (4, 8), preact="activated", last_norm=False),
    "preact with a normed stem": Owner((1, 2), (4, 8), preact="activated", stem_norm=True),
    "biases": Owner((1, 2), (4, 8), conv_bias=True),
    "preact biases": Owner((1, 2), (4, 8), preact="activated", conv_bias=True),
    "grey, two classes": Owner((1, 1), (4, 8), channels=1, classes=2),
    "plain": Owner((2, 1), (4, 8), shortcut="none"),
}
# the code bases that write such nets: not all write all of them
PREACT = ("torchvision", "units", "bare")
POST = ("torchvision", "hub", "units", "sequences", "letters", "flat", "bare")


def said(owner: Owner) -> Reading:
    """What no tensor tells, and its owner knows."""
    return Reading(
        family="plain" if owner.shortcut == "none" else None,
        padding={"A": "after", "AA": "both"}.get(owner.shortcut),
        projection=owner.preact or None,
    )


def written(path: Path, state: State, *, ordered: bool = False) -> Path:
    """The tensors as safetensors, with the order that `torch.save` keeps or without."""
    names = sorted(state)
    order = {ORDER: json.dumps([names.index(name) for name in state])} if ordered else {}
    safetensors.torch.save_file(state, path, order)
    return path


def gap(owner: Owner, drawn, found: Checkpoint, size: int = 16) -> float:
    x = images(owner, size)
    with torch.no_grad():
        wanted, got = owner.logits(drawn, x), found.net(x)
    assert got.shape == wanted.shape
    return float((got - wanted).abs().max() / wanted.abs().max())


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("name", NETS)
def test_logits_are_the_owners_under_the_names_of_every_code_base(name, ordered, tmp_path):
    owner = NETS[name]
    drawn = owner.draw(3)
    for names in PREACT if owner.preact else POST:
        if names == "bare" and (owner.conv_bias or (owner.shortcut in "BC" and not owner.preact)):
            continue  # its shortcuts have no norms, and its convolutions no biases
        path = written(tmp_path / names, named(drawn, names), ordered=ordered)
        found = load_checkpoint(path, reading=said(owner))
        assert gap(owner, drawn, found) < 1e-5, names
        again = NetSpec.parse(found.spec.id, in_channels=owner.channels, classes=owner.classes)
        assert again == found.spec


def test_an_average_pooling_in_a_shortcut_is_known_by_its_number(tmp_path):
    owner = Owner((1, 2), (4, 8), stem=8, shortcut="D")
    drawn = owner.draw()
    found = load_checkpoint(written(tmp_path / "net", named(drawn, "averaging")))
    assert found.spec.design.averaged
    assert gap(owner, drawn, found) < 1e-5


@pytest.mark.parametrize(
    "prefix", ["module.", "model.module.", "backbone.", "student.net.", "_orig_mod.module.", "a.b.c.d."]
)
def test_wrappers_are_peeled_whatever_they_are_called(prefix, tmp_path):
    owner = NETS["cifar-resnet18"]
    drawn = owner.draw()
    found = load_checkpoint(written(tmp_path / "net", named(drawn, "torchvision", prefix)))
    assert gap(owner, drawn, found) < 1e-5


def test_a_head_may_stand_beside_its_backbone(tmp_path):
    owner = NETS["cifar-resnet18"]
    drawn = owner.draw()
    state = {("head." if name.startswith("fc.") else "backbone.") + name: value
             for name, value in named(drawn, "torchvision").items()}  # fmt: skip
    assert gap(owner, drawn, load_checkpoint(written(tmp_path / "net", state))) < 1e-5


def test_a_net_may_be_torn_from_its_names_by_a_sequence(tmp_path):
    """`nn.Sequential(*resnet.children())`: 0 is the stem's convolution, 4 to 7 the stages."""
    owner = NETS["imagenet"]
    drawn = owner.draw()
    ends = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7", "fc": "9"}
    state = {f"{ends[name.split('.')[0]]}.{name.partition('.')[2]}": value
             for name, value in named(drawn, "torchvision").items()}  # fmt: skip
    assert gap(owner, drawn, load_checkpoint(written(tmp_path / "net", state)), 32) < 1e-5


# What is beside the net


def test_tensors_of_other_things_are_left_out_and_named(tmp_path):
    owner = NETS["cifar-resnet18"]
    drawn = owner.draw()
    state = named(drawn, "torchvision", "model.") | {
        "criterion.weight": torch.ones(7), "n_averaged": torch.tensor(3), "accuracy.total": torch.ones(2)
    }  # fmt: skip
    found = load_checkpoint(written(tmp_path / "net", state))
    assert gap(owner, drawn, found) < 1e-5
    (note,) = found.notes
    assert "criterion.weight" in note or "accuracy.total" in note
    assert "1 more" in note


@pytest.mark.parametrize(
    ("extra", "shape"),
    [
        ("layer1.0.se.fc1.weight", (2, 4)),
        ("layer2.1.attention.conv.weight", (8, 8, 1, 1)),
        ("layer1.0.prelu.weight", (4,)),
        ("prelu.weight", (4,)),
        ("layer3.0.scale", (1,)),
        ("layer1.9999.conv1.weight", (1,)),
    ],
)
def test_tensors_that_change_what_a_block_computes_are_refused_by_their_name(extra, shape, tmp_path):
    state = named(NETS["cifar-resnet18"].draw(), "torchvision") | {extra: torch.ones(shape)}
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint(written(tmp_path / "net", state))
    assert extra.removesuffix(".weight") in str(refused.value)


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [("state_dict/", "ema/", "state_dict"), ("model_ema.", "model.", "model"),
     ("encoder_k.", "encoder_q.", "encoder_q"), ("teacher.", "student.", "student")],
)  # fmt: skip
def test_of_several_sets_one_is_taken_told_and_chosen(first, second, taken, tmp_path):
    owner = NETS["cifar-resnet18"]
    sets = {first: owner.draw(1), second: owner.draw(2)}
    state = {
        name: value
        for prefix, drawn in sets.items()
        for name, value in named(drawn, "torchvision", prefix).items()
    }
    path = written(tmp_path / "net", state)
    found = load_checkpoint(path)
    (assumed,) = [each for each in found.assumptions if each.option == "weights"]
    (other,) = assumed.others
    assert assumed.taken == taken
    by_label = {prefix.rstrip("./"): drawn for prefix, drawn in sets.items()}
    assert gap(owner, by_label[taken], found) < 1e-5
    chosen = load_checkpoint(path, reading=Reading(weights=other))
    assert gap(owner, by_label[other], chosen) < 1e-5
    assert not chosen.assumptions
    with pytest.raises(CheckpointError, match=f"no weights 'swa'; it has .*{other}"):
        load_checkpoint(path, reading=Reading(weights="swa"))


def test_two_nets_of_different_shape_are_two_sets(tmp_path):
    teacher, student = Owner((2, 2), (4, 8)), Owner((1, 1), (4, 8))
    state = named(teacher.draw(), "torchvision", "teacher.") | named(
        student.draw(5), "torchvision", "student."
    )
    found = load_checkpoint(written(tmp_path / "net", state))
    assert gap(student, student.draw(5), found) < 1e-5


# Weights in parts


def in_parts(state: State, way: str) -> State:
    """Each convolution's weight as a parametrisation keeps it."""
    made: State = {}
    for name, value in state.items():
        if value.dim() != 4:
            made[name] = value
            continue
        length = value.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        base = name.removesuffix(".weight")
        made |= {
            "masks": {f"{name}_orig": value, f"{name}_mask": torch.ones_like(value)},
            "weight norm": {f"{name}_g": length, f"{name}_v": 3 * value},
            "new weight norm": {
                f"{base}.parametrizations.weight.original0": length,
                f"{base}.parametrizations.weight.original1": 3 * value,
            },
        }[way]
    return made


@pytest.mark.parametrize("way", ["masks", "weight norm", "new weight norm"])
@pytest.mark.parametrize("ordered", [True, False])
def test_weights_that_are_kept_in_parts_are_put_together_and_told(way, ordered, tmp_path):
    owner = NETS["cifar-resnet18"]
    drawn = owner.draw()
    state = in_parts(named(drawn, "torchvision"), way)
    found = load_checkpoint(written(tmp_path / "net", state, ordered=ordered))
    assert gap(owner, drawn, found) < 1e-5
    assert any("kept in parts" in note for note in found.notes)


def test_masks_take_weights_away(tmp_path):
    owner = NETS["cifar-resnet18"]
    drawn = owner.draw()
    state = in_parts(named(drawn, "torchvision"), "masks")
    for name, value in state.items():
        if name.endswith("_mask"):
            value.copy_(state[name.replace("_mask", "_orig")].abs() > 0.1)
    for (_, kind, part), value in drawn.items():
        if (kind, part) == ("conv", "weight"):
            value.mul_(value.abs() > 0.1)
    assert gap(owner, drawn, load_checkpoint(written(tmp_path / "net", state))) < 1e-5


def test_spectral_norms_are_divided_out(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = torch.nn.utils.spectral_norm(torch.nn.Conv2d(4, 4, 3, bias=False))
        layer(torch.randn(1, 4, 5, 5))
    layer.eval()(torch.randn(1, 4, 5, 5))
    owner = Owner((1,), (4,))
    drawn = owner.draw()
    state = named(drawn, "torchvision")
    del state["layer1.0.conv2.weight"]
    state |= {f"layer1.0.conv2.{name}": value.detach() for name, value in layer.state_dict().items()}
    drawn[("block", 0, 0, 1), "conv", "weight"] = layer.weight.detach()
    assert gap(owner, drawn, load_checkpoint(written(tmp_path / "net", state))) < 1e-5


def test_norms_that_were_merged_into_convolutions_are_not_missed(tmp_path):
    owner = Owner((1, 1), (4, 8), conv_bias=True)
    drawn = owner.draw()
    for key, value in drawn.items():
        neutral = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
        if key[1] == "norm" and key[2] in neutral:
            value.fill_(neutral[key[2]])
    state = {name: value for name, value in named(drawn, "torchvision").items()
             if "bn" not in name and "downsample.1" not in name}  # fmt: skip
    found = load_checkpoint(written(tmp_path / "net", state))
    assert gap(owner, drawn, found) < 1e-4
    assert any("no norms" in note for note in found.notes)


# What a file does not say


def test_every_assumption_says_what_was_taken_and_how_to_say_otherwise(tmp_path):
    owner = Owner((1, 1, 1), (4, 8, 16), shortcut="A")
    found = load_checkpoint(written(tmp_path / "net", named(owner.draw(), "torchvision")))
    told = {each.option: each for each in found.assumptions}
    assert set(told) == {"family", "padding"}
    assert (told["padding"].taken, told["padding"].others) == ("after", ("both",))
    assert "--padding" in told["padding"].sentence()
    said_all = load_checkpoint(tmp_path / "net", reading=Reading(family="residual", padding="both"))
    assert not said_all.assumptions


@pytest.mark.parametrize(("shortcut", "padding"), [("A", "after"), ("AA", "both")])
def test_both_paddings_can_be_said(shortcut, padding, tmp_path):
    owner = Owner((1, 2, 1), (4, 8, 16), shortcut=shortcut)
    drawn = owner.draw()
    for names in ("torchvision", "cifar"):
        path = written(tmp_path / names, named(drawn, names))
        assert gap(owner, drawn, load_checkpoint(path, reading=Reading(padding=padding))) < 1e-5


@pytest.mark.parametrize("names", ["torchvision", "bare"])
@pytest.mark.parametrize("seen", ["input", "activated"])
def test_what_projections_see_can_be_said(names, seen, tmp_path):
    owner = Owner((1, 2), (4, 8), preact=seen)
    drawn = owner.draw()
    path = written(tmp_path / "net", named(drawn, names))
    assert gap(owner, drawn, load_checkpoint(path, reading=Reading(projection=seen))) < 1e-5
    (assumed,) = load_checkpoint(path).assumptions
    assert assumed.taken == ("input" if names == "torchvision" else "activated")


def test_a_file_is_read_in_every_way_that_it_leaves_open_and_no_other(tmp_path):
    owner = Owner((1, 1), (4, 8), shortcut="A")
    path = written(tmp_path / "net", named(owner.draw(), "torchvision"))
    ways = [(way.family, way.padding) for way, _ in load_readings(path, Reading())]
    assert ways == [("residual", "after"), ("residual", "both"), ("plain", None)]
    assert len(load_readings(path, Reading(padding="both", family="residual"))) == 1


def test_a_scale_inside_the_net_is_taken(tmp_path):
    state = named(NETS["cifar-resnet18"].draw(), "torchvision", "1.")
    state |= {
        "0.mean": torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1),
        "0.std": torch.full((1, 3, 1, 1), 0.25),
    }
    found = load_checkpoint(written(tmp_path / "net", state))
    assert found.normalisation is not None
    assert found.normalisation.mean == pytest.approx((0.5, 0.4, 0.3))
    assert not any(each.option == "normalisation" for each in found.assumptions)


# Refusals


@pytest.mark.parametrize(
    ("name", "family"),
    [("densenet121", "DenseNet"), ("vgg11", "VGG"), ("mobilenet_v2", "MobileNet"),
     ("resnext50_32x4d", "ResNeXt"), ("googlenet", "Inception"), ("vit_b_16", "vision transformer"),
     ("squeezenet1_1", "SqueezeNet"),
     ("r3d_18", "volumes")],
)  # fmt: skip
def test_other_families_are_refused_by_name(name, family):
    from torchvision import models

    from explorer.nets.third_party import recognise

    settings = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        net = models.get_model(name, weights=None, **settings)
    entries = {key: ("F32", tuple(tensor.shape)) for key, tensor in net.state_dict().items()}
    with pytest.raises(CheckpointError, match=family):
        recognise(entries, Reading(), ordered=True)


def without(state: State, *words: str) -> State:
    return {name: value for name, value in state.items() if not any(word in name for word in words)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: without(s, "layer1.0.bn2"), ("layer1.0.conv1", "1 norms for its 2")),
        (lambda s: without(s, "fc."), ("no read-out",)),
        (lambda s: s | {"fc.weight": torch.ones(7, 99)}, ("fc", "99", "16")),
        (lambda s: without(s, "layer2.0.conv1"), ("layer2.0.conv2", "(8, 8, 3, 3)")),
        (lambda s: s | {"layer2.1.conv1.weight": torch.ones(8, 4, 3, 3)}, ("layer2.1.conv1", "(8, 4, 3, 3)")),
        (lambda s: without(s, "layer3.0.downsample.0"), ("layer3.0.conv1", "3 norms")),
        (lambda s: s | {"layer1.0.bn1.running_var": torch.ones(5)}, ("layer1.0.bn1",)),
        (lambda s: s | {"layer1.0.bn1.weight": torch.ones(5)}, ("layer1.0.bn1.weight", "(5,)", "(4,)")),
        (
            lambda s: (
                without(s, "fc.") | {"fc.0.weight": torch.ones(16, 16), "fc.2.weight": torch.ones(7, 16)}
            ),
            ("fc.0", "fc.2", "two layers"),
        ),
        (lambda s: without(s, "running"), ("group norm",)),
        (lambda s: without(s, "conv", "downsample"), ("without convolutions",)),
    ],
)
def test_refusals_name_the_files_own_tensors(change, words, tmp_path):
    state = named(Owner((2, 2, 1), (4, 8, 16)).draw(), "torchvision")
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint(written(tmp_path / "net", change(state)))
    text = str(refused.value)
    assert all(word in text for word in words), text
    assert "blocks." not in text
    assert "stem." not in text
    assert len(text) < 400


def test_files_whose_names_and_shapes_make_no_sense_are_refused_in_words(tmp_path):
    """Tensors dropped, doubled, renamed and reshaped at random: a net or a refusal, never another error."""
    state = named(Owner((1, 2), (4, 8)).draw(), "torchvision")
    generator = random.Random(1)
    for _ in range(120):
        changed = dict(state)
        for _ in range(generator.choice([1, 2, 5])):
            name = generator.choice(sorted(changed))
            other = generator.choice(sorted(state))
            way = generator.randrange(5)
            if way == 0 and len(changed) > 2:
                del changed[name]
            elif way == 1:
                changed[f"{name}x"] = changed[name].clone()
            elif way == 2:
                changed[name] = state[other].clone()
            elif way == 3:
                changed[name] = changed[name].flatten().clone()
            else:
                changed[other.replace("layer", "part.")] = changed[name].clone()
        with contextlib.suppress(CheckpointError):
            load_checkpoint(written(tmp_path / "net", changed, ordered=generator.random() < 0.5))
