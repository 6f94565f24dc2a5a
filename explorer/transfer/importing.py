"""Imports of exported runs: checked whole, and then kept whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from explorer.runs import artifacts
from explorer.runs.library import Library, store_of
from explorer.runs.run import TABLES, Run
from explorer.runs.status import Status
from explorer.runs.store import Store, new_run_id
from explorer.runs.tables import Tables
from explorer.system.files import place_file
from explorer.transfer.bundle import RunBundle, RunImportError, bundles_in, bundles_of
from explorer.transfer.validation import checked_run, checked_tables, parse_json

__all__ = ["RunImportError", "import_path", "import_uploads"]

_WORDS = {"name": 80, "note": 4000, "reason": 1000}


@dataclass(frozen=True)
class CheckedRun:
    """A run that passed every check.

    Attributes:
        run: under the id that it gets here.
        tables: its records, under that id.
        weights: a file of them that may be moved, or None.
        words: name, note and reason.
    """

    run: Run
    tables: Tables
    weights: Path | None
    words: dict[str, str | None]


def import_path(library: Library, path: Path) -> list[str]:
    """Keep the runs of a zip, or of a .json with the files beside it, in the user's store.

    Returns:
        Their run ids; a run whose id is taken gets a new one.

    Raises:
        RunImportError: something in the files is not as an export writes it; then none is kept.
        StoreError: they cannot be kept.
    """
    return _keep(library, bundles_in(path))


def import_uploads(library: Library, uploads: Iterable[tuple[str, bytes]]) -> list[str]:
    """The same for uploaded files, given by name and content; raises as `import_path`."""
    return _keep(library, bundles_of(uploads))


def _keep(library: Library, bundles: Sequence[RunBundle]) -> list[str]:
    store = store_of(library)
    if store is None:
        raise RunImportError(f"There is no place to keep runs in. {' '.join(library.problems)}")
    known = set(library.listing()["run_id"])
    folder = store.checkpoint_path("any").parent
    with ExitStack() as stack:
        aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".import-", dir=folder)))
        checked = []
        for bundle in bundles:
            found = _checked(bundle, known, aside)
            known.add(found.run.run_id)
            checked.append(found)
        for number, found in enumerate(checked):
            try:
                _store(store, found)
            except BaseException:
                for kept in checked[:number]:
                    store.delete_run(kept.run.run_id)
                raise
    return [found.run.run_id for found in checked]


def _checked(bundle: RunBundle, known: set[str], aside: Path) -> CheckedRun:
    what = bundle.run_id
    whole = parse_json(bundle.text(".json") or "", f"{what}.json")
    run = checked_run(whole.get("run"), what)
    if run.run_id != bundle.run_id:
        raise RunImportError(
            f"{what}.json describes the run {run.run_id[:80]}. Give the file its own name again."
        )
    texts = {name: bundle.text(f"-{name}.csv") for name in TABLES}
    tables = checked_tables(run, texts, whole.get("epochs"), what)
    words = _words(whole.get("words") or {}, run.status, what)
    weights = _weights(bundle, run, aside)
    run = _renamed(run, known)
    tables = {name: table.assign(run_id=run.run_id) for name, table in tables.items()}
    return CheckedRun(run, tables, weights, words)


def _renamed(run: Run, known: set[str]) -> Run:
    """The run as the user's own: its origin is kept, and that it was imported is said."""
    run_id = run.run_id
    while run_id in known:
        run_id = new_run_id(run.spec, run.recipe)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = run.provenance | {"imported": {"at": now, "run_id": run.run_id, "source": run.source[:40]}}
    status = run.status if run.status.is_finished else Status.STOPPED
    return replace(run, run_id=run_id, status=status, source="mine", provenance=made)


def _words(said: Any, status: Status, what: str) -> dict[str, str | None]:
    if not isinstance(said, dict):
        raise RunImportError(f"Cannot import {what}: its words are not valid. Export the run again.")
    words: dict[str, str | None] = {}
    for name, longest in _WORDS.items():
        text = said.get(name)
        if text is not None and not (isinstance(text, str) and len(text) <= longest):
            raise RunImportError(f"Cannot import {what}: its {name} is not valid. Export the run again.")
        words[name] = text or None
    if not status.is_finished:
        words["reason"] = f"It was {status} when it was exported."
    return words


def _weights(bundle: RunBundle, run: Run, aside: Path) -> Path | None:
    """The weights in a file aside, loaded once to see that they are those of the run's net."""
    from explorer.nets.checkpoints import CheckpointError, load_checkpoint

    read = bundle.parts.get(".safetensors")
    if read is None:
        return None
    path = aside / f"{bundle.run_id}.safetensors"
    path.write_bytes(read())
    try:
        kept = load_checkpoint(path)
    except CheckpointError as error:
        raise RunImportError(str(error)) from None
    if kept.origin != "explorer" or kept.spec != run.spec:
        raise RunImportError(
            f"The weights in {path.name} are those of {kept.spec.title}, not of the run's {run.spec.title}. "
            "Export the run again."
        )
    return path


def _share(store: Store, run_id: str, weights: Path) -> None:
    """Keep the weights where other machines find them; a run whose weights cannot be kept is not kept."""
    try:
        artifacts.keep(store.database, run_id, weights)
    except BaseException:
        store.delete_run(run_id)
        raise


def _store(store: Store, found: CheckedRun) -> None:
    """Weights first: a file without a run is swept or overwritten, a run without its file would be broken."""
    target = store.checkpoint_path(found.run.run_id)
    run = found.run
    if found.weights is not None:
        place_file(found.weights, target)
        run = replace(run, checkpoint=str(target))
    try:
        store.add_whole(run, found.tables, **found.words)
        if found.weights is not None:
            _share(store, run.run_id, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
