"""A run as one Python file that trains it again without the explorer: its settings, and what uses them.

The file is joined from the parts in `explorer/transfer/standalone`, which do what the trainer does in as few
lines as they can, and from the family's block class in `explorer.nets.blocks`; a test holds their numbers
equal to the trainer's, bit by bit.
"""

from __future__ import annotations

import ast
import re
from dataclasses import asdict
from pathlib import Path
from pprint import pformat
from typing import Any

from explorer import nets
from explorer.nets.spec import NetSpec
from explorer.runs.library import RunSource, find_run, store_of
from explorer.runs.run import RESULTS, Run

_PARTS = ("settings", "blocks", "net", "data", "batches", "regularise", "training", "main")
_FOLDER = Path(__file__).with_name("standalone")
_BLOCKS = Path(nets.__file__).with_name("blocks.py")  # read, not imported: that would import torch
_SWEEP_THREADS = 1  # the zoo's runs were trained with one thread each
_LINTERS = re.compile(r"  # (noqa|type: ignore|fmt: ).*$", re.MULTILINE)
_QUOTES = '"' * 3

_DOC = """Train {title} again: the run {run_id} of ResNet Explorer, as one file.

It needs torch and numpy; scikit-learn for digits, Pillow (and pyarrow) for a folder of images (or of
parquet shards: train-*.parquet and test-*.parquet). {repeated}
License: MIT.

    python {run_id}.py
    python {run_id}.py --data FOLDER --curve curve.csv --weights weights.pt
"""

_EAGER = """With the same version of torch ({torch}), the same
kind of processor and as many threads, a run on a CPU is repeated bit by bit; anywhere else the numbers
differ by rounding, which training magnifies."""
_FUSED = """The run was trained with fused kernels, and
this file takes torch's own operations ({torch}): the numbers differ by rounding, which training magnifies."""


def run_script(source: RunSource, run_id: str) -> str:
    """The Python file that trains the run again; raises as `find_run`."""
    run = find_run(source, run_id)
    threads = _threads(source, run)
    return join_script(run, threads)


def join_script(run: Run, threads: int | None = None) -> str:
    """The file for a run that was trained with so many threads, where that is known."""
    torch = re.sub(r"[^\w.+-]", "", str(run.provenance.get("versions", {}).get("torch", "unknown")))
    repeated = (_FUSED if run.recipe.kernels == "fused" else _EAGER).format(torch=torch)
    about = _DOC.format(title=run.spec.title, run_id=run.run_id, repeated=repeated)
    imports: dict[str, None] = {}
    bodies = [_body(part, imports) for part in _PARTS]
    bodies[0] = _settings(run, threads)
    bodies[1] = _block_text(run.spec.traits.block_class, imports)
    head = f"from __future__ import annotations\n\n{_sorted(imports)}"
    parts = [f"{_QUOTES}{about}{_QUOTES}", head, *bodies]
    return "\n\n\n".join(parts).replace(f"{_QUOTES}\n\n\n", f"{_QUOTES}\n\n", 1) + "\n"


def _settings(run: Run, threads: int | None) -> str:
    """Settings as literals: whatever a name or a provenance holds, it stays a text."""
    values: dict[str, Any] = {
        "net": _net(run.spec),
        "recipe": run.recipe.to_dict(),
        "data": {"name": run.dataset, "sha256": run.provenance.get("data_hash") or None},
        "threads": threads,
        "results": {name: run.results[name] for name in RESULTS if name in run.results},
        "made": {name: run.provenance.get(name) for name in ("commit", "versions", "hardware")},
    }
    text = pformat(values, width=108, sort_dicts=False)
    return f'SETTINGS = {text}\nNET, RECIPE = SETTINGS["net"], SETTINGS["recipe"]\nSEED = RECIPE["seed"]'


def _net(spec: NetSpec) -> dict[str, Any]:
    """The spec and what follows from its family, so that the script needs no table of families."""
    return spec.to_dict() | {
        "block_counts": spec.block_counts,
        "has_shortcut": spec.traits.shortcut,
        "head_norm": spec.traits.pre_activation and spec.design.last_norm,
        "options": {name: getattr(spec, name) for name in spec.traits.options},
        "layout": asdict(spec.design),
    }


def _block_text(name: str, imports: dict[str, None]) -> str:
    """The text of a block class, with whatever of its module it uses."""
    text = _LINTERS.sub("", _BLOCKS.read_text(encoding="utf-8"))
    tree, lines = ast.parse(text), text.splitlines()
    _collect(tree, imports)
    there = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted, waiting = set(), {name, "BlockPlace"}
    while waiting:
        wanted |= waiting
        used = {node.id for one in waiting for node in ast.walk(there[one]) if isinstance(node, ast.Name)}
        waiting = (used & set(there)) - wanted
    taken = [_lines_of(node, lines) for node in tree.body if getattr(node, "name", None) in wanted]
    return "\n\n\n".join([*taken, f"FamilyBlock = {name}"])


def _lines_of(node: ast.stmt, lines: list[str]) -> str:
    """A definition as it is written, with its decorators."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return "\n".join(lines[first - 1 : node.end_lineno])


def _collect(tree: ast.Module, imports: dict[str, None]) -> None:
    """Note the imports that are not the explorer's own."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = str(getattr(node, "module", None) or "")
            if not source.startswith(("explorer", "__future__")):
                imports.setdefault(ast.unparse(node))


def _threads(source: RunSource, run: Run) -> int | None:
    if run.source == "zoo":
        return _SWEEP_THREADS
    store = store_of(source)
    return store.get_state(run.run_id).threads if store else None


def _body(part: str, imports: dict[str, None]) -> str:
    """A part without its docstring and its imports, which are collected."""
    text = _LINTERS.sub("", (_FOLDER / f"{part}.py").read_text(encoding="utf-8"))
    lines = text.splitlines()
    head = 0
    tree = ast.parse(text)
    _collect(tree, imports)
    for node in tree.body:
        importing = isinstance(node, ast.Import | ast.ImportFrom)
        if not importing and not (isinstance(node, ast.Expr) and not head):
            break
        head = node.end_lineno or head
    return "\n".join(lines[head:]).strip()


def _sorted(imports: dict[str, None]) -> str:
    """The standard library first, then what has to be installed."""
    outside = ("numpy", "torch")
    wanted = [line for line in imports if not any(other.startswith(f"{line},") for other in imports)]
    wanted.sort(key=lambda line: (line.startswith("from"), line))
    own = [line for line in wanted if line.split()[1].split(".")[0] not in outside]
    others = [line for line in wanted if line not in own]
    return "\n".join([*own, "", *others])
