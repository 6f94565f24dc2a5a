"""How many images per second does the Trainer learn from, as a ratio to the stock training loop?

The stock loop is the one of most tutorials: a DataLoader with per-image PIL transforms, fp32, NCHW,
SGD that is neither fused nor batched over tensors, and `.item()` after every step. Both train the
same net on the same real images, in turns, for the same number of steps; the ratio is paired turn
by turn. Fused kernels are built first, and the seconds of the build are told. Augmentation (pad, crop,
flip) is on in both where the data's mirrored images keep their class, so on CIFAR-10 but not on digits.
"""

import argparse
import time
from dataclasses import replace
from itertools import islice, product

import numpy as np
import torch
from _alternating import Contender, alternate, hardware, report
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from explorer.data.dataset import Dataset, Split
from explorer.data.sources import open_dataset
from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.runs.provenance import processor
from explorer.training import kernels
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer


def noise(size: int = 32) -> Dataset:
    """Random colour images, ten classes: as fast to train on as CIFAR-10, and there without a download."""

    def part(count: int) -> Split:
        random = np.random.RandomState(count)
        return Split(
            random.randint(0, 256, (count, 3, size, size)).astype(np.uint8), random.randint(0, 10, count)
        )

    readers = {"train": lambda: part(2560), "test": lambda: part(256)}
    return Dataset("noise", f"noise, {size}x{size}", tuple("0123456789"), readers)


class StockDataset(TorchDataset):
    """Images one by one, through PIL and ToTensor."""

    def __init__(self, dataset: Dataset) -> None:
        """Compose the usual transforms for this dataset."""
        self.split = dataset.split("train")
        size = self.split.image_size
        augment = [transforms.RandomCrop(size, padding=4), transforms.RandomHorizontalFlip()]
        mean, std = dataset.channel_stats()
        scale = transforms.Lambda(lambda pixels: pixels * (255 / dataset.pixel_max))
        self.transform = transforms.Compose(
            (augment if dataset.flips else [])
            + [transforms.ToTensor(), scale, transforms.Normalize(mean, std)]
        )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.split.labels)

    def __getitem__(self, index: int):
        """One transformed image and its label."""
        pixels = self.split.images[index].transpose(1, 2, 0)
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return self.transform(image), int(self.split.labels[index])


def stock(spec: NetSpec, recipe: Recipe, dataset: Dataset, steps: int, workers: int) -> Contender:
    """The stock loop: images per second over `steps` batches."""
    device = torch.device(recipe.device)
    net = build(spec, recipe.seed).to(device).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.03, 0.9, weight_decay=1e-4, foreach=False, fused=False)
    loader = DataLoader(
        StockDataset(dataset), recipe.batch_size, shuffle=True, drop_last=True, num_workers=workers
    )

    def endless():
        while True:
            yield from loader

    def run() -> float:
        started, total = time.perf_counter(), 0.0
        for inputs, labels in islice(endless(), steps):
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(inputs), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return steps * recipe.batch_size / (time.perf_counter() - started)

    return run


def ours(spec: NetSpec, recipe: Recipe, dataset: Dataset, steps: int) -> Contender:
    """The Trainer's steps: images per second over `steps` batches."""
    trainer = Trainer(spec, replace(recipe, iterations=1_000_000), dataset)

    def run() -> float:
        started = time.perf_counter()
        for _ in range(steps):
            record = trainer.step()
        record.loss.item()  # waits for the device
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        return steps * recipe.batch_size / (time.perf_counter() - started)

    return run


def fused_ways() -> list[tuple[str, str]]:
    """Precisions with fused kernels; none where they cannot be built, and why."""
    try:
        print(f"Fused kernels were built in {kernels.build():.1f} s; 0.0 where they were there.")
    except kernels.KernelError as error:
        print(error)
        return []
    return [("fp32", "fused"), ("bf16", "fused")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits", help="noise (32x32, as CIFAR-10), or a dataset")
    parser.add_argument(
        "--net", default="residual-20", help="id of the net, or several: residual-20,plain-56"
    )
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=22, help="batches per run")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="processes of the stock DataLoader")
    parser.add_argument("--devices", default=None, help="such as cpu,cuda; default: cpu, and cuda if there")
    arguments = parser.parse_args()

    dataset = noise() if arguments.data == "noise" else open_dataset(arguments.data)
    channels = dataset.split("train").in_channels
    nets = arguments.net.split(",")
    specs = [NetSpec.parse(net, in_channels=channels, classes=len(dataset.classes)) for net in nets]
    there = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    devices = arguments.devices.split(",") if arguments.devices else there
    print(hardware(), processor(), f"{torch.get_num_threads()} threads", sep=", ")
    ways = [(precision, "eager") for precision in ("fp32", "bf16")] + fused_ways()
    for device, spec in product(devices, specs):
        recipe = Recipe(batch_size=arguments.batch_size, augment=dataset.flips, device=device)
        contenders = {"stock loop": stock(spec, recipe, dataset, arguments.steps, arguments.workers)}
        for precision, name in ways if device == "cpu" else ways[:2]:
            changed = replace(recipe, precision=precision, kernels=name)
            contenders[f"Trainer, {precision}, {name}"] = ours(spec, changed, dataset, arguments.steps)
        title = f"{spec.title} on {dataset.title}, {device}, {arguments.steps} batches of {recipe.batch_size}"
        report(title, "images/s", alternate(contenders, arguments.repeats))


if __name__ == "__main__":
    main()
