"""What documents say of the tree is true: files that they name, the index of decisions, terms and circles."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / name
    for name in ("CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/glossary.md",
                 "docs/decisions/README.md", "benchmarks/README.md")
]  # fmt: skip


def tool(name):
    source = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return module


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_are_there(document):
    text = document.read_text()
    links = {document.parent / link for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)}
    named = set(re.findall(r"`((?:explorer/|tests/|tools/|benchmarks/)?(?:\w+/)*\w+\.(?:py|js|md))`", text))
    places = ("", "explorer", "docs", "benchmarks")

    assert [str(path) for path in links if not path.exists()] == []
    named -= {"pages/x.py", "tests/app/test_x.py"}
    missing = [name for name in named if not any((ROOT / place / name).exists() for place in places)]
    short = [name for name in missing if "/" in name or not list((ROOT / "explorer").rglob(name))]
    assert [name for name in short if "NAME" not in name] == []


def test_the_index_of_decisions_is_what_they_say():
    """`python tools/decisions.py` writes it: title, date, and by what a decision is replaced."""
    decisions = tool("decisions")
    dates = decisions.known_dates()
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))

    assert [path.name for path in files if path.name[:4] not in dates] == [], "run python tools/decisions.py"
    assert (ROOT / "docs" / "decisions" / "README.md").read_text() == decisions.index(dates)


def test_every_benchmark_is_in_the_table_of_figures():
    text = (ROOT / "benchmarks" / "README.md").read_text()
    for path in (ROOT / "benchmarks").glob("[!_]*.py"):
        assert f"`{path.stem}`" in text, path.stem


def test_no_modules_import_each_other_in_a_circle():
    """Also not by imports within functions, which only hide one."""
    assert tool("house").circles_of(ROOT) == []
