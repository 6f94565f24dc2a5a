"""construct, and zoo construct: a deeper net built by identity blocks, and what training makes of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import add_net, open_named_net, say
from explorer.evidence import construct
from explorer.runs.zoo import PRETRAINED
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from explorer.data.dataset import Dataset
    from explorer.nets.identity import Constructed
    from explorer.nets.loaded_net import LoadedNet

_EPOCHS = 10


def add_commands(commands: Any) -> None:
    """Add construct."""
    maker = commands.add_parser(
        "construct", help="make a net deeper by identity blocks; it keeps its answers"
    )
    add_net(maker)
    maker.add_argument("depth", type=int, help="layers of the deeper net, 6n+2, at most 1202")
    maker.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    maker.add_argument(
        "--place", choices=("end", "spread", "front"), default="end",
        help="of the identity blocks in each stage (%(default)s)",
    )  # fmt: skip
    maker.add_argument("--train", action="store_true", help="train it from there with the digits recipe")
    maker.add_argument("--epochs", type=int, default=_EPOCHS, metavar="N", help="of --train (%(default)s)")
    maker.add_argument("--seed", type=int, default=0, help="of --train: order of the images (%(default)s)")
    maker.add_argument("--lr", type=float, metavar="RATE", help="of --train: peak learning rate")
    maker.add_argument("--out", type=Path, metavar="FILE.safetensors", help="write the net")
    maker.set_defaults(command=_construct)


def add_keeping(actions: Any) -> None:
    """Add zoo construct."""
    keeping = actions.add_parser(
        "construct", help=f"train nets from an identity start, write {construct.FILE}"
    )
    keeping.add_argument("--depths", type=_whole, default=construct.DEPTHS, metavar="N,N")
    keeping.add_argument("--seeds", type=_whole, default=construct.SEEDS, metavar="N,N")
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _keep(options: Namespace) -> dict[str, Any]:
    rows = construct.keep(options.out, _told, options.depths, options.seeds)
    return {"rows": rows, "file": str(options.out / construct.FILE)}


def _told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _construct(options: Namespace) -> dict[str, Any]:
    from explorer.data.sources import open_dataset
    from explorer.probes.construct import built_from, compared
    from explorer.probes.probe_images import probe_images

    loaded, dataset = open_named_net(options.net, options.data), open_dataset(options.data)
    built = built_from(loaded, options.depth, probe_images(dataset, "train", loaded), options.place)
    if not loaded.trained:
        say("nothing has trained this net: its BN was given the statistics of the training images.")
    found = compared(built.shallow, built.net, probe_images(dataset, "test", loaded))
    result: dict[str, Any] = {
        "net": loaded.key, "built": built.net.spec.id, "place": options.place,
        "inserted": len(built.inserted), "images": found.images, "error_pct": found.before_pct,
        "built_error_pct": found.after_pct, "answers_changed": found.changed,
        "largest_logit_change": found.largest_change,
    }  # fmt: skip
    if options.train:
        result["epochs"] = _trained(options, built, dataset)
    if options.out:
        _write(options, built, loaded, dataset)
        result["file"] = str(options.out)
    return result


def _trained(options: Namespace, built: Constructed, dataset: Dataset) -> list[dict[str, float]]:
    rates = {} if options.lr is None else {"lr": options.lr}
    recipe = Recipe(epochs=options.epochs, seed=options.seed, **rates)
    trainer = construct.training_from(built, recipe, dataset)
    rows = []
    for row in construct.curve(trainer):
        rows.append(row)
        _told(
            f"epoch {row['epoch']}: training error {row['train_error_pct']:.1f} %, "
            f"test error {row['test_error_pct']:.1f} %"
        )
    built.net.load_state_dict(trainer.net.state_dict())
    return rows


def _write(options: Namespace, built: Constructed, loaded: LoadedNet, dataset: Dataset) -> None:
    from explorer.nets.saving import save_checkpoint

    save_checkpoint(
        options.out, built.net, normalisation=loaded.normalisation, classes=loaded.classes,
        dataset=dataset.id, image_size=loaded.image_size,
    )  # fmt: skip
    say(f"wrote {options.out}.")
