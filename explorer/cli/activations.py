"""probe activations: what each block makes of one picture."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import add_net, open_data, open_named_net, reading_of, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from explorer.data.preprocess import Picture
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.activations import Activations

_TOP = 5


def add_activations(kinds: Any) -> None:
    """Add probe activations."""
    found = kinds.add_parser("activations", help="x, F(x), their sum and the class read-out after each block")
    add_net(found)
    chosen = found.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--image", type=Path, metavar="FILE", help="a picture")
    chosen.add_argument("--data", metavar="NAME_OR_PATH", help="a dataset, with --index")
    found.add_argument("--split", choices=("test", "train"), default="test", help="of --data (%(default)s)")
    found.add_argument("--index", type=int, default=0, metavar="N", help="which image of --data, from 0")
    found.add_argument("--tone", default="auto", choices=("auto", "as it is", "inverted"),
                       help="whether a grey net sees the negative of --image (%(default)s)")  # fmt: skip
    found.add_argument("--block", type=int, metavar="K", help="only this block's maps in --out, from 1")
    found.add_argument("--out", type=Path, metavar="FILE.npz", help="write pixels, maps, logits and read-out")
    found.set_defaults(command=_activations)


def _activations(options: Namespace) -> dict[str, Any]:
    from explorer.data.preprocess import fit
    from explorer.probes.activations import read_activations

    loaded = open_named_net(options.net, options.data, reading_of(options))
    _check_block(options.block, loaded)
    picture = _picture(options)
    seen = fit(picture, loaded.image_size, loaded.in_channels, options.tone)
    for note in (*picture.notes, *seen.notes):
        say(note)
    read = read_activations(loaded, seen.pixels)
    files = [_write(options.out, arrays(read, seen.pixels, options.block))] if options.out else []
    return _told(loaded, picture, read) | {"files": files}


def arrays(read: Activations, pixels: NDArray[np.float32], block: int | None) -> dict[str, NDArray[Any]]:
    """What --out holds: pixels, stem, logits, readout, and the maps (C, H, W) of one block or of all.

    One block's are called x, shortcut, branch, total and output; of all blocks, those with _1, _2 and so
    on behind. A plain block has no shortcut.
    """
    kept = {"pixels": pixels, "stem": read.stem, "logits": read.logits, "readout": read.readout}
    for number, maps in enumerate(read.blocks, start=1):
        if block in (None, number):
            named = {"x": maps.x, "branch": maps.branch, "total": maps.total, "output": maps.output}
            named |= {} if maps.shortcut is None else {"shortcut": maps.shortcut}
            kept |= {name if block else f"{name}_{number}": value for name, value in named.items()}
    return kept


def _told(loaded: LoadedNet, picture: Picture, read: Activations) -> dict[str, Any]:
    names = loaded.classes
    answers = read.readout.argmax(1)
    table = read.table.assign(
        answer=[names[answer] for answer in answers[1:]], probability=read.readout.max(1)[1:]
    )
    return {
        "net": loaded.key,
        "title": loaded.title,
        "trained": loaded.trained,
        "origin": loaded.origin,
        "picture": picture.title,
        "label": picture.label,
        "top": [{"class": names[at], "probability": float(read.probabilities[at])} for at in read.top(_TOP)],
        "readout": "the net's own rest, the later blocks that keep the shape skipped",
        "blocks": table.to_dict("records"),
        "seconds": read.seconds,
    }


def _check_block(block: int | None, loaded: LoadedNet) -> None:
    count = len(loaded.blocks())
    if block is not None and not 1 <= block <= count:
        raise ValueError(f"--block {block}: {loaded.title} has the blocks 1 to {count}.")


def _picture(options: Namespace) -> Picture:
    from explorer.data.images import read_image
    from explorer.data.preprocess import Picture, dataset_picture

    if options.image:
        read = read_image(options.image)
        return Picture(str(options.image), options.image.name, read.image.convert("RGB"), read.notes)
    try:
        return dataset_picture(open_data(options.data, options.split), options.split, options.index)
    except IndexError as error:
        raise ValueError(f"--index {options.index}: {error}") from None


def _write(out: Path, kept: dict[str, NDArray[Any]]) -> str:
    import numpy as np

    path = out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz")
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    except OSError as error:
        raise ValueError(f"Cannot write {path}: {error.strerror}. Choose another folder.") from None
    say(f"wrote {path.name}.")
    return str(path)
