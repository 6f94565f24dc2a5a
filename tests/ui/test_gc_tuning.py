"""The heap is frozen after each page that imported much, and one thread collects it."""

import subprocess
import sys
import threading

import streamlit as st

from explorer.system.paths import ROOT
from explorer.ui.gc_tuning import tidy_heap

SCRIPT = """
import gc, sys
from explorer.ui.gc_tuning import tidy_heap
first, again = tidy_heap(), tidy_heap()
small = gc.get_freeze_count()
import torch
print(first, again, tidy_heap(), gc.get_freeze_count() > small + 50_000, tidy_heap())
"""


def test_what_torch_brings_is_frozen_too_and_only_once():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.split() == ["True", "False", "True", "True", "False"]


def test_emptied_caches_start_no_second_collector():
    """Each would stop all sessions every five seconds; a suite of page tests once had a hundred."""
    for _ in range(3):
        st.cache_resource.clear()
        tidy_heap()

    assert [thread.name for thread in threading.enumerate()].count("collector") == 1
