"""The house as a whole: linters, layers, and a few promises that no single room can keep."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
MIB = 2**20


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-m", "ruff", "check", "."], id="ruff-check"),
        pytest.param(["-m", "ruff", "format", "--check", "."], id="ruff-format"),
        pytest.param(["-m", "mypy"], id="mypy"),
        pytest.param(["-c", LINT_IMPORTS, "--no-cache"], id="lint-imports"),
    ],
)
def test_linters_have_nothing_to_say(arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_dependencies_are_declared_once_and_bounded():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert [line for line in lines if line and not line.startswith("#")] == ["-e ."]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    for requirement in project["dependencies"] + extras:
        assert re.fullmatch(r"[\w\[\]-]+>=[\d.]+,<[\d.]+(; .+)?", requirement), requirement


def test_readme_gives_the_two_commands():
    readme = (ROOT / "README.md").read_text()

    assert "streamlit run explorer/Home.py" in readme
    assert "pytest" in readme


def test_no_two_test_files_have_one_name():
    """Pytest imports them by their names alone: of two the second is an error, and the whole run with it."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []


def test_pages_are_thin():
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "pages").glob("*.py")}

    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_the_finished_runs_stay_small_enough_to_clone():
    size = sum(path.stat().st_size for path in (ROOT / "pretrained").rglob("*") if path.is_file())

    assert size < 48 * MIB


def test_every_room_is_in_the_layer_contract_or_apart():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = set(re.findall(r"\w+", " ".join(contracts[0]["layers"])))
    rooms = {path.parent.name for path in (ROOT / "explorer").glob("*/__init__.py")}

    assert rooms - layers == {"charts"}


SOURCES = [path for folder in ("explorer", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_the_first_line_of_a_module_says_what_is_in_it():
    heads = {
        path: (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0] for path in SOURCES
    }

    assert [str(path.relative_to(ROOT)) for path, head in heads.items() if not head or "?" in head] == []


RIDDLES = re.compile(r"(?<![Tt]here )\b(is|are) no (?!longer\b|evidence\b)|\banew\b")


def test_sentences_say_what_is_the_case():
    """No "X is no Y", which readers take for a slip, and no "anew", in sentences and docstrings."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value[:80]}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RIDDLES.search(node.value)
    ]

    assert found == []


def test_what_a_family_is_stands_in_its_row():
    """Code that builds, counts, trains, exports and draws asks for traits."""
    readers = {"third_party.py", "checkpoints.py", "published_imagenet.py"}  # tell families of files apart
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("nets", "training", "jobs", "transfer", "charts")
        for path in (ROOT / "explorer" / folder).rglob("*.py")
        if path.name not in readers
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare) and re.search(r"'(preact|highway)'", ast.unparse(node))
    ]

    assert asked == []


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_benchmarks_say_what_their_ratio_is(path):
    assert "ratio" in ast.get_docstring(ast.parse(path.read_text()))


def test_every_part_of_a_page_remembers_what_is_chosen_in_it():
    made = [file for file in Path(ROOT, "explorer").rglob("*.py") if "st.fragment(" in file.read_text()]
    made += [file for file in Path(ROOT, "explorer").rglob("*.py") if "@st.fragment" in file.read_text()]
    assert {file.name for file in made} == {"places.py"}


def test_no_table_is_asked_by_names_that_it_cannot_see():
    """pandas looks `@name` up in the frame of its caller, which is another one within a lambda."""
    asked = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for folder in ("explorer", "pages", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("query", "eval")
        and any("@" in ast.unparse(argument) for argument in call.args)
    ]  # fmt: skip

    assert asked == []
