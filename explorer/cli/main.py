"""The commands of the shell: parsing, one line per mistake, results on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from explorer.cli import board, cluster, construct, data, jobs, library, multigrid, nets, probe, zoo


class Parser(argparse.ArgumentParser):
    """An argument parser that explains a mistake in one line and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line instead of the whole usage."""
        self.exit(2, f"explorer: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exit with 2 and one line on stderr where the input is wrong."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        result = options.command(options)
    except ValueError as error:
        parser.exit(2, f"explorer: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "explorer: stopped\n")
    if result is not None:
        print(json.dumps(result, indent=1) if options.json else _readable(result))  # noqa: T201


def make_parser() -> Parser:
    """All commands with their help."""
    parser = Parser(prog="python -m explorer", description="Measure residual networks from a shell.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for room in (nets, construct, jobs, probe, library, data, zoo, board, multigrid, cluster):
        room.add_commands(commands)
    for command in _leaves(commands):
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _leaves(commands: Any) -> list[argparse.ArgumentParser]:
    found = []
    for parser in commands.choices.values():
        nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        found += [leaf for action in nested for leaf in _leaves(action)] or [parser]
    return found


def _readable(result: Any) -> str:
    if isinstance(result, list):
        if not result:
            return "none"
        import pandas as pd

        return pd.DataFrame(result).to_string(index=False)
    if isinstance(result, dict):
        width = max(len(name) for name in result)
        return "\n".join(f"{name:<{width}}  {_value(value)}" for name, value in result.items())
    return str(result)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


if __name__ == "__main__":
    main(sys.argv[1:])
