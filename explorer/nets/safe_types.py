"""Types whose values may stand beside the tensors of a PyTorch file, and what stands in for them.

None of these can run code, and none is needed: instead of a numpy number, a Namespace or a path an empty
value is made, whatever arguments the file gives. Nothing of numpy or of any other library is called.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

_NUMPY = ("numpy.core", "numpy._core")
_VALUES = (
    "numpy.dtype", "numpy.ndarray", "argparse.Namespace", "types.SimpleNamespace", "collections.deque",
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
    "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "pathlib.Path", "pathlib.PurePath",
    "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath", "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "pathlib._local.PurePosixPath",
    "pathlib._local.PureWindowsPath", "builtins.int", "builtins.float", "builtins.bool", "builtins.str",
    "builtins.bytes", "builtins.tuple", "builtins.frozenset", "builtins.slice", "builtins.range",
    "torch.torch_version.TorchVersion",
    *(f"{root}.multiarray.{name}" for root in _NUMPY for name in ("scalar", "_reconstruct")),
    *(f"{root}.numeric._frombuffer" for root in _NUMPY),
    *(f"numpy.{name}" for name in (
        "bool_", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
        "float32", "float64", "longdouble", "complex64", "complex128", "str_", "bytes_",
    )),
    *(f"{root}.callbacks.{name}" for root in ("pytorch_lightning", "lightning.pytorch") for name in (
        "model_checkpoint.ModelCheckpoint", "early_stopping.EarlyStopping",
    )),
)  # fmt: skip
_MAPPINGS = (
    "collections.defaultdict", "builtins.dict", "builtins.list", "easydict.EasyDict", "yacs.config.CfgNode",
    "addict.addict.Dict", "munch.Munch", "mmengine.config.config.ConfigDict", "mmcv.utils.config.ConfigDict",
    "pytorch_lightning.utilities.parsing.AttributeDict", "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
)  # fmt: skip


class Ignored(list[Any]):
    """Stands for a value that is not read: takes any arguments and any state, and keeps nothing."""

    def __new__(cls, *_arguments: Any, **_named: Any) -> Ignored:
        """Make an empty one, whatever it is called with."""
        return super().__new__(cls)

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        super().__init__()

    def __setstate__(self, _state: Any) -> None:
        """Keep nothing."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # it may be the key of a dictionary


class IgnoredMapping:
    """Stands for a kind of dictionary: what is made is an ordinary one."""

    def __new__(cls, *_arguments: Any, **_named: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        """Make an empty dictionary, which the file may fill."""
        return OrderedDict()


def stand_ins() -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """What stands in for each harmless type, as `torch.serialization.safe_globals` takes it."""
    return [*((Ignored, name) for name in _VALUES), *((IgnoredMapping, name) for name in _MAPPINGS)]
