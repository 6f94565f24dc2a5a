"""Writes docs/decisions/README.md, the index of decisions, from the decisions themselves.

    python tools/decisions.py

Number and title are those of a decision's first line. One that is replaced, wholly or in part, says so in its
second paragraph, which becomes its state. The date of a decision is that of the commit that added it.
"""

from __future__ import annotations

import datetime
import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
_HEAD = """# Decisions

What a reader would ask "why" about: the question, what was decided, the reasons, and the price. A decision
that another one replaces says so at its top and here. Dates are those of the commit that added it. There is
no 0009. This file is written by `python tools/decisions.py`.

| number | decision | date | state |
|---|---|---|---|
"""
_ROW = re.compile(r"\| \[(\d{4})\]\(.*?\) \| .* \| (\d{4}-\d\d-\d\d) \| .* \|")
_REPLACED = re.compile(r"\breplaced by", re.IGNORECASE)


def index(dates: dict[str, str]) -> str:
    """The text of the index.

    Args:
        dates: of decisions by number.
    """
    rows = []
    for path in sorted(FOLDER.glob("0*.md")):
        number, title, state = read(path)
        rows.append(f"| [{number}]({path.name}) | {title} | {dates[number]} | {state} |")
    return _HEAD + "\n".join(rows) + "\n"


def read(path: Path) -> tuple[str, str, str]:
    """Number, title and state of a decision.

    Raises:
        ValueError: its first line is not `# NNNN: title` with the number of its name.
    """
    paragraphs = path.read_text(encoding="utf-8").split("\n\n")
    found = re.fullmatch(r"# (\d{4}): (.+)", paragraphs[0].strip())
    if found is None or found[1] != path.name[:4]:
        raise ValueError(f"{path.name} must begin with '# {path.name[:4]}: ' and its title.")
    second = " ".join(paragraphs[1].split()).removeprefix("**State.** ")
    return found[1], found[2], second.rstrip(".") if _REPLACED.search(second) else "in force"


def known_dates() -> dict[str, str]:
    """The dates that the index has."""
    path = FOLDER / "README.md"
    return dict(_ROW.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _added(path: Path) -> str:
    words = ["git", "log", "--diff-filter=A", "--follow", "--format=%ad", "--date=short", "--", str(path)]
    done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, check=True)
    return (done.stdout.split() or [datetime.date.today().isoformat()])[-1]


def main() -> None:
    """Write the index; dates that it has stay."""
    dates = known_dates()
    paths = sorted(FOLDER.glob("0*.md"))
    dates |= {path.name[:4]: _added(path) for path in paths if path.name[:4] not in dates}
    (FOLDER / "README.md").write_text(index(dates), encoding="utf-8")


if __name__ == "__main__":
    main()
