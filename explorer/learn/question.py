"""What a station asks: a question with options, or a prediction; and the measurements that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from explorer.analysis.gradients import Gradients

DATASET = "digits"
"""All stations are about nets on these images."""
Guess = tuple[float, ...]
"""Errors in per cent, in the order of a prediction's nets."""


@dataclass(frozen=True)
class Measurements:
    """What the answers are computed from, each read when it is asked for; all of nets on `DATASET`.

    Attributes:
        finals: final errors by family and depth; see `aggregates.final_errors`.
        epochs: that the nets were trained for.
        built: plain nets built by identity blocks; see `evidence.construct.kept`.
        gradients: before and in training; see `analysis.gradients`.
        ratios: norm of F(x) over that of x after the last epoch; see `responses.typical`.
        lesions: errors without some blocks; see `evidence.lesion.kept`.
        answer: the first class, and its probability, that a net gives to the picture of the last station.
        strengths: training error by strength of the shortcut at 56 layers; see `shortcuts.means`.
    """

    finals: Callable[[], pd.DataFrame]
    epochs: Callable[[], int]
    built: Callable[[], pd.DataFrame]
    gradients: Callable[[], Gradients]
    ratios: Callable[[], pd.DataFrame]
    lesions: Callable[[], pd.DataFrame]
    answer: Callable[[], tuple[str, float]]
    strengths: Callable[[], pd.DataFrame]


@dataclass(frozen=True)
class Question:
    """One question, and what the measurement says.

    Attributes:
        text: with what to do on the page, as Markdown.
        options: from which one is chosen.
        right: number of the option that was measured, from 0.
        shown: in one sentence what was shown here, and under which conditions.
    """

    text: str
    options: tuple[str, ...]
    right: int
    shown: str


@dataclass(frozen=True)
class PredictedNet:
    """A net whose error is guessed.

    Attributes:
        title: for people.
        family: whose colour it has.
        error_pct: measured, mean over the seeds.
    """

    title: str
    family: str
    error_pct: float


@dataclass(frozen=True)
class Prediction:
    """Errors to be guessed before they are shown.

    Attributes:
        text: the question.
        nets: whose errors are guessed.
        shown: what was measured, in one sentence, beside the guesses.
    """

    text: str
    nets: tuple[PredictedNet, ...]
    shown: Callable[[Guess], str]


Asked = Question | Prediction


class NotMeasured(ValueError):  # noqa: N818 - what is said of a station, and no fault
    """The library or the kept tables lack what a station's answer is computed from."""


def first_true(*cases: bool) -> int:
    """The number of the first case that holds, from 0; one of them does."""
    return cases.index(True)
