"""How the Data page is read, and where its numbers come from."""

from __future__ import annotations

import streamlit as st

from explorer.data import registry
from explorer.data.dataset import DataError
from explorer.ui.datasets.dataset_views import DatasetView, dataset_of, survey_of

_HOW = """Each row is a class. **Draw** 0 shows the first images, any other number a random choice
with that seed; hovering tells an image's number. Bars count images: hatched to train on, solid to test on.

A **mean image** shows what a class has in common: sharp where its images agree, fog where they do not.

**Augmentation** pads an image by 4 pixels of the mean colour, crops it back at a random place, and
mirrors half of the images where a mirrored image still belongs to its class (He et al. 2015, section
4.2). The pictures are the very crops that a run with that seed draws in its first epochs. The zoo's
digits were trained without it."""
_LIMITS = """Exact copies are found by a hash of each image's pixels. Pictures that are merely alike (cropped,
recompressed, the next frame of a film) are not searched for."""


def show_help(view: DatasetView) -> None:
    """Fold out both explanations at the end of the page."""
    with st.expander("How to read this"):
        st.markdown(_HOW)
    with st.expander("Where these numbers come from"):
        try:
            for line in _origin(view):
                st.markdown(line)
        except DataError:
            st.markdown("The dataset cannot be read; see above.")


def _origin(view: DatasetView) -> list[str]:
    dataset, found, entry = dataset_of(view), survey_of(view), registry.find(view.name)
    lines = [
        f"**{dataset.title}: measured here**, over all images of both splits. {_SOURCE.get(view.name, '')}"
    ]
    if entry is not None and entry.source not in registry.CIFAR:
        lines[0] += f"Read from `{entry.source}`."
        if entry.resize:
            lines.append(f"Images were cropped to their middle square and made {entry.resize} pixels wide.")
        if entry.held_out:
            lines.append(
                f"The source has one split; {100 * entry.held_out:.0f} % of each class, drawn with seed 0, "
                "became the test split."
            )
    lines += [
        f"Mean of each channel {_listed(found.mean)}, deviation {_listed(found.std)}: of the training split, "
        "of pixels from 0 to 1. Nets are fed with them (docs/decisions/0004-normalisation.md).",
        f"sha256 of shapes, pixels and labels: training `{found.sha256['train']}`, test "
        f"`{found.sha256['test']}`.",
        _LIMITS,
        f"In a shell: `python -m explorer train residual-20 --data {view.name}`.",
    ]
    return lines


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)


_SOURCE = {
    "digits": "The test part of “Optical Recognition of Handwritten Digits” (E. Alpaydin, C. Kaynak, 1998), "
    "as scikit-learn ships it, split by a fixed permutation: the same writers are in both parts.",
    "cifar10": "A. Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, 2009.",
    "cifar100": "A. Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, 2009.",
    "cifar10-jpeg": "CIFAR-10 re-encoded as small JPEGs: colours and edges have suffered, so its errors are "
    "comparable within itself, not with the paper's. ",
}
