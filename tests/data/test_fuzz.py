"""Thousands of damaged files of real formats: nothing but ImageError comes out, in bounded memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = 20


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to limit and to measure memory")
def test_damaged_files_give_image_errors_alone_and_take_little_memory():
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fuzzing.py")), "7", str(ROUNDS)],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, f"the process ended at: {done.stderr[-300:]}"
    found = json.loads(done.stdout)
    assert found["unopened"] == []
    assert found["leaks"] == []
    assert found["opened"] + found["refused"] >= 5000
    # both happen often, so the mutations are neither too mild nor too wild
    assert min(found["opened"], found["refused"]) > 200
    # 25 million pixels take 100 MB as Pillow holds them; a few copies of that at most
    assert found["peak_mib"] < 600
