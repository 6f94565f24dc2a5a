"""What does it cost to read Figure 7 over a split, as a ratio to a plain forward pass over the same images?

Both run the same net over the same normalised images in the same batches, in eval mode and without gradients,
in turns; the ratio is paired turn by turn, and of CPU seconds, so that other work on the machine does not
count. Read are ‖F(x)‖, ‖x‖, their ratio and RMS per block and the response
std per layer; a third contender also takes the cosine of x and F(x).
"""

import argparse
import time

import torch
from _alternating import Contender, alternate, hardware, report

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.hooks import mode
from explorer.probes.responses import ResponseProbe


def plain(net: torch.nn.Module, batches: list[torch.Tensor]) -> Contender:
    """CPU seconds of a forward pass over all batches."""

    def run() -> float:
        started = time.process_time()
        with mode(net, training=False):
            for batch in batches:
                net(batch)
        return time.process_time() - started

    return run


def probed(net: torch.nn.Module, batches: list[torch.Tensor], *, cosine: bool) -> Contender:
    """CPU seconds of the probe over all batches, its tables included."""

    def run() -> float:
        started = time.process_time()
        ResponseProbe(net, cosine=cosine).measure(batches)
        return time.process_time() - started

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="residual-20", help="id of the net")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--size", type=int, default=32, help="side of the images in pixels")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()

    net = build(NetSpec.parse(arguments.net)).eval()
    shape = (arguments.images, 3, arguments.size, arguments.size)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    batches = list(images.split(arguments.batch_size))
    contenders = {
        "plain forward pass": plain(net, batches),
        "norms, RMS and response std": probed(net, batches, cosine=False),
        "the same and the cosine": probed(net, batches, cosine=True),
    }
    print(hardware())
    title = f"{arguments.net}, {arguments.images} images of {arguments.size} pixels"
    report(title, "CPU s", alternate(contenders, arguments.repeats))


if __name__ == "__main__":
    main()
