"""Our own files: what is saved comes back, and whatever else comes in is refused in clear words."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import safetensors.torch
import torch

from explorer.nets.build import CifarNet, build
from explorer.nets.checkpoints import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.system.files import sweep_temporaries

SMALL = NetSpec(depth=8, width=2)
SPECS = [
    SMALL,
    NetSpec(family="plain", depth=14, width=3),
    NetSpec(depth=8, width=4, shortcut="B", in_channels=1, classes=7),
    NetSpec(depth=14, width=2, shortcut="C"),
    NetSpec(depth=11, width=2, block="bottleneck"),
    NetSpec(family="preact", depth=11, width=2, block="bottleneck", shortcut="B"),
    NetSpec(family="highway", depth=8, width=2, gate_bias=-3.5),
]


def trained(spec: NetSpec, seed: int = 0) -> CifarNet:
    """A net whose batch norms have seen something, so that no tensor is all zeros or ones."""
    net = build(spec, seed)
    net.train()
    with torch.no_grad():
        net(images(spec, 16))
    return net.eval()


def images(spec: NetSpec, count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, spec.in_channels, 8, 8, generator=generator)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, trained(SMALL))
    return path


def refused(path: Path, *words: str) -> str:
    """The message of a refusal: short, in our words, and without a chain of causes."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert len(text) < 400
    assert path.name in text
    assert not {"weights_only", "Traceback", "torch.load"} & set(text.split())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert all(word in text for word in words), text
    return text


def rewrite(path: Path, tensors: dict[str, torch.Tensor], **metadata: str) -> Path:
    """Save tensors with the metadata of an honest file, some of it replaced."""
    with safetensors.safe_open(path, "pt") as file:
        kept = file.metadata()
    safetensors.torch.save_file(tensors, path, kept | metadata)
    return path


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_net_comes_back_exactly(spec: NetSpec, tmp_path: Path) -> None:
    net = trained(spec)
    save_checkpoint(tmp_path / "net.safetensors", net)
    loaded = load_checkpoint(tmp_path / "net.safetensors")
    assert loaded.spec == loaded.net.spec == spec
    assert not loaded.net.training
    assert loaded.origin == "explorer"
    assert (loaded.normalisation, loaded.classes, loaded.recipe, loaded.metrics, loaded.dataset) == (
        None,
        None,
        {},
        {},
        None,
    )
    with torch.no_grad():
        assert torch.equal(loaded.net(images(spec)), net(images(spec)))
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.net.state_dict()[name], tensor), name


def test_half_precision_takes_half_the_space_and_loads_as_float32(tmp_path: Path) -> None:
    spec = NetSpec(depth=14, width=8)
    net = trained(spec)
    save_checkpoint(tmp_path / "full.safetensors", net)
    save_checkpoint(tmp_path / "half.safetensors", net, half=True)
    loaded = load_checkpoint(tmp_path / "half.safetensors")
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.65 * sizes[1]
    assert all(parameter.dtype == torch.float32 for parameter in loaded.net.parameters())
    for name, tensor in net.state_dict().items():
        expected = tensor.half().float() if tensor.is_floating_point() and tensor.ndim > 1 else tensor
        assert torch.equal(loaded.net.state_dict()[name], expected), name


def test_what_is_said_about_a_net_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    said = {
        "normalisation": Normalisation((0.5, 0.4, 0.3), (0.2, 0.25, 0.3)),
        "classes": tuple(f"Klasse {number} ✓" for number in range(10)),
        "recipe": {"seed": 3, "learning_rate": 0.1, "steps": [1, 2], "nested": {"a": None}},
        "metrics": {"test_error_pct": 8.25},
        "dataset": "digits",
    }
    save_checkpoint(path, trained(SMALL), **said)
    loaded = load_checkpoint(path)
    assert {name: getattr(loaded, name) for name in said} == said


def test_saving_leaves_the_net_as_it_was(tmp_path: Path) -> None:
    net = build(SMALL).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    save_checkpoint(tmp_path / "net.safetensors", net, half=True)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in before.items())


def test_the_same_net_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save_checkpoint(tmp_path / name, trained(SMALL), dataset="digits", recipe={"seed": 1})
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1


def test_layout_in_memory_does_not_matter(tmp_path: Path) -> None:
    net = trained(SMALL).to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "net", net)
    with torch.no_grad():
        assert torch.allclose(
            load_checkpoint(tmp_path / "net").net(images(SMALL)), net(images(SMALL)), atol=1e-5
        )


def test_a_loaded_net_can_be_trained_on(saved: Path) -> None:
    net = load_checkpoint(saved).net.train()
    net(images(SMALL)).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


# Saving


def test_a_save_that_fails_keeps_the_old_file_and_leaves_nothing_behind(saved: Path) -> None:
    old = saved.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # stands for a full disk
    try:
        with pytest.raises(CheckpointError, match=r"Cannot save net.safetensors: .*free some space"):
            save_checkpoint(saved, trained(SMALL, seed=5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saved.read_bytes() == old
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def test_a_place_that_cannot_be_written_is_refused(saved: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "absent" / "net", saved / "net", tmp_path / ("n" * 300)):
        with pytest.raises(CheckpointError, match="Cannot save"):
            save_checkpoint(path, trained(SMALL))
    with pytest.raises(CheckpointError, match="it is a folder"):
        save_checkpoint(tmp_path, trained(SMALL))
    assert [file.name for file in tmp_path.iterdir()] == [saved.name]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"normalisation": Normalisation((0.5,), (0.5,))}, "normalisation"),
        ({"classes": ["only", "two"]}, "class names"),
        ({"recipe": {"net": object()}}, "recipe and metrics"),
        ({"metrics": {"curve": [1.0] * 600_000}}, "too long"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(said: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=words):
        save_checkpoint(tmp_path / "net", trained(SMALL), **said)
    assert not list(tmp_path.iterdir())


def test_values_that_no_reader_takes_are_not_written(tmp_path: Path) -> None:
    net = trained(SMALL)
    with torch.no_grad():
        net.head[2].weight[0, 0] = 1e6
    save_checkpoint(tmp_path / "full", net)
    with pytest.raises(CheckpointError, match="float16"):
        save_checkpoint(tmp_path / "half", net, half=True)
    with torch.no_grad():
        net.head[2].weight[0, 0] = float("nan")
    with pytest.raises(CheckpointError, match="not finite"):
        save_checkpoint(tmp_path / "diverged", net)
    assert [file.name for file in tmp_path.iterdir()] == ["full"]


def test_only_temporaries_of_dead_processes_are_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    me, started = os.getpid(), int(psutil.Process().create_time())
    token = "0123456789abcdef"
    kept = [f".checkpoint-{me}-{started}-{token}.partial", ".checkpoint-x.partial", "net.safetensors"]
    stale = [f".checkpoint-{dead.pid}-{started}-{token}.partial", f".checkpoint-{me}-12345-{token}.partial"]
    for name in kept + stale:
        (tmp_path / name).write_bytes(b"half")
    assert sweep_temporaries(tmp_path) == len(stale)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept)
    assert sweep_temporaries(tmp_path / "absent") == 0


# Loading what should not be loaded


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    refused(tmp_path, "folder")
    refused(tmp_path / "absent", "no such file")
    refused(tmp_path / ("n" * 300))
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")
    (tmp_path / "empty").touch()
    refused(tmp_path / "empty", "empty")


@pytest.mark.parametrize("size", [1, 7, 8, 9, 5000])
def test_bytes_without_meaning(size: int, tmp_path: Path) -> None:
    path = tmp_path / "noise.pt"
    path.write_bytes(b"x" + random.Random(size).randbytes(size - 1))
    refused(path)


def test_another_kind_of_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("What I trained on Monday.")
    refused(path, "not a checkpoint", ".pth")


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(600 * 2**20)
    refused(path, "larger than 576 MiB")


def test_a_cut_file_is_refused_wherever_it_ends(saved: Path) -> None:
    data = saved.read_bytes()
    for length in sorted({1, 8, 9, 10, 19, *range(20, len(data), len(data) // 30), len(data) - 1}):
        saved.write_bytes(data[:length])
        refused(saved)


@pytest.mark.parametrize("length", [2**31, 2**63, 2**64 - 1, 5 * 2**20])
def test_a_header_that_claims_too_much(length: int, tmp_path: Path) -> None:
    path = tmp_path / "claims"
    path.write_bytes(length.to_bytes(8, "little") + b"{" + b" " * 100)
    refused(path)


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{" + b'"a":{' * 30_000,
        b"[" * 100_000,
        b'{"a": 1}',
        b'{"a": {"dtype": "F32", "shape": [1]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4000]}}',
        b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": ["1"], "data_offsets": [4, 0]}}',
        b'{"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}',
        b'{"__metadata__": 3}',
        b'{"__metadata__": {"resnet_explorer_format": 1}}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b"\xff\xfe{}",
    ],
)
def test_headers_of_nonsense(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "nonsense"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    refused(path)


def test_tensors_that_do_not_fit_the_spec(saved: Path) -> None:
    good = safetensors.torch.load_file(saved)
    name = "blocks.1.branch.0.weight"
    lacking = {key: tensor for key, tensor in good.items() if key != name}
    refused(rewrite(saved, lacking), "lacks", name)
    refused(rewrite(saved, good | {"extra": torch.zeros(1)}), "has also", "extra")
    refused(rewrite(saved, good | {name: torch.zeros(2, 2, 3, 3)}), name, "shape")
    refused(rewrite(saved, good | {name: good[name].double()}), name, "type")
    refused(rewrite(saved, good | {name: good[name].int()}), name, "type")
    counter = "stem.1.num_batches_tracked"
    refused(rewrite(saved, good | {counter: torch.tensor(1.0)}), counter, "type")
    assert isinstance(load_checkpoint(rewrite(saved, good)), Checkpoint)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("stem.0.weight", float("nan"), "finite"),
        ("head.2.bias", float("inf"), "finite"),
        ("stem.1.running_mean", float("-inf"), "finite"),
        ("stem.1.running_var", -1.0, "negative"),
        ("stem.1.num_batches_tracked", -1, "negative"),
    ],
)
def test_values_that_no_net_has(saved: Path, name: str, value: float, word: str) -> None:
    tensors = safetensors.torch.load_file(saved)
    tensors[name].view(-1)[0] = value
    refused(rewrite(saved, tensors), name, word)


@pytest.mark.parametrize("change", [{"depth": 14}, {"width": 3}, {"classes": 11}, {"shortcut": "B"}])
def test_a_spec_that_lies(saved: Path, change: dict) -> None:
    lie = json.dumps(replace(SMALL, **change).to_dict())
    refused(rewrite(saved, safetensors.torch.load_file(saved), spec=lie))


@pytest.mark.parametrize(
    "metadata",
    [
        {"spec": "{"},
        {"spec": "[]"},
        {"spec": "null"},
        {"spec": '{"depth": 21}'},
        {"spec": '{"depth": "20"}'},
        {"spec": '{"colour": 1}'},
        {"spec": '{"width": 1e99}'},
        {"spec": '{"family": "' + "x" * 5000 + '"}'},
        {"normalisation": '{"mean": [0.5], "std": [0.5]}'},
        {"normalisation": '{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.0]}'},
        {"normalisation": '{"mean": [0.5, 0.5, NaN], "std": [0.5, 0.5, 0.5]}'},
        {"normalisation": '{"mean": "abc", "std": "abc"}'},
        {"normalisation": "7"},
        {"classes": '["a"]'},
        {"classes": "[1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"},
        {"recipe": "[]"},
        {"metrics": "3"},
        {"dataset": "{}"},
        {"resnet_explorer_format": "2"},
    ],
)
def test_metadata_that_cannot_be(saved: Path, metadata: dict[str, str]) -> None:
    refused(rewrite(saved, safetensors.torch.load_file(saved), **metadata))


def test_a_spec_larger_than_its_file_costs_no_memory(saved: Path) -> None:
    large = json.dumps(NetSpec(depth=1202, width=512).to_dict())
    tensors = safetensors.torch.load_file(saved)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(rewrite(saved, tensors, spec=large), "too few")
    padded = tensors | {f"extra.{number}": torch.zeros(1) for number in range(1202)}
    refused(rewrite(saved, padded, spec=large), "lacks")
    wide = json.dumps(replace(SMALL, width=512).to_dict())
    refused(rewrite(saved, tensors, spec=wide), "shape")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 * 1024  # KiB


def test_mutated_files_load_or_are_refused(saved: Path) -> None:
    data = saved.read_bytes()
    header = int.from_bytes(data[:8], "little")
    generator = random.Random(0)
    for trial in range(150):
        mutated = bytearray(data)
        for _ in range(generator.choice([1, 1, 4])):
            end = header + 8 if trial % 3 else len(data)
            mutated[generator.randrange(end)] = generator.randrange(256)
        saved.write_bytes(mutated)
        with contextlib.suppress(CheckpointError):
            state = load_checkpoint(saved).net.state_dict()
            assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
