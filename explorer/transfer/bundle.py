"""The exported runs in some files: zips and loose files, sorted by run; nothing is unpacked."""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.data.dataset import DataError
from explorer.data.file_tree import zip_tree
from explorer.runs.run import TABLES

MAX_RUNS = 500
MAX_JSON_BYTES = 16 * 2**20
MAX_TABLE_BYTES = 64 * 2**20
MAX_WEIGHTS_BYTES = 256 * 2**20
_NAME = re.compile(
    r"(?P<run_id>[A-Za-z0-9][A-Za-z0-9._-]{0,199}?)"
    rf"(?P<part>\.json|\.safetensors|\.py|-(?:{'|'.join(TABLES)})\.csv)"
)
# what browsers and file managers add to the name of a file that is there already
_COPY = re.compile(r"(?: ?\(\d{1,3}\)| - [Cc]opy| copy(?: \d{1,3})?| - Kopie)+(?=\.[A-Za-z]+$)")
_LITTER = ("thumbs.db", "desktop.ini", ".ds_store")
_EVENTS = re.compile(r"events\.out\.tfevents\.[A-Za-z0-9._-]{1,240}")
_LIMITS = {".json": MAX_JSON_BYTES, ".safetensors": MAX_WEIGHTS_BYTES}
Read = Callable[[], bytes]
_File = tuple[str, int, Read]


class RunImportError(ValueError):
    """Files cannot be imported as exported runs; the text says why and what to do."""


@dataclass(frozen=True)
class RunBundle:
    """The files of one exported run, read when they are asked for.

    Attributes:
        run_id: the id under which it was exported.
        parts: reads the file, by what follows the id in its name: .json, -epochs.csv, .safetensors.
    """

    run_id: str
    parts: Mapping[str, Read]

    def text(self, part: str) -> str | None:
        """That file as text, or None where there is none.

        Raises:
            RunImportError: it is not text in UTF-8.
        """
        if part not in self.parts:
            return None
        try:
            return _decoded(self.parts[part]())
        except UnicodeDecodeError:
            raise RunImportError(f"{self.run_id}{part} is not text in UTF-8. Export the run again.") from None


def _decoded(content: bytes) -> str:
    """Text in UTF-8, or in UTF-16 with a mark at its start, as editors and shells on Windows save it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
        first = text.lstrip()[:1]
        if first and first.isascii():  # else these two bytes were no mark
            return text
    return content.decode("utf-8-sig")


def _own_name(name: str) -> str:
    """The name that an export gave to a file, whatever a browser made of it: RUN (1).JSON is RUN.json."""
    plain = _COPY.sub("", name.removeprefix("Copy of "))
    stem, dot, ending = plain.rpartition(".")
    return f"{stem}{dot}{ending.lower()}"


def bundles_in(path: Path) -> list[RunBundle]:
    """The runs in a zip, or the run of a .json with the files beside it that share its name.

    Raises:
        RunImportError: there is none, or the files do not belong to an export.
    """
    if path.suffix.lower() == ".zip":
        return _in_zip(path)
    named = _NAME.fullmatch(_own_name(path.name))
    if named is None or named["part"] != ".json":
        raise RunImportError(f"{path.name} is not an exported run: give its zip or its .json.")
    if not path.is_file():
        raise RunImportError(f"There is no file {path}; check its name.")
    try:
        files = _beside(path, named["run_id"])
        beside: list[_File] = [(file.name, file.stat().st_size, file.read_bytes) for file in files]
    except OSError as error:
        raise RunImportError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    return _sorted({(): beside})


def _beside(path: Path, run_id: str) -> list[Path]:
    """The .json and its run's other files beside it; of copies, those numbered as the .json is."""
    found: dict[str, list[Path]] = {}
    for file in sorted(path.parent.iterdir()):
        named = _NAME.fullmatch(_own_name(file.name))
        if named and named["run_id"] == run_id and named["part"] != ".py" and file.is_file():
            found.setdefault(named["part"], []).append(file)
    mark = _mark(path)
    chosen = {".json": [path]}
    for part, files in found.items():
        like = [file for file in files if _mark(file) == mark]
        chosen.setdefault(part, like or files)
    return [file for files in chosen.values() for file in files]


def _mark(file: Path) -> str:
    found = _COPY.search(file.name)
    return found[0] if found else ""


def bundles_of(uploads: Iterable[tuple[str, bytes]]) -> list[RunBundle]:
    """The runs in uploaded files, given by name and content; raises as `bundles_in`."""
    loose: list[_File] = []
    found: list[RunBundle] = []
    for name, content in uploads:
        if name.lower().endswith(".zip"):
            found += _in_upload(name, content)
        else:
            loose.append((name, len(content), _hold(content)))
    return found + (_sorted({(): loose}) if loose else [])


def _in_upload(name: str, content: bytes) -> list[RunBundle]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.zip"
        path.write_bytes(content)
        try:
            found = _in_zip(path)
            held = [
                RunBundle(bundle.run_id, {part: _hold(read()) for part, read in bundle.parts.items()})
                for bundle in found
            ]
        except RunImportError as error:
            raise RunImportError(str(error).replace("upload.zip", name[:80])) from None
    return held


def _hold(content: bytes) -> Read:
    return lambda: content


def _in_zip(path: Path) -> list[RunBundle]:
    if not path.is_file():
        raise RunImportError(f"There is no file {path}; check its name.")
    try:
        tree = zip_tree(path)
    except DataError as error:
        raise RunImportError(str(error)) from None

    def reader(file: object) -> Read:
        def read() -> bytes:
            try:
                with tree.opened() as opened:
                    return opened(file)  # type: ignore[arg-type]
            except DataError as error:
                raise RunImportError(str(error)) from None

        return read

    folders: dict[tuple[str, ...], list[_File]] = {}
    for file in tree.files:
        folders.setdefault(file.path[:-1], []).append((file.path[-1], file.size, reader(file)))
    return _sorted(folders)


def _sorted(folders: Mapping[tuple[str, ...], list[_File]]) -> list[RunBundle]:
    """One bundle per .json, with the files of its folder that share its id."""
    bundles: dict[tuple[tuple[str, ...], str], dict[str, Read]] = {}
    for folder, files in folders.items():
        for name, size, read in files:
            if _EVENTS.fullmatch(name) or name.lower() in _LITTER:
                continue
            run_id, part = _checked(name, size)
            there = bundles.setdefault((folder, run_id), {})
            if part in there and there[part]() != read():
                raise RunImportError(
                    f"{run_id}{part} is there twice, and the two differ: {name[:80]!a} is one. Leave one out."
                )
            there[part] = read
    alone = [run_id for (_, run_id), parts in bundles.items() if ".json" not in parts]
    if alone:
        raise RunImportError(f"The file {alone[0]}.json is missing; a run cannot be imported without it.")
    if not bundles:
        raise RunImportError("It holds no exported run.")
    if len(bundles) > MAX_RUNS:
        raise RunImportError(f"{len(bundles)} runs are too many at once; take {MAX_RUNS} or fewer.")
    return [RunBundle(run_id, parts) for (_, run_id), parts in bundles.items()]


def _checked(name: str, size: int) -> tuple[str, str]:
    found = _NAME.fullmatch(_own_name(name))
    if found is None:
        raise RunImportError(f"{name[:80]!a} does not belong to an exported run. Export it again.")
    limit = _LIMITS.get(found["part"], MAX_TABLE_BYTES)
    if size > limit:
        raise RunImportError(f"{name[:80]} has {size / 2**20:,.0f} MiB; at most {limit // 2**20} are taken.")
    return found["run_id"], found["part"]
