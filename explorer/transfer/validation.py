"""Checks of everything that an exported run claims, before anything is kept."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explorer.nets.cost_formula import totals
from explorer.nets.spec import NetSpec
from explorer.runs.run import MEASURED, RESULTS, TABLE_COLUMNS, Run
from explorer.runs.status import Status
from explorer.runs.tables import Tables, empty, tidy
from explorer.training.recipe import Recipe
from explorer.transfer.bundle import RunImportError

_NEEDED = ("run_id", "spec", "recipe", "dataset", "status", "epochs", "iterations", "parameters", "seconds")
_TEXTS = {"dataset": 200, "created": 40}
_COUNTS = {"epochs": 10_000_000, "iterations": 10_000_000}
_PROVENANCE_BYTES = 64 * 2**10
_WHOLE = ("epoch", "iteration", "block", "stage", "layer")
_PERCENT = ("train_error_pct", "test_error_pct")
_FINITE = ("lr", "seconds", "images_per_s")


def parse_json(text: str, what: str) -> dict[str, Any]:
    """A JSON object without NaN and infinity.

    Raises:
        RunImportError: it is something else.
    """

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        found = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        page = ": it is a web page, saved instead of the file" if text.lstrip().startswith("<") else ""
        where = page or f": line {error.lineno} is wrong, or the file breaks off there"
        raise RunImportError(f"{what} is not valid JSON{where}. Export the run again.") from None
    except (ValueError, RecursionError):
        raise RunImportError(f"{what} is not valid JSON. Export the run again.") from None
    if not isinstance(found, dict):
        raise RunImportError(f"{what} is not an exported run. Export the run again.")
    return found


def checked_run(row: Any, what: str) -> Run:
    """The run that a row of JSON describes, as `Run.row` writes it; its checkpoint is left out.

    Raises:
        RunImportError: a value is missing, of the wrong type, out of range, or contradicts another.
    """
    _require(
        isinstance(row, dict) and all(name in row for name in _NEEDED), what, "the description of the run"
    )
    for name, longest in _TEXTS.items():
        value = row.get(name, "")
        _require(
            isinstance(value, str) and len(value) <= longest and value.isprintable(), what, f"its {name}"
        )
    for name, most in _COUNTS.items():
        _require(type(row[name]) is int and 1 <= row[name] <= most, what, f"its {name}")
    _require(row["status"] in tuple(Status), what, "its status")
    _require(_is_number(row["seconds"], 0), what, "its seconds")
    for name in RESULTS:
        highest = 100.0 if name in _PERCENT else math.inf
        _require(row.get(name) is None or _is_number(row[name], 0, highest), what, f"its {name}")
    _check_provenance(row.get("provenance", {}), what)
    _check_time(row.get("created", ""), what)
    spec, recipe = _settings(row, what)
    run = Run.from_row({**row, "spec": spec.to_dict(), "recipe": recipe.to_dict(), "checkpoint": None,
                        "provenance": row.get("provenance", {})})  # fmt: skip
    _require(row["parameters"] == totals(spec).parameters, what, "its number of parameters")
    told = run.row()
    for name in ("id", "family", "depth", "width", "block", "shortcut", "seed"):
        _require(row.get(name, told[name]) == told[name], what, f"its {name}, which contradicts its settings")
    return run


def checked_tables(run: Run, texts: Mapping[str, str | None], epochs: Any, what: str) -> Tables:
    """The tables of an exported run.

    Args:
        run: as `checked_run` gives it.
        texts: CSV by the name of the table; a table without one is empty.
        epochs: the epochs in the JSON, for a run without a CSV of them.
        what: what errors call the run.

    Raises:
        RunImportError: columns, types, ranges or rows are not those of such a run.
    """
    made = {name: empty(name) for name in TABLE_COLUMNS}
    for name, text in texts.items():
        if text is not None:
            made[name] = _parse(name, text, f"{what}-{name}.csv", run.run_id)
    if texts.get("epochs") is None:
        made["epochs"] = _from_records(epochs, f"{what}.json", run.run_id)
    _check_epochs(made["epochs"], run, what)
    kept = made["epochs"]["epoch"].to_numpy()
    blocks, stages = sum(run.spec.block_counts), len(run.spec.block_counts)
    _check_parts(made["blocks"], "block", kept, range(1, blocks + 1), what)
    layers = made["layers"].loc[made["layers"]["epoch"] == made["layers"]["epoch"].min(), "layer"]
    _check_parts(made["layers"], "layer", kept, layers.tolist(), what)
    for name in ("blocks", "layers"):
        _require(made[name]["layer"].between(1, run.spec.depth).all(), what, f"the layers in its {name}")
    _require(made["blocks"]["stage"].between(1, stages).all(), what, "the stages of its blocks")
    last = int(made["epochs"]["iteration"].max()) if len(kept) else 0
    steps = made["steps"]["iteration"].to_numpy()
    right = len(steps) == 0 or np.array_equal(steps, np.arange(1, last + 1))
    _require(right, what, "the iterations of its steps")
    return {name: tidy(name, table) for name, table in made.items()}


def _settings(row: Mapping[str, Any], what: str) -> tuple[NetSpec, Recipe]:
    try:
        _require(isinstance(row["spec"], dict) and isinstance(row["recipe"], dict), what, "its settings")
        spec, recipe = NetSpec.from_dict(row["spec"]), Recipe.from_dict(row["recipe"])
    except RunImportError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error)[:300] if isinstance(error, ValueError) else "they have the wrong type"
        raise RunImportError(f"Cannot import {what}: its settings are not valid. {reason}") from None
    return spec, _typed(recipe, what)


def _typed(recipe: Recipe, what: str) -> Recipe:
    """The recipe, if each value has the type of its default; a whole number may stand for a fraction."""
    floats: dict[str, Any] = {}
    for field in fields(Recipe):
        value, wanted = getattr(recipe, field.name), type(field.default)
        if field.name == "iterations":
            _require(value is None or type(value) is int, what, "its iterations")
        elif wanted is float:
            _require(type(value) in (int, float), what, f"its {field.name}")
            floats[field.name] = float(value)
        else:
            _require(type(value) is wanted, what, f"its {field.name}")
    return replace(recipe, **floats)


def _check_provenance(made: Any, what: str) -> None:
    _require(isinstance(made, dict) and len(json.dumps(made)) <= _PROVENANCE_BYTES, what, "its provenance")
    for name in ("commit", "hardware", "data_hash"):
        _require(isinstance(made.get(name, ""), str | None), what, f"its {name}")
    for name in ("versions", "imported"):
        part = made.get(name, {})
        texts = isinstance(part, dict) and all(isinstance(value, str) for value in part.values())
        _require(texts, what, f"its {name}")


def _check_time(created: str, what: str) -> None:
    try:
        datetime.fromisoformat(created)
    except ValueError:
        _require(not created, what, "the time at which it was made")


def _parse(name: str, text: str, what: str, run_id: str) -> pd.DataFrame:
    head = set(re.findall(r"\w+", "\n".join(text.splitlines()[:2])))
    # a measurement that came later is not in the files of before
    columns = [one for one in TABLE_COLUMNS[name] if one not in MEASURED or one in head]
    text = _separated(text, columns, what)
    try:
        table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, on_bad_lines="error")
        _require(isinstance(table.index, pd.RangeIndex), what, "the length of its rows")
        numbers = {column: _numbers(column, table[column].tolist(), what) for column in columns[1:]}
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        if isinstance(error, RunImportError):
            raise
        raise RunImportError(
            f"{what} holds values that cannot be read as numbers. Export the run again."
        ) from None
    _require(table["run_id"].eq(run_id).all(), what, "rows of another run")
    table = table.assign(**numbers)
    _check_numbers(table, what)
    return table


def _separated(text: str, columns: Collection[str], what: str) -> str:
    """The table if commas separate the columns that it needs, without empty rows that a spreadsheet adds.

    Raises:
        RunImportError: it has other columns, or other marks between them; the text says which.
    """
    lines = [line for line in text.splitlines() if line.strip(' ,;\t"')]
    if lines and re.fullmatch(r"sep=.", lines[0].strip('"')):
        del lines[0]
    first = lines[0] if lines else ""
    for mark, title in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if _cells(first, mark) == list(columns):
            raise RunImportError(
                f"{what} has {title} between its values, as some spreadsheets save it, often with a comma "
                "in its numbers. Save it with commas between values and points in numbers, or export the run "
                "again."
            )
    there = _cells(first, ",")
    missing = [column for column in columns if column not in there]
    said = f"its columns ({', '.join(missing)[:100]} missing)" if missing else "its columns and their order"
    _require(there == list(columns), what, said)
    return "\n".join([",".join(columns), *lines[1:]])


def _cells(line: str, mark: str) -> list[str]:
    return next(csv.reader([line], delimiter=mark), [])


def _numbers(column: str, texts: list[str], what: str) -> NDArray[Any]:
    """Read as Python reads them, to the last digit; nothing is NaN. A whole number may be written 3.0."""
    read, kind = (int, np.int64) if column in _WHOLE else (_real, np.float64)
    try:
        return np.array([read(text) for text in texts], kind)
    except ValueError:
        return np.array([_number(column, text, row, what) for row, text in enumerate(texts, 1)], kind)


def _real(text: str) -> float:
    return float(text or "nan")


def _number(column: str, text: str, row: int, what: str) -> float:
    try:
        return int(re.sub(r"\.0+$", "", text)) if column in _WHOLE else _real(text)
    except ValueError:
        raise RunImportError(
            f"{what} holds values that cannot be read as numbers: {text[:40]!a} in row {row} of its "
            f"column {column}. Export the run again."
        ) from None


def _from_records(records: Any, what: str, run_id: str) -> pd.DataFrame:
    columns = TABLE_COLUMNS["epochs"][1:]
    _require(isinstance(records, list) and all(isinstance(row, dict) for row in records), what, "its epochs")
    for row in records:
        right = set(row) == set(columns) and all(
            type(row[name]) is int if name in _WHOLE else row[name] is None or _is_number(row[name])
            for name in columns
        )
        _require(right, what, "its epochs")
    table = pd.DataFrame(records, columns=list(columns))
    _require(_within(table, ("epoch", "iteration"), 0, 2**31 - 1), what, "its epochs")
    floats = {name: "float64" for name in columns if name not in _WHOLE}
    table = table.astype(floats | {"epoch": "int64", "iteration": "int64"}).assign(run_id=run_id)
    _check_numbers(table, what)
    return table


def _check_numbers(table: pd.DataFrame, what: str) -> None:
    """Ranges that hold in every table; NaN is left to those that know where it may stand."""
    for name in table.columns[table.columns != "run_id"]:
        values = table[name]
        if name in _WHOLE:
            _require(_within(table, [name], 0, 2**31 - 1), what, f"its column {name}")
        elif name in _FINITE:
            _require(bool((np.isfinite(values) & (values >= 0)).all()), what, f"its column {name}")
        else:
            most = 100.0 if name in _PERCENT else math.inf
            _require(bool((values.isna() | values.between(0, most)).all()), what, f"its column {name}")
    small = [name for name in ("block", "stage", "layer") if name in table.columns]
    _require(_within(table, small, 0, 2**15 - 1), what, "its numbers of blocks and layers")


def _check_epochs(epochs: pd.DataFrame, run: Run, what: str) -> None:
    numbers, iterations = epochs["epoch"].to_numpy(), epochs["iteration"].to_numpy()
    _require(np.array_equal(numbers, np.arange(len(numbers))), what, "the numbers of its epochs")
    rising = len(iterations) == 0 or (iterations[0] == 0 and bool((np.diff(iterations) > 0).all()))
    _require(rising and len(numbers) <= run.epochs + 1, what, "the iterations of its epochs")
    last = int(iterations[-1]) if len(iterations) else 0
    _require(last <= run.iterations, what, "the iterations of its epochs")
    _require(
        run.status != Status.DONE or last == run.iterations,
        what,
        "its end: it says done, but its epochs go on",
    )
    unknown = epochs["test_error_pct"].isna() | (epochs["train_error_pct"].isna() & (numbers > 0))
    _require(not unknown.any(), what, "its errors, which are not numbers")


def _check_parts(
    table: pd.DataFrame, part: str, epochs: NDArray[np.int_], parts: Iterable[int], what: str
) -> None:
    """Every epoch must have the same blocks or layers, each once, in order."""
    if table.empty:
        return
    numbers = np.asarray(list(parts))
    shape = len(epochs), len(numbers)
    right = len(table) == shape[0] * shape[1] and len(set(numbers)) == len(numbers)
    if right:
        right = np.array_equal(
            table["epoch"].to_numpy().reshape(shape), np.repeat(epochs, shape[1]).reshape(shape)
        )
        right &= np.array_equal(table[part].to_numpy().reshape(shape), np.tile(numbers, (shape[0], 1)))
    _require(right, what, f"its {part}s: each epoch needs each of them once, in order")


def _within(table: pd.DataFrame, names: Collection[str], low: int, high: int) -> bool:
    return all(bool(table[name].between(low, high).all()) for name in names)


def _is_number(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value) and low <= value <= high
    except OverflowError:
        return False


def _require(right: Any, what: str, wrong: str) -> None:
    if not right:
        raise RunImportError(
            f"Cannot import {what[:200]}: there is a wrong value in {wrong}. Export the run again."
        )
