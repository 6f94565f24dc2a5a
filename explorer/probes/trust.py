"""Scores of how far an attribution can be trusted, each beside what a random map gets.

None of them proves a map right. Each can show one wrong: a map that a random one beats, that moves
with invisible noise, or that stays the same when the net has forgotten everything.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from captum.metrics import infidelity, sensitivity_max
from torch import Tensor, nn

from explorer.nets.build import draw
from explorer.nets.loaded_net import LoadedNet, ProbedNet
from explorer.probes.attributions import Attribution, AttributionRequest, Explainer
from explorer.probes.baselines import baseline
from explorer.probes.replica import Progress, replica

RANDOM_MAPS = 5
NOISE = 0.1
"""Standard deviation of infidelity's perturbations, as a share of the picture's range."""
RADIUS = 0.02
"""Largest change of a pixel in max-sensitivity, as a share of the picture's range."""
_INFIDELITY_SAMPLES = 200
_SENSITIVITY_SAMPLES = 10
_STEPS = 32


@dataclass(frozen=True)
class Score:
    """One number of a map and the same of random maps.

    Attributes:
        value: of the attribution.
        random: mean over `RANDOM_MAPS` random maps, seeded.
        low: least of them.
        high: greatest of them.
    """

    value: float
    random: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Trust:
    """All scores of one attribution.

    Attributes:
        infidelity: mean squared error of the map as a linear model of the score under noise, scaled at its
            best; logits squared; lower is better (Yeh et al. 2019).
        max_sensitivity: largest relative change of the map under noise nobody sees; lower is better
            (Yeh et al. 2019).
        deletion: area under the class's probability as the map's first pixels go; lower is better
            (Petsiuk, Das and Saenko 2018).
        insertion: the same as they come, from a blurred picture; higher is better.
        curves: columns curve (deletion or insertion), map (attribution or random), share, probability.
        randomisation: columns redrawn (which weights, from the top down), correlation (Spearman's, of the
            absolute map with the trained net's); near zero is as it should be (Adebayo et al. 2018).
    """

    infidelity: Score
    max_sensitivity: float
    deletion: Score
    insertion: Score
    curves: pd.DataFrame
    randomisation: pd.DataFrame


def measure(
    explainer: Explainer,
    found: Attribution,
    references: Tensor | None = None,
    progress: Progress | None = None,
) -> Trust:
    """All scores of an attribution that this subject made; some twenty times its own cost.

    Args:
        explainer: of the same net.
        found: what is judged.
        references: those that `found` was made with.
        progress: told the share that is done; raises `Cancelled` to stop.
    """
    parts = iter(range(5))

    def part(share: float = 0.0, after: Progress = progress or (lambda _: None)) -> Progress:
        number = next(parts)
        after(number / 5)
        return lambda inner: after((number + inner) / 5)

    part()
    linear = infidelity_score(explainer, found)
    sensitivity = max_sensitivity(explainer, found, references, part())
    part()
    deletion, removed = _masking(explainer, found, "deletion")
    part()
    insertion, added = _masking(explainer, found, "insertion")
    table = randomisation(explainer.loaded, found, references, part())
    return Trust(linear, sensitivity, deletion, insertion, pd.concat([removed, added]), table)


def infidelity_score(explainer: Explainer, found: Attribution) -> Score:
    """Infidelity under Gaussian noise (`NOISE`), for the map and for random maps."""
    scale = NOISE * float(found.inputs.max() - found.inputs.min())

    def of(attributions: Tensor) -> float:
        generator = torch.Generator().manual_seed(found.seed)

        def perturb(inputs: Tensor) -> tuple[Tensor, Tensor]:
            noise = scale * torch.randn(inputs.shape, generator=generator)
            return noise, inputs - noise

        return float(
            infidelity(
                explainer.net, perturb, found.inputs, attributions, target=found.target, normalize=True,
                n_perturb_samples=_INFIDELITY_SAMPLES, max_examples_per_batch=explainer.rows(found.inputs),
            )
        )  # fmt: skip

    return _scored(of, found.attributions, found.seed)


def max_sensitivity(
    explainer: Explainer,
    found: Attribution,
    references: Tensor | None = None,
    progress: Progress | None = None,
) -> float:
    """Largest relative change of the map among 10 pictures that differ by at most `RADIUS`."""
    radius = RADIUS * float(found.inputs.max() - found.inputs.min())
    generator = torch.Generator().manual_seed(found.seed)
    question = _question(found)
    done = 0

    def explain(inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        nonlocal done
        if progress is not None:
            progress(min(done / (_SENSITIVITY_SAMPLES + 1), 1.0))
        done += 1
        picture = inputs[0] if isinstance(inputs, tuple) else inputs
        return explainer.attribute(picture, question, references).attributions

    def perturb(inputs: Tensor) -> Tensor:
        return inputs + radius * (2 * torch.rand(inputs.shape, generator=generator) - 1)

    found_ = sensitivity_max(
        explain, found.inputs, perturb, n_perturb_samples=_SENSITIVITY_SAMPLES, max_examples_per_batch=1
    )
    return float(found_)


def randomisation(
    loaded: LoadedNet,
    found: Attribution,
    references: Tensor | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """The map after the weights were randomised from the top down; columns as in `Trust.randomisation`."""
    forgetful = replace(loaded, net=copy.deepcopy(replica(loaded.net)))
    generator = torch.Generator().manual_seed(found.seed)
    rows = []
    parts = _from_the_top(forgetful.net)
    for number, (name, modules) in enumerate(parts):
        if progress is not None:
            progress(number / len(parts))
        with torch.no_grad():
            for module in modules:
                draw(module, generator)
        # a subject's copy has its BN folded into the weights, so each state is a new copy
        other = Explainer(forgetful).attribute(found.inputs, _question(found), references)
        rows.append({"redrawn": name, "correlation": rank_correlation(found.map(), other.map())})
    return pd.DataFrame(rows)


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's correlation of the absolute values; NaN where a map is constant."""
    ranks = [pd.Series(part.abs().flatten().numpy()).rank() for part in (one, other)]
    if min(rank.nunique() for rank in ranks) < 2:
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def masking_curve(explainer: Explainer, found: Attribution, order: Tensor, curve: str) -> pd.DataFrame:
    """The class's probability as pixels go (deletion, to the mean colour) or come (insertion).

    Args:
        explainer: of the net.
        found: picture and target.
        order: pixel numbers, first to go or to come first, (H * W,).
        curve: deletion or insertion.

    Returns:
        Columns share (of pixels, 0 to 1), probability.
    """
    inputs = found.inputs
    nothing = baseline(explainer.loaded, inputs, "mean" if curve == "deletion" else "blurred")
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    counts = torch.linspace(0, len(order), min(_STEPS, len(order)) + 1).round().long()
    reached = (place[None] < counts[:, None]).view(len(counts), 1, *inputs.shape[2:])
    changed = torch.where(reached, nothing, inputs) if curve == "deletion" else (
        torch.where(reached, inputs, nothing)
    )  # fmt: skip
    probability = explainer.scores(changed).softmax(1)[:, found.target]
    return pd.DataFrame({"share": (counts / len(order)).numpy(), "probability": probability.numpy()})


def _masking(explainer: Explainer, found: Attribution, curve: str) -> tuple[Score, pd.DataFrame]:
    tables: list[pd.DataFrame] = []

    def of(attributions: Tensor) -> float:
        order = attributions[0].sum(0).flatten().argsort(descending=True, stable=True)
        table = masking_curve(explainer, found, order, curve)
        name = "random" if tables else "attribution"
        tables.append(table.assign(curve=curve, map=name))
        return float(np.trapezoid(table["probability"], table["share"]))

    score = _scored(of, found.attributions, found.seed)
    grouped = pd.concat(tables).groupby(["curve", "map", "share"])[["probability"]]
    return score, grouped.mean().reset_index()


def _scored(of: Callable[[Tensor], float], attributions: Tensor, seed: int) -> Score:
    generator = torch.Generator().manual_seed(seed)
    value = of(attributions)
    random = [of(torch.randn(attributions.shape, generator=generator)) for _ in range(RANDOM_MAPS)]
    return Score(value, float(np.mean(random)), min(random), max(random))


def _question(found: Attribution) -> AttributionRequest:
    return AttributionRequest(found.method, found.target, found.parameters, found.seed)


def _from_the_top(net: nn.Module) -> list[tuple[str, list[nn.Module]]]:
    """Head, last stage, …, first stage, stem: each is randomised on top of those before."""
    assert isinstance(net, ProbedNet)
    stages = sorted({block.stage for block in net.block_list()}, reverse=True)
    parts: list[tuple[str, list[nn.Module]]] = [("head", [net.head])]
    for stage in stages:
        blocks: list[nn.Module] = [block for block in net.block_list() if block.stage == stage]
        parts.append((f"+ stage {stage}", blocks))
    return [*parts, ("+ stem (all)", [net.stem])]
