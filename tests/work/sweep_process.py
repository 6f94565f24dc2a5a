"""A sweep in a process of its own, so that a test can kill it: python sweep_process.py WORK."""

import sys
from pathlib import Path

from explorer.training.recipe import Recipe
from explorer.work.sweep import Plan, sweep

RECIPE = Recipe(epochs=4, batch_size=20, device="cpu", lr=0.02)
PLANS = [Plan("residual-8", RECIPE, "digits:800"), Plan("plain-8", RECIPE, "digits:800")]

if __name__ == "__main__":
    for line in sweep(PLANS, Path(sys.argv[1]), workers=1, together=2):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
