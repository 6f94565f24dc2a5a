"""How does a net come into the app? Uploaded, fetched from torchvision, or built untrained by its id."""

from __future__ import annotations

import time

import streamlit as st

from explorer.nets.published import PUBLISHED, PublishedNet
from explorer.nets.spec import Family
from explorer.runs.catalogue import TORCHVISION, UNTRAINED, find_net, weights_folder
from explorer.ui.inside.nets import (
    MAX_UPLOAD_MIB,
    MAX_UPLOADS,
    ask_for,
    forget_upload,
    keep_upload,
    net_choices,
    session_choices,
)

_FILE, _FAMILY, _ID, _IMAGENET = "net-file", "net-family", "net-id", "net-imagenet"
_SAID = "opening-said"
_ENDINGS = ["safetensors", "pt", "pth", "th", "bin", "tar"]


def open_view() -> None:
    """Three ways to open a net; what went wrong with the last one is said in one message."""
    said = st.session_state.pop(_SAID, "")
    if said:
        st.error(said, icon=":material/error:")
    upload, imagenet, untrained = st.columns(3, gap="medium", border=True)
    with upload:
        _upload()
    with imagenet:
        _imagenet()
    with untrained:
        _untrained()


def _upload() -> None:
    st.markdown("**Your checkpoint**")
    st.radio(
        "A published file does not say whether its net has shortcuts: read it as",
        ["residual", "plain"], key=_FAMILY, horizontal=True, persist_state="session",
    )  # fmt: skip
    st.file_uploader(
        "safetensors or PyTorch state dict", type=_ENDINGS, key=_FILE, on_change=_take_file,
        max_upload_size=MAX_UPLOAD_MIB,
        help="Of a CIFAR-style net, or torchvision's own file of a ResNet, such as resnet50-0676ba61.pth. "
        f"Up to {MAX_UPLOAD_MIB} MiB; nothing in it is executed. It stays in this session, the last "
        f"{MAX_UPLOADS} of them, and stands in the list of nets on every page.",
    )  # fmt: skip
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
    asked: Family | None = "plain" if st.session_state.get(_FAMILY) == "plain" else None
    try:
        choice = keep_upload(file.getvalue(), file.name, asked)
    except ValueError as error:
        st.session_state[_SAID] = str(error)
        return
    st.session_state["net"] = choice.key


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
            _fetch(about)
    elif about.file:
        st.button(
            "Open with the published weights", on_click=_show, args=(TORCHVISION + about.id,), width="stretch"
        )
    st.button("Open with random weights", on_click=_show, args=(UNTRAINED + about.id,), width="stretch")


def _fetch(about: PublishedNet) -> None:
    from explorer.nets.weights import WeightsError, fetch_published

    bar, began = st.progress(0.0, "Asking torchvision's server…"), time.monotonic()

    def progress(come: float, all_of: float) -> None:
        share = min(come / all_of, 1.0)
        left = (time.monotonic() - began) * (1 - share) / max(share, 1e-6)
        bar.progress(share, f"{come:.0f} of {all_of:.0f} MiB, about {left:.0f} s left")

    try:
        fetch_published(about, weights_folder(), progress)
    except WeightsError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    net_choices.clear()
    st.session_state["next-net"] = TORCHVISION + about.id
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
