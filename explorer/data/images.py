"""The one boundary at which images are decoded: formats, limits, and errors in words.

A file is untrusted: its bytes are counted before they are read, its format must be on a list, its
pixels and sides are counted before they are decoded, and whatever goes wrong inside a decoder
leaves here as an `ImageError`. A JPEG of more pixels is scaled down while it is decoded.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile, jpeg_factory
from PIL.TiffImagePlugin import II, OPEN_INFO

from explorer.data.pixel_formats import ModeError, is_flat, plain, raw_mode

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM")
"""As Pillow names them; HEIC goes a way of its own."""
TAKEN = "PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF, HEIC or PPM"
MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
MAX_SIDE = 16_384
MAX_JPEG_PIXELS = 256_000_000
_MAX_COEFFICIENTS = 400_000_000  # bytes; what a decoder holds of a progressive JPEG, whatever its scale
_TEXT_PPM, _MOST_TEXT = (b"P1", b"P2", b"P3"), 3_000_000
_SCALES = {1: "", 2: "a half", 4: "a quarter", 8: "an eighth"}
_SMALLER = "Save it smaller and try again."
_AS_JPEG = "A photograph that is larger can be taken as JPEG, which is scaled down while it is read."
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
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
# Pillow can unpack real numbers of 64 bits, but has no entry for TIFF files of them
OPEN_INFO.setdefault((II, 1, (3,), 1, (64,), ()), ("F", "F;64F"))
# the first bytes of what people also call pictures, to refuse it by its name
_OTHERS = (
    (4, b"ftyphe", "HEIC"), (4, b"ftypmif1", "HEIC"), (4, b"ftypmsf1", "HEIC"), (4, b"ftypavi", "AVIF"),
    (4, b"ftypcrx", "raw camera (CR3)"), (4, b"ftyp", "film (MP4 or MOV)"), (0, b"%PDF", "PDF"),
    (0, b"8BPS", "Photoshop"), (0, b"\0\0\1\0", "icon (ICO)"),
    (4, b"jP  ", "JPEG 2000"), (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"JXL ", "JPEG XL"), (0, b"\xff\x0a", "JPEG XL"), (0, b"PK\3\4", "zip"),
)  # fmt: skip


class ImageError(ValueError):
    """A file cannot be taken as a picture; the text says why and what to do."""


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
        ImageError: it is not a PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF, HEIC or PPM; it is damaged; or it has
            more than 20 MB, 25 million pixels (a JPEG: 256 million) or 16,384 pixels a side.
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
    if content[:2] in _TEXT_PPM and len(content) > _MOST_TEXT:
        raise ImageError(f"{name} is a large PPM written as text, which is slow to read. Save it as PNG.")
    try:
        with _opened(content) as image:
            size = image.size
            scale = _checked_scale(image, content)
            if scale > 1:
                image.draft(None, (size[0] // scale, size[1] // scale))
            return _decoded(image, content, _said_scale(size, image.size, scale))
    except (_SizeError, ModeError) as error:
        raise ImageError(f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(
            f"{name} has more than {MAX_PIXELS // 10**6} million pixels. {_SMALLER} {_AS_JPEG}"
        ) from None
    except MemoryError:
        raise ImageError(f"{name} needs more memory than there is. {_SMALLER}") from None
    except Exception:  # noqa: BLE001 - a decoder of untrusted bytes may raise anything
        raise ImageError(f"{name} cannot be read as an image ({TAKEN}){_reason(content)}") from None


class _SizeError(ValueError):
    """The text goes on from the name of the file."""


def _opened(content: bytes) -> Image.Image:
    """The picture, its header read and not a pixel decoded."""
    file = io.BytesIO(content)
    if content.startswith(b"\xff\xd8\xff"):
        return jpeg_factory(file)  # as `Image.open` does, which refuses what can be scaled
    if _is_heic(content):
        from pillow_heif import register_heif_opener  # rarely wanted, and not small

        register_heif_opener(thumbnails=False)
        return Image.open(file, formats=("HEIF",))
    return Image.open(file, formats=FORMATS)


def _is_heic(content: bytes) -> bool:
    brand = content[8:12]
    return content[4:8] == b"ftyp" and (
        brand in _HEIC_BRANDS or (brand in (b"mif1", b"msf1") and b"avi" not in content[12:64])
    )


def _checked_scale(image: Image.Image, content: bytes) -> int:
    """By how much the sides are to be divided, 1, 2, 4 or 8, while a JPEG is decoded; 1 for all others."""
    width, height = image.size
    jpeg = isinstance(image, JpegImageFile)
    if jpeg and width * height > MAX_JPEG_PIXELS:
        raise _SizeError(f"has {width}x{height} pixels, over {MAX_JPEG_PIXELS // 10**6} million. {_SMALLER}")
    for scale in _SCALES if jpeg else (1,):
        if width * height <= MAX_PIXELS * scale**2 and max(width, height) <= MAX_SIDE * scale:
            break
    else:
        most = f"over {MAX_PIXELS // 10**6} million"
        if width * height <= MAX_PIXELS:
            most = f"a side may have {MAX_SIDE:,}"
        raise _SizeError(f"has {width}x{height} pixels, {most}. {_SMALLER} {_AS_JPEG}")
    if scale > 1 and _coefficients(image, content) > _MAX_COEFFICIENTS:
        raise _SizeError(
            f"has {width}x{height} pixels in a progressive JPEG, which cannot be scaled while it is read. "
            "Save it as an ordinary (baseline) JPEG, or smaller, and try again."
        )
    return scale


def _coefficients(image: Image.Image, content: bytes) -> int:
    """Bytes that the decoder keeps of a JPEG of several scans; 0 where one scan holds all components."""
    layers = getattr(image, "layer", [])
    if "progressive" not in image.info and _first_scan(content) == len(layers):
        return 0
    widest = max(across for _, across, *_ in layers) * max(down for _, _, down, *_ in layers)
    samples = sum(across * down for _, across, down, *_ in layers) / widest
    return int(2 * image.size[0] * image.size[1] * samples)


def _first_scan(content: bytes) -> int:
    """Components in the first scan of a JPEG; 0 where there is none."""
    at = 2
    while at + 5 <= len(content):
        if content[at] != 0xFF or content[at + 1] in (0x00, 0xFF):
            at += 1
            continue
        if content[at + 1] == 0xDA:
            return content[at + 4]
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0


def _said_scale(size: tuple[int, int], shown: tuple[int, int], scale: int) -> list[str]:
    if scale == 1:
        return []
    return [
        f"Its {size[0]}x{size[1]} pixels were read at {_SCALES[scale]} of their width and height: "
        f"{shown[0]}x{shown[1]}."
    ]


def _decoded(image: Image.Image, content: bytes, notes: list[str]) -> Decoded:
    turn, raw = _orientation(image), raw_mode(image)
    image.load()
    shown, said = plain(image, raw, lambda: _opened(content))
    notes += said
    if turn in _TURNS:
        # TIFF is turned by its decoder
        shown = shown if image.format == "TIFF" else shown.transpose(_TURNS[turn])
        notes.append("Turned upright, as the camera noted (EXIF).")
    if is_flat(shown):
        notes.append("All its pixels have the same value: there is nothing to see in it.")
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
    if content[:4] in (b"II*\0", b"MM\0*"):
        return ": it is damaged, or a TIFF of an unusual kind. Save it as 8-bit or 16-bit TIFF, or as PNG."
    for start, mark, title in _OTHERS:
        if content[start:].startswith(mark):
            damaged = " that is damaged or of an unusual kind" if title in TAKEN else ""
            return f": it is a {title} file{damaged}. Save it as PNG or JPEG and try again."
    if b"<svg" in content[:4096].lower():
        return ": it is an SVG drawing, which has no pixels. Save it as PNG and try again."
    return ": it is damaged, or it is something else. Save it again and try once more."


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
