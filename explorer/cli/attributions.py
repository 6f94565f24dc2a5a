"""probe attributions: which pixels speak for a class."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import add_images, add_net, open_named_net, read_inputs, reading_of, say
from explorer.probes.methods import METHODS, AttributionError, Value, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.attributions import Attribution
    from explorer.probes.inputs import Inputs


def add_attributions(kinds: Any) -> None:
    """Add probe attributions."""
    found = kinds.add_parser("attributions", help="which pixels speak for a class, by any method of Captum")
    add_net(found)
    add_images(found)
    found.add_argument("--index", type=int, default=0, metavar="N", help="which image of --data, from 0")
    found.add_argument(
        "--method", default="integrated_gradients", metavar="NAME", help=f"one of {', '.join(METHODS)}"
    )
    found.add_argument("--target", metavar="CLASS", help="number or name; default: the likeliest class")
    found.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", dest="settings",
        help="a parameter of the method, such as n_steps=20 or smooth_samples=25; repeatable",
    )  # fmt: skip
    found.add_argument("--seed", type=int, default=0, help="of all draws (%(default)s)")
    found.add_argument("--out", type=Path, metavar="FILE", help="write the map: .npz (numbers) or .png")
    found.set_defaults(command=_attributions)


def _setting(text: str) -> tuple[str, Value]:
    name, _, value = text.partition("=")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name, parsed


def _attributions(options: Namespace) -> dict[str, Any]:
    asked = method(options.method)
    settled = asked.settle(dict(options.settings))
    _check_out(options.out)
    from explorer.probes.attributions import AttributionRequest, Explainer

    loaded = open_named_net(options.net, options.data, reading_of(options))
    inputs, references = _picture(options, loaded)
    request = AttributionRequest(asked.name, _target(options.target, loaded), settled, options.seed)
    found = Explainer(loaded).attribute(loaded.normalised(inputs.pixels), request, references)
    say(
        f"{asked.title} of class {found.target} ({loaded.classes[found.target]}); {inputs.source}; "
        f"baseline: {found.baseline}."
    )
    if found.emptiness:
        say(found.emptiness)
    if options.out:
        _write(options.out, found)
    return {
        "method": found.method,
        "target": found.target,
        "probability": found.probability,
        "delta": found.delta,
        "seconds": found.seconds,
    }


def _picture(options: Namespace, loaded: LoadedNet) -> tuple[Inputs, Tensor | None]:
    """The one picture asked about, and the images before it in its split as reference pictures."""
    if options.index < 0:
        raise AttributionError(f"--index {options.index}: give a number from 0 on.")
    if options.image and len(options.image) > 1:
        raise AttributionError("Give one --image: attributions are of one picture.")
    options.count = max(options.index + 1, 100)
    inputs = read_inputs(options, loaded)
    index = 0 if options.image else options.index
    if index >= len(inputs):
        raise AttributionError(f"--index {index}: the split has {len(inputs)} images.")
    source = inputs.source if options.image else f"image {index} of {options.data}, {options.split}"
    references = next(inputs.batches(100)) if len(inputs) > 1 else None
    return replace(inputs, images=inputs.images[index : index + 1], labels=None, source=source), references


def _target(text: str | None, loaded: LoadedNet) -> int | None:
    if text is None:
        return None
    if text in loaded.classes:
        return loaded.classes.index(text)
    if text.isdecimal():
        return int(text)
    raise AttributionError(f"There is no class '{text[:40]}': give a number from 0, or a name.")


def _check_out(out: Path | None) -> None:
    if out is None:
        return
    if out.suffix not in (".npz", ".png"):
        raise AttributionError(f"--out {out.name}: the name must end in .npz or .png.")
    if not out.resolve().parent.is_dir():
        raise AttributionError(f"The folder of {out} is missing: make it first.")


def _write(out: Path, found: Attribution) -> None:
    import numpy as np

    try:
        if out.suffix == ".npz":
            np.savez_compressed(out, **found.arrays())  # type: ignore[arg-type]
        else:
            _write_png(out, found.map().numpy())
    except OSError as error:
        raise AttributionError(f"Cannot write {out}: {error.strerror}. Choose another folder.") from None
    say(f"wrote {out.name}.")


def _write_png(out: Path, values: NDArray[np.floating]) -> None:
    """The map in colours, small ones enlarged without blur."""
    from PIL import Image

    from explorer.charts.maps import colours, enlarged, limit_of

    Image.fromarray(enlarged(colours(values, limit_of(values)))).save(out)
