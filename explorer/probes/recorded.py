"""The measurements that training records after every epoch: one entry each, read by trainer, store and pages.

A further measurement is a further entry: its column is made in records, kept and read back in the store,
exported, and, where the entry has an axis, drawn on the Live training page. No torch is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from explorer.nets.build import CifarNet
    from explorer.probes.responses import Responses

Part = Literal["block", "layer"]


@dataclass(frozen=True)
class Moment:
    """What can be measured when an epoch ends.

    Attributes:
        net: as it is trained, with the gradients of its last step; none before the first.
        responses: of a fixed batch of training images, read in eval mode.
    """

    net: CifarNet
    responses: Responses


@dataclass(frozen=True)
class Axis:
    """The logarithmic axis of a chart over the blocks.

    Attributes:
        heading: of the chart, in Markdown.
        top: its upper end, as a power of ten.
        floors: its lower ends, as powers of ten; the first that holds all values is taken.
    """

    heading: str
    top: float
    floors: tuple[float, ...]


@dataclass(frozen=True)
class Recorded:
    """One number per block, or per 3x3 layer, after every epoch.

    Attributes:
        column: its name in records and files; it never changes.
        title: its symbol or its name, for people.
        unit: of the number.
        of: what has one such number.
        compute: the numbers at a moment, (blocks,) or (layers,); NaN where nothing was measured.
        axis: of its chart on the Live training page, or None where it has none.
        exported: whether it is one of TensorBoard's scalars.
    """

    column: str
    title: str
    unit: str
    of: Part
    compute: Callable[[Moment], NDArray[np.floating]]
    axis: Axis | None = None
    exported: bool = True


def _response(part: Part, column: str) -> Callable[[Moment], NDArray[np.floating]]:
    def read(moment: Moment) -> NDArray[np.floating]:
        responses = moment.responses
        table = responses.blocks if part == "block" else responses.layers
        return table[column].to_numpy()

    return read


def _gradient_norm(moment: Moment) -> NDArray[np.floating]:
    from explorer.probes.responses import gradient_norms

    norms: NDArray[np.floating] = gradient_norms(moment.net.block_list()).cpu().numpy()
    return norms


RECORDED = (
    Recorded("residual_norm", "‖F(x)‖", "Euclidean norm", "block", _response("block", "residual_norm")),
    Recorded(
        "input_norm", "‖x‖", "Euclidean norm", "block", _response("block", "input_norm"), exported=False
    ),
    Recorded(
        "residual_ratio", "‖F(x)‖ / ‖x‖", "ratio", "block", _response("block", "residual_ratio"),
        axis=Axis("**What each block adds**, relative to its input; faint: at the start", 1.5, (-1.5, -3.2)),
    ),
    Recorded(
        "gradient_norm", "gradient norm", "Euclidean norm", "block", _gradient_norm,
        axis=Axis(
            "**Gradient in each block**, after the last epoch; faint: after the first", 1.3,
            (-4.3, -8.3, -20.3),
        ),
    ),
    Recorded(
        "response_std", "Response std", "std of the response", "layer", _response("layer", "response_std")
    ),
)  # fmt: skip
"""In the order of the columns."""


def columns(part: Part) -> tuple[str, ...]:
    """The recorded columns of blocks or of layers, in order."""
    return tuple(one.column for one in RECORDED if one.of == part)


def measure(moment: Moment) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everything that is recorded at this moment.

    Returns:
        Blocks (block, stage, layer and `columns("block")`) and layers (layer and `columns("layer")`).
    """
    places = moment.responses.blocks[["block", "stage", "layer"]], moment.responses.layers[["layer"]]
    return (
        places[0].assign(**{one.column: one.compute(moment) for one in RECORDED if one.of == "block"}),
        places[1].assign(**{one.column: one.compute(moment) for one in RECORDED if one.of == "layer"}),
    )
