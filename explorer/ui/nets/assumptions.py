"""What a checkpoint's file does not say, on the Nets page: told, asked for, and tested on a dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from explorer.charts.words import literal
from explorer.data.registry import available
from explorer.nets.checkpoint_reading import MAX_SIDE, PADDINGS, PROJECTED, Reading
from explorer.nets.normalisation import Normalisation, given
from explorer.runs.net_catalogue import UPLOAD, NetChoice
from explorer.ui.components.net_picker import opened

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.candidates import Candidate

FAMILY = "net-family"
_PADDING, _PROJECTION, _WEIGHTS = "net-padding", "net-projection", "net-weights"
_MEAN, _STD, _SIZE, _TEST = "net-mean", "net-std", "net-size", "net-test"
_FOUND = "net-tested"
_LEFT = "as the file suggests"
_KEPT: dict[str, Any] = {"persist_state": "session"}
"""No address names these, so the session remembers them."""


def ask_reading(changed: Callable[[], None]) -> None:
    """Controls for all that a file may leave open; each has an option of the same name in the shell."""
    st.radio(
        "A published file does not say whether its net has shortcuts: read it as",
        ["residual", "plain"], key=FAMILY, **_KEPT, horizontal=True, on_change=changed,
    )  # fmt: skip
    with st.expander("What else its file does not say"):
        st.text_input(
            "Mean per channel", key=_MEAN, **_KEPT, placeholder="0.485, 0.456, 0.406", on_change=changed,
            help="Of pixels in 0 to 1, as it was trained. Empty: as the file suggests.",
        )  # fmt: skip
        st.text_input(
            "Std per channel", key=_STD, **_KEPT, placeholder="0.229, 0.224, 0.225", on_change=changed
        )
        st.selectbox("Option A pads", [_LEFT, *PADDINGS], key=_PADDING, **_KEPT, on_change=changed,
                     help="New channels on both sides of the old ones, or all after them.")  # fmt: skip
        st.selectbox(
            "Projections see", [_LEFT, *PROJECTED], key=_PROJECTION, **_KEPT, on_change=changed,
            help="In a pre-activation net: the block's input, or that after BN and ReLU.",
        )  # fmt: skip
        st.number_input("Side of its pictures (pixels)", 4, MAX_SIDE, None, key=_SIZE, on_change=changed,
                        **_KEPT, placeholder="as its stem suggests")  # fmt: skip
        st.text_input("Which weights", key=_WEIGHTS, **_KEPT, placeholder="ema", on_change=changed,
                      max_chars=200, help="Of several sets in one file, by a part of the name.")  # fmt: skip


def asked_reading() -> Reading:
    """What those controls say.

    Raises:
        ValueError: mean or std cannot be read as numbers, or are not given together.
    """
    said = st.session_state
    padding, projection = said.get(_PADDING), said.get(_PROJECTION)
    size = said.get(_SIZE)
    return Reading(
        family="plain" if said.get(FAMILY) == "plain" else None,
        padding=padding if padding in PADDINGS else None,
        projection=projection if projection in PROJECTED else None,
        weights=str(said.get(_WEIGHTS) or "").strip() or None,
        normalisation=_scale(),
        image_size=None if size is None else int(size),
    )


def _scale() -> Normalisation | None:
    mean, std = (_numbers(str(st.session_state.get(key) or "")) for key in (_MEAN, _STD))
    return given(mean, std)


def _numbers(text: str) -> tuple[float, ...] | None:
    try:
        return tuple(float(part) for part in text.replace(",", " ").split()) or None
    except ValueError:
        raise ValueError(
            f"'{text[:40]}' cannot be read as numbers: write one for each channel, such as 0.5, 0.5, 0.5."
        ) from None


def say(reading: Reading) -> None:
    """Set the controls to a reading."""
    values: dict[str, Any] = {
        FAMILY: "plain" if reading.family == "plain" else "residual",
        _PADDING: reading.padding or _LEFT,
        _PROJECTION: reading.projection or _LEFT,
    }
    if reading.normalisation is not None:
        scale = reading.normalisation
        for key, numbers in ((_MEAN, scale.mean), (_STD, scale.std)):
            values[key] = ", ".join(f"{value:.4g}" for value in numbers)
    st.session_state.update(values)


def assumed_view(
    choice: NetChoice, file: Callable[[], tuple[bytes, str] | None], read: Callable[[], None]
) -> None:
    """What was assumed of the net's file and left out of it; with a dataset, which reading is right.

    Args:
        choice: the net that is shown.
        file: content and name of the last upload, if it is still there.
        read: reads that upload again as the controls say.
    """
    loaded = opened(choice)
    if not choice.key.startswith(UPLOAD) or not (loaded.assumptions or loaded.notes):
        return
    with st.container(border=True):
        st.markdown("**What its file does not say, and what was taken**")
        lines = [*loaded.notes, *(f"{found.text}." for found in loaded.assumptions)]
        st.markdown("\n".join(f"- {literal(line)}" for line in lines))
        st.caption(
            "To say otherwise, use the controls below, under “Your checkpoint”; they read the file again."
        )
        there = file()
        if there is not None:
            _test(choice, loaded, there, read)


def _test(choice: NetChoice, loaded: LoadedNet, file: tuple[bytes, str], read: Callable[[], None]) -> None:
    from explorer.probes.candidates import is_open

    fitting = {
        found.name: found.title for found in available()
        if found.classes == len(loaded.classes) and found.channels == loaded.in_channels and found.train
    }  # fmt: skip
    if not is_open(loaded) or not fitting:
        return
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.selectbox(
        "Test it on training images of", list(fitting), format_func=fitting.__getitem__, key=_TEST
    )
    if right.button("Test all readings", key="net-test-go", width="stretch"):
        with st.spinner("Testing each reading…"):
            st.session_state[_FOUND] = (choice.key, name, _tested(file, name))
    key, tested_on, found = st.session_state.get(_FOUND, ("", "", []))
    if key == choice.key and found and tested_on in fitting:
        _show(found, fitting[tested_on], len(loaded.classes), read)


def _tested(file: tuple[bytes, str], name: str) -> list[Candidate]:
    from explorer.data.sources import open_dataset
    from explorer.probes.candidates import tested
    from explorer.runs.net_opening import upload_readings

    reading = asked_reading()
    return tested(upload_readings(*file, reading), reading, open_dataset(name))


def _show(found: list[Candidate], title: str, classes: int, read: Callable[[], None]) -> None:
    from explorer.probes.candidates import offered

    best = min(found, key=lambda each: each.error_pct)
    rows = [{"Reading": each.options or "as it was read", "Error (%)": each.error_pct} for each in found]
    st.markdown(literal(offered(found, classes)) or f"On {title} no other reading is clearly better.")
    st.dataframe(pd.DataFrame(rows).sort_values("Error (%)"), hide_index=True, width="stretch")

    def take() -> None:
        say(best.reading)
        read()

    if best.options and best.error_pct < found[0].error_pct:
        st.button(f"Read it with {best.options}", key="net-test-take", on_click=take)
