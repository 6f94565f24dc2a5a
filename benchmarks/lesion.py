"""What do lesions cost? All single deletions in one triangular pass, against one pass for each.

The first ratio is the triangular pass over one pass per block: below 1 it pays. The second table is a single
lesion, which the page computes at every press, over the intact net. Digits, one thread.

    python benchmarks/lesion.py [--depths 20,56,110] [--repeats N]
"""

import argparse
import time

import torch
from _alternating import alternate, hardware, report

from explorer.data.sources import digits
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.probes.lesion import Lesion, answers, folded_net, single_deletions
from explorer.probes.probe_images import probe_images
from explorer.runs.zoo import PRETRAINED


def opened(depth):
    kept = load_checkpoint(PRETRAINED / "digits" / f"residual-{depth}.safetensors")
    names = tuple(str(number) for number in range(10))
    norm = kept.normalisation or Normalisation((0.5,), (0.25,))
    return LoadedNet("", f"residual-{depth}", kept.net.eval(), norm, names, 8, True, "")


def timed(call):
    def run():
        start = time.process_time()
        call()
        return 1000 * (time.process_time() - start)

    return run


def measure(depth, repeats):
    loaded = opened(depth)
    test, net = probe_images(digits(), "test", loaded), folded_net(loaded.net)
    blocks = len(net.block_list())

    def one(lesion):
        return answers(net, test.images, test.labels, lesion)

    def each():
        for number in range(blocks):
            one(Lesion(frozenset([number])))

    report(
        f"residual-{depth}: all {blocks} single deletions, 360 digits", "ms CPU",
        alternate(
            {
                "one pass each": timed(each),
                "one triangular pass": timed(lambda: single_deletions(net, test.images)),
            },
            repeats,
        ),
    )  # fmt: skip
    some, scaled = Lesion(frozenset([1, 4])), Lesion(scales=dict.fromkeys(range(blocks), 0.9))
    kinds = {"intact": Lesion(), "two blocks removed": some, "every branch scaled": scaled}
    times = alternate({name: timed(lambda x=x: one(x)) for name, x in kinds.items()}, 5 * repeats)
    report(f"residual-{depth}: one lesion, 360 digits", "ms CPU", times)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depths", default="20,56,110", help="separated by commas")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(hardware())
    for depth in arguments.depths.split(","):
        measure(int(depth), arguments.repeats)


if __name__ == "__main__":
    main()
