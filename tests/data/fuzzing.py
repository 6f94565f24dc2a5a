"""Mutates real image files and opens them, in a process of its own with little memory; prints JSON.

Run by test_fuzz.py. Seeded: the same seed, the same files.
"""

import io
import json
import resource
import struct
import sys
import warnings
import zlib

import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

from explorer.data.images import ImageError, open_image

MIB = 2**20
ROOM = 1024 * MIB
SIZE = (23, 17)
NASTY = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\0\0\xff\xff",
         b"\xff\xff\0\0", b"\0\1\0\0", b"\0\0\x13\x88")  # fmt: skip
TIFF = {
    "1": ("group4", "raw"),
    "L": ("tiff_lzw", "packbits", "jpeg"),
    "P": ("raw",),
    "RGB": ("raw", "jpeg", "tiff_lzw"),
    "RGBA": ("tiff_deflate",),
    "LA": ("raw",),
    "CMYK": ("raw", "tiff_lzw"),
    "I;16": ("raw",),
    "I": ("raw",),
    "F": ("raw", "tiff_deflate"),
    "LAB": ("raw",),
    "YCbCr": ("raw",),
}


def noise(mode, random):
    """A small picture of any mode."""
    values = random.integers(0, 256, (SIZE[1], SIZE[0], 4), np.uint8)
    if mode == "F":
        return Image.fromarray(values[..., 0].astype(np.float32) / 9)
    if mode in ("I", "I;16"):
        return Image.fromarray(values[..., 0].astype(np.int32 if mode == "I" else np.uint16) * 251)
    if mode == "LAB":
        return Image.frombytes("LAB", SIZE, values[..., :3].tobytes())
    return Image.fromarray(values).convert("RGB" if mode in ("P", "CMYK", "YCbCr") else "RGBA").convert(mode)


def saved(image, kind, **options):
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def originals(random):
    """Files of every format and mode that Pillow writes among those taken, by name."""
    turned = Image.Exif()
    turned[0x0112] = 6
    more = {"save_all": True, "append_images": [noise("RGB", random), noise("RGB", random)]}
    files = {
        f"PNG {mode}": saved(noise(mode, random), "PNG")
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    }
    files |= {
        f"JPEG {mode}": saved(noise(mode, random), "JPEG", exif=turned)
        for mode in ("L", "RGB", "CMYK", "YCbCr")
    }
    files |= {f"BMP {mode}": saved(noise(mode, random), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")}
    files |= {
        f"WEBP {mode}": saved(noise(mode, random), "WEBP", exif=turned) for mode in ("L", "RGB", "RGBA")
    }
    files |= {f"GIF {mode}": saved(noise(mode, random), "GIF") for mode in ("1", "L", "P", "RGB")}
    files |= {
        f"TIFF {mode} {way}": saved(noise(mode, random), "TIFF", compression=way, exif=turned)
        for mode, ways in TIFF.items()
        for way in ways
    }
    files |= {
        f"{kind} frames": saved(noise("RGB", random), kind, **more) for kind in ("PNG", "WEBP", "GIF", "TIFF")
    }
    files["JPEG progressive"] = saved(noise("RGB", random), "JPEG", progressive=True)
    files["WEBP lossless"] = saved(noise("RGBA", random), "WEBP", lossless=True)
    files["PNG text"] = saved(
        noise("RGB", random), "PNG", exif=turned, transparency=(1, 2, 3), icc_profile=bytes(90)
    )
    files |= {
        f"AVIF {mode}": saved(noise(mode, random), "AVIF", exif=turned) for mode in ("L", "RGB", "RGBA")
    }
    files |= {
        f"HEIC {mode}": saved(noise(mode, random), "HEIF", exif=turned) for mode in ("L", "RGB", "RGBA")
    }
    files |= {f"PPM {mode}": saved(noise(mode, random), "PPM") for mode in ("1", "L", "RGB", "I", "F")}
    files["PPM RGB 16"] = b"P6\n23 17\n65535\n" + random.bytes(23 * 17 * 6)
    files["PNG RGB 16"] = _png16(random)
    files["BMP RLE"] = _rle()
    return files


def _rle():
    """A run-length encoded BMP, which Pillow reads and does not write."""
    body = b"".join(bytes([8, row]) + b"\0\0" for row in range(8)) + b"\0\1"
    palette = bytes(1024)
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + header + palette + body


def _png16(random):
    """A PNG of 16 bits in colour that uses 12 of them, which Pillow reads and does not write."""
    row = b"\0" + (random.integers(0, 4096, SIZE[0] * 3) & 0xFFF).astype(">u2").tobytes()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * SIZE[1])),
        (b"IEND", b""),
    )  # fmt: skip
    chunks = (struct.pack(">I", len(body)) + name + body + bytes(4) for name, body in parts)
    return mended(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def flip(content, _other, random):
    """Up to 20 bytes become others."""
    broken = bytearray(content)
    for _ in range(random.integers(1, 21)):
        broken[random.integers(len(broken))] = random.integers(256)
    return bytes(broken)


def truncate(content, _other, random):
    """The end is missing."""
    return content[: random.integers(len(content))]


def lie(content, _other, random):
    """A number near the start is made extreme."""
    at = int(random.integers(min(len(content), 96)))
    word = NASTY[random.integers(len(NASTY))]
    width = int(random.choice([1, 2, 4]))
    return content[:at] + word[:width] + content[at + width :]


def splice(content, other, random):
    """The start of one file and the end of another."""
    return content[: random.integers(len(content))] + other[random.integers(len(other)) :]


def repeat(content, _other, random):
    """A stretch comes twice, or is left out."""
    start, end = sorted(random.integers(0, len(content), 2))
    return content[:start] + content[start:end] * int(random.choice([0, 2, 3])) + content[end:]


def blank(content, _other, random):
    """A stretch is all zeros or all ones."""
    start, end = sorted(random.integers(0, len(content), 2))
    return content[:start] + bytes([int(random.choice([0, 255]))]) * int(end - start) + content[end:]


MUTATIONS = (flip, truncate, lie, splice, repeat, blank)


def mended(content):
    """A PNG with checksums that agree again, so that what was broken reaches the decoder."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    whole, at = content[:8], 8
    while at + 12 <= len(content):
        length = struct.unpack(">I", content[at : at + 4])[0]
        body = content[at + 4 : at + 8 + length]
        whole += content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return whole + content[at:]


def outcome(content):
    """'opened', 'refused', or what should never have come out."""
    try:
        image = open_image(content)
        assert image.mode == "RGB"
        image.load()
    except ImageError as error:
        text = str(error)
        return "refused" if 20 < len(text) < 400 and "\n" not in text else f"unreadable: {text!r}"
    except BaseException as error:  # noqa: BLE001 - the very question
        return f"{type(error).__name__}: {error}"
    return "opened"


def main(seed, rounds):
    """Open every original and `rounds` mutations of each in every way."""
    warnings.simplefilter("ignore")
    register_heif_opener()
    random = np.random.default_rng(seed)
    files = originals(random)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open("/proc/self/statm") as pages:
        now = int(pages.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, now + ROOM))
    counts, leaks = {"opened": 0, "refused": 0}, []
    unopened = [name for name, content in files.items() if outcome(content) != "opened"]
    others = list(files.values())
    for name, content in files.items():
        for number in range(rounds * len(MUTATIONS)):
            change = MUTATIONS[number % len(MUTATIONS)]
            broken = change(content, others[random.integers(len(others))], random)
            broken = mended(broken) if random.random() < 0.7 else broken
            sys.stderr.write(f"{name}, {change.__name__}\n")
            found = outcome(broken)
            if found in counts:
                counts[found] += 1
            else:
                leaks.append(f"{name}, {change.__name__}: {found}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    sys.stdout.write(
        json.dumps(
            counts | {"originals": len(files), "unopened": unopened, "leaks": leaks, "peak_mib": peak // MIB}
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
