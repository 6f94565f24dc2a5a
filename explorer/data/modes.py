"""How does a picture, however it is stored, become 8-bit grey or RGB? Each change that shows is said."""

from __future__ import annotations

import numpy as np
from PIL import Image

_GREY = ("1", "L", "LA", "La")
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_SAID = {
    "CMYK": "Printing colours (CMYK) are converted without a colour profile.",
    "LAB": "Lab colours are converted to sRGB.",
}


class ModeError(ValueError):
    """The pixels cannot be shown; the text goes on from the name of the file."""


def plain(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """A loaded picture as mode L (where it is grey) or RGB, and what was done to it, as sentences.

    Transparent parts are laid on white; 16 bits and real numbers are scaled to 8 bits.

    Raises:
        ModeError: a pixel is no finite number.
    """
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image, []
    if image.mode in _DEEP:
        return _scaled(image)
    if image.has_transparency_data:
        return _on_white(image)
    said = [_SAID[image.mode]] if image.mode in _SAID else []
    return image.convert("L" if image.mode in _GREY else "RGB"), said


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


def _scaled(image: Image.Image) -> tuple[Image.Image, list[str]]:
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return _eight_bit(values, 0, 65535), ["16 bits per pixel are scaled to 8."]
    if not np.isfinite(values).all():
        raise ModeError("holds pixels that are no numbers (NaN or infinite). Save it as an 8-bit image.")
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        return _eight_bit(values, 0, 1), ["Real numbers from 0 to 1 are scaled to 8 bits."]
    if image.mode == "I" and low >= 0 and high <= 65535:
        return _eight_bit(values, 0, 65535), ["16 bits per pixel are scaled to 8."]
    return _eight_bit(values, low, high), [f"Pixels from {low:.4g} to {high:.4g} are scaled to 8 bits."]


def _eight_bit(values: np.ndarray, low: float, high: float) -> Image.Image:
    scale = 255 / (high - low) if high > low else 0.0
    scaled = values.astype(np.float32)  # then in place: 25 million pixels are 100 MB at every copy
    scaled -= np.float32(low)
    scaled *= np.float32(scale)
    np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
    return Image.fromarray(scaled.astype(np.uint8))
