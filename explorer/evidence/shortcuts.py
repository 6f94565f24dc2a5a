"""Training with shortcuts of any strength, and highway gates that begin more or less shut, measured.

Kept in pretrained/: strengths.parquet and gates.parquet. At strength 0 and 1 the nets are the zoo's plain and
residual ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from explorer.evidence import gradients
from explorer.evidence.table_files import has_rows, with_rows, write_table
from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from explorer.training.trainer import Trainer

Part = Literal["strengths", "gates"]
PARTS: tuple[Part, ...] = get_args(Part)
STRENGTHS, GATES = "strengths.parquet", "gates.parquet"
COMMAND = "python -m explorer zoo shortcuts"
DEPTHS = (20, 56)
SEEDS = (0, 1, 2)
BETWEEN = (0.25, 0.5, 0.75)
BIASES = (-2.0, -4.0, -6.0)
EPOCHS = (0, 1, 3)
"""Epochs, finished, after which agreement is read."""
_STRENGTH_COLUMNS = [
    "depth", "strength", "seed", "epoch", "train_error_pct", "test_error_pct", "ratio", "agreement",
]  # fmt: skip
_GATE_COLUMNS = [
    "depth", "bias", "seed", "epoch", "train_error_pct", "test_error_pct", "block", "mean", "low", "high",
    "bias_now",
]  # fmt: skip
_COLUMNS = {STRENGTHS: _STRENGTH_COLUMNS, GATES: _GATE_COLUMNS}


def kept(file: str, pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """One of the tables that come with the explorer; `attrs` says how it was made. Empty where it is none.

    strengths: by epoch errors in per cent, ratio (median over blocks of the norm of F(x) over that of x) and
    agreement (mean over blocks, see `probes.agreement`; NaN where it was not read). gates: by epoch errors in
    per cent, block 0; before the first and after the last epoch also a row per gate with its openness.
    """
    path = pretrained / file
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=_COLUMNS[file])


def keep(
    out: Path,
    say: Callable[[str], None],
    parts: Sequence[Part] = PARTS,
    depths: Sequence[int] = DEPTHS,
    seeds: Sequence[int] = SEEDS,
) -> int:
    """Train what the files lack and add each net at once; called again, it goes on.

    Returns:
        How many nets were trained.
    """
    done = 0
    for seed, depth in [(seed, depth) for seed in seeds for depth in depths]:
        for part in parts:
            for title in _KEEPERS[part](out, depth, seed):
                done += 1
                say(f"{title}, {depth} layers, seed {seed}")
    return done


def with_strength(depth: int, strength: float, seed: int) -> pd.DataFrame:
    """Train a residual net on digits whose shortcuts count `strength` times; rows as `kept`."""
    from explorer.nets.strength import weaken

    trainer = gradients.trainer_of(f"residual-{depth}", seed)
    weaken(trainer.net, strength)
    table = pd.DataFrame(_epochs(trainer, EPOCHS))
    return table.assign(depth=depth, strength=strength, seed=seed)[_STRENGTH_COLUMNS]


def with_bias(depth: int, bias: float, seed: int) -> pd.DataFrame:
    """Train a highway net on digits whose gate biases begin at `bias`; rows as `kept`."""
    from explorer.data.sources import digits
    from explorer.training.trainer import Trainer

    spec = NetSpec("highway", depth, in_channels=1, gate_bias=bias)
    trainer = Trainer(spec, Recipe(seed=seed, device="cpu"), digits())
    before = _open_gates(trainer).assign(epoch=0)
    errors = pd.DataFrame(_epochs(trainer, ())).drop(columns=["ratio", "agreement"]).assign(block=0)
    after = _open_gates(trainer).assign(epoch=errors["epoch"].max())
    table = pd.concat([errors, before, after], ignore_index=True)
    return table.assign(depth=depth, bias=bias, seed=seed).reindex(columns=_GATE_COLUMNS)


def ends(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The zoo's plain and residual nets as strengths 0 and 1, columns as `kept(STRENGTHS)`."""
    zoo = Zoo(pretrained)
    wanted = {f"{family}-{depth}": strength for family, strength in _ENDS.items() for depth in DEPTHS}
    runs = [run for run in zoo.manifest if run.dataset == "digits" and run.spec.id in wanted]
    if not runs:
        return pd.DataFrame(columns=_STRENGTH_COLUMNS)
    about = pd.DataFrame(
        {
            "run_id": [run.run_id for run in runs],
            "net": [run.spec.id for run in runs],
            "depth": [run.spec.depth for run in runs],
            "strength": [wanted[run.spec.id] for run in runs],
            "seed": [run.recipe.seed for run in runs],
        }
    )
    names = list(about["run_id"])
    ratios = zoo.blocks(names).groupby(["run_id", "epoch"])["residual_ratio"].median().rename("ratio")
    table = zoo.epochs(names).merge(ratios.reset_index(), on=["run_id", "epoch"]).merge(about, on="run_id")
    return table.merge(_agreements(pretrained), on=["net", "seed", "epoch"], how="left")[_STRENGTH_COLUMNS]


_ENDS = {"plain": 0.0, "residual": 1.0}


def _agreements(pretrained: Path) -> pd.DataFrame:
    """Mean over blocks of the nets that `evidence.gradients` has trained again."""
    table = gradients.kept(gradients.AGREEMENT, pretrained)
    usual = table[table["start"] == gradients.USUAL]
    return usual.groupby(["net", "seed", "epoch"])["cosine"].mean().rename("agreement").reset_index()


def _epochs(trainer: Trainer, epochs: Sequence[int]) -> Iterator[dict[str, float]]:
    from explorer.probes.agreement import agreement

    batches = gradients.batches_of(trainer) if epochs else []
    for record in trainer.records():
        row = record.row()
        read = agreement(trainer.net, batches)["cosine"].mean() if record.epoch in epochs else float("nan")
        yield {
            "epoch": record.epoch, "train_error_pct": row["train_error_pct"],
            "test_error_pct": row["test_error_pct"],
            "ratio": float(record.blocks["residual_ratio"].median()), "agreement": float(read),
        }  # fmt: skip


def _open_gates(trainer: Trainer) -> pd.DataFrame:
    """Openness by gate over the test images, BN as it is tested."""
    from explorer.probes.gates import by_layer
    from explorer.probes.replica import replica

    net: Any = replica(trainer.net)
    table = by_layer(net, trainer.test_images.normalised(slice(None)))
    return table.rename(columns={"bias": "bias_now"})[["block", "mean", "low", "high", "bias_now"]]


def _keep_strengths(out: Path, depth: int, seed: int) -> Iterator[str]:
    for strength in BETWEEN:
        if not _has(out, STRENGTHS, depth=depth, strength=strength, seed=seed):
            made = with_strength(depth, strength, seed)
            _add(out, STRENGTHS, made)
            yield f"strength {strength:g}: training error {made['train_error_pct'].iloc[-1]:.1f} %"


def _keep_gates(out: Path, depth: int, seed: int) -> Iterator[str]:
    for bias in BIASES:
        if not _has(out, GATES, depth=depth, bias=bias, seed=seed):
            made = with_bias(depth, bias, seed)
            _add(out, GATES, made)
            errors = made.loc[made["block"] == 0, "train_error_pct"]
            yield f"gate bias {bias:g}: training error {errors.iloc[-1]:.1f} %"


_KEEPERS: dict[Part, Callable[[Path, int, int], Iterator[str]]] = {
    "strengths": _keep_strengths,
    "gates": _keep_gates,
}


def _has(out: Path, file: str, **wanted: float) -> bool:
    return has_rows(kept(file, out), **wanted)


def _add(out: Path, file: str, made: pd.DataFrame) -> None:
    write_table(with_rows(kept(file, out), made), out / file, COMMAND)
