"""board: what the paper measured beside what was measured here."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from explorer import paper
from explorer.runs.library import open_library

_SHOWN = ("part", "what", "quantity", "paper", "measured", "dataset", "verdict", "reason")


def add_commands(commands: Any) -> None:
    """Add board."""
    board = commands.add_parser("board", help="the paper's tables and claims beside what was measured here")
    board.add_argument("--part", choices=("claims", *paper.TABLES), help="default: all of them")
    board.set_defaults(command=_board)


def _board(options: Namespace) -> list[dict[str, Any]]:
    import pandas as pd

    from explorer.evidence.board import board
    from explorer.evidence.claims import findings

    library = open_library()
    claims = findings(library).assign(part="claims").rename(columns={"text": "what", "source": "paper"})
    tables = board(library.runs()).rename(columns={"table": "part", "net": "what"})
    both = pd.concat([claims, tables], ignore_index=True)
    both = both[both["part"] == options.part] if options.part else both
    rows = both[list(both.columns if options.json else _SHOWN)].astype(object).to_dict("records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in rows]
