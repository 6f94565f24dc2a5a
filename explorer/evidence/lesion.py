"""Errors of the zoo's nets without each of their blocks, measured once and kept.

What is kept is pretrained/lesions.parquet: each block removed in turn, several removed at random, blocks of a
stage swapped at random. The whole test split of the net's own dataset is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from explorer.data.sources import open_dataset
from explorer.evidence.table_files import with_rows, write_table
from explorer.runs.net_catalogue import NetChoice, trained_nets
from explorer.runs.zoo import PRETRAINED, Zoo

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.probe_images import ProbeImages

FILE = "lesions.parquet"
COMMAND = "python -m explorer zoo lesions"
DATASET = "digits"
COUNTS = (1, 2, 3, 5, 8, 10, 15, 20, 25, 34, 52)
PAIRS = (1, 2, 3, 5, 8, 13, 20)
DRAWS = 10
DEEPEST_RENEWED = 56
"""Up to this depth each deletion is also measured with new BN statistics: above, that takes minutes a net."""
COLUMNS = ["net", "kind", "count", "draw", "tau", "error_pct", "renewed_pct"]


def measure(choice: NetChoice, draws: int = DRAWS) -> pd.DataFrame:
    """All lesions of one net on the test split of its dataset.

    Returns:
        Columns `COLUMNS`. kind `intact`: one row; `single`: count is the block's number, from 1, and
        renewed_pct the error with BN statistics measured again on the training split; `removed`: count blocks
        that keep the shape, drawn `draws` times; `swapped`: count pairs within a stage, tau is Kendall's.
    """
    from explorer.probes.probe_images import probe_images
    from explorer.runs.net_opening import open_net

    loaded, dataset = open_net(choice), open_dataset(choice.dataset)
    test, train = (probe_images(dataset, split, loaded) for split in ("test", "train"))
    renewed = train if choice.depth <= DEEPEST_RENEWED else None
    rows = [*_singles(loaded, test, renewed), *_random(loaded, test, draws)]
    return pd.DataFrame(rows, columns=COLUMNS[1:]).assign(net=choice.key)[COLUMNS]


def _singles(loaded: LoadedNet, test: ProbeImages, train: ProbeImages | None) -> Iterator[dict[str, Any]]:
    from explorer.probes.lesion import Lesion, answers, errors_pct, folded_net, single_deletions
    from explorer.probes.lesion import with_new_statistics as renewed

    intact, *errors = errors_pct(single_deletions(folded_net(loaded.net), test.images), test.labels)
    yield {"kind": "intact", "count": 0, "error_pct": intact}
    for number, error in enumerate(errors):
        row = {"kind": "single", "count": number + 1, "error_pct": error}
        if train is not None:
            lesion = Lesion(frozenset([number]))
            net = renewed(loaded, lesion, train.images)
            row["renewed_pct"] = answers(net, test.images, test.labels, lesion).error_pct
        yield row


def _random(loaded: LoadedNet, test: ProbeImages, draws: int) -> Iterator[dict[str, Any]]:
    from explorer.probes.lesion import (
        Lesion,
        answers,
        folded_net,
        kendall_tau,
        movable,
        removed_at_random,
        swapped_at_random,
    )

    net, blocks = folded_net(loaded.net), loaded.blocks()
    there = movable(blocks)
    most = sum(map(len, there.values()))
    for draw in range(draws):
        for count in sorted({min(count, most) for count in COUNTS}):
            lesion = Lesion(removed_at_random(blocks, count, list(there), draw))
            error = answers(net, test.images, test.labels, lesion).error_pct
            yield {"kind": "removed", "count": count, "draw": draw, "error_pct": error}
        for pairs in PAIRS if max(map(len, there.values())) > 1 else ():
            order = swapped_at_random(blocks, pairs, draw)
            error = answers(net, test.images, test.labels, Lesion(order=order)).error_pct
            row = {"kind": "swapped", "count": pairs, "draw": draw, "error_pct": error}
            yield row | {"tau": kendall_tau(order)}


def keep(out: Path, say: Callable[[str], None]) -> int:
    """Measure the zoo's nets on digits that the file lacks, and add each at once; returns its rows."""
    table = kept(out)
    runs = Zoo().runs()
    for choice in trained_nets(runs[runs["checkpoint"].notna()]):
        if choice.dataset != DATASET or (table["net"] == choice.key).any():
            continue
        made = measure(choice)
        table = with_rows(table, made)
        write_table(table, out / FILE, COMMAND)
        say(f"{choice.title}: {(made['kind'] == 'single').sum()} blocks")
    return len(table)


def kept(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The measurement that comes with the explorer, columns `COLUMNS`; empty where there is none."""
    path = pretrained / FILE
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=COLUMNS)
