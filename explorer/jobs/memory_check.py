"""Whether a run fits into this machine's memory; refused before it starts, with numbers and a way out."""

from __future__ import annotations

from dataclasses import replace

import psutil

from explorer.data.facts import facts, image_size
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Estimate, check_fits, estimate
from explorer.training.recipe import Recipe

_MIB = 2**20
_MANY = 10**9
# of all memory; the rest is the system's and the app's own
_USABLE = 0.9


def check_memory(spec: NetSpec, recipe: Recipe, data: str) -> Estimate:
    """What the run costs; refuse one that this machine could not hold with nothing else running.

    Data in a folder is taken to have 32 pixels until the worker has read it and looks again. On a GPU
    only the worker looks, since only there its memory is known.

    Raises:
        DoesNotFitError: it needs more memory than there is.
    """
    known = facts(data)
    if known is not None:
        spec = replace(spec, in_channels=known.channels)
    cost = estimate(spec, recipe, image_size(data), _MANY)
    if recipe.device not in ("cuda", "mps"):
        check_fits(cost, _USABLE * psutil.virtual_memory().total / _MIB)
    return cost
