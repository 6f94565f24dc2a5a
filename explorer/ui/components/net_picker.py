"""Pickers of nets: listed for everybody, opened once for all; uploads stay with their session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import streamlit as st

from explorer.runs import weight_files
from explorer.runs.net_catalogue import (
    UPLOAD,
    NetChoice,
    NetError,
    at_epoch,
    find_net,
    published_nets,
    trained_nets,
    weights_folder,
)
from explorer.runs.net_opening import BY_NAME, open_net, open_upload, upload_choice
from explorer.ui.cached_runs import library, zoo_runs
from explorer.ui.components.class_names import is_nameless, offer_names
from explorer.ui.components.url_widgets import linked_choice, settle_number, tell_absent
from explorer.ui.url_parameters import Choice, bound, declare, texts_of

if TYPE_CHECKING:
    from explorer.nets.checkpoint_reading import Reading
    from explorer.nets.loaded_net import LoadedNet

PROBING = Lock()
"""Held while a shared net is probed: hooks of two sessions must not meet."""
MAX_UPLOADS = 4
MAX_UPLOAD_MIB = 256
_MOST_KEPT_BYTES = 2 * MAX_UPLOAD_MIB * 2**20
AT_EPOCH, _SHIPS = "at", "ships"
_AT = declare(Choice(AT_EPOCH))
_UPLOADS = "uploaded-nets"
_ASKED = "asked-nets"
SHARED = "Ask its owner for the file and open it on the Nets page; then this link shows it here too."
"""How somebody else can see an uploaded net."""


@st.cache_data(ttl=10, show_spinner=False)
def net_choices() -> list[NetChoice]:
    """All nets that everybody here can open: the zoo's, the user's own, published ones that were fetched."""
    return trained_nets(library().runs()) + published_nets()


def session_choices() -> list[NetChoice]:
    """What only this session lists: its uploads, and nets that it asked for by name."""
    return [upload_choice(loaded) for loaded in _uploads().values()] + list(_asked().values())


def choose_net(
    label: str = "Net",
    key: str = "net",
    *,
    default: str = "",
    families: Collection[str] | None = None,
    datasets: Collection[str] | None = None,
    with_twin: bool = False,
) -> NetChoice:
    """A net from the list; the URL's `key`. At first, and for whatever the URL gets wrong, it is `best_net`.

    Args:
        label: what the net is for.
        key: of the widget and in the URL.
        default: key of the net that is chosen at first, if it is there, instead of `best_net`.
        families: only these.
        datasets: only nets trained on one of these.
        with_twin: only nets whose plain or residual twin is there too.
    """
    ask_for(st.session_state.get(key) or next(iter(texts_of(key)[-1:]), None))
    found = narrowed([*net_choices(), *session_choices()], families, datasets, with_twin)
    choices = {choice.key: choice for choice in found}
    if not choices:
        raise NetError("No net here fits this view. Train one, or make the zoo, and come back.")
    tell = tell_absent(key, {*choices, *(one.title for one in found)}, own=UPLOAD, what="net", how=SHARED)
    chosen = linked_choice(
        label, {name: choice.title for name, choice in choices.items()}, key,
        default=default if default in choices else best_net() or "",
        help="The zoo, your own runs, and what you opened on the Nets page.",
    )  # fmt: skip
    tell(chosen, choices[chosen].title)
    _name_classes(choices[chosen], key)
    return choices[chosen]


def _name_classes(choice: NetChoice, key: str) -> None:
    """For an upload whose classes have no names: a place for them, which then stay with the net."""
    loaded = _uploads().get(choice.key)
    if loaded is None or not is_nameless(loaded.classes):
        return
    named = offer_names(loaded, key)
    if named is not loaded:
        _uploads()[choice.key] = named
        st.rerun()


def best_net() -> str | None:
    """The net shown first: of those on colour pictures that ship, the one with the lowest test error.

    Without one, a deep net on digits, or None.
    """
    runs = zoo_runs()
    colour = runs[runs["dataset"].isin(["cifar10", "cifar10-jpeg"]) & runs["checkpoint"].astype(bool)]
    if colour.empty:
        return next((one.key for one in net_choices() if one.key.startswith("digits-residual-56")), None)
    return str(colour.sort_values(["test_error_pct", "run_id"]).iloc[0]["run_id"])


def narrowed(
    choices: Sequence[NetChoice],
    families: Collection[str] | None = None,
    datasets: Collection[str] | None = None,
    with_twin: bool = False,
) -> list[NetChoice]:
    """The choices that a page can use; see `choose_net`."""
    kept = [choice for choice in choices if families is None or choice.family in families]
    kept = [choice for choice in kept if datasets is None or choice.dataset in datasets]
    return [choice for choice in kept if twin_of(choice, kept) is not None] if with_twin else kept


_OF_TWINS = ("depth", "dataset", "seed", "iterations")


def twin_of(choice: NetChoice, choices: Sequence[NetChoice]) -> NetChoice | None:
    """The plain net of a residual one and the other way round: same depth, data and seed, if it is there."""
    wanted = {"plain": "residual"}.get(choice.family, "plain")
    for other in choices:
        same = all(getattr(other, name) == getattr(choice, name) for name in _OF_TWINS)
        if same and other.family == wanted and other.group == choice.group:
            return other if choice.epoch is None else _then(other, choice.epoch)
    return None


def _then(choice: NetChoice, epoch: int) -> NetChoice | None:
    return at_epoch(choice, epoch) if epoch in weight_files.epochs_of(choice.key) else None


def choose_epoch(choice: NetChoice) -> NetChoice:
    """The net as it was after an epoch, where its epochs are kept, or as it ships; the URL's `at`."""
    epochs = weight_files.epochs_of(choice.key)
    if not epochs:
        return choice
    settle_number(AT_EPOCH, epochs, "No weights of epoch {} are kept")
    titles = {str(epoch): str(epoch) for epoch in epochs} | {_SHIPS: "as it ships"}
    chosen = st.select_slider(
        "Epoch", list(titles), value=_SHIPS, format_func=lambda name: titles.get(name, name),
        **bound(_AT, options=titles),
        help="The same run trained again, its weights kept after every epoch: 0 is before the first step. "
        "Its end and the net that ships may differ in a few images: another processor rounds otherwise.",
    )  # fmt: skip
    return choice if chosen == _SHIPS else at_epoch(choice, chosen)


def ask_for(name: object) -> None:
    """List a net that can be opened by its name alone, such as untrained:residual-110, in this session."""
    if not isinstance(name, str) or not name.startswith(BY_NAME) or name in _asked():
        return
    try:
        choice = find_net([], name)
    except ValueError:
        return
    if all(choice.key != other.key for other in net_choices()):
        _asked()[choice.key] = choice


def keep_upload(content: bytes, name: str, reading: Reading | None = None) -> NetChoice:
    """Open a checkpoint and list it on all pages of this session; of too many the oldest goes.

    Raises:
        CheckpointError: the file cannot be read or trusted; the text says why.
        NetError: it is larger than an upload may be.
    """
    if len(content) > MAX_UPLOAD_MIB * 2**20:
        raise NetError(
            f"{name[-60:]} is larger than {MAX_UPLOAD_MIB} MiB. Choose a smaller net; torchvision's "
            f"VGG-19 is found here once its file lies in {weights_folder()}."
        )
    loaded = open_upload(content, name, reading=reading)
    kept = _uploads()
    kept.pop(loaded.key, None)
    kept[loaded.key] = loaded
    while len(kept) > MAX_UPLOADS or (len(kept) > 1 and _bytes(kept) > _MOST_KEPT_BYTES):
        del kept[next(iter(kept))]
    return upload_choice(loaded)


def forget_upload(key: str) -> None:
    """Take an upload of this session off the list and out of memory."""
    _uploads().pop(key, None)


def opened(choice: NetChoice) -> LoadedNet:
    """The net, shared by all sessions unless it is an upload: probe it under `PROBING`, never change it.

    Raises:
        ValueError: it cannot be opened; the text says what to do.
    """
    if choice.key.startswith(UPLOAD):
        if choice.key not in _uploads():
            raise NetError(f"{choice.title} is not kept any more. Upload it again on the Nets page.")
        return _uploads()[choice.key]
    return _opened(choice)


@st.cache_resource(max_entries=12, show_spinner="Opening the net…")
def _opened(choice: NetChoice) -> LoadedNet:
    return open_net(choice)


def _uploads() -> dict[str, LoadedNet]:
    kept: dict[str, LoadedNet] = st.session_state.setdefault(_UPLOADS, {})
    return kept


def _bytes(kept: Mapping[str, LoadedNet]) -> int:
    return sum(tensor.nbytes for loaded in kept.values() for tensor in loaded.net.state_dict().values())


def _asked() -> dict[str, NetChoice]:
    kept: dict[str, NetChoice] = st.session_state.setdefault(_ASKED, {})
    return kept
