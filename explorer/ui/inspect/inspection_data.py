"""What was read of a net and a picture: once for all who ask the same, kept for the next block."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import streamlit as st
from numpy import floating
from numpy.typing import NDArray

from explorer.data.preprocess import Inversion, NetInput, Picture, fit
from explorer.data.registry import BUILT_IN, available
from explorer.ui.components.net_picker import PROBING, opened

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.activations import Activations
    from explorer.probes.readout import LinearReadout
    from explorer.runs.net_catalogue import NetChoice

READOUTS = {"skip": "rest of the net", "linear": "fitted line"}


@dataclass(frozen=True, eq=False)
class InspectionData:
    """One net that has looked at one picture.

    Attributes:
        choice: the net, as it was chosen.
        loaded: the net.
        picture: what was chosen.
        seen: what the net was shown.
        read: what its blocks made of it.
    """

    choice: NetChoice
    loaded: LoadedNet
    picture: Picture
    seen: NetInput
    read: Activations

    @property
    def key(self) -> str:
        """Names in caches what was read, from which picture, and what its classes are called."""
        names = blake2b("\0".join(self.loaded.classes).encode(), digest_size=6).hexdigest()
        return f"{self.choice.key}-{names}-{self.picture.key}-{_digest(self.seen)}"


def load_inspection(choice: NetChoice, picture: Picture, tone: Inversion) -> InspectionData:
    """Show a picture to a net; read once per net, picture and tone, then kept for everybody.

    Raises:
        ValueError: the net cannot be opened.
    """
    loaded = opened(choice)
    seen = fit(picture, loaded.image_size, loaded.in_channels, tone)
    return InspectionData(choice, loaded, picture, seen, _read(choice.key, _digest(seen), loaded, seen))


def readout_of(found: InspectionData, kind: str) -> NDArray[floating]:
    """Probabilities after the stem and each block; see `explorer.probes.readout`.

    Raises:
        ValueError: a line cannot be fitted, or the training split cannot be read.
    """
    if kind != "linear":
        with PROBING:
            return found.read.readout
    places = [found.read.stem, *(block.output for block in found.read.blocks)]
    return fitted(found.choice).read(places)


@st.cache_resource(
    max_entries=12, show_spinner="Fitting a line after each block, a few seconds, once per net…"
)
def fitted(choice: NetChoice) -> LinearReadout:
    """The net's linear read-outs, fitted on the training split of its own data."""
    from explorer.data.sources import open_dataset
    from explorer.probes.readout import ReadoutError, fit_readout

    loaded = opened(choice)
    if choice.dataset not in {*BUILT_IN, *(there.name for there in available())}:
        raise ReadoutError(
            f"The images that {choice.title} was trained on are not here, so no line can be fitted. "
            "Shown is the rest of the net."
        )
    dataset = open_dataset(choice.dataset)
    with PROBING:
        return fit_readout(loaded, dataset)


def _digest(seen: NetInput) -> str:
    return blake2b(seen.pixels.tobytes(), digest_size=12).hexdigest()


@st.cache_resource(max_entries=8, show_spinner="Reading all blocks…")
def _read(net: str, seen: str, _loaded: LoadedNet, _seen: NetInput) -> Activations:
    from explorer.probes.activations import read_activations

    with PROBING:
        return read_activations(_loaded, _seen.pixels)
