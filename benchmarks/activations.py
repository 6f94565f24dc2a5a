"""What does reading all blocks cost, as a ratio to a plain forward pass and to plain hooks?

Contenders take turns on one picture: a forward pass without hooks; the same with a plain hook on every
block that clones its output; the probe's own pass, which keeps x, F(x), shortcut and output of every block
and adds the norms, the share of zeros and the read-out after each block; and drawing another block from
what was read, which must not need a pass at all. The last table is the reading of JPEGs of CIFAR's size
through the one boundary for untrusted pictures, as a ratio to Pillow alone.
"""

import argparse
import io
import time

import numpy as np
import torch
from _alternating import Contender, alternate, hardware, report
from PIL import Image

from explorer.charts.maps import colours
from explorer.charts.sprites import shades, sprite
from explorer.data.images import FORMATS, decode
from explorer.nets.loaded_net import LoadedNet
from explorer.probes.activations import Activations, read_activations
from explorer.runs.library import open_library
from explorer.runs.net_opening import named_net

_JPEGS = 500


def timed(action) -> Contender:
    """A contender that does `action` and returns its milliseconds."""

    def run() -> float:
        started = time.perf_counter()
        action()
        return 1000 * (time.perf_counter() - started)

    return run


def hooked(loaded: LoadedNet, images: torch.Tensor) -> None:
    """A forward pass with a plain hook on every block."""
    kept = []
    hooks = [
        block.register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
        for block in loaded.blocks()
    ]
    with torch.no_grad():
        loaded.net(images)
    for hook in hooks:
        hook.remove()


def forward(loaded: LoadedNet, images: torch.Tensor) -> None:
    """A forward pass without hooks."""
    with torch.no_grad():
        loaded.net(images)


def another_block(read: Activations, block: int) -> None:
    """The maps and all channels of a block as pictures."""
    maps = read.blocks[block]
    for part in (maps.x, maps.branch, maps.total):
        colours(part[maps.strongest % len(part)], 1.0)
    sprite([shades(channel, 1.0) for channel in maps.output[:64]], 32)


def compare_nets(names: list[str], repeats: int) -> None:
    """One table per net."""
    for name in names:
        loaded, _ = named_net(name, open_library().runs())
        shape = (loaded.in_channels, loaded.image_size, loaded.image_size)
        pixels = np.random.default_rng(0).random(shape).astype(np.float32)
        images = loaded.normalised(torch.from_numpy(pixels)[None])
        read = read_activations(loaded, pixels)
        contenders = {
            "forward": timed(lambda loaded=loaded, images=images: forward(loaded, images)),
            "plain hooks, output cloned": timed(lambda loaded=loaded, images=images: hooked(loaded, images)),
            "probe, with table and read-out": timed(
                lambda loaded=loaded, pixels=pixels: read_activations(loaded, pixels)
            ),
            "another block, no pass": timed(lambda read=read: another_block(read, len(read.blocks) // 2)),
        }
        report(f"{loaded.title}, {shape[1]}x{shape[2]}", "ms", alternate(contenders, repeats))


def compare_reading(repeats: int) -> None:
    """JPEGs of 32x32 pixels, through the boundary and by Pillow alone."""
    random = np.random.default_rng(0)
    files = []
    for _ in range(_JPEGS):
        file = io.BytesIO()
        Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)).save(file, "JPEG")
        files.append(file.getvalue())

    def bare() -> None:
        for content in files:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                np.asarray(image.convert("RGB"))

    def checked() -> None:
        for content in files:
            np.asarray(decode(content, "a file").image)

    contenders = {"Pillow alone": timed(bare), "the boundary": timed(checked)}
    report(f"{_JPEGS} JPEGs of 32x32 pixels", "ms", alternate(contenders, repeats))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", default="untrained:residual-56,untrained:residual-110", help="by commas")
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    print(hardware())
    compare_nets(arguments.nets.split(","), arguments.repeats)
    compare_reading(arguments.repeats)


if __name__ == "__main__":
    main()
