"""A sweep in a process of its own, so that a test can kill it: python sweep_process.py WORK."""

import sys
from pathlib import Path

from explorer.jobs.sweep import RunConfig, sweep
from explorer.training.recipe import Recipe

RECIPE = Recipe(epochs=4, batch_size=20, device="cpu", lr=0.02)
CONFIGS = [RunConfig("residual-8", RECIPE, "digits:800"), RunConfig("plain-8", RECIPE, "digits:800")]

if __name__ == "__main__":
    for line in sweep(CONFIGS, Path(sys.argv[1]), workers=1, together=2):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
