"""Specs: ids that read back without loss, and refusals that say what would do."""

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest

from explorer.nets.layout import Layout
from explorer.nets.spec import NetSpec, valid_depths

BLOCKS = ("basic", "bottleneck")


LAYOUTS = [
    Layout((2, 2, 2, 2), (64, 128, 256, 512), stem=64, kernel=7, stride=2, pool=True),
    Layout((1, 1, 1), (64, 128, 256), stem=32),
    Layout((3, 1, 4, 1, 5), (8, 16, 24, 24, 40), stem=8, averaged=True, project_first=True),
    Layout((2,), (6,), stem=6, projection="activated", last_norm=False, conv_bias=True),
    Layout((2, 1), (4, 8), stem=4, projection_norm=False, stem_norm=False),
    Layout((2, 1), (4, 8), stem=4, kernel=5, pool=True),
]


def laid_out_specs():
    """Nets that are no CIFAR design, in every family and block that can have such a layout."""
    for layout, family, block, shortcut in product(LAYOUTS, ("residual", "plain", "preact"), BLOCKS, "ABC"):
        expansion = 4 if block == "bottleneck" else 1
        for factor in (expansion, 2) if block == "bottleneck" else (1,):
            try:
                made = replace(layout, expansion=factor)
                yield NetSpec(family, block=block, shortcut=shortcut, layout=made)
            except ValueError:
                continue


def valid_specs():
    """Every combination of a few values of each field that can be built."""
    fields = {
        "family": ("plain", "residual", "preact", "highway"),
        "block": ("basic", "bottleneck"),
        "depth": (8, 11, 20, 110, 164, 1202),
        "width": (1, 16, 160),
        "shortcut": ("A", "B", "C"),
        "gate_bias": (-2.0, -100.0, -0.000001, 0.0, 3.25),
    }
    for values in product(*fields.values()):
        try:
            yield NetSpec(**dict(zip(fields, values, strict=True)))
        except ValueError:
            continue


def test_ids_read_back_without_loss():
    specs = [*valid_specs(), *laid_out_specs()]

    assert len(specs) > 100
    assert [NetSpec.parse(spec.id) for spec in specs] == specs


def test_different_nets_have_different_ids():
    specs = {*valid_specs(), *laid_out_specs()}

    assert len({spec.id for spec in specs}) == len(set(specs)) == len(specs)


def test_fields_survive_json():
    for spec in (*valid_specs(), *laid_out_specs()):
        assert NetSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("residual-20", NetSpec("residual", 20)),
        ("plain-56", NetSpec("plain", 56)),
        ("residual-110-B", NetSpec("residual", 110, shortcut="B")),
        ("preact-164-bottleneck", NetSpec("preact", 164, block="bottleneck")),
        ("residual-56-bottleneck-C-w8", NetSpec("residual", 56, 8, "bottleneck", "C")),
        ("highway-32-bias-3", NetSpec("highway", 32, gate_bias=-3)),
        (" residual-20\n", NetSpec("residual", 20)),
    ],
)
def test_parse(text, expected):
    assert NetSpec.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("ResNet-20", "residual-20"),
        ("resnet-110-B", "residual-110-B"),
        ("ResNet 20", "residual-20"),
        ("resnet_56", "residual-56"),
        ("preact-ResNet-110", "preact-110"),
        ("PreActResNet-20", "preact-20"),
        ("Plain-56", "plain-56"),
        ("Highway-32", "highway-32"),
        ("WRN-28-10", "preact-26-B-w160-stem16-act"),
        ("wide-resnet-16-8", "preact-14-B-w128-stem16-act"),
    ],
)
def test_titles_are_taken_as_ids(text, id):
    assert NetSpec.parse(text).id == id


def test_a_layout_that_is_the_cifar_design_is_none():
    spec = NetSpec("residual", layout=Layout((3, 3, 3), (16, 32, 64), stem=16))

    assert spec == NetSpec("residual", 20)
    assert "layout" not in spec.to_dict()
    assert spec.design == Layout((3, 3, 3), (16, 32, 64), stem=16)


def test_depth_and_width_follow_from_a_layout():
    spec = NetSpec("residual", shortcut="B", layout=LAYOUTS[0])

    assert (spec.depth, spec.width, spec.block_counts) == (18, 64, (2, 2, 2, 2))
    assert spec.id == "residual-18-B-w64-s2.2.2.2-7x7s2pool"
    assert spec.title == "ResNet-18 (2+2+2+2 blocks, 64 to 512 channels, 7x7 stem of 64)"
    assert spec.twin.twin.layout == spec.layout


def test_channels_and_classes_come_from_the_data_and_not_from_the_id():
    spec = NetSpec.parse("residual-20", in_channels=1, classes=7)

    assert (spec.in_channels, spec.classes, spec.id) == (1, 7, "residual-20")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("residual-21", "6n+2, from 8 to 1202. The nearest are 20 and 26"),
        ("plain-0", "The nearest are 8 and 14"),
        ("plain-7", "The nearest are 8 and 14"),
        ("residual-1208", "The nearest are 1196 and 1202"),
        ("residual-999999", "The nearest are 1196 and 1202"),
        ("residual-21-bottleneck", "9n+2, from 11 to 1199"),
        ("preact-165-bottleneck", "The nearest are 164 and 173"),
        ("squeeze-20", "Unknown family 'squeeze'. Choose one of plain, residual, preact, highway"),
        ("resnet18", "ImageNet's is torchvision:resnet18"),
        ("ResNet-18", "ImageNet's is torchvision:resnet18"),
        ("vgg19", "torchvision:vgg19"),
        ("plain20", "plain-20"),
        ("residual-18-B-w64-s2.2.2.0", "between 1 and 600"),
        ("residual-20-B-w64-s2.2.2.2", "has 18 layers by its blocks, not 20"),
        ("residual-14-s1.1.1.1.1.1", "not the id of a net"),
        ("residual-8-4x4", "odd kernel"),
        ("highway-20-stem8", "CIFAR design only"),
        ("plain-20-B", "no shortcut options"),
        ("highway-20-C", "no shortcut options"),
        ("highway-20-bottleneck", "basic layers only"),
        ("residual-20-bias-3", "Only highway nets have a gate bias"),
        ("highway-20-bias-101", "between -100 and 100"),
        ("residual-20-w0", "width must lie between 1 and 512"),
        ("residual-20-w513", "width must lie between 1 and 512"),
        ("", "not the id of a net"),
        ("residual", "not the id of a net"),
        ("residual-20-D", "not the id of a net"),
        ("residual-20-w16-B", "not the id of a net"),
        ("residual--20", "not the id of a net"),
        ("residual-20; rm -rf", "not the id of a net"),
        ("x" * 10_000, "not the id of a net"),
    ],
)
def test_refusals_say_what_would_do(text, wanted):
    with pytest.raises(ValueError, match=re.escape(wanted)) as refused:
        NetSpec.parse(text)

    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "fields",
    [
        {"classes": 1},
        {"in_channels": 0},
        {"block": "wide"},
        {"shortcut": "D"},
        {"family": "highway", "gate_bias": float("nan")},
        {"family": "highway", "gate_bias": -2.0000001},
    ],
)
def test_values_out_of_range_are_refused(fields):
    with pytest.raises(ValueError, match=r"\w+ .*\."):
        NetSpec(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"layout": {"blocks": [2]}},
        {"layout": 3},
        {"layout": {"blocks": "22", "channels": [1, 2], "stem": 4}},
        {"depth": "20"},
        {"depth": True},
        {"depth": 20.0},
        {"family": 3},
        {"layers": 20},
        {"gate_bias": None},
    ],
)
def test_from_dict_refuses_unknown_fields_and_wrong_types(fields):
    with pytest.raises(ValueError, match=r"net spec|layout"):
        NetSpec.from_dict(fields)


@pytest.mark.parametrize(
    ("text", "title"),
    [("residual-20", "ResNet-20"), ("plain-20", "plain-20"), ("preact-110", "preact-ResNet-110")],
)
def test_title(text, title):
    assert NetSpec.parse(text).title == title


def test_twins_differ_in_the_family_alone():
    residual = NetSpec("residual", 56, width=8, in_channels=1)

    assert residual.twin == NetSpec("plain", 56, width=8, in_channels=1)
    assert residual.twin.twin == residual


@pytest.mark.parametrize(("block", "step"), [("basic", 6), ("bottleneck", 9)])
def test_valid_depths_are_those_that_can_be_built(block, step):
    depths = valid_depths(block)

    assert depths == [depth for depth in range(3, 1203) if (depth - 2) % step == 0]
    assert [NetSpec(depth=depth, block=block).blocks_per_stage for depth in depths] == list(
        range(1, len(depths) + 1)
    )


def test_specs_are_frozen():
    with pytest.raises(FrozenInstanceError):
        NetSpec().depth = 26


def test_specs_need_no_torch():
    code = "import explorer.nets.spec, sys; assert 'torch' not in sys.modules"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
