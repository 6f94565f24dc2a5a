"""sweep and zoo build: many nets."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explorer.cli import construct, gradients, landscape, lesion, playback, shortcuts
from explorer.cli.shared_arguments import say
from explorer.cli.signal_propagation import add_keeping
from explorer.jobs.grid import SETTINGS, grid_configs
from explorer.jobs.sweep import RunConfig, sweep
from explorer.jobs.zoo_runs import DIGITS_DEPTHS, build_zoo, make_run_configs

_VARIED = [name for name, setting in SETTINGS.items() if not setting.of_net]
_IN_RECIPE = (
    ("fraction", None), ("epochs", None), ("lr", None), ("schedule", None), ("warmup_epochs", None),
    ("precision", "fp32"), ("kernels", "auto"), ("device", "auto"),
)  # fmt: skip


def add_commands(commands: Any) -> None:
    """Add sweep and zoo."""
    sweeper = commands.add_parser("sweep", help="train many nets; goes on where it stopped")
    sweeper.add_argument("--families", type=_words, default=("plain", "residual"), metavar="A,B")
    sweeper.add_argument("--depths", type=_whole, default=DIGITS_DEPTHS, metavar="N,N")
    sweeper.add_argument(
        "--nets",
        type=_words,
        metavar="ID,ID",
        help="instead of --families and --depths",
    )
    sweeper.add_argument(
        "--recipe", metavar="JSON", help="of --nets: fields and values; without it, the digits recipe"
    )
    sweeper.add_argument(
        "--vary", metavar="FIELD=V,V", help=f"of --nets: one more setting; {', '.join(_VARIED)}"
    )
    sweeper.add_argument("--seeds", type=_whole, default=(0, 1, 2), metavar="N,N")
    sweeper.add_argument("--data", default="digits", metavar="NAME_OR_PATH")
    sweeper.add_argument(
        "--fraction", type=float, help="of the paper's recipe; without it, the digits recipe"
    )
    sweeper.add_argument(
        "--epochs", type=int, metavar="N", help="instead of --fraction: the paper's recipe in N epochs"
    )
    sweeper.add_argument(
        "--lr", type=float, metavar="RATE", help="peak learning rate instead of the recipe's"
    )
    sweeper.add_argument("--schedule", choices=("cosine", "step"), help="instead of the recipe's")
    sweeper.add_argument(
        "--warmup-epochs", type=float, metavar="N", help="instead of the recipe's; alike for all depths"
    )
    sweeper.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="fp32")
    sweeper.add_argument("--kernels", choices=("auto", "eager", "fused"), default="auto")
    sweeper.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    sweeper.add_argument(
        "--together", type=int, default=1, metavar="N", help="nets side by side in each process"
    )
    sweeper.add_argument("--cluster", metavar="HOST:PORT", help="train on this Ray cluster (docs/cluster.md)")
    _add_work(sweeper)
    sweeper.set_defaults(command=_sweep)
    zoo = commands.add_parser("zoo", help="make the zoo in pretrained/")
    actions = zoo.add_subparsers(metavar="ACTION", required=True)
    build = actions.add_parser("build", help="train a dataset's nets where missing, and write pretrained/")
    build.add_argument("--dataset", default="digits", help="digits, or the id of a dataset swept into --work")
    build.add_argument("--data", metavar="PATH", help="where a swept dataset is, to test the files written")
    build.add_argument("--out", type=Path, default=None, metavar="FOLDER", help="default: pretrained/")
    build.add_argument(
        "--add",
        action="store_true",
        help="keep the zoo's other runs of that dataset; without it, replace them",
    )
    _add_work(build)
    build.set_defaults(command=_build)
    add_keeping(actions)
    construct.add_keeping(actions)
    lesion.add_keeping(actions)
    gradients.add_keeping(actions)
    shortcuts.add_keeping(actions)
    landscape.add_keeping(actions)
    playback.add_keeping(actions)


def _add_work(parser: Any) -> None:
    parser.add_argument(
        "--work", type=Path, default=None, metavar="FOLDER", help="finished runs are kept here"
    )
    parser.add_argument(
        "--workers", type=int, default=None, metavar="N", help="processes; default: one per core"
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _sweep(options: Namespace) -> dict[str, Any]:
    from explorer.data.sources import named_or_path

    options.data, remark = named_or_path(options.data)
    if remark:
        say(remark)
    configs = _configs(options)
    work = options.work or Path("sweep")
    for line in _lines(options, configs, work):
        print(line, file=sys.stderr, flush=True)  # noqa: T201
    return {"runs": len(configs), "work": str(work)}


def _configs(options: Namespace) -> list[RunConfig]:
    if options.nets is None and options.recipe is None and options.vary is None:
        return make_run_configs(options)
    if options.nets is None:
        raise ValueError("--recipe and --vary belong to --nets; give the nets by their ids.")
    given = [f"--{name.replace('_', '-')}" for name, usual in _IN_RECIPE if getattr(options, name) != usual]
    if given:
        raise ValueError(f"With --nets, {', '.join(given)} cannot be given: write it into --recipe.")
    return grid_configs(options.nets, options.recipe, options.vary, options.seeds, options.data)


def _lines(options: Namespace, configs: list[RunConfig], work: Path) -> Iterator[str]:
    from explorer.cluster.settings import asked_cluster

    address = options.cluster or asked_cluster()
    if address is None:
        return sweep(configs, work, workers=options.workers, together=options.together)
    from explorer.cluster.sweep import sweep_on

    if options.together != 1 or options.workers is not None:
        raise ValueError(
            "--workers and --together are for this machine; a cluster places each run by itself."
        )
    return sweep_on(address, configs, work)


def _build(options: Namespace) -> dict[str, Any]:
    return build_zoo(
        options.dataset,
        data=options.data,
        work=options.work,
        out=options.out,
        workers=options.workers,
        add=options.add,
        progress=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
    )
