"""Whether gradients vanish on their way back: the first block's norm over the last one's, at every time.

The norm is that of the loss's gradient in a block's weights; a net's ratio is the median over its seeds.
Untrained nets are read on 16 digits with BN's batch statistics (`evidence.signal_propagation`); trained ones
from the gradient of an epoch's last batch, which every run records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import pandas as pd

from explorer.analysis import wording
from explorer.analysis.verdicts import HEALTHY_GRADIENT, Judged
from explorer.nets.families import family_title
from explorer.nets.spec import NetSpec

JUDGED_DEPTHS = (20, 32, 56)
"""What the claim is about: the paper speaks of 18 and 34 layers on ImageNet, and of 20 to 56 on CIFAR-10."""
BEYOND = 110
"""Named beside the verdict: the paper's plain net of this depth does not train either."""
WILD = 1e6
"""A ratio from here on is called an explosion."""
_ALIVE = 0.1
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Ratio:
    """The first block's gradient norm over the last one's.

    Attributes:
        value: median over the seeds.
        low: of the seeds.
        high: of the seeds.
        seeds: how many.
    """

    value: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        """As people read it: '340', '9·10⁷⁸'."""
        return magnitude(self.value)


@dataclass(frozen=True)
class Gradients:
    """What was measured of some nets, by their ids.

    Attributes:
        untrained: at initialisation.
        first: after the first epoch.
        last: after the last epoch.
    """

    untrained: Mapping[str, Ratio]
    first: Mapping[str, Ratio]
    last: Mapping[str, Ratio]


def measured(runs: pd.DataFrame, blocks: pd.DataFrame, signal: pd.DataFrame) -> Gradients:
    """Ratios of all nets in these tables.

    Args:
        runs: columns run_id, id; runs that count, see `selection`, of one protocol.
        blocks: their records: columns run_id, epoch, block, gradient_norm.
        signal: of untrained nets: columns net, seed, block, gradient_norm.
    """
    known = blocks[(blocks["epoch"] > 0) & blocks["gradient_norm"].notna()]
    known = known.merge(runs[["run_id", "id"]], on="run_id")
    by_run = known.groupby("run_id")["epoch"]
    first, last = (known[known["epoch"] == by_run.transform(which)] for which in ("min", "max"))
    untrained = signal.rename(columns={"net": "id", "seed": "run_id"})
    return Gradients(*(_ratios(table) for table in (untrained, first, last)))


def untrained_sentence(found: Gradients, nets: list[str]) -> str:
    """How much larger the gradient is at the first block than at the last, before any training."""
    known = {net: found.untrained[net] for net in nets if net in found.untrained}
    if not known:
        return ""
    grown = [f"{ratio} times in {_title(net)}" for net, ratio in known.items()]
    grown[0] = grown[0].replace(" times in", " times as large as in the last one's in", 1)
    said = (
        f"**Untrained, the gradient in the first block's weights is** {wording.listed(grown)} "
        f"(BN with batch statistics, 16 digits, {_over(next(iter(known.values())))})."
    )
    plain = [net for net, ratio in known.items() if net.startswith("plain") and ratio.value > 1]
    wild = [_title(net) for net, ratio in known.items() if ratio.value >= WILD]
    if wild:
        return f"{said} In {wording.listed(wild)} it does not vanish on its way back: it explodes."
    return f"{said} In {_title(plain[0])} it does not vanish on its way back: it grows." if plain else said


def trained_sentence(found: Gradients, nets: list[str]) -> str:
    """The same ratio after the first and after the last epoch."""
    known = [net for net in nets if net in found.first and net in found.last]
    if not known:
        return "No gradients were recorded for this depth."
    said = [f"{_title(net)}: {_both(found, net)}" for net in known]
    over = _over(found.last[known[0]])
    return (
        f"**In training**, the norm in the first block's weights over that in the last block's ({over}): "
        f"{'; '.join(said)}."
    )


def judge(found: Gradients) -> Judged:
    """The paper's claim that gradients of deep plain nets keep healthy norms, by the rule in `RULES`."""
    nets = [net for depth in JUDGED_DEPTHS if (net := f"plain-{depth}") in found.last]
    if f"plain-{JUDGED_DEPTHS[-1]}" not in nets:
        return Judged("not measured yet", "not all of the nets compared were trained on these images")
    least = min(min(found.first[net].value, found.last[net].value) for net in nets)
    healthy = least >= HEALTHY_GRADIENT
    numbers = "; ".join(f"{_title(net)}: {_both(found, net)}" for net in nets)
    said = (
        f"norm in the first block's weights over that in the last block's, {_over(found.last[nets[-1]])}: "
        f"{numbers}"
    )
    beyond = f"plain-{BEYOND}"
    if beyond in found.last:
        said += f"; beyond the claim, {_title(beyond)}: {_both(found, beyond)}"
    return Judged("reproduced" if healthy else "not reproduced", said)


def signal_sentence(signal: pd.DataFrame) -> str:
    """What becomes of the forward signal in untrained nets of one depth.

    Args:
        signal: columns net, block, output_std.
    """
    lasts = signal[signal["block"] == signal.groupby("net")["block"].transform("max")]
    stds = lasts.groupby("net", sort=False)["output_std"].mean()
    if stds.empty:
        return ""
    left = wording.listed([f"{std:.2g} ({_title(str(net))})" for net, std in stds.items()])
    end = "; it dies out in none of them." if stds.min() >= _ALIVE else "."
    return f"The signal's standard deviation after the last block is {left}{end}"


def magnitude(value: float) -> str:
    """Two digits, or a power of ten where that is more readable: '340', '9·10⁷⁸'."""
    if 0.01 <= value < WILD:
        return f"{float(f'{value:.2g}'):,.12g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}"


def _both(found: Gradients, net: str) -> str:
    return f"{found.first[net]} after the first epoch, {found.last[net]} at the end"


def _over(ratio: Ratio) -> str:
    return "one seed" if ratio.seeds == 1 else f"median of {ratio.seeds} seeds"


def _title(net: str) -> str:
    try:
        return NetSpec.parse(net).title
    except ValueError:
        return family_title(net)


def _ratios(table: pd.DataFrame) -> dict[str, Ratio]:
    """By net, from columns id, run_id (what tells seeds apart), block and gradient_norm."""
    found: dict[str, list[float]] = {}
    if table.empty:
        return {}
    for (net, _), part in table.groupby(["id", "run_id"], sort=False):
        norms = part.sort_values("block")["gradient_norm"]
        if norms.iloc[-1] > 0:
            found.setdefault(str(net), []).append(float(norms.iloc[0] / norms.iloc[-1]))
    return {net: Ratio(median(each), min(each), max(each), len(each)) for net, each in found.items()}
