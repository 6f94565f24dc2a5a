"""Is this file a picture that can be trusted? The one boundary at which images are decoded.

A file is untrusted: its bytes are counted before they are read, its format must be on a list, its
pixels and sides are counted before they are decoded, and whatever goes wrong inside a decoder
leaves here as an `ImageError`.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import ExifTags, Image

from explorer.data.modes import ModeError, plain

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
MAX_SIDE = 16_384
_SMALLER = "Save it smaller and try again."
_TAKEN = "(PNG, JPEG, WebP, BMP, GIF or TIFF)"
_EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# the first bytes of what people also call pictures, to refuse it by its name
_OTHERS = (
    (4, b"ftyphe", "HEIC"), (4, b"ftypmif1", "HEIC"), (4, b"ftypmsf1", "HEIC"), (4, b"ftypavi", "AVIF"),
    (0, b"%PDF", "PDF"), (0, b"8BPS", "Photoshop"), (0, b"\0\0\1\0", "icon (ICO)"),
    (4, b"jP  ", "JPEG 2000"), (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"JXL ", "JPEG XL"), (0, b"\xff\x0a", "JPEG XL"), (0, b"PK\3\4", "zip"),
)  # fmt: skip


class ImageError(ValueError):
    """A file is no picture that can be taken; the text says why and what to do."""


@dataclass(frozen=True)
class Decoded:
    """A picture as it was read.

    Attributes:
        image: mode L where the file is grey, RGB otherwise; upright, first frame.
        notes: what was done to it, as sentences; none where it was taken as it is.
    """

    image: Image.Image
    notes: tuple[str, ...] = ()


def open_image(path_or_file: str | Path | bytes | IO[bytes]) -> Image.Image:
    """The picture in a file, upright, as RGB.

    Args:
        path_or_file: a path, an open binary file, or the file's bytes.

    Raises:
        ImageError: it is no PNG, JPEG, WebP, BMP, GIF or TIFF; it is damaged; or it has more than
            20 MB, 25 million pixels or 16,384 pixels a side.
    """
    return read_image(path_or_file).image.convert("RGB")


def read_image(path_or_file: str | Path | bytes | IO[bytes], name: str = "") -> Decoded:
    """As `open_image`, with grey left grey and with what was done to it; errors call the file `name`."""
    if isinstance(path_or_file, bytes):
        return decode(path_or_file, name or "The file")
    name = name or _name(path_or_file)
    return decode(_content(path_or_file, name), name)


def decode(content: bytes, name: str) -> Decoded:
    """The picture in the bytes of one file; errors call it `name`. Raises as `open_image`."""
    if len(content) > MAX_BYTES:
        raise ImageError(f"{name} has more than {MAX_BYTES // 10**6} MB. {_SMALLER}")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image)
            return _decoded(image)
    except (_SizeError, ModeError) as error:
        raise ImageError(f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"{name} has more than {MAX_PIXELS // 10**6} million pixels. {_SMALLER}") from None
    except MemoryError:
        raise ImageError(f"{name} needs more memory than there is. {_SMALLER}") from None
    except Exception:  # noqa: BLE001 - a decoder of untrusted bytes may raise anything
        raise ImageError(f"{name} is no readable image {_TAKEN}{_reason(content)}") from None


class _SizeError(ValueError):
    """The text goes on from the name of the file."""


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _SizeError(f"has {width}x{height} pixels, over {MAX_PIXELS // 10**6} million. {_SMALLER}")
    if max(width, height) > MAX_SIDE:
        raise _SizeError(f"has {width}x{height} pixels; a side may have {MAX_SIDE:,}. {_SMALLER}")


def _decoded(image: Image.Image) -> Decoded:
    turn = _orientation(image)
    image.load()
    shown, notes = plain(image)
    if turn in _TURNS:
        # TIFF is turned by its decoder
        shown = shown if image.format == "TIFF" else shown.transpose(_TURNS[turn])
        notes.append("Turned upright, as the camera noted (EXIF).")
    if image.format in ("JPEG", "BMP"):
        return Decoded(shown, tuple(notes))
    if shown is image:
        shown = image.copy()  # looking for more frames may drop this one
    if _is_animated(image):
        notes.append("Only the first frame is shown.")
    return Decoded(shown, tuple(notes))


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or the EXIF data are damaged."""
    if image.format != "TIFF" and not _EXIF_KEYS & image.info.keys():
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a good picture is not refused for damaged EXIF data
        return 1


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 - a good first frame is not refused for a damaged second one
        return True


def _reason(content: bytes) -> str:
    if not content:
        return ": it is empty. Choose another file."
    for start, mark, title in _OTHERS:
        if content[start:].startswith(mark):
            return f": it is a {title} file. Save it as PNG or JPEG and try again."
    if b"<svg" in content[:4096].lower():
        return ": it is an SVG drawing, which has no pixels. Save it as PNG and try again."
    return ": it is damaged, or it is something else. Save it anew and try again."


def _name(path_or_file: str | Path | IO[bytes]) -> str:
    given = path_or_file if isinstance(path_or_file, str | Path) else getattr(path_or_file, "name", "")
    name = Path(given).name if isinstance(given, str | Path) else ""
    return name[:80] or "The file"


def _content(path_or_file: str | Path | IO[bytes], name: str) -> bytes:
    try:
        if isinstance(path_or_file, str | Path):
            if not Path(path_or_file).is_file():
                raise ImageError(f"There is no file {name}. Check the path.")
            with open(path_or_file, "rb") as file:
                return file.read(MAX_BYTES + 1)
        if path_or_file.seekable():
            path_or_file.seek(0)
        content = path_or_file.read(MAX_BYTES + 1)
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever was given, the caller catches one kind of error
        code = getattr(error, "errno", None)
        why = os.strerror(code) if code else "it is neither a path nor a binary file"
        raise ImageError(f"{name} cannot be read: {why}.") from None
    if not isinstance(content, bytes):
        raise ImageError(f"{name} was opened as text. Open it in binary mode.")
    return content
