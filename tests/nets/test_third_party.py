"""Files of others: published nets compute what they computed there, and no code in a file is run."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import resource
import time
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from published_names import published_names
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets import sandbox
from explorer.nets.build import build
from explorer.nets.checkpoints import CheckpointError, load_checkpoint
from explorer.nets.spec import NetSpec

SMALL = NetSpec(depth=8, width=4)
State = dict[str, Tensor]


def varied(net: nn.Module, seed: int = 0) -> nn.Module:
    """The net in evaluation mode, every value drawn, so that no two channels are alike."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
        if name.endswith("running_var"):
            tensor.abs_().add_(0.5)
    return net.eval()


def images(channels: int = 3) -> Tensor:
    return torch.randn(4, channels, 16, 16, generator=torch.Generator().manual_seed(1))


def logits(net: nn.Module, channels: int = 3) -> Tensor:
    with torch.no_grad():
        return net(images(channels))


class AkamasterBlock(nn.Module):
    """The block of akamaster/pytorch_resnet_cifar10, rewritten: option A pads on both sides."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.stride == 2:
            quarter = self.conv1.out_channels // 4
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter))
        return functional.relu(out + x)


class AkamasterNet(nn.Module):
    """Its net: an oracle that shares no code with ours."""

    def __init__(self, blocks: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self.layer(blocks, width, width, 1)
        self.layer2 = self.layer(blocks, width, 2 * width, 2)
        self.layer3 = self.layer(blocks, 2 * width, 4 * width, 2)
        self.linear = nn.Linear(4 * width, 10)

    @staticmethod
    def layer(blocks: int, inside: int, outside: int, stride: int) -> nn.Sequential:
        first = AkamasterBlock(inside, outside, stride)
        return nn.Sequential(first, *(AkamasterBlock(outside, outside, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def as_safetensors(path: Path, state: State) -> Path:
    safetensors.torch.save_file(state, path)
    return path


def torch_bytes(content: Any, *, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def refused(path: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert text.startswith(f"Cannot load {path.name}: ")
    assert len(text) < 400
    assert all(word not in text for word in ("weights_only", "safe_globals", "torch.load", "Error"))
    assert all(word in text for word in words), text


# Which net is it?


@pytest.mark.parametrize(("blocks", "width"), [(1, 4), (2, 4), (3, 8), (2, 6)])
def test_a_net_of_akamaster_keeps_its_logits(blocks: int, width: int, tmp_path: Path) -> None:
    source = varied(AkamasterNet(blocks, width))
    loaded = load_checkpoint(as_safetensors(tmp_path / "net", source.state_dict()))
    assert loaded.spec == NetSpec(depth=6 * blocks + 2, width=width)
    assert loaded.normalisation is not None
    assert loaded.normalisation.mean == (0.485, 0.456, 0.406)
    assert loaded.normalisation.std == (0.229, 0.224, 0.225)
    if width % 4 == 0:  # the repository's own padding is whole only then
        torch.testing.assert_close(logits(loaded.net), logits(source), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "spec",
    [
        SMALL,
        NetSpec(depth=14, width=3, shortcut="B", in_channels=1, classes=5),
        NetSpec(depth=8, width=2, shortcut="C"),
        NetSpec(depth=14, width=2, shortcut="C"),
        NetSpec(depth=20, width=2, block="bottleneck"),
        NetSpec(depth=20, width=2, block="bottleneck", shortcut="B"),
        NetSpec(depth=20, width=2, block="bottleneck", shortcut="C"),
    ],
    ids=lambda spec: spec.id,
)
@pytest.mark.parametrize("naming", ["ours", "torchvision"])
def test_specs_are_found_from_tensors(spec: NetSpec, naming: str, tmp_path: Path) -> None:
    source = varied(build(spec))
    state = source.state_dict() if naming == "ours" else published_names(source)
    loaded = load_checkpoint(as_safetensors(tmp_path / "net", state))
    assert loaded.spec == spec
    assert loaded.origin == "published"
    assert loaded.normalisation is None
    assert torch.equal(logits(loaded.net, spec.in_channels), logits(source, spec.in_channels))


@pytest.mark.parametrize(
    "spec",
    [
        NetSpec(family="preact", depth=14, width=2),
        NetSpec(family="preact", depth=20, width=2, block="bottleneck", shortcut="B"),
        NetSpec(family="highway", depth=14, width=2),
    ],
    ids=lambda spec: spec.id,
)
def test_families_that_tensors_tell_apart(spec: NetSpec, tmp_path: Path) -> None:
    path = as_safetensors(tmp_path / "net", varied(build(spec)).state_dict())
    assert load_checkpoint(path).spec == load_checkpoint(path, family=spec.family).spec == spec
    with pytest.raises(CheckpointError, match=f"holds a {spec.family} net, not a plain one"):
        load_checkpoint(path, family="plain")


def test_plain_and_residual_are_told_apart_by_the_caller(tmp_path: Path) -> None:
    source = varied(build(NetSpec(family="plain", depth=14, width=2)))
    for head in ("fc", "linear"):
        path = as_safetensors(tmp_path / head, published_names(source, head))
        assert load_checkpoint(path).spec.family == "residual"
        loaded = load_checkpoint(path, family="plain")
        assert loaded.spec == source.spec
        assert torch.equal(logits(loaded.net), logits(source))
    with pytest.raises(CheckpointError, match="holds a residual net, not a preact one"):
        load_checkpoint(path, family="preact")


def test_prefixes_and_missing_counters(tmp_path: Path) -> None:
    source = varied(build(SMALL))
    state = {f"module.model.{name}": tensor for name, tensor in published_names(source).items()}
    old = {name: tensor for name, tensor in state.items() if "num_batches" not in name}
    loaded = load_checkpoint(as_safetensors(tmp_path / "net", old))
    assert torch.equal(logits(loaded.net), logits(source))


def doubled_stage(state: State) -> State:
    return state | {name.replace("layer3", "layer4"): value.clone() for name, value in state.items()}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (doubled_stage, "layer4.0.conv1"),
        (lambda state: state | {"layer1.0.extra.weight": torch.zeros(1)}, "extra"),
        (lambda state: {"conv1.weight": state["conv1.weight"]}, "no blocks behind"),
        (lambda state: {name: value for name, value in state.items() if "bn2" not in name}, "1 norms"),
        (lambda _: {"weight": torch.zeros(2, 2)}, "without convolutions"),
        (lambda state: state | {"fc.weight": torch.zeros(60_000, 8)}, "classes"),
    ],
)
def test_nets_that_are_not_read(change: Callable[[State], State], word: str, tmp_path: Path) -> None:
    state = published_names(varied(build(NetSpec(depth=14, width=2))))
    refused(as_safetensors(tmp_path / "net", change(state)), word)


def test_an_index_of_blocks_without_end_is_refused_at_once(tmp_path: Path) -> None:
    state = {f"blocks.{number}.shortcut.x": torch.zeros(0) for number in range(20_000)}
    state |= {"stem.0.weight": torch.zeros(2, 3, 3, 3), "head.4.weight": torch.zeros(10, 8)}
    begin = time.perf_counter()
    refused(as_safetensors(tmp_path / "net", state))
    assert time.perf_counter() - begin < 5


# Files of torch.save, read in a child process


def test_a_published_file_in_the_older_format(tmp_path: Path) -> None:
    source = varied(AkamasterNet(2, 4))
    state = {f"module.{name}": tensor for name, tensor in source.state_dict().items()}
    path = tmp_path / "resnet14.th"
    path.write_bytes(torch_bytes({"state_dict": state, "best_prec1": 91.25, "epoch": 3}, legacy=True))
    loaded = load_checkpoint(path)
    assert loaded.spec == NetSpec(depth=14, width=4)
    assert loaded.origin == "published"
    assert loaded.metrics == {"best_top1_accuracy_pct": 91.25}
    torch.testing.assert_close(logits(loaded.net), logits(source), rtol=1e-4, atol=1e-4)


def test_our_own_state_dict_from_torch_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")  # together they stop torch.load
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torch.py").write_text("raise SystemExit(9)")  # the child must not look here
    source = varied(build(SMALL))
    Path("net.pt").write_bytes(torch_bytes(source.state_dict()))
    loaded = load_checkpoint("net.pt")
    assert loaded.spec == SMALL
    assert torch.equal(logits(loaded.net), logits(source))


class Malice:
    """What unpickles into a command that leaves a mark."""

    def __init__(self, marker: Path) -> None:
        self.command = f"touch {marker}"

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_a_file_is_not_run(legacy: bool, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    content = {"state_dict": build(SMALL).state_dict(), "extra": Malice(marker)}
    path = tmp_path / "net.pt"
    path.write_bytes(torch_bytes(content, legacy=legacy))
    refused(path, "contains code", "not run")
    assert not marker.exists()


def test_a_view_that_repeats_one_value_for_ever(tmp_path: Path) -> None:
    state = build(SMALL).state_dict() | {"stem.0.weight": torch.zeros(1).expand(10**6, 10**6)}
    path = tmp_path / "net.pt"
    path.write_bytes(torch_bytes(state))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    refused(path, "more values than the file holds")
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after - before < 2 * 2**20  # KiB: torch itself and nothing like a terabyte


def test_a_file_that_claims_a_storage_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "net.th"
    data = torch_bytes({"stem.0.weight": torch.arange(77.0)}, legacy=True)
    claimed = data.replace(b"K\x4d", b"\x8a\x05" + (2**31).to_bytes(5, "little"))
    assert claimed != data
    path.write_bytes(claimed)
    refused(path, "more memory")


def test_mutated_torch_files_load_or_are_refused(tmp_path: Path) -> None:
    data = torch_bytes(build(SMALL).state_dict(), legacy=True)
    generator = random.Random(3)
    paths = []
    for number, end in enumerate((200, 3000, 3000, len(data))):
        mutated = bytearray(data)
        mutated[generator.randrange(10, end)] ^= 0x55
        paths.append(tmp_path / f"{number}.th")
        paths[-1].write_bytes(mutated)

    def load(path: Path) -> None:
        with contextlib.suppress(CheckpointError):
            load_checkpoint(path)

    with ThreadPoolExecutor(2) as pool:  # most of the time is the child's import of torch
        list(pool.map(load, paths))


# The child's work, called here without the child


def child(tmp_path: Path, content: Any, *, legacy: bool = False) -> int:
    source = tmp_path / "in"
    source.write_bytes(content if isinstance(content, bytes) else torch_bytes(content, legacy=legacy))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the child is started
        return sandbox.main(str(source), str(tmp_path / "out"))


def test_tensors_of_every_layout_come_out_plain(tmp_path: Path) -> None:
    base = torch.arange(24.0).view(2, 3, 4)
    state = {"a": base[:, 1:], "b": base.mT, "c": base.double(), "d": nn.Parameter(base), "e": base}
    assert child(tmp_path, {"model": state, "best_prec1": 5}) == 0
    found = safetensors.torch.load_file(tmp_path / "out")
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    assert found["c"].dtype == torch.float32


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bare_pickle_with_code_is_not_run(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    found = child(tmp_path, pickle.dumps(Malice(marker), protocol))
    assert found == (sandbox._CODE if protocol < 4 else sandbox._DAMAGED)
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1, 2],
        torch.zeros(3),
        {"state_dict": {}},
        {"state_dict": {"a": 1}},
        {1: torch.zeros(1)},
        {"n" * 600: torch.zeros(1)},
        {"a": torch.zeros(3, 3).to_sparse()},
        {"a": torch.empty(3, device="meta")},
    ],
    ids=str,
)
def test_what_is_no_state_dict(content: Any, tmp_path: Path) -> None:
    assert child(tmp_path, content) == sandbox._NO_STATE


@pytest.mark.parametrize("legacy", [True, False])
def test_views_that_add_up_to_more_than_the_file(legacy: bool, tmp_path: Path) -> None:
    base = torch.zeros(10_000)
    assert child(tmp_path, {str(number): base for number in range(50)}, legacy=legacy) == sandbox._LYING


@pytest.mark.parametrize("legacy", [True, False])
def test_cut_and_mutated_files_never_get_past_the_child(legacy: bool, tmp_path: Path) -> None:
    data = torch_bytes(build(NetSpec(depth=8, width=1)).state_dict(), legacy=legacy)
    generator = random.Random(5)
    known = {0, *sandbox._REASONS}
    for _ in range(30):
        assert child(tmp_path, data[: generator.randrange(len(data) - 1)]) in known - {0}
        mutated = bytearray(data)
        mutated[generator.randrange(len(data) // 2)] = generator.randrange(256)
        assert child(tmp_path, bytes(mutated)) in known


# Archives, checked before any child is started


def rezipped(data: bytes, method: int = zipfile.ZIP_STORED, **renamed: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", method) as target:
        for entry in source.infolist():
            name = renamed.get(Path(entry.filename).name, entry.filename)
            target.writestr(name, source.read(entry), method)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "archive/../../evil", "C:/evil", "..\\evil", "a//b", "n" * 600]
)
def test_archives_with_strange_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(rezipped(torch_bytes({"a": torch.zeros(4)}), version=name))
    refused(path, "archive")


def test_a_compressed_archive(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(rezipped(torch_bytes({"a": torch.zeros(10**6)}), zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 10**5
    refused(path, "compressed")


def test_archives_that_contradict_themselves(tmp_path: Path) -> None:
    data = torch_bytes(build(SMALL).state_dict())
    directory = data.index(b"PK\x01\x02")
    stored, claimed = slice(directory + 20, directory + 24), slice(directory + 24, directory + 28)
    path = tmp_path / "net.pt"
    for place in (stored, claimed):
        lying = bytearray(data)
        lying[place] = (2**30).to_bytes(4, "little")
        path.write_bytes(lying)
        refused(path)
    path.write_bytes(b"PK\x03\x04" + data[4:].replace(b"archive/version", b"archive/Version", 1))
    refused(path, "archive")
    path.write_bytes(data + b"trailing")
    refused(path, "archive")
    path.write_bytes(b"PK\x03\x04" + b"PK\x01\x02" * 30_000)
    refused(path)
    for length in range(4, len(data), len(data) // 25):
        path.write_bytes(data[:length])
        refused(path, "damaged")
