"""Adding and removing datasets: CIFAR by a download that outlives the page, a zip by upload."""

from __future__ import annotations

import streamlit as st

from explorer.data import registry
from explorer.data.add_dataset import AddRequest, add_upload, remove
from explorer.data.cifar import ARCHIVES, Archive
from explorer.data.dataset import DataError
from explorer.data.decoding import SIZES
from explorer.runs import cifar_download
from explorer.system.limits import LimitError
from explorer.ui import places
from explorer.ui.cached_runs import dataset_title, zoo_runs
from explorer.ui.components.upload_budget import count_upload, most_mib
from explorer.ui.datasets.page import NEXT

_COLOUR = ("cifar10", "cifar10-jpeg")
_DOING = {"starting": "Starting", "downloading": "Downloading", "decoding": "Decoding"}


def manage_datasets() -> None:
    """Everything that changes which datasets there are."""
    _tell_absent()
    going = [found for name in ARCHIVES if (found := cifar_download.current(name)) and found.active]
    with st.expander("Add or remove datasets", expanded=bool(going), icon=":material/database:"):
        left, right = st.columns(2, gap="large")
        with left:
            _offer_cifar(every=1.0 if going else None)
        with right:
            _offer_upload()
        _offer_removal()


def _tell_absent() -> None:
    """Where the pictures that the zoo's colour nets learnt from are not here: say so, and how to add them."""
    trained_on = set(zoo_runs()["dataset"]) & set(_COLOUR)
    there = {found.name for found in registry.available()}
    if trained_on and not there & set(_COLOUR):
        st.info(
            f"The colour nets of the zoo learnt from {dataset_title(min(trained_on))}, whose pictures are "
            "not on this machine. Download CIFAR-10 below, the same pictures before they were re-encoded: "
            "then they stand here, and one of each class comes first on Inspect and Attributions.",
            icon=":material/photo_library:",
        )


def _offer_cifar(every: float | None) -> None:
    st.markdown("**CIFAR-10 and CIFAR-100**, the paper's data and its sibling with 100 classes")

    def watch() -> None:
        for archive in ARCHIVES.values():
            _offer_archive(archive, watched=every is not None)

    places.fragment(watch, run_every=every)()


def _offer_archive(archive: Archive, *, watched: bool) -> None:
    found = cifar_download.current(archive.name)
    if found is not None and found.active:
        _show_progress(archive, found)
        if not watched:
            st.rerun()
        return
    if registry.find(archive.name) is not None:
        st.markdown(f":material/check: {archive.title} is here.")
        if watched and found is not None and found.phase == "done":
            st.session_state[NEXT] = archive.name
            st.rerun()
        return
    if found is not None and found.message:
        st.error(found.message)
    label = f"Download {archive.title} ({archive.bytes / 2**20:.0f} MiB)"
    if st.button(label, key=f"get-{archive.name}", icon=":material/download:", width="stretch"):
        try:
            cifar_download.start(archive.name)
        except DataError as error:
            st.error(str(error))
        else:
            st.rerun()


def _show_progress(archive: Archive, found: cifar_download.Download) -> None:
    unit, name = (1, "images") if found.phase == "decoding" else (2**20, "MiB")
    amount = f"{found.done / unit:,.0f} of {found.total / unit:,.0f} {name}"
    if found.phase == "downloading" and found.fraction == 1:
        amount = "checking and unpacking"
    left = "" if found.seconds_left is None else f", about {found.seconds_left:.0f} s left"
    st.progress(found.fraction, f"{_DOING[found.phase]} {archive.title}: {amount}{left}")
    if st.button("Cancel", key=f"cancel-{archive.name}", icon=":material/close:"):
        cifar_download.cancel(archive.name)
        st.rerun()


def _offer_upload() -> None:
    st.markdown("**A zip of your own images**, one folder per class")
    file = st.file_uploader(
        "Zip, or a parquet shard", type=["zip", "parquet"], key="own-zip", max_upload_size=most_mib(64),
        help="Folders train/ and test/ (val, valid, dev) inside stay apart; without them a fifth of each "
        "class is the test. What is left out is told.",
    )  # fmt: skip
    left, right = st.columns(2)
    name = left.text_input("Name", key="own-name", placeholder="pets", persist_state="session",
                           help="Small letters, digits, hyphens.")  # fmt: skip
    resize = right.number_input(
        "Resize to (pixels)", *SIZES, None, key="own-size", placeholder="as they are",
        help="Takes the middle square of each image. Needed where images have several sizes.",
    )  # fmt: skip
    if st.button("Add", key="own-add", icon=":material/add:", width="stretch", disabled=file is None):
        assert file is not None
        bar = st.progress(0.0, "Reading the zip…")

        def tell(done: int, total: int) -> None:
            bar.progress(done / total, f"{done:,} of {total:,} images decoded")

        try:
            count_upload(file.getbuffer(), file.name)
            entry = add_upload(
                AddRequest(name.strip(), "", None if resize is None else int(resize)),
                file.getvalue(),
                tell,
            )
        except (DataError, LimitError) as error:
            bar.empty()
            st.error(str(error))
        else:
            st.session_state[NEXT] = entry.name
            st.rerun()
    st.caption(
        "More than 64 MB, or files on this machine: `python -m explorer data add NAME PATH` in a shell."
    )


def _offer_removal() -> None:
    added = registry.entries()
    if not added:
        return
    st.markdown("**Added here**")
    for entry in added:
        text, button = st.columns([5, 4])
        text.markdown(
            f"{entry.title}: {entry.train:,} and {entry.test:,} images of {entry.image_size} pixels, "
            f"{len(entry.classes)} classes"
        )
        with button.expander("Remove", icon=":material/delete:"):
            st.markdown(
                f"Forget **{entry.name}** and delete what was downloaded, uploaded and decoded for it? Runs "
                "trained on it stay; a folder or zip elsewhere stays too."
            )
            if st.button(f"Remove {entry.name}", key=f"remove-{entry.name}", type="primary"):
                _remove(entry.name)


def _remove(name: str) -> None:
    try:
        if name in ARCHIVES:
            cifar_download.cancel(name)
        remove(name)
    except DataError as error:
        st.error(str(error))
    else:
        st.rerun()
