"""The gradients of the zoo's nets on digits, measured in training runs, and kept.

Kept in pretrained/: agreement.parquet (do two batches ask for the same step?), sizes.parquet (how large is
the gradient at each block?), forced.parquet (what if every step has a healthy size?), strips.parquet (how
does the gradient change along a line?) and paths.parquet (how many blocks does it pass?).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from explorer.analysis.vanishing import Kept
from explorer.evidence.table_files import has_rows, with_rows, write_table
from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from explorer.nets.build import CifarNet
    from explorer.probes.agreement import Batch
    from explorer.probes.strip import Strip
    from explorer.training.trainer import Trainer

Part = Literal["training", "forced", "strips", "paths"]
PARTS: tuple[Part, ...] = get_args(Part)
Manner = Literal["share", "clip"]
AGREEMENT, SIZES, FORCED, STRIPS, PATHS = (
    f"{name}.parquet" for name in ("agreement", "sizes", "forced", "strips", "paths")
)
COMMAND = "python -m explorer zoo gradients"
DEPTHS = (20, 56, 110)
FAMILIES = ("plain", "residual")
NETS = tuple(f"{family}-{depth}" for depth in DEPTHS for family in FAMILIES)
SEEDS = (0, 1, 2)
USUAL, IDENTITY = "usual", "identity"
FROM_IDENTITY = ("plain-56", "plain-110")
STEPS = (0, 1, 2, 3, 5, 11, 22, 55, 110)
"""Steps of training, finished, after which sizes are read."""
EPOCHS = (0, 1, 2)
"""Epochs, finished, after which agreement is read: later the loss is near zero, and every net's falls."""
HEALTHY_SHARE = 0.3
"""A tensor's gradient is scaled to this part of its weights' norm."""
CLIP = 1.0
FORCED_RUNS: dict[str, tuple[tuple[Manner, int], ...]] = {
    "plain-20": tuple(("share", seed) for seed in SEEDS),
    "residual-56": tuple(("share", seed) for seed in SEEDS),
    "plain-56": (*(("share", seed) for seed in SEEDS), *(("clip", seed) for seed in SEEDS)),
    "plain-110": (("share", 0), ("clip", 0)),
}  # fmt: skip
"""By net: how its steps are sized, and the seed."""
PATH_NETS = ("residual-20", "residual-56", "residual-110")
PATH_IMAGES = 32
PATH_DRAWS = {"residual-20": 10, "residual-56": 10, "residual-110": 4}
LINE_ENDS = (0, 1)
"""Training digits between which the strips lie: a zero and a one."""
STATISTICS = 512
_COLUMNS = {
    AGREEMENT: ["net", "start", "seed", "epoch", "block", "cosine"],
    SIZES: ["net", "seed", "step", "block", "norm", "weights_norm", "stem_weight"],
    FORCED: ["net", "manner", "seed", "epoch", "train_error_pct", "test_error_pct"],
    STRIPS: ["net", "seed", "step", "norm", "lag_1", "lag_4", "lag_16", "lag_64", "unit"],
    PATHS: ["net", "trained", "way", "length", "share", "signed", "cancels"],
}


def kept(file: str, pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """One of the tables that come with the explorer; `attrs` says how it was made. Empty where it is none.

    agreement: cosine per block, mean over pairs of batches. sizes: Euclidean norms of the gradient at each
    block's output and in its weights, and of the first convolution's weights themselves. forced: errors in
    per cent by epoch. strips: per step of the line the gradient's norm, cosines with later steps, and for
    seed 0 the gradient over its largest value as signed bytes. paths: share of the gradient by number of
    branches passed; `cancels` is the sum of the parts' norms over the norm of their sum.
    """
    path = pretrained / file
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=_COLUMNS[file])


def facts(pretrained: Path = PRETRAINED) -> Kept:
    """What the one answer on vanishing gradients rests on."""
    return Kept(*(kept(file, pretrained) for file in (AGREEMENT, SIZES, FORCED)))


def keep(
    out: Path,
    say: Callable[[str], None],
    parts: Sequence[Part] = PARTS,
    nets: Sequence[str] = NETS,
    seeds: Sequence[int] = SEEDS,
) -> int:
    """Measure what the files lack and add it at once; whatever ends it, nothing measured is lost.

    Returns:
        How many nets and seeds were measured.

    Raises:
        ValueError: one of the nets is none of `NETS`.
    """
    strange = sorted(set(nets) - set(NETS))
    if strange:
        raise ValueError(f"{', '.join(strange)}: give some of {', '.join(NETS)}.")
    done = 0
    for net, seed in [(net, seed) for net in nets for seed in seeds]:
        for part in parts:
            for title in _KEEPERS[part](out, net, seed):
                done += 1
                say(f"{title}, seed {seed}")
    return done


def in_training(net: str, seed: int, last_step: int = STEPS[-1]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train a net on digits as the zoo does, and read agreement and sizes on the way; both tables.

    Args:
        net: id of a plain or residual net.
        seed: of weights and batches.
        last_step: nothing is trained beyond it.
    """
    from explorer.probes.agreement import agreement, sizes

    trainer = trainer_of(net, seed)
    batches = batches_of(trainer)
    agreements, read = [], []
    for step in [step for step in STEPS if step <= last_step]:
        while trainer.iteration < step:
            trainer.step()
        stem = float(next(trainer.net.stem.parameters()).detach().norm())
        read.append(sizes(trainer.net, batches[0]).assign(step=step, stem_weight=stem))
        if step % trainer.iterations_per_epoch == 0 and trainer.epoch in EPOCHS:
            agreements.append(agreement(trainer.net, batches).assign(epoch=trainer.epoch))
    first = pd.concat(agreements, ignore_index=True).assign(net=net, start=USUAL, seed=seed)
    second = pd.concat(read, ignore_index=True).assign(net=net, seed=seed)
    return first[_COLUMNS[AGREEMENT]], second[_COLUMNS[SIZES]]


def from_identity(net: str, seed: int) -> pd.DataFrame:
    """Agreement in an untrained net that is an untrained plain-20 made deeper by identity blocks."""
    from explorer.evidence.construct import started
    from explorer.probes.agreement import agreement

    depth = NetSpec.parse(net).depth
    built = started("untrained", depth, Recipe(seed=seed, device="cpu"))
    table = agreement(built.net, batches_of(trainer_of(net, seed)))
    return table.assign(net=net, start=IDENTITY, seed=seed, epoch=0)[_COLUMNS[AGREEMENT]]


def with_forced_size(net: str, manner: Manner, seed: int) -> pd.DataFrame:
    """Train a net whose steps are given a size; errors by epoch.

    `share`: each tensor's gradient has `HEALTHY_SHARE` of its weights' norm (at least 1 for vectors), before
    momentum and learning rate. `clip`: the norm of all gradients together is at most `CLIP`.
    """
    from explorer.evidence.construct import curve

    trainer = trainer_of(net, seed)
    resize = _to_share if manner == "share" else _clip
    trainer.optimizer.register_step_pre_hook(lambda optimizer, _args, _kwargs: resize(optimizer))
    table = pd.DataFrame(curve(trainer)).assign(net=net, manner=manner, seed=seed)
    return table[_COLUMNS[FORCED]]


def along_line(net: str, seed: int) -> Strip:
    """The gradient along the line between two training digits, in an untrained net."""
    from explorer.probes.line import gradients_along

    trainer = trainer_of(net, seed)
    images = trainer.train_images
    first, last = (images.normalised(slice(place, place + 1))[0] for place in LINE_ENDS)
    return gradients_along(trainer.net, (first, last), images.normalised(slice(0, STATISTICS)))


def path_lengths(net: str, trained: bool) -> pd.DataFrame:
    """Share of the gradient by number of branches passed: exactly, and as Veit et al. 2016 sample it."""
    from explorer.probes.paths import paths, sampled

    trainer = trainer_of(net, 0)
    model = _zoo_net(net) if trained else _settled(trainer)
    images = trainer.test_images
    batch = images.normalised(slice(0, PATH_IMAGES)), images.labels[:PATH_IMAGES]
    exact = paths(model, *batch)
    cancels = sum(exact.norms) / float(exact.parts.sum(0).norm())
    ways = [("exact", exact.shares, exact.signed, cancels)]
    if trained:
        ways.append(("sampled", sampled(model, *batch, PATH_DRAWS[net]), [], float("nan")))
    rows = [
        {
            "net": net, "trained": trained, "way": way, "length": k, "share": share,
            "signed": signed[k] if signed else float("nan"), "cancels": cancel,
        }
        for way, shares, signed, cancel in ways
        for k, share in enumerate(shares)
    ]  # fmt: skip
    return pd.DataFrame(rows)[_COLUMNS[PATHS]]


def usual(nets: Sequence[str], pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The zoo's own training of these nets on digits, columns as `forced`, its manner called usual."""
    zoo = Zoo(pretrained)
    runs = [run for run in zoo.manifest if run.dataset == "digits" and run.spec.id in set(nets)]
    about = pd.DataFrame(
        [(run.run_id, run.spec.id, run.recipe.seed) for run in runs], columns=["run_id", "net", "seed"]
    )
    table = zoo.epochs(list(about["run_id"])).merge(about, on="run_id").assign(manner=USUAL)
    return table[_COLUMNS[FORCED]]


def trainer_of(net: str, seed: int) -> Trainer:
    """The zoo's training of a net on digits, before its first step."""
    from explorer.data.sources import digits
    from explorer.training.trainer import Trainer

    return Trainer(NetSpec.parse(net, in_channels=1), Recipe(seed=seed, device="cpu"), digits())


def batches_of(trainer: Trainer) -> list[Batch]:
    """The disjoint batches of training images that agreement and sizes are read on."""
    from explorer.probes.agreement import disjoint_batches

    images = trainer.train_images
    return disjoint_batches(images.normalised(slice(None)), images.labels)


def packed(strip: Strip, *, with_units: bool) -> pd.DataFrame:
    """A strip as rows; the gradients over their largest value as signed bytes."""
    import numpy as np

    from explorer.probes.strip import LAGS

    table = pd.DataFrame({"step": range(len(strip.norms)), "norm": strip.norms})
    for lag in LAGS:
        cosines = (strip.units[:-lag] * strip.units[lag:]).sum(1)
        table[f"lag_{lag}"] = np.concatenate([cosines, np.full(lag, np.nan)]).astype(np.float32)
    most = np.abs(strip.units).max(1, keepdims=True)
    signed = np.rint(127 * strip.units / np.where(most > 0, most, 1)).astype(np.int8)
    table["unit"] = pd.Series([row.tobytes() if with_units else None for row in signed], dtype=object)
    return table


def unpacked(table: pd.DataFrame) -> Strip:
    """The strip of seed 0's rows of one net, in order of steps; directions to within a byte."""
    import numpy as np

    from explorer.probes.strip import Strip, strip_of

    rows = table.sort_values("step")
    units = np.stack([np.frombuffer(unit, np.int8) for unit in rows["unit"]]).astype(np.float64)
    return Strip(strip_of(units).units, rows["norm"].to_numpy())


def _keep_training(out: Path, net: str, seed: int) -> Iterator[str]:
    if not (_has(out, AGREEMENT, net=net, seed=seed, start=USUAL) and _has(out, SIZES, net=net, seed=seed)):
        agreements, read = in_training(net, seed)
        if not _has(out, AGREEMENT, net=net, seed=seed, start=USUAL):
            _add(out, AGREEMENT, agreements)
        _add(out, SIZES, read)
        yield f"{net}, agreement and sizes in training"
    if net in FROM_IDENTITY and not _has(out, AGREEMENT, net=net, seed=seed, start=IDENTITY):
        _add(out, AGREEMENT, from_identity(net, seed))
        yield f"{net}, agreement at an identity start"


def _keep_forced(out: Path, net: str, seed: int) -> Iterator[str]:
    for manner, of in FORCED_RUNS.get(net, ()):
        if of == seed and not _has(out, FORCED, net=net, manner=manner, seed=seed):
            table = with_forced_size(net, manner, seed)
            _add(out, FORCED, table)
            yield f"{net}, {manner}: training error {table['train_error_pct'].iloc[-1]:.1f} %"


def _keep_strips(out: Path, net: str, seed: int) -> Iterator[str]:
    if not _has(out, STRIPS, net=net, seed=seed):
        strip = along_line(net, seed)
        table = packed(strip, with_units=seed == 0).assign(net=net, seed=seed)
        _add(out, STRIPS, table[_COLUMNS[STRIPS]])
        yield f"{net}, gradients along a line"


def _keep_paths(out: Path, net: str, seed: int) -> Iterator[str]:
    if net not in PATH_NETS or seed != 0:
        return
    for trained in (True, False):
        if not _has(out, PATHS, net=net, trained=trained):
            _add(out, PATHS, path_lengths(net, trained))
            yield f"{net}, lengths of paths, {'trained' if trained else 'untrained'}"


_KEEPERS: dict[Part, Callable[[Path, str, int], Iterator[str]]] = {
    "training": _keep_training,
    "forced": _keep_forced,
    "strips": _keep_strips,
    "paths": _keep_paths,
}


def _has(out: Path, file: str, **wanted: Any) -> bool:
    return has_rows(kept(file, out), **wanted)


def _add(out: Path, file: str, made: pd.DataFrame) -> None:
    joined = with_rows(kept(file, out), made)
    write_table(joined.astype(_SMALL.get(file, {})), out / file, COMMAND)


_SMALL: dict[str, dict[str, str]] = {
    AGREEMENT: {"block": "int16", "seed": "int8", "epoch": "int8", "cosine": "float32"},
    SIZES: {"block": "int16", "seed": "int8", "step": "int16", "stem_weight": "float32"},
    STRIPS: {"step": "int16", "seed": "int8", "norm": "float32"},
}


def _to_share(optimizer: Any) -> None:
    for group in optimizer.param_groups:
        for weight in group["params"]:
            norm, gradient = weight.detach().norm(), weight.grad
            wanted = HEALTHY_SHARE * (norm if weight.ndim > 1 else norm.clamp(min=1))
            gradient.mul_(wanted / gradient.norm().clamp(min=1e-30))


def _clip(optimizer: Any) -> None:
    import torch

    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    torch.nn.utils.clip_grad_norm_(weights, CLIP)


def _zoo_net(net: str) -> CifarNet:
    from explorer.nets.build import CifarNet
    from explorer.runs.net_opening import named_net

    loaded, _ = named_net(f"digits-{net}-s0", Zoo().runs(), "digits")
    assert isinstance(loaded.net, CifarNet)
    return loaded.net


def _settled(trainer: Trainer) -> CifarNet:
    from explorer.nets.identity import settle

    settle(trainer.net, trainer.train_images.normalised(slice(0, STATISTICS)))
    return trainer.net
