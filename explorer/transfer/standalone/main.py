"""The command."""

import argparse
import csv

import torch

from explorer.transfer.standalone.batches import Images, normalisation
from explorer.transfer.standalone.data import load, sha256
from explorer.transfer.standalone.net import Net, initialise
from explorer.transfer.standalone.regularise import as_tested
from explorer.transfer.standalone.settings import RECIPE, SETTINGS
from explorer.transfer.standalone.training import COLUMNS, Loop


def main() -> None:
    """Train, and say how it compares with the run that this was exported from."""
    options = read_options()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    name = SETTINGS["data"]["name"]
    train, test = load(name, options.data)
    expected, found = SETTINGS["data"]["sha256"], sha256(*train)
    if expected not in (None, found) and not options.other_data:
        raise SystemExit(f"These are not the run's training images ({expected}); to go on: --other-data")
    digits = name.startswith("digits") and options.data is None
    scale = normalisation(train[0], 16 if digits else 255)
    net = Net()
    initialise(net)
    net = net.to(device).to(memory_format=torch.channels_last)
    loop = Loop(net, Images(train, scale, device), Images(test, scale, device), flip=not digits)
    rows = loop.run()
    for name, value in SETTINGS["results"].items():
        print(f"{name}: {rows[-1][name]:.6g} here, {value:.6g} in the run")
    if options.curve:
        with open(options.curve, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    if options.weights:
        torch.save({key: value.cpu() for key, value in as_tested(net).state_dict().items()}, options.weights)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train this run again.")
    parser.add_argument("--data", metavar="FOLDER", help="images or parquet shards; digits need none")
    parser.add_argument("--other-data", action="store_true", help="train on other images than the run did")
    parser.add_argument("--device", default=RECIPE["device"], help="auto, cpu, cuda or mps (%(default)s)")
    parser.add_argument("--threads", type=int, default=SETTINGS["threads"], help="on a CPU (%(default)s)")
    parser.add_argument("--curve", metavar="FILE", help="write the epochs as CSV")
    parser.add_argument("--weights", metavar="FILE", help="write the trained weights")
    return parser.parse_args()


def find_device(name: str) -> torch.device:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return torch.device(next(kind for kind in there if there[kind]) if name == "auto" else name)


if __name__ == "__main__":
    main()
