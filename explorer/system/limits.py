"""The table of what one visitor may cost, by profile and environment variable, and the sentences that refuse.

A limit binds whoever uses the pages. A shell is used by those who run the server: its commands know none.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal

PROFILE_VARIABLE = "EXPLORER_PROFILE"
PROFILES = ("laptop", "classroom", "internet")
NONE = "none"
LimitName = Literal["runs", "steps", "queue", "upload", "probing"]
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)


class LimitError(ValueError):
    """A visitor asks for more than this server grants; the text says how much that is and what to do."""


class LimitSettingError(ValueError):
    """A variable has a value that is not known; the text says which values there are."""


@dataclass(frozen=True)
class Limit:
    """One row of the table.

    Attributes:
        variable: the environment variable that goes before the profile.
        title: what is bounded, with its unit.
        refusal: the sentence where it bites; {most} is the limit, and each caller adds what it counted.
        defaults: by profile, in the order of `PROFILES`; None for no limit.
    """

    variable: str
    title: str
    refusal: str
    defaults: tuple[int | None, int | None, int | None]


LIMITS: dict[LimitName, Limit] = {
    "runs": Limit(
        "EXPLORER_MAX_RUNS_PER_HOUR",
        "runs per visitor and hour",
        "This server trains at most {most} runs per visitor and hour; you have started {there} in the last "
        "hour, and this would start {more}. Start fewer, or wait.",
        (None, 48, 8),
    ),
    "steps": Limit(
        "EXPLORER_MAX_STEPS",
        "steps (iterations) of a run",
        "This server trains a run for at most {most} steps, and this one would take {there}. Take fewer "
        "epochs, a larger batch or a smaller dataset.",
        (None, 20_000, 2_000),
    ),
    "queue": Limit(
        "EXPLORER_MAX_QUEUE",
        "runs that wait in the queue",
        "At most {most} runs may wait on this server; {there} wait now, and this would add {more}. Try again "
        "when some of them have been trained.",
        (None, 300, 60),
    ),
    "upload": Limit(
        "EXPLORER_MAX_UPLOAD_MIB",
        "MiB that a session uploads",
        "This server takes at most {most} MiB of files per session; {name} has {more:.1f} MiB, after "
        "{there:.1f} MiB that were sent before. A new session (another tab) begins at zero.",
        (None, 512, 64),
    ),
    "probing": Limit(
        "EXPLORER_MAX_PROBE_SECONDS",
        "seconds of one computation in a page",
        "{title} was stopped: this server computes at most {most} seconds for one question. Ask for fewer "
        "images or samples, or for a shallower net.",
        (None, 120, 30),
    ),
}
"""Every limit there is."""


def profile() -> str:
    """The profile of this server, one of `PROFILES`.

    Raises:
        LimitSettingError: EXPLORER_PROFILE names another one.
    """
    asked = os.environ.get(PROFILE_VARIABLE, "").strip().lower() or PROFILES[0]
    if asked not in PROFILES:
        raise LimitSettingError(
            f"{PROFILE_VARIABLE} is '{asked[:40]}', which is not a profile. Set it to "
            f"{', '.join(PROFILES[:-1])} or {PROFILES[-1]}; the first, which has no limits, is the default."
        )
    return asked


def most(name: LimitName) -> int | None:
    """How much of it one visitor may use; None for as much as he likes.

    Raises:
        LimitSettingError: a variable has a value that is not known.
    """
    limit, default = LIMITS[name], PROFILES.index(profile())
    asked = os.environ.get(limit.variable, "").strip().lower()
    if asked == NONE:
        return None
    if not asked:
        return limit.defaults[default]
    if not _WHOLE.fullmatch(asked):
        raise LimitSettingError(
            f"{limit.variable} is '{asked[:40]}'; set it to a whole number ({limit.title}), or to {NONE} for "
            "no limit."
        )
    return int(asked)


def refuse_above(which: LimitName, asked: float, **counted: object) -> None:
    """Refuse what goes beyond a limit.

    Args:
        which: of the limits.
        asked: how much there would be in all, in the limit's unit.
        counted: what its sentence needs besides {most}.

    Raises:
        LimitError: it is more than one visitor may use.
        LimitSettingError: a variable has a value that is not known.
    """
    allowed = most(which)
    if allowed is not None and asked > allowed:
        raise LimitError(LIMITS[which].refusal.format(most=f"{allowed:,}", **counted))


def in_force() -> dict[str, int | str]:
    """The profile, and each limit by its title, for `doctor`; raises as `most`."""
    found = {limit.title: most(name) for name, limit in LIMITS.items()}
    return {"profile": profile()} | {title: NONE if one is None else one for title, one in found.items()}


def check_settings() -> None:
    """Raise a LimitSettingError where a variable has a value that is not known."""
    in_force()
