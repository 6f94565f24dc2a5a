"""Numbers in words: per cents, differences of what is shown, means with their spread, lists."""

from __future__ import annotations

import math
import re

_MARKUP = re.compile(r"([\\`*_\[\]#|<>~$:&])")


def percent(value: float) -> str:
    """One decimal and a thin gap before the sign: '15.3 %'."""
    return "no value" if math.isnan(value) else f"{value:.1f} %"


def difference(more: float, less: float, digits: int = 1) -> float:
    """What a reader gets who subtracts the two as they are shown, with so many digits behind the point."""
    return round(round(more, digits) - round(less, digits), digits) or 0.0


def points(value: float) -> str:
    """A difference of per cents, with its sign, and none at zero: '+74.2 points', '0.0 points'."""
    return f"{signed(value, 1)} points" if not math.isnan(value) else "no value"


def points_between(more: float, less: float) -> str:
    """The difference of two per cents, of their shown values: 0.2 and 0.1 give '+0.1 points'."""
    return points(difference(more, less))


def signed(value: float, digits: int = 2) -> str:
    """With its sign, zero without one: '+0.08', '−1.96', '0.00'."""
    rounded = round(value, digits) or 0.0
    return (
        "no value" if math.isnan(value) else f"{rounded:{'+' if rounded else ''}.{digits}f}".replace("-", "−")
    )


def with_spread(mean: float, low: float, high: float, seeds: int) -> str:
    """'77.1 % (74.0 to 81.2 over 3 seeds)', or '77.1 % (one seed)'."""
    if seeds <= 1:
        return f"{percent(mean)} (one seed)"
    return f"{percent(mean)} ({low:.1f} to {high:.1f} over {seeds} seeds)"


def literal(text: str) -> str:
    """What a person or a file said, for Markdown: shown as it is, never as a link or a picture."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def listed(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def number(value: float) -> str:
    """Three digits that matter, thousands in full: '0.0125', '−3.1', '54,200'."""
    said = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return said.replace("-", "−")
