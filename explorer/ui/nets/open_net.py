"""Four ways to open a net: upload it, fetch a published one of CIFAR or ImageNet, or build it untrained."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from explorer.nets.published_cifar import LICENCE, PUBLISHED_CIFAR, PUBLISHER
from explorer.nets.published_imagenet import PUBLISHED
from explorer.runs.net_catalogue import (
    PUBLISHED_NET,
    TORCHVISION,
    UNTRAINED,
    NetChoice,
    cifar_folder,
    find_net,
    is_here,
    weights_folder,
)
from explorer.ui.components.net_picker import (
    MAX_UPLOAD_MIB,
    MAX_UPLOADS,
    ask_for,
    forget_upload,
    keep_upload,
    net_choices,
    session_choices,
)
from explorer.ui.components.upload_budget import count_upload, most_mib
from explorer.ui.nets.assumptions import ask_reading, asked_reading, assumed_view

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.nets.weights import About

_FILE, _ID, _CIFAR, _IMAGENET = "net-file", "net-id", "net-cifar", "net-imagenet"
_SAID = "opening-said"


def open_view() -> None:
    """Four ways to open a net; what went wrong with the last one is said in one message."""
    said = st.session_state.pop(_SAID, "")
    if said:
        st.error(said, icon=":material/error:")
    upload, cifar = st.columns(2, gap="medium", border=True)
    imagenet, untrained = st.columns(2, gap="medium", border=True)
    with upload:
        _upload()
    with cifar:
        _cifar()
    with imagenet:
        _imagenet()
    with untrained:
        _untrained()


def _upload() -> None:
    st.markdown("**Your checkpoint**")
    st.file_uploader(
        "safetensors or PyTorch state dict", type=None, key=_FILE, on_change=_take_file,
        max_upload_size=most_mib(MAX_UPLOAD_MIB),
        help="Of a residual or plain net from any code base, whatever the file is called, such as "
        f"resnet50-0676ba61.pth or best.ckpt; also alone in a zip. Up to {MAX_UPLOAD_MIB} MiB; nothing in it "
        f"is executed. It stays in this session, the last {MAX_UPLOADS} of them, "
        "and stands in the list of nets on every page.",
    )  # fmt: skip
    ask_reading(_take_file)
    for choice in session_choices():
        if choice.group == "upload":
            st.button(
                f"Forget {choice.title}", key=f"forget-{choice.key}", icon=":material/delete:",
                on_click=forget_upload, args=(choice.key,), type="tertiary",
            )  # fmt: skip


def _take_file() -> None:
    file = st.session_state.get(_FILE)
    if file is None:
        return
    try:
        count_upload(file.getbuffer(), file.name)
        choice = keep_upload(file.getvalue(), file.name, asked_reading())
    except ValueError as error:
        st.session_state[_SAID] = str(error)
        return
    st.session_state["net"] = choice.key


def show_assumed(choice: NetChoice) -> None:
    """What was assumed of an uploaded net, and its test on a dataset."""
    assumed_view(choice, _last_file, _take_file)


def _last_file() -> tuple[bytes, str] | None:
    file = st.session_state.get(_FILE)
    return None if file is None else (file.getvalue(), file.name)


def _cifar() -> None:
    st.markdown("**A published CIFAR-10 net**")
    name = st.selectbox(
        "Net of Table 6", list(PUBLISHED_CIFAR),
        format_func=lambda key: PUBLISHED_CIFAR[key].title if key in PUBLISHED_CIFAR else key,
        key=_CIFAR, persist_state="session",
        help=f"Trained by others with the paper's recipe and published as {PUBLISHER}.",
    )  # fmt: skip
    about = PUBLISHED_CIFAR.get(name, next(iter(PUBLISHED_CIFAR.values())))
    st.caption(
        f"By {PUBLISHER}, {LICENCE}. Its publisher states a test error of {about.error_pct:g} % on CIFAR-10."
    )
    if is_here(about):
        st.button(f"Open {about.title}", on_click=_show, args=(PUBLISHED_NET + about.id,), width="stretch")
    elif st.button(f"Fetch and open {about.title} ({about.mib:.0f} MiB)", width="stretch"):
        _fetch(about, cifar_folder(), PUBLISHED_NET + about.id)


def _imagenet() -> None:
    st.markdown("**An ImageNet net**")
    name = st.selectbox(
        "Design", list(PUBLISHED), format_func=lambda key: PUBLISHED[key].title if key in PUBLISHED else key,
        key=_IMAGENET, persist_state="session",
        help="Built of this explorer's blocks; torchvision's published weights fit exactly.",
    )  # fmt: skip
    about = PUBLISHED.get(name, next(iter(PUBLISHED.values())))
    if about.variant:
        st.caption(f"{about.variant[0].upper()}{about.variant[1:]}.")
    if about.file and not (weights_folder() / about.file).is_file():
        if st.button(f"Fetch the published weights ({about.mib:.0f} MiB)", width="stretch"):
            _fetch(about, weights_folder(), TORCHVISION + about.id)
    elif about.file:
        st.button(
            "Open with the published weights", on_click=_show, args=(TORCHVISION + about.id,), width="stretch"
        )
    st.button("Open with random weights", on_click=_show, args=(UNTRAINED + about.id,), width="stretch")


def _fetch(about: About, folder: Path, key: str) -> None:
    from explorer.nets.weights import WeightsError, fetch_published

    bar, began = st.progress(0.0, "Asking the publisher's server…"), time.monotonic()

    def progress(come: float, all_of: float) -> None:
        share = min(come / all_of, 1.0)
        left = (time.monotonic() - began) * (1 - share) / max(share, 1e-6)
        bar.progress(share, f"{come:.0f} of {all_of:.0f} MiB, about {left:.0f} s left")

    try:
        fetch_published(about, folder, progress)
    except WeightsError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    net_choices.clear()
    st.session_state["next-net"] = key
    st.rerun()


def _untrained() -> None:
    st.markdown("**Any design, untrained**")
    st.text_input(
        "Id of a net", "residual-1202", key=_ID, max_chars=60, persist_state="session",
        help="Family and depth, such as plain-56, residual-110-B, preact-164-bottleneck or highway-32.",
    )  # fmt: skip
    st.button("Open untrained", on_click=_build, width="stretch")


def _build() -> None:
    try:
        choice = find_net([], UNTRAINED + str(st.session_state.get(_ID, "")).strip())
    except ValueError as error:
        st.session_state[_SAID] = str(error)
        return
    _show(choice.key)


def _show(key: str) -> None:
    ask_for(key)
    st.session_state["net"] = key


def take_next() -> None:
    """Show the net that was just fetched; before the list of nets is drawn."""
    key = st.session_state.pop("next-net", None)
    if key is not None:
        st.session_state["net"] = key
