"""Measuring the published nets of Table 6 in the page, on a CIFAR-10 that is here."""

from __future__ import annotations

import time

import streamlit as st

from explorer.evidence.published_errors import fitting_datasets, kept_errors, measure_error
from explorer.nets.published_cifar import PUBLISHED_CIFAR, PUBLISHER, PublishedCifarNet
from explorer.runs.net_catalogue import is_here

_TEXT = f"""Nets of {PUBLISHER} follow the paper's recipe, but for a validation split. Fetch one on the Nets
page, or by the commands below; their publisher states 8.27 % for ResNet-20, 7.37 for ResNet-32, 6.90 for
ResNet-44, 6.61 for ResNet-56, 6.32 for ResNet-110 and 6.18 for ResNet-1202. On a JPEG copy of CIFAR-10 the
same nets do much worse: other images."""
_COMMANDS = "\n".join(
    f"python -m explorer evaluate published:{name} --data cifar10" for name in PUBLISHED_CIFAR
)


def published_view() -> bool:
    """What was measured, and a button that measures what is here and was not yet.

    Returns:
        Whether something was measured now, so that what was drawn before is out of date.
    """
    st.markdown(_TEXT)
    for error in kept_errors():
        st.markdown(f"- **{PUBLISHED_CIFAR[error.net].title}**: {error}")
    measured = _offer()
    st.code(_COMMANDS, language="sh")
    return measured


def _offer() -> bool:
    here = [net for net in PUBLISHED_CIFAR.values() if is_here(net)]
    datasets = {entry.name: entry.title for entry in fitting_datasets()}
    if not here or not datasets:
        missing = (
            "a published net (the Nets page fetches it)" if datasets else "CIFAR-10 (the Data page adds it)"
        )
        st.caption(f"To measure one here, this machine needs {missing}.")
        return False
    left, right = st.columns(2)
    net = left.selectbox("Published net", [net.id for net in here], format_func=_title, key="published-net")
    data = right.selectbox(
        "Test images", list(datasets), format_func=lambda name: datasets.get(name, name), key="published-data"
    )
    about = PUBLISHED_CIFAR.get(net, here[0])
    if not st.button(f"Measure the error of {about.title}", key="published-measure"):
        return False
    return _measure(about, data if data in datasets else next(iter(datasets)))


def _title(name: str) -> str:
    return PUBLISHED_CIFAR[name].title if name in PUBLISHED_CIFAR else name


def _measure(about: PublishedCifarNet, dataset: str) -> bool:
    bar, began = st.progress(0.0, f"Opening {about.title}…"), time.monotonic()
    st.button("Cancel", key="published-cancel")  # any press ends this run of the script

    def progress(done: int, images: int) -> None:
        left = (time.monotonic() - began) / done * (images - done)
        bar.progress(done / images, f"{done:,} of {images:,} images, about {left:.0f} s left")

    try:
        measure_error(about, dataset, progress)
    except (ValueError, OSError) as error:
        bar.empty()
        st.error(str(error), icon=":material/error:")
        return False
    return True
