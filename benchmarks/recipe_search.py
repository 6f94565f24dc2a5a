"""Which learning rate, schedule and warm-up train best in so many iterations? On validation images alone.

As in the paper, the last 5,000 of CIFAR-10's training images are kept for validation and the net trains on
the other 45,000; the test images are never read. Every finished candidate is a line of JSON in --out, and a
search that is started again skips those.
"""

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

VALIDATION = 5_000


def validation_split(dataset):
    """The same dataset with `test` replaced by the last training images, which `train` then lacks."""
    count = len(dataset.split("train").labels)
    kept = count - min(VALIDATION, count // 10)
    readers = {
        "train": lambda: dataset.split("train").take(np.arange(kept)),
        "test": lambda: dataset.split("train").take(np.arange(kept, count)),
    }
    return replace(dataset, readers=readers, _read={})


def run(candidate: dict, data: str) -> dict:
    """Train one candidate; its errors in per cent, training error as a running mean over the last epoch."""
    import torch

    from explorer.data.sources import open_dataset
    from explorer.nets.spec import NetSpec
    from explorer.training.evaluation import evaluate
    from explorer.training.recipe import Recipe
    from explorer.training.trainer import Trainer

    torch.set_num_threads(1)
    dataset = validation_split(open_dataset(data))
    steps = len(dataset.split("train").labels) // 128
    recipe = Recipe(
        iterations=candidate["iterations"],
        lr=candidate["lr"],
        schedule=candidate["schedule"],
        warmup=candidate["warmup_epochs"] * steps / candidate["iterations"],
        augment=True,
        seed=candidate["seed"],
        precision=candidate["precision"],
        device="cpu",
        kernels="fused",
    )
    channels, classes = dataset.split("train").in_channels, len(dataset.classes)
    trainer = Trainer(NetSpec.parse(candidate["net"], in_channels=channels, classes=classes), recipe, dataset)
    wrong = []
    while not trainer.finished:
        if trainer.iteration % steps == 0:
            wrong = []
        before = float(trainer._wrong) if trainer.iteration % steps else 0.0
        trainer.step()
        wrong.append(float(trainer._wrong) - before)
    tested = evaluate(trainer.net, trainer.test_images, precision=recipe.precision)
    train_error = 100 * sum(wrong) / (len(wrong) * 128)
    return candidate | {"validation_error_pct": tested.error_pct, "training_error_pct": train_error}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="CIFAR-10, or a copy of it")
    parser.add_argument("--nets", default="residual-20,residual-56")
    parser.add_argument("--iterations", type=int, default=6400)
    parser.add_argument("--lrs", default="0.05,0.1,0.2")
    parser.add_argument("--schedules", default="cosine,step")
    parser.add_argument("--warmup-epochs", default="1")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("sweep/recipe_search.jsonl"))
    arguments = parser.parse_args()
    fixed = {"iterations": arguments.iterations, "precision": arguments.precision}
    names = ("net", "lr", "schedule", "warmup_epochs", "seed")
    values = (
        arguments.nets.split(","),
        [float(lr) for lr in arguments.lrs.split(",")],
        arguments.schedules.split(","),
        [float(epochs) for epochs in arguments.warmup_epochs.split(",")],
        [int(seed) for seed in arguments.seeds.split(",")],
    )
    candidates = [dict(zip(names, chosen, strict=True)) | fixed for chosen in product(*values)]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.out.read_text().splitlines() if arguments.out.exists() else []
    done = [json.loads(line) for line in lines]
    todo = [one for one in candidates if not any(one.items() <= finished.items() for finished in done)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, context) as pool:
        for future in as_completed([pool.submit(run, one, arguments.data) for one in todo]):
            with arguments.out.open("a") as kept:
                kept.write(json.dumps(future.result()) + "\n")
            print(json.dumps(future.result()), flush=True)


if __name__ == "__main__":
    main()
