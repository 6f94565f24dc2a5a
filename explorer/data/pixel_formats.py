"""Pictures of every pixel format as 8-bit grey or RGB; each change that shows is said.

Values of more than 8 bits are shown by the range that they use where that is much smaller than the range of
their type: 12 bits of an X-ray in a file for 16 would be black.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GREY = ("1", "L", "LA", "La")
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_DEEP_COLOUR = ("RGB", "RGBA")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_SAID = {
    "CMYK": "Printing colours (CMYK) are converted without a colour profile.",
    "LAB": "Lab colours are converted to sRGB.",
}
_HIGHEST = 65535
_USED = 7 / 8
"""The part of a type's range from which on values are taken to use all of it."""
_DARK, _BRIGHT, _MOST = 26, 230, 0.99
_SIXTEEN = "16 bits per pixel are scaled to 8."
_FORMAT_TAG, _PHOTOMETRIC_TAG = 339, 262
_PPM = "PPM;"
_GREY_ALPHA = "LA;16B"
_OTHER_ORDER = "B" if sys.byteorder == "little" else "L"
Reopen = Callable[[], Image.Image]
_Numbers = NDArray[Any]


class ModeError(ValueError):
    """The pixels cannot be shown; the text goes on from the name of the file."""


def plain(image: Image.Image, raw: str, reopen: Reopen) -> tuple[Image.Image, list[str]]:
    """A loaded picture as mode L (where it is grey) or RGB, and what was done to it, as sentences.

    Transparent parts are laid on white; 16 bits and real numbers are scaled to 8 bits.

    Args:
        image: as Pillow loaded it.
        raw: what `raw_mode` said of it before.
        reopen: gives the same picture, not loaded yet.

    Raises:
        ModeError: a pixel is NaN or infinite.
    """
    if image.mode in _DEEP or _tag(image, _FORMAT_TAG) == 2:
        return _scaled(image, raw)
    if ";16" in raw and image.mode in _DEEP_COLOUR and "transparency" not in image.info:
        image, said = _deep_colour(image, raw, reopen)
        shown, more = _on_white(image) if image.has_transparency_data else (image.convert("RGB"), [])
        return shown, said + more
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image, []
    if image.has_transparency_data:
        return _on_white(image)
    said = [_SAID[image.mode]] if image.mode in _SAID else []
    return image.convert("L" if image.mode in _GREY else "RGB"), said


def raw_mode(image: Any) -> str:
    """How the pixels lie in the file, such as RGB;16B, or PPM;4095; to be asked before they are loaded."""
    tiles = getattr(image, "tile", [])
    arguments = tiles[0].args if tiles else None
    if image.format == "PPM" and isinstance(arguments, tuple) and isinstance(arguments[-1], int):
        if image.mode == "RGB" and arguments[-1] == _HIGHEST and tiles[0].codec_name == "ppm":
            image.tile = [tiles[0]._replace(codec_name="raw", args=("RGB;16B", 0, 1))]
            return "RGB;16B"
        return f"{_PPM}{arguments[-1]}"
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def is_flat(image: Image.Image) -> bool:
    """Whether all pixels of a picture of mode L or RGB, of four pixels or more, are the same."""
    if image.width * image.height < 4:
        return False
    ranges: Any = image.getextrema()
    return all(low == high for low, high in (ranges if isinstance(ranges[0], tuple) else (ranges,)))


def _on_white(image: Image.Image) -> tuple[Image.Image, list[str]]:
    grey = image.mode in _GREY
    if image.mode in _PREMULTIPLIED:
        image = image.convert(_PREMULTIPLIED[image.mode])
    layered = image.convert("RGBA")
    alpha = layered.getchannel("A")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(layered, mask=alpha)
    said = ["Transparent parts are shown on white."] if alpha.getextrema()[0] != 255 else []
    return (ground.convert("L") if grey else ground), said


def _scaled(image: Image.Image, raw: str) -> tuple[Image.Image, list[str]]:
    values = _values(image, raw)
    if not np.isfinite(values).all():
        raise ModeError("holds pixels without a value (NaN or infinite). Save it as an 8-bit image.")
    low, high = _number(values.min()), _number(values.max())
    (bottom, top), notes = _shown_range(low, high, _full_range(image, raw, low, high))
    shown = Image.fromarray(_eight_bit(values, bottom, top))
    if _mostly_extreme(shown) and low < high:
        few = values[:: 1 + values.shape[0] // 1000, :: 1 + values.shape[1] // 1000]
        bottom, top = (_number(part) for part in np.percentile(few, (0.5, 99.5)))
        if bottom < top:
            shown = Image.fromarray(_eight_bit(values, bottom, top))
            notes = [
                f"Its values run from {_said(low)} to {_said(high)}, nearly all of them from {_said(bottom)} "
                f"to {_said(top)}: that range is scaled to 8 bits."
            ]
    if _tag(image, _PHOTOMETRIC_TAG) == 0:
        shown = shown.point([255 - value for value in range(256)])
        notes.append("Its lowest value is white, as the file says.")
    return shown, notes


def _values(image: Image.Image, raw: str) -> _Numbers:
    """The numbers of the file, with the sign that a TIFF says they have."""
    values = np.asarray(image)
    kind = _tag(image, _FORMAT_TAG)
    if image.mode == "L":
        return values.view(np.int8)
    if image.mode == "I" and image.format == "TIFF" and kind in (None, 1) and values.dtype == np.int32:
        return values.view(np.uint32)
    if raw.startswith(_PPM) and image.mode == "I":  # Pillow has made its highest value 65535
        return np.rint(values * (_highest(raw) / _HIGHEST)).astype(np.int32)
    return values


def _highest(raw: str) -> int:
    return int(raw.removeprefix(_PPM)) if raw.startswith(_PPM) else _HIGHEST


def _tag(image: Image.Image, number: int) -> int | None:
    """A number of a TIFF's header; None in other formats."""
    if image.format != "TIFF" or image.mode not in ("L", *_DEEP):
        return None
    value = getattr(image, "tag_v2", {}).get(number)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int) else None


def _full_range(image: Image.Image, raw: str, low: float, high: float) -> tuple[float, float] | None:
    """What the type of the values can hold, where that is a scale of brightness."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PPM", "PNG")):
        return 0, _highest(raw)
    return (0, 1) if image.mode == "F" and low >= 0 and high <= 1 else None


def _shown_range(
    low: float, high: float, full: tuple[float, float] | None
) -> tuple[tuple[float, float], list[str]]:
    """Which values become black and white, and what is said of it."""
    if full is not None:
        whole = full[1] - full[0]
        if low == high:
            return full, []
        if high - low >= _USED * whole:
            return full, [_SIXTEEN if whole > 1 else "Real numbers from 0 to 1 are scaled to 8 bits."]
    if low == high:
        return (low, high), [f"Its only value, {_said(low)}, is scaled to black."]
    of = f" of the {_said(full[1])} that the file could hold" if full else ""
    return (low, high), [
        f"Its values run from {_said(low)} to {_said(high)}{of}: scaled to 8 bits, the lowest to black, the "
        "highest to white."
    ]


def _mostly_extreme(shown: Image.Image) -> bool:
    """Whether a few pixels leave nearly all others black or white."""
    counts = np.asarray(shown.histogram())
    most = _MOST * counts.sum()
    return bool(counts[:_DARK].sum() > most or counts[_BRIGHT:].sum() > most)


def _deep_colour(image: Image.Image, raw: str, reopen: Reopen) -> tuple[Image.Image, list[str]]:
    """Colours of 16 bits, of which Pillow reads the upper 8: the lower too where those say little."""
    colours: Any = image.getextrema()[:3]
    least, most = min(low for low, _ in colours), max(high for _, high in colours)
    if most - least + 1 >= _USED * 256:
        return image, [_SIXTEEN]
    lower = _lower_bytes(raw, reopen)
    if lower is None or lower.size != image.size:
        return image, [f"{_SIXTEEN} Its brightest value is about {most * 257} of {_HIGHEST}."]
    bands = list(zip(image.split()[:3], lower.split()[:3], strict=True))
    ranges = [(int(both.min()), int(both.max())) for both in (_joined(*band) for band in bands)]
    low, high = min(first for first, _ in ranges), max(last for _, last in ranges)
    (bottom, top), said = _shown_range(low, high, (0, _HIGHEST))
    shown = [Image.fromarray(_eight_bit(_joined(*band), bottom, top)) for band in bands]
    alpha = [image.getchannel("A")] if image.mode == "RGBA" else []
    return Image.merge(image.mode, [*shown, *alpha]), said


def _lower_bytes(raw: str, reopen: Reopen) -> Image.Image | None:
    """The same picture read as if its bytes lay the other way round, so that Pillow takes the lower ones."""
    swapped = raw[:-1] + {"B": "L", "L": "B", "N": _OTHER_ORDER}.get(raw[-1:], "")
    mode = "RGBA" if raw == _GREY_ALPHA else swapped  # grey and alpha of 16 bits are four bytes
    try:
        image: Any = reopen()
        raw_mode(image)
        image.tile = [tile._replace(args=_with_mode(tile.args, mode)) for tile in image.tile]
        image.load()
        lower: Image.Image = Image.merge("RGB", [image.getchannel("G")] * 3) if raw == _GREY_ALPHA else image
    except Exception:  # noqa: BLE001 - not every way to store pixels can be read so; the upper bytes are there
        return None
    return lower


def _with_mode(arguments: object, mode: str) -> object:
    return (mode, *arguments[1:]) if isinstance(arguments, tuple) else mode


def _joined(upper: Image.Image, lower: Image.Image) -> NDArray[np.uint16]:
    both = np.asarray(upper).astype(np.uint16)
    both <<= 8
    both |= np.asarray(lower)
    return both


def _said(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _number(value: Any) -> float:
    """A plain number, so that whole ones stay whole."""
    plain_number: float = value.item()
    return plain_number


def _eight_bit(values: _Numbers, low: float, high: float) -> NDArray[np.uint8]:
    scale = 255 / (high - low) if high > low else 0.0
    # in place after that: 25 million pixels are 100 MB at every copy
    scaled: _Numbers = values.astype(np.float64 if abs(low) > 2**23 or abs(high) > 2**24 else np.float32)
    scaled -= scaled.dtype.type(low)
    scaled *= scaled.dtype.type(scale)
    np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
    return scaled.astype(np.uint8)
