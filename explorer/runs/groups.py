"""Groups of runs that are one experiment, equal but for the seed; and what tells groups apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from string import ascii_lowercase
from typing import Any

import pandas as pd

from explorer.analysis import selection
from explorer.nets.families import FAMILIES
from explorer.runs.run import Run

_TAG_LENGTH = 18
_KNOWN_LATER = ("parameters", "iterations", "epochs", "device", "training data")
_SAME_AS_RUN = ("epochs", "iterations")  # what the run has; the recipe may leave one of them open


@dataclass(frozen=True)
class Group:
    """Runs with the same settings but for the seed.

    Attributes:
        tag: short, unique name among the groups compared.
        family: of their net.
        depth: of their net.
        dataset: id of their data.
        origin: zoo, own or imported.
        run_ids: of the runs, by seed.
        seeds: of the runs, rising.
        settings: net, recipe and data, by name.
    """

    tag: str
    family: str
    depth: int
    dataset: str
    origin: selection.Origin
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: dict[str, Any] = field(repr=False)


def group_runs(runs: Sequence[Run], names: Mapping[str, str] | None = None) -> list[Group]:
    """Groups in order of dataset, depth and family.

    Args:
        runs: any runs.
        names: what a person called them, by run id; a group whose runs all share a name is called so.
    """
    keys = _keys(runs)
    ordered = sorted(runs, key=lambda run: (*keys[run.run_id], run.recipe.seed, run.run_id))
    parts = [list(part) for _, part in groupby(ordered, key=lambda run: keys[run.run_id])]
    tags = _unique(_with_origins([(_tag(part, names or {}), run_origin(part[0])) for part in parts]))
    return [_group(tag, part) for tag, part in zip(tags, parts, strict=True)]


def counted_members(groups: Sequence[Group], runs: Sequence[Run]) -> pd.DataFrame:
    """As `members`, with their status, and counts: whether a mean takes them, see `selection.counts`."""
    known = {run.run_id: (run.status, run.created) for run in runs}
    table = members(groups)
    table[["status", "created"]] = [known[run_id] for run_id in table["run_id"]]
    return table.assign(counts=selection.counts(table, ["group"])).drop(columns="created")


def members(groups: Sequence[Group]) -> pd.DataFrame:
    """One row per run, for charts: run_id, seed, group (its tag), family, depth, in order of the groups."""
    rows = [
        (run_id, seed, group.tag, group.family, group.depth)
        for group in groups
        for run_id, seed in zip(group.run_ids, group.seeds, strict=True)
    ]
    return pd.DataFrame(rows, columns=["run_id", "seed", "group", "family", "depth"])


def differences(groups: Sequence[Group]) -> pd.DataFrame:
    """Settings that differ between the groups: column setting, and one column of texts per group."""
    names = list(dict.fromkeys(name for group in groups for name in group.settings))
    table = {name: [_said(group.settings.get(name)) for group in groups] for name in names}
    rows = [[name, *texts] for name, texts in table.items() if len(set(texts)) > 1]
    seeds = [", ".join(map(str, group.seeds)) for group in groups]
    if len(set(seeds)) > 1:
        rows.append(["seeds", *seeds])
    return pd.DataFrame(rows, columns=["setting", *(group.tag for group in groups)])


def settings(run: Run) -> dict[str, Any]:
    """Everything that decides a run but its seed, by name; then where it was made."""
    spec, recipe = run.spec.to_dict(), run.recipe.to_dict()
    made = run.provenance
    kept = {name: value for name, value in recipe.items() if name not in ("seed", *_SAME_AS_RUN)}
    return {
        "net": run.spec.title,
        **{name: spec[name] for name in ("family", "depth", "block", "shortcut", "width", "gate_bias")},
        "parameters": run.parameters,
        "dataset": run.dataset,
        "epochs": run.epochs,
        "iterations": run.iterations,
        **kept,
        "device": made.get("device") or run.recipe.device,  # where it ran; "auto" is only what was asked for
        "training data": str(made.get("data_hash", ""))[:12],
    }


def run_origin(run: Run) -> selection.Origin:
    """Where a run was trained; see `selection.origin_of`."""
    return selection.origin_of(run.source, run.provenance)


def origins(runs: Sequence[Run]) -> str:
    """Commits, versions of torch and machines of some runs, in one line."""
    facts = [run.provenance for run in runs]
    commits = sorted({str(fact.get("commit") or "unknown") for fact in facts})
    torch = sorted({str(fact.get("versions", {}).get("torch", "unknown")) for fact in facts})
    machines = sorted({str(fact.get("hardware", "unknown")) for fact in facts})
    return f"Commit {', '.join(commits)}; torch {', '.join(torch)}; {', '.join(machines)}."


def _keys(runs: Sequence[Run]) -> dict[str, tuple[Any, ...]]:
    """By run id, what the runs of one group share, so that groups sort by dataset, depth and family.

    A run that has not begun does not know yet where and on what it is trained: it belongs to the group of
    runs that were ordered like it, so that names and colours stay when it begins.
    """
    made: dict[str, str] = {}
    for run in runs:
        if _has_begun(run):
            made.setdefault(_as_ordered(run), _as_made(run))
    keys = {}
    for run in runs:
        ordered = _as_ordered(run)
        known = _as_made(run) if _has_begun(run) else made.get(ordered, "")
        keys[run.run_id] = (
            run.dataset,
            run.spec.depth,
            list(FAMILIES).index(run.spec.family),
            ordered,
            known,
        )
    return keys


def _has_begun(run: Run) -> bool:
    return bool(run.parameters)  # its worker counts them as it begins


def _as_ordered(run: Run) -> str:
    """Origin and settings: runs of another origin are never averaged with one's own."""
    kept = {name: value for name, value in settings(run).items() if name not in _KNOWN_LATER}
    return repr((run_origin(run), sorted(kept.items())))


def _as_made(run: Run) -> str:
    found = settings(run)
    return repr([found[name] for name in _KNOWN_LATER])


def _group(tag: str, runs: Sequence[Run]) -> Group:
    first = next((run for run in runs if _has_begun(run)), runs[0])
    return Group(
        tag=tag,
        family=first.spec.family,
        depth=first.spec.depth,
        dataset=first.dataset,
        origin=run_origin(first),
        run_ids=tuple(run.run_id for run in runs),
        seeds=tuple(run.recipe.seed for run in runs),
        settings=settings(first),
    )


def _tag(runs: Sequence[Run], names: Mapping[str, str]) -> str:
    called = {names.get(run.run_id, "") for run in runs}
    name = called.pop() if len(called) == 1 else ""
    name = name or runs[0].spec.title
    return name if len(name) <= _TAG_LENGTH else f"{name[: _TAG_LENGTH - 1].rstrip()}…"


def _with_origins(tagged: Sequence[tuple[str, selection.Origin]]) -> list[str]:
    """Imported groups are named as such; the zoo's where there are others of that name."""
    others = {tag for tag, origin in tagged if origin != "zoo"}
    ends = {"own": "", "imported": ", imported", "zoo": ", zoo"}
    return [tag if origin == "zoo" and tag not in others else tag + ends[origin] for tag, origin in tagged]


def _unique(tags: Sequence[str]) -> list[str]:
    """The same tags, with letters after those that come twice."""
    counts, seen = Counter(tags), Counter[str]()
    made = []
    for tag in tags:
        number, seen[tag] = seen[tag], seen[tag] + 1
        letter = ascii_lowercase[number] if number < len(ascii_lowercase) else str(number + 1)
        made.append(tag if counts[tag] == 1 else f"{tag} {letter}")
    return made


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(f"{part:g}" for part in value)
    return "" if value is None else str(value)
