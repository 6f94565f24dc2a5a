"""runs list|show|export|import|delete, and doctor: what is kept here."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.cli import jobs
from explorer.runs.doctor import examine
from explorer.runs.library import open_library
from explorer.transfer.export import ALL, USUAL, export_run

_LISTED = ("run_id", "dataset", "status", "epochs", "train_error_pct", "test_error_pct", "seconds", "source")


def add_commands(commands: Any) -> None:
    """Add runs and doctor."""
    runs = commands.add_parser("runs", help="list, show, export, delete, pause, resume or stop runs")
    actions = runs.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all runs, the zoo's and your own")
    listing.add_argument("--dataset", help="only runs on this dataset")
    listing.add_argument("--mine", action="store_true", help="only your own")
    listing.set_defaults(command=_list)
    show = actions.add_parser("show", help="settings, origin and results of a run")
    show.add_argument("run_id")
    show.set_defaults(command=_show)
    export = actions.add_parser("export", help="write a run's settings, tables and weights to a folder")
    export.add_argument("run_id")
    export.add_argument(
        "--format", action="append", choices=(*ALL, "zip"), metavar="FORMAT",
        help=f"{', '.join(ALL)}, or zip for all of them in one file; may be given several times; "
        f"default: {', '.join(USUAL)}",
    )  # fmt: skip
    export.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    export.add_argument("--overwrite", action="store_true", help="replace files of an earlier export")
    export.set_defaults(command=_export)
    take = actions.add_parser("import", help="keep a run that was exported, here or elsewhere")
    take.add_argument("file", type=Path, help="a zip, or the .json with its CSV and safetensors beside it")
    take.set_defaults(command=_import)
    delete = actions.add_parser("delete", help="delete one of your own runs and its weights")
    delete.add_argument("run_id")
    delete.set_defaults(command=_delete)
    jobs.add_actions(actions)
    doctor = commands.add_parser("doctor", help="versions, device, data, database, and what is missing")
    doctor.set_defaults(command=_doctor)


def _list(options: Namespace) -> list[dict[str, Any]]:
    jobs.mark_interrupted()
    table = open_library().runs()
    if options.dataset:
        table = table[table["dataset"] == options.dataset]
    if options.mine:
        table = table[table["source"] != "zoo"]
    records = table[list(_LISTED)].astype(object).to_dict("records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in records]


def _show(options: Namespace) -> dict[str, Any]:
    library = open_library()
    run = library.run(options.run_id)
    return run.row() | jobs.progress_of(library, run)


def _export(options: Namespace) -> dict[str, Any]:
    formats = tuple(options.format or USUAL)
    files = export_run(
        open_library(), options.run_id, options.out, formats=formats, overwrite=options.overwrite
    )
    return {"run_id": options.run_id, "files": [str(file) for file in files]}


def _import(options: Namespace) -> dict[str, Any]:
    from explorer.transfer.importing import import_path

    return {"run_ids": import_path(open_library(), options.file)}


def _delete(options: Namespace) -> dict[str, Any]:
    open_library().delete(options.run_id)
    return {"run_id": options.run_id, "deleted": True}


def _doctor(_options: Namespace) -> dict[str, Any]:
    return examine()
