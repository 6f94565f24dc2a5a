"""Signal and gradient at initialisation from 20 to 1202 layers: measured, kept, and measured again.

The kept measurement is pretrained/signal.parquet. A new one runs in a process of its own, which can be
stopped and writes one file per net, so that whoever waits sees how far it is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED
from explorer.system.background import BackgroundTask, lower_priority
from explorer.system.files import replacing

FILE = "signal.parquet"
DEPTHS = (20, 56, 110, 302, 1202)
FAMILIES = ("plain", "residual", "preact")
SEEDS = (0, 1, 2)
IMAGES = 16
NETS = tuple(
    f"{family}-{depth}" for family in FAMILIES for depth in (*DEPTHS[:-1], "1001-bottleneck", DEPTHS[-1])
)
_KEYS = ["net", "family", "depth", "seed"]
_SMALL = {"block": "int16", "stage": "int8", "layer": "int16", "depth": "int16", "seed": "int8"}


def measure(net: str, seed: int = 0, images: int = IMAGES) -> pd.DataFrame:
    """Read one untrained net on digits, in float64.

    Args:
        net: id of the net.
        seed: of its weights.
        images: how many of the first training digits.

    Returns:
        One row per block: net, family, depth, seed, and the columns of `read_signal`.

    Raises:
        ValueError: the id names no net.
    """
    import torch

    from explorer.data.sources import digits
    from explorer.nets.build import build
    from explorer.probes.signal_propagation import read_signal

    spec, data = NetSpec.parse(net, in_channels=1), digits()
    split, (mean, std) = data.split("train"), data.channel_stats()
    pixels = torch.from_numpy(split.images[:images]).double() / data.pixel_max
    labels = torch.from_numpy(split.labels[:images])
    table = read_signal(build(spec, seed).double(), (pixels - mean[0]) / std[0], labels)
    about = pd.DataFrame(
        {"net": spec.id, "family": spec.family, "depth": spec.depth, "seed": seed}, table.index
    )
    return about.join(table)


def kept(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The measurement that comes with the explorer; empty where there is none."""
    path = pretrained / FILE
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=[*_KEYS, "block", "layer"])


def keep(
    out: Path, say: Callable[[str], None], nets: Sequence[str] = NETS, seeds: Sequence[int] = SEEDS
) -> int:
    """Measure `nets` and write the file; returns its number of rows."""
    parts = []
    for net in nets:
        parts += [measure(net, seed) for seed in seeds]
        say(f"{net}: {len(parts[-1])} blocks, {len(seeds)} seeds")
    table = pd.concat(parts, ignore_index=True).astype(_SMALL)
    out.mkdir(parents=True, exist_ok=True)
    table.to_parquet(out / FILE, index=False, compression="zstd")
    return len(table)


@dataclass
class Measurement:
    """A measurement under way in a process of its own.

    Attributes:
        nets: ids, in the order in which they are measured.
        seed: of all nets' weights.
        folder: gets one file per finished net.
    """

    nets: tuple[str, ...]
    seed: int = 0
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="signal-")))

    def start(self) -> None:
        """Begin; returns at once."""
        _task(self.folder).start(
            "explorer.evidence.signal_propagation", [str(self.folder), str(self.seed), *self.nets]
        )

    @property
    def finished(self) -> int:
        """How many nets are done."""
        return len(list(self.folder.glob("*.parquet")))

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return _task(self.folder).running

    def result(self) -> pd.DataFrame:
        """What was measured so far; empty where nothing was."""
        parts = [pd.read_parquet(path) for path in sorted(self.folder.glob("*.parquet"))]
        return pd.concat(parts, ignore_index=True) if parts else kept(self.folder)

    def stop(self) -> None:
        """End the process and forget what it has written."""
        _task(self.folder).cancel()
        shutil.rmtree(self.folder, ignore_errors=True)


def _task(folder: Path) -> BackgroundTask:
    return BackgroundTask(folder / "task.json")


def _main(folder: Path, seed: int, nets: Sequence[str]) -> None:
    lower_priority(5)
    for net in nets:
        table = measure(net, seed)
        with replacing(folder / f"{net}.parquet") as part:
            table.to_parquet(part, index=False)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    _task(target).run(lambda _state, _progress: _main(target, int(sys.argv[2]), sys.argv[3:]))
