"""The heap is frozen after each page that imported much, and not at every run."""

import subprocess
import sys

from explorer.runs.zoo import ROOT

SCRIPT = """
import gc, sys
from explorer.ui.startup import tidy_heap
first, again = tidy_heap(), tidy_heap()
small = gc.get_freeze_count()
import torch
print(first, again, tidy_heap(), gc.get_freeze_count() > small + 50_000, tidy_heap())
"""


def test_what_torch_brings_is_frozen_too_and_only_once():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.split() == ["True", "False", "True", "True", "False"]
