"""What is the form of the code? Lengths, documentation, tests, import circles, and names with two meanings.

    python tools/house.py [FOLDER]

prints one line per figure for the checkout in FOLDER (this one by default), so that commits can be compared.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

Function = ast.FunctionDef | ast.AsyncFunctionDef
PACKAGE = "explorer"
USUAL = {"__init__", "__main__", "conftest"}
STANDALONE = "standalone"
"""Folder of the exported script's parts, a program of its own, whose blocks are named as ours are."""


def main(root: Path) -> None:
    """Print the figures."""
    code = _parsed(root)
    lengths = sorted(_length(node) for tree in code.values() for node in _functions(tree))
    public = [node for tree in code.values() for node in _public(tree)]
    documented = sum(ast.get_docstring(node) is not None for node in public)
    lines, tests = (
        sum(_lines(path) for part in parts for path in _files(root / part))
        for parts in ((PACKAGE, "pages"), ("tests",))
    )
    print(f"modules                     {len(code)}")
    middle, most = median(lengths), quantiles(lengths, n=10)[-1]
    print(f"functions                   {len(lengths)}")
    print(
        f"their lines                 {middle:.0f} median, {most:.0f} 90th percentile, {lengths[-1]} at most"
    )
    print(f"documented                  {100 * documented / len(public):.1f} % of what is public")
    print(f"lines of tests per line     {tests / lines:.2f} ({tests} to {lines})")
    circles = circles_of(root)
    print(f"import circles              {len(circles)}{_list(circles)}")
    inner = {path: tree for path, tree in code.items() if path.parent.name != STANDALONE}
    classes = _twice(inner, lambda tree: [node.name for node in tree.body if isinstance(node, ast.ClassDef)])
    print(f"class names of two things   {len(classes)}{_list(classes)}")
    modules = _twice({path: ast.parse("") for path in code}, None)
    print(f"module names used twice     {len(modules)}{_list(modules)}")
    known = set(sys.stdlib_module_names) | set(dir(builtins))
    standard = sorted({path.stem for path in code} & known - USUAL)
    print(f"named as Python's own       {len(standard)}{_list(standard)}")


def circles_of(root: Path) -> list[str]:
    """Modules that import each other in a circle, in a function or not, each circle as one text."""
    return _circles(_imports(root, _parsed(root)))


def _parsed(root: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for part in (PACKAGE, "pages") for path in _files(root / part)}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | Function]:
    yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (part for part in node.body if isinstance(part, Function) and part.name[0] != "_")


def _imports(root: Path, code: dict[Path, ast.Module]) -> dict[str, set[str]]:
    """By module, the modules of ours that it imports anywhere, but for types alone."""
    names = {".".join(path.relative_to(root).with_suffix("").parts): tree for path, tree in code.items()}
    graph: dict[str, set[str]] = defaultdict(set)
    for name, tree in names.items():
        for node in _run_nodes(tree):
            if isinstance(node, ast.Import):
                graph[name] |= {one.name for one in node.names} & names.keys()
            elif isinstance(node, ast.ImportFrom) and node.module:
                parts = {f"{node.module}.{one.name}" for one in node.names} & names.keys()
                graph[name] |= parts or ({node.module} & names.keys())
    return graph


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _run_nodes(node)


def _circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that reach themselves, grouped by those that reach each other."""
    reach = {name: _reached(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in reach if other in reach[name] and name in reach.get(other, ())))
        for name in reach
        if name in reach[name]
    }
    return sorted(" ".join(group) for group in groups)


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += graph.get(name, ())
    return found


def _twice(code: dict[Path, ast.Module], names: object) -> list[str]:
    """Names that several modules give to something; without `names`, the modules' own."""
    places: dict[str, set[Path]] = defaultdict(set)
    for path, tree in code.items():
        for name in names(tree) if callable(names) else [path.stem]:
            if name not in USUAL and not name.startswith("__"):
                places[name].add(path)
    return sorted(f"{name} x{len(found)}" for name, found in places.items() if len(found) > 1)


def _list(names: list[str]) -> str:
    return f": {', '.join(names)}" if names else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
