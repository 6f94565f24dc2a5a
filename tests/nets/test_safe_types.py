"""Values beside the tensors of a PyTorch file: harmless types are passed over, everything else is code."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import functools
import importlib
import io
import operator
import os
import pathlib
import pickle
import subprocess
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from explorer.nets import sandbox

STATE = {"conv.weight": torch.ones(2, 3, 3, 3), "count": torch.tensor(3, dtype=torch.int32)}


def child(folder: Path, content: Any, **settings: Any) -> int:
    """The child's work on a file of `torch.save`, called here without the child."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(content, folder / "in", **settings)
        return sandbox.main(str(folder / "in"), str(folder / "out"))


def kept(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safetensors.safe_open(folder / "out", "pt") as file:
        notes = file.metadata()
    return safetensors.torch.load_file(folder / "out"), notes


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        np.float64(91.2), np.float32(1), np.int64(3), np.bool_(True), np.str_("x"), np.arange(3.0),
        np.dtype("float32"), argparse.Namespace(lr=0.1, arch="resnet20", when=pathlib.PurePosixPath("/x")),
        types.SimpleNamespace(a=1), collections.defaultdict(list, {"loss": [1.0]}), collections.deque([1, 2]),
        collections.Counter("aab"), collections.OrderedDict(a=1), datetime.datetime(2020, 1, 2),
        datetime.timedelta(3), decimal.Decimal("0.1"), pathlib.PosixPath("/tmp"), torch.float16,
        torch.Size([2, 3]), torch.device("cpu"), {1, 2}, (1, [2, {"a": None}]), 1 + 2j, b"bytes",
        {"nested": {"best": np.float64(2)}},
        {argparse.Namespace: np.float64(3)},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_harmless_value_beside_the_tensors_is_passed_over_and_named(value, old, tmp_path):
    content = {"state_dict": STATE, "best_acc": value}
    assert child(tmp_path, content, _use_new_zipfile_serialization=not old) == 0
    tensors, notes = kept(tmp_path)
    assert set(tensors) == set(STATE)
    assert notes[sandbox.WRAPPED] == "state_dict"
    if not isinstance(value, dict):
        assert "best_acc" in notes[sandbox.BESIDE]


class Calls:
    """Unpickles into a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("touch {marker}",)), (eval, ("open({marker!r}, 'w')",)),
        (exec, ("open({marker!r}, 'w')",)), (open, ("{marker}", "w")),
        (subprocess.Popen, (["touch", "{marker}"],)),
        (importlib.import_module, ("antigravity",)), (getattr, ("x", "upper")), (pickle.loads, (b"N.",)),
        (functools.partial, (print, "x")), (operator.methodcaller, ("upper",)), (os.unlink, ("{marker}",)),
        (torch.load, ("{marker}",)), (np.load, ("{marker}",)), (np.memmap, ("{marker}",)),
        (compile, ("1", "x", "eval")), (torch.nn.Linear, (2, 2)),
        (pathlib.Path.touch, (pathlib.Path("{marker}"),)), (io.FileIO, ("{marker}", "w")),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)  # fmt: skip
@pytest.mark.parametrize("place", ["value", "key", "state"])
def test_a_call_is_refused_as_code_and_not_made(function, arguments, place, tmp_path):
    marker = tmp_path / "marker"
    named = [part.format(marker=str(marker)) if isinstance(part, str) else part for part in arguments]
    call = Calls(function, *named)
    content = {
        "value": {"state_dict": STATE, "x": call},
        "key": {"state_dict": STATE, "x": [(call, 1)]},
        "state": {"state_dict": STATE, "x": argparse.Namespace(inner=call)},
    }[place]
    assert child(tmp_path, content) == sandbox._CODE
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


def test_what_stands_in_for_a_type_calls_nothing_of_it(tmp_path):
    """numpy's own functions would unpickle what an array of objects holds."""
    marker = tmp_path / "marker"
    hidden = np.empty(1, object)
    hidden[0] = Calls(os.system, f"touch {marker}")
    inner = pickle.dumps(Calls(os.system, f"touch {marker}"))
    assert child(tmp_path, {"state_dict": STATE, "x": hidden}) == sandbox._CODE
    scalar = Calls(np.float64(1).__reduce__()[0], np.dtype("O"), inner)
    assert child(tmp_path, {"state_dict": STATE, "x": scalar}) == 0
    assert not marker.exists()


def test_an_optimisers_tensors_are_none_of_the_nets(tmp_path):
    layer = torch.nn.Conv2d(3, 2, 3)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3, 4, 4)).sum().backward()
    optimiser.step()
    assert (
        child(tmp_path, {"model": layer.state_dict(), "optimizer": optimiser.state_dict(), "epoch": 3}) == 0
    )
    tensors, notes = kept(tmp_path)
    assert set(tensors) == {"weight", "bias"}
    assert notes[sandbox.BESIDE] == "optimizer, epoch"


def test_several_dictionaries_keep_their_names(tmp_path):
    assert child(tmp_path, {"net": STATE, "ema": {"shadow": dict(STATE)}}) == 0
    tensors, notes = kept(tmp_path)
    assert set(tensors) == {f"{path}/{name}" for path in ("net", "ema/shadow") for name in STATE}
    assert notes[sandbox.WRAPPED] == ""


def test_a_dictionary_inside_itself_comes_to_an_end(tmp_path):
    content: dict[str, Any] = {"state_dict": STATE}
    content["again"] = content
    assert child(tmp_path, content) == 0
    assert set(kept(tmp_path)[0]) == set(STATE)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.uint8, torch.bool]
)
def test_number_types_come_out(dtype, tmp_path):
    assert child(tmp_path, {"a": torch.ones(2).to(dtype)}) == 0
    assert torch.equal(kept(tmp_path)[0]["a"].float(), torch.ones(2))
