"""The allocator's settings, in a process of their own since they hold for a whole process."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, psutil, torch
from explorer.training.allocator import keep_freed_maps, trim

def used_mib():
    return psutil.Process().memory_info().rss / 2**20

taken = keep_freed_maps()
before = used_mib()
maps = [torch.ones(2**20) for _ in range(100)]
full = used_mib()
maps.clear()
kept = used_mib()
trim()
told = {"taken": taken, "full": full - before, "kept": kept - before, "after": used_mib() - before}
print(json.dumps(told))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the settings are glibc's")
def test_freed_maps_are_kept_between_steps_and_given_back_at_the_end():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    mib = json.loads(done.stdout)
    if not mib["taken"]:
        pytest.skip("this C library has no mallopt")

    assert mib["full"] > 350
    assert mib["kept"] > 0.9 * mib["full"]
    assert mib["after"] < 0.2 * mib["full"]
