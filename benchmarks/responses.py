"""What does it cost to read Figure 7 over a split, as a ratio to a plain forward pass over the same images?

Read are ‖F(x)‖, ‖x‖, their ratio, RMS and cosine per block and the response std per layer, by the function
that the Residuals page and the shell call. The plain pass runs the same net over the same images in the
same batches, normalised in the same way, in eval mode and without gradients, its maps laid out channels last,
which is the faster way here; a third contender runs the net as it is kept. All take turns; ratios are paired
turn by turn.
"""

import argparse
import time
from collections.abc import Callable

import torch
from _alternating import Contender, alternate, hardware, report
from torch import nn

from explorer.nets.build import build
from explorer.nets.imagenet import build_imagenet
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.published_imagenet import PUBLISHED
from explorer.nets.spec import NetSpec
from explorer.probes.hooks import mode
from explorer.probes.inputs import Inputs
from explorer.probes.replica import replica
from explorer.probes.split_responses import ReadOptions, batch_for, read_responses

Clock = Callable[[], float]


def plain(net: nn.Module, inputs: Inputs, size: int, clock: Clock) -> Contender:
    """Seconds of a forward pass over all images."""

    def run() -> float:
        started = clock()
        with mode(net, training=False):
            for batch in inputs.batches(size):
                net(batch)
        return clock() - started

    return run


def probed(inputs: Inputs, size: int, clock: Clock) -> Contender:
    """Seconds of the probe over all images, its copy of the net and its tables included."""

    def run() -> float:
        started = clock()
        read_responses(inputs, ReadOptions(batch=size))
        return clock() - started

    return run


def opened(name: str, side: int) -> LoadedNet:
    """An untrained net: what a pass costs does not depend on its weights."""
    net: nn.Module = build_imagenet(PUBLISHED[name]) if name in PUBLISHED else build(NetSpec.parse(name))
    grey = Normalisation((0.5,) * 3, (0.25,) * 3)
    return LoadedNet(name, name, net.eval(), grey, (), side, False, "random weights")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="residual-20", help="id of the net")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--size", type=int, default=32, help="side of the images in pixels")
    parser.add_argument("--batch-size", type=int, help="default: what the page takes")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    arguments = parser.parse_args()

    clock = time.process_time if arguments.cpu_time else time.perf_counter
    loaded = opened(arguments.net, arguments.size)
    shape = (arguments.images, 3, arguments.size, arguments.size)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    inputs = Inputs(images, 1, loaded, None, "random images")
    size = arguments.batch_size or batch_for(inputs)
    laid_out = replica(loaded.net).to(memory_format=torch.channels_last)
    contenders = {
        "plain pass, channels last": plain(laid_out, inputs, size, clock),
        "Figure 7 and the cosine": probed(inputs, size, clock),
        "plain pass of the net as kept": plain(loaded.net, inputs, size, clock),
    }
    print(hardware())
    title = f"{arguments.net}, {arguments.images} images of {arguments.size} pixels, {size} a pass"
    report(title, "CPU s" if arguments.cpu_time else "s", alternate(contenders, arguments.repeats))


if __name__ == "__main__":
    main()
