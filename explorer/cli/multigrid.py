"""multigrid: Poisson's equation by corrections, and by one descent with two sets of knobs."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

_CYCLES = 12


def add_commands(commands: Any) -> None:
    """Add multigrid."""
    solver = commands.add_parser("multigrid", help="coarse solution plus corrections, before there were nets")
    solver.add_argument("--points", type=int, default=63, metavar="N", help="2^k - 1 (%(default)s)")
    solver.add_argument("--levels", type=int, metavar="N", help="grids in use; default: all")
    solver.add_argument("--cycles", type=int, default=_CYCLES, metavar="N", help="of the V (%(default)s)")
    solver.add_argument("--steps", type=int, default=100, metavar="N", help="of descent (%(default)s)")
    solver.set_defaults(command=_solve)


def _solve(options: Namespace) -> dict[str, Any]:
    import numpy as np

    from explorer.evidence import multigrid

    for name in ("cycles", "steps"):
        if not 1 <= getattr(options, name) <= 10_000:
            raise ValueError(f"--{name} {getattr(options, name)}: give 1 to 10,000.")
    most = multigrid.most_levels(options.points)
    if most > 10:
        raise ValueError(f"--points {options.points}: give at most 1,023.")
    levels = most if options.levels is None else options.levels
    rows = {n: multigrid.cycles(options.points, n, options.cycles) for n in {1, levels}}
    left = {n: (np.abs(row).max(1) / np.abs(row[0]).max()).tolist() for n, row in rows.items()}
    nodal, hats = (
        multigrid.on_a_line(options.points, hierarchical=way, steps=options.steps) for way in (False, True)
    )
    return {
        "points": options.points, "levels": levels, "error_by_cycle": left[levels],
        "smoothing_alone": left[1],
        "condition_points": nodal.condition, "condition_hats": hats.condition,
        "error_points": float(nodal.errors[-1]), "error_hats": float(hats.errors[-1]),
        "largest_height_by_level": multigrid.by_level(hats),
    }  # fmt: skip
