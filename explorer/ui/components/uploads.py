"""Pictures that a visitor uploads, kept for the session and for no one else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO

import streamlit as st

from explorer.data.images import ImageError, read_image
from explorer.data.preprocess import Picture
from explorer.system.limits import LimitError
from explorer.ui.components.upload_budget import count_upload

KEPT = 12
OWN = "own-"
_SIDE = 1024
_PICTURES = "uploaded-pictures"
_REFUSED = "refused-pictures"


def own_pictures() -> dict[str, Picture]:
    """This session's pictures by key, oldest first."""
    kept: dict[str, Picture] = st.session_state.setdefault(_PICTURES, {})
    return kept


def take_in(files: Sequence[BytesIO]) -> str | None:
    """Keep the pictures among some files; the last one's key, or None where there is none.

    What was refused is told by `tell_refused`, in one message.
    """
    last, refused = None, []
    for file in files[:KEPT]:
        try:
            picture = _own(file)
        except (ImageError, LimitError) as error:
            refused.append(str(error))
            continue
        last = picture.key
        own_pictures().pop(last, None)
        own_pictures()[last] = picture
    for key in list(own_pictures())[:-KEPT]:
        del own_pictures()[key]
    st.session_state[_REFUSED] = _said(refused, len(files))
    return last


def tell_refused() -> None:
    """Say once what was wrong with the files sent last; nothing where nothing was."""
    if said := st.session_state.pop(_REFUSED, ""):
        st.error(said, icon=":material/broken_image:")


def _own(file: BytesIO) -> Picture:
    name = str(getattr(file, "name", "") or "picture")[:60]
    count_upload(file.getbuffer(), name)
    read = read_image(file)
    # with the name: what is computed of a picture is shared by sessions, and what it is called is not
    key = OWN + hashlib.sha256(name.encode() + b"\0" + file.getbuffer()).hexdigest()[:16]
    image, notes = read.image.convert("RGB"), list(read.notes)
    if max(image.size) > _SIDE:
        before = f"{image.width}x{image.height}"
        image.thumbnail((_SIDE, _SIDE))
        notes.append(f"Kept at {image.width}x{image.height} pixels; it came with {before}.")
    return Picture(key, name, image, tuple(notes))


def _said(refused: Sequence[str], count: int) -> str:
    told = [f"{count} files were sent: the first {KEPT} were looked at."] if count > KEPT else []
    if len(refused) > 3:
        told.append(f"{len(refused)} of them were not taken, the first of them because: {refused[0]}")
    else:
        told += refused
    return " ".join(told)
