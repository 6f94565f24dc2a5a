"""describe, train, evaluate: one net at a time."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import (
    add_reading,
    numbers,
    open_data,
    open_named_net,
    reading_of,
    say,
    say_assumed,
)
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from explorer.data.dataset import Dataset
    from explorer.nets.checkpoint_reading import Reading
    from explorer.nets.loaded_net import LoadedNet


def add_commands(commands: Any) -> None:
    """Add describe, train and evaluate."""
    describe = commands.add_parser("describe", help="parameters, multiply-adds and blocks of a net")
    describe.add_argument("id", help="such as residual-20, plain-56, residual-110-B, torchvision:resnet50")
    describe.add_argument(
        "--image-size", type=int, metavar="PIXELS", help="default: 32, of ImageNet's nets 224"
    )
    describe.add_argument("--in-channels", type=int, default=3, metavar="N")
    describe.add_argument("--classes", type=int, default=10, metavar="N")
    describe.set_defaults(command=_describe)
    _add_train(commands)
    evaluate = commands.add_parser("evaluate", help="error of a checkpoint on a dataset")
    evaluate.add_argument(
        "checkpoint", help="a checkpoint file of any code base, or published:resnet20 … published:resnet1202"
    )
    evaluate.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="digits, or a folder")
    evaluate.add_argument("--split", default="test", help="test (default) or train")
    add_reading(evaluate)
    evaluate.set_defaults(command=_evaluate)


def _add_train(commands: Any) -> None:
    default = Recipe()
    train = commands.add_parser("train", help="train one net and keep the run")
    train.add_argument("id", help="such as residual-20")
    train.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="digits, or a folder")
    train.add_argument("--epochs", type=int, default=default.epochs, metavar="N")
    train.add_argument("--iterations", type=int, metavar="N", help="instead of epochs")
    train.add_argument("--seed", type=int, default=default.seed)
    train.add_argument("--lr", type=float, default=default.lr, help="peak learning rate (%(default)s)")
    train.add_argument("--schedule", choices=("cosine", "step"), default=default.schedule)
    train.add_argument(
        "--drops", type=numbers, default=default.drops, metavar="A,B", help="fractions of the run"
    )
    train.add_argument("--warmup-epochs", type=float, metavar="N", help="default: 15 %% of the run")
    train.add_argument("--batch-size", type=int, default=default.batch_size, metavar="N")
    train.add_argument("--momentum", type=float, default=default.momentum)
    train.add_argument("--weight-decay", type=float, default=default.weight_decay)
    train.add_argument("--augment", action="store_true", help="pad, crop and flip")
    train.add_argument(
        "--survival",
        type=float,
        default=default.survival,
        metavar="P",
        help="of the last block: stochastic depth",
    )
    train.add_argument(
        "--dropout", type=float, default=default.dropout, metavar="P", help="between convolutions"
    )
    train.add_argument(
        "--checkpointing", action="store_true", help="less memory, more time, the same numbers"
    )
    train.add_argument("--precision", choices=("auto", "fp32", "bf16"), default=default.precision)
    train.add_argument(
        "--kernels", choices=("auto", "eager", "fused"), default="auto",
        help="auto: fused where the calibration says that they pay",
    )  # fmt: skip
    train.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default=default.device)
    train.add_argument("--queue", action="store_true", help="leave it to a worker: the app's, or `worker`")
    train.set_defaults(command=_train)


def _describe(options: Namespace) -> dict[str, Any]:
    from explorer.nets.cost_measured import describe
    from explorer.nets.published_imagenet import IMAGE_SIZE, published
    from explorer.runs.net_catalogue import TORCHVISION

    if options.id.startswith(TORCHVISION):
        about = published(options.id.removeprefix(TORCHVISION))
        found = describe(about, options.image_size or IMAGE_SIZE)
    else:
        spec = NetSpec.parse(options.id, in_channels=options.in_channels, classes=options.classes)
        usual = IMAGE_SIZE if spec.design.imagenet_stem else 32
        found = describe(spec, options.image_size or usual)
    return {name: found[name] for name in ("id", "depth", "family", "parameters", "macs", "blocks")}


def recipe_from(options: Namespace, count: int) -> Recipe:
    """The recipe that the options of `train` describe, for `count` training images."""
    steps = max(count // min(options.batch_size, count), 1)
    total = options.iterations or options.epochs * steps
    warmup = (
        Recipe().warmup if options.warmup_epochs is None else options.warmup_epochs * steps / max(total, 1)
    )
    if warmup > 1:
        raise ValueError(f"--warmup-epochs {options.warmup_epochs:g} is longer than the run; take fewer.")
    names = ("epochs", "iterations", "batch_size", "lr", "schedule", "momentum", "weight_decay", "augment")
    others = ("seed", "device", "survival", "dropout", "checkpointing")
    chosen = {name: getattr(options, name) for name in (*names, *others)}
    return Recipe(**chosen, drops=tuple(options.drops), warmup=warmup)


def _train(options: Namespace) -> dict[str, Any]:
    from explorer.data.sources import named_or_path

    if NetSpec.parse(options.id).layout is not None:
        raise ValueError(
            f"{options.id} is a design to look at: `describe`, `probe`. Trained here are nets of the CIFAR "
            "design, such as residual-20."
        )
    dataset = open_data(options.data, "train")
    options.data, _ = named_or_path(options.data)
    train = dataset.split("train")
    spec = NetSpec.parse(options.id, in_channels=train.in_channels, classes=len(dataset.classes))
    recipe = _settled(spec, recipe_from(options, len(train.labels)), options, dataset)
    if options.queue:
        return _queue(spec, recipe, options.data)
    from explorer.jobs.foreground import train_and_keep

    try:
        return train_and_keep(spec, recipe, options.data, progress=_progress)
    finally:
        print(file=sys.stderr)  # noqa: T201


def _settled(spec: NetSpec, recipe: Recipe, options: Namespace, dataset: Dataset) -> Recipe:
    """The recipe with the precision and the kernels that are left to this machine, told with the reason."""
    from explorer.jobs.experiment import dataset_info
    from explorer.jobs.fastest_settings import fastest_here

    found = fastest_here(spec, recipe, dataset_info(dataset), options.precision, options.kernels)
    for reason in found.reasons:
        print(reason, file=sys.stderr)  # noqa: T201
    return found.recipe


def _queue(spec: NetSpec, recipe: Recipe, data: str) -> dict[str, Any]:
    from explorer.jobs import actions
    from explorer.runs.store import Store

    return {"run_id": actions.submit(Store(), spec, recipe, data), "status": "queued"}


def _progress(text: str) -> None:
    print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201


def _evaluate(options: Namespace) -> dict[str, Any]:
    from explorer.evidence.published_errors import PublishedError, keep_error
    from explorer.nets.cost_measured import design_of
    from explorer.probes.candidates import check_match, is_open
    from explorer.runs.net_catalogue import PUBLISHED_NET
    from explorer.runs.net_opening import BY_NAME, open_file

    reading, path = reading_of(options), Path(options.checkpoint)
    by_name = options.checkpoint.startswith(BY_NAME) and not path.exists()
    if by_name:
        loaded = open_named_net(options.checkpoint, reading=reading)
    else:
        loaded = open_file(path, path.name, path.name, reading=reading)
    guessed = any(found.guess for found in loaded.assumptions)
    dataset = open_data(options.data, options.split)
    offer = _offer(path, reading, loaded, dataset) if is_open(loaded) and not by_name else ""
    if guessed:
        raise ValueError(
            f"The file does not say how its inputs were normalised: give --mean and --std. {offer}".strip()
        )
    say_assumed(loaded)
    check_match(len(loaded.classes), loaded.in_channels, dataset, options.split)
    if offer:
        say(offer)
    n, wrong, loss = _errors(loaded, dataset, options.split)
    if options.checkpoint.startswith(PUBLISHED_NET) and by_name and options.split == "test":
        name = options.checkpoint.removeprefix(PUBLISHED_NET)
        keep_error(PublishedError(name, dataset.id, dataset.title, n, wrong))
    return {
        "n": n,
        "wrong": wrong,
        "error_pct": 100 * wrong / n,
        "loss": loss,
        "id": design_of(loaded.net).id,
    }


def _errors(loaded: LoadedNet, dataset: Dataset, split: str) -> tuple[int, int, float]:
    """Images, wrong ones and loss; images are fitted to nets that want them large, or of a given size."""
    from explorer.probes.candidates import measure
    from explorer.probes.inputs import fits
    from explorer.training.evaluation import evaluate_split

    part = dataset.split(split)
    if not fits(part.images.shape[2:], loaded):
        return measure(loaded, part, dataset.pixel_max)
    found = evaluate_split(loaded.net, dataset, split, loaded.normalisation)  # type: ignore[arg-type]
    return found.n, found.wrong, found.loss


def _offer(path: Path, reading: Reading, loaded: LoadedNet, dataset: Dataset) -> str:
    """What training images say about the readings that the file leaves open."""
    from explorer.probes.candidates import offered, tested
    from explorer.runs.net_opening import other_readings_of

    try:
        nets = other_readings_of(path, path.name, reading)
        return offered(tested(nets, reading, dataset), len(loaded.classes)) if nets else ""
    except ValueError:
        return ""  # no training split, or no dataset for this net: nothing to test on
