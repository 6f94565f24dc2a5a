"""What documents say of the tree is true: files that they name, the index of decisions, terms and circles."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
DOCUMENTS = [
    ROOT / name
    for name in ("CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/glossary.md",
                 "docs/decisions/README.md", "benchmarks/README.md")
]  # fmt: skip


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


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name[:4])
def test_every_decision_is_in_the_index_under_its_own_title(path):
    number, title = re.fullmatch(r"# (\d{4}): (.+)", path.read_text().splitlines()[0]).groups()
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()

    assert number == path.name[:4]
    row = next(line for line in index.splitlines() if line.startswith(f"| [{number}]({path.name})"))
    assert f"| {title} |" in row
    assert re.search(r"\| 20\d\d-\d\d-\d\d \| \S", row)


def test_a_decision_that_is_replaced_says_so_at_its_top():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for path in DECISIONS:
        row = next(line for line in index.splitlines() if line.startswith(f"| [{path.name[:4]}]"))
        assert ("replaced by" in row) == ("replaced by" in path.read_text()[:400]), path.name


def test_every_benchmark_is_in_the_table_of_figures():
    text = (ROOT / "benchmarks" / "README.md").read_text()
    for path in (ROOT / "benchmarks").glob("[!_]*.py"):
        assert f"`{path.stem}`" in text, path.stem


def test_no_modules_import_each_other_in_a_circle():
    """Also not by imports within functions, which only hide one."""
    source = importlib.util.spec_from_file_location("house", ROOT / "tools" / "house.py")
    house = importlib.util.module_from_spec(source)
    source.loader.exec_module(house)

    assert house.circles_of(ROOT) == []
