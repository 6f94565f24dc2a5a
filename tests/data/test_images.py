"""Pictures from untrusted files: really encoded ones, and everything that can be wrong with them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from explorer.data import images
from explorer.data.images import ImageError, open_image, read_image

RED = (250, 10, 20)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flag():
    """Red on the left, black on the right, 6 wide and 4 high."""
    image = Image.new("RGB", (6, 4))
    image.paste(RED, (0, 0, 3, 4))
    return image


def refused(content):
    with pytest.raises(ImageError) as caught:
        open_image(content)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def png(width, height, kind=2, depth=8):
    """A PNG of a few hundred bytes that claims any size."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_exact_formats_give_the_pixels(kind):
    image = open_image(encoded(flag(), kind))

    assert image.mode == "RGB"
    assert image.size == (6, 4)
    assert (image.getpixel((0, 0)), image.getpixel((5, 3))) == (RED, (0, 0, 0))


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("WEBP", {}), ("WEBP", {"lossless": True})])
def test_compressed_formats_give_about_the_pixels(kind, options):
    large = flag().resize((60, 40), Image.Resampling.NEAREST)

    found = np.asarray(open_image(encoded(large, kind, **options))).astype(int)

    assert np.abs(found[20, 10] - RED).max() < 9


def test_a_path_a_file_and_bytes_give_the_same(tmp_path):
    content = encoded(flag())
    (tmp_path / "flag.png").write_bytes(content)
    file = io.BytesIO(content)
    file.read()  # a file that was read before is read again from its start

    found = [open_image(given).tobytes() for given in (content, file, tmp_path / "flag.png")]
    found.append(open_image(str(tmp_path / "flag.png")).tobytes())

    assert len(set(found)) == 1


def test_the_name_says_nothing_about_the_format(tmp_path):
    (tmp_path / "flag.txt").write_bytes(encoded(flag()))

    assert open_image(tmp_path / "flag.txt").getpixel((0, 0)) == RED


@pytest.mark.parametrize(
    ("turn", "corner", "size"),
    [(1, (0, 0), (6, 4)), (2, (5, 0), (6, 4)), (3, (5, 3), (6, 4)), (6, (0, 0), (4, 6)), (8, (0, 5), (4, 6))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_turns_the_picture_upright(kind, turn, corner, size):
    exif = Image.Exif()
    exif[0x0112] = turn
    large = flag().resize((60, 40), Image.Resampling.NEAREST)

    found = read_image(encoded(large, kind, exif=exif))

    assert found.image.size == (size[0] * 10, size[1] * 10)
    seen = found.image.getpixel((corner[0] * 10 + 4, corner[1] * 10 + 4))
    assert np.abs(np.subtract(seen, RED)).max() < 12
    assert any("upright" in note for note in found.notes) == (turn != 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_do_not_matter():
    content = encoded(flag(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(range(90)))

    assert open_image(content).size == (6, 4)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(kind):
    values = np.array([[0, 257 * 128, 65535]], np.uint16)

    found = read_image(encoded(Image.fromarray(values), kind))

    assert np.asarray(found.image).tolist() == [[0, 128, 255]]
    assert "16 bits" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0.0, 0.5, 1.0], [0, 128, 255]), ([-2.0, 0.0, 6.0], [0, 64, 255]), ([7.0, 7.0], [0, 0])],
)
def test_real_numbers_are_scaled(values, shown):
    found = read_image(encoded(Image.fromarray(np.array([values], np.float32)), "TIFF"))

    assert np.asarray(found.image).tolist() == [shown]
    assert "scaled" in found.notes[0]


RAMP = np.tile(np.linspace(0, 1, 64), (64, 1))


def deep_png(values, kind):
    """A PNG of 16 bits, (H, W, C), which Pillow writes in grey only."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(values, sample_format, photometric=1, order="<"):
    """An uncompressed TIFF of any type of number, (H, W) or (H, W, 3)."""
    height, width = values.shape[:2]
    samples = values.shape[2] if values.ndim == 3 else 1
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    bits, end = values.dtype.itemsize * 8, 8 + len(data) + 2 + 12 * 10 + 4
    tags = ((256, width), (257, height), (258, bits if samples == 1 else end), (259, 1), (262, photometric),
            (273, 8), (277, samples), (278, height), (279, len(data)), (339, sample_format))  # fmt: skip
    entries = b""
    for tag, value in tags:
        long = tag in (273, 279) or (tag == 258 and samples > 1)
        kind, count = (4 if tag in (273, 279) else 3), samples if tag == 258 else 1
        entries += struct.pack(order + "HHI", tag, kind, count)
        entries += struct.pack(order + ("I" if long else "HH"), *((value,) if long else (value, 0)))
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    extra = struct.pack(f"{order}{samples}H", *[bits] * samples)
    return start + data + struct.pack(order + "H", len(tags)) + entries + bytes(4) + extra


def shades(read):
    """The picture along its width: the mean over rows and channels."""
    values = np.asarray(read.image, float)
    return values.reshape(values.shape[0], values.shape[1], -1).mean((0, 2))


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_few_bits_in_a_deep_png_are_shown_by_their_own_range(bits, kind, channels):
    top = 2**bits - 1
    values = np.repeat((RAMP * top).astype(np.uint16)[..., None], channels, 2)
    if channels in (2, 4):
        values[..., -1] = 65535

    read = read_image(deep_png(values, kind))

    assert np.abs(shades(read) - np.linspace(0, 255, 64)).max() <= 1
    assert f"from 0 to {top} of the 65535" in read.notes[0]


@pytest.mark.parametrize(
    ("values", "sample_format", "low", "high"),
    [
        ((RAMP * 200 - 100).astype(np.int8), 2, -100, 100),
        ((RAMP * 3000 - 1000).astype(np.int16), 2, -1000, 2000),
        ((RAMP * 4095).astype(np.uint16), 1, 0, 4095),
        ((RAMP * 1000 + 40000).astype(np.uint16), 1, 40000, 41000),
        ((RAMP * 40000).astype(np.int32), 2, 0, 40000),
        ((RAMP * 4e9).astype(np.uint32), 1, 0, 4000000000),
        ((RAMP * 0.06).astype(np.float32), 3, 0, 0.06),
        ((RAMP * 5000 - 200).astype(np.float64), 3, -200, 4800),
        (np.repeat((RAMP * 4095).astype(np.uint16)[..., None], 3, 2), 1, 0, 4095),
    ],
    ids=["int8", "int16", "12 of 16", "offset", "int32", "uint32", "float32", "float64", "RGB 12 of 16"],
)
def test_a_tiff_of_any_number_is_shown_by_its_own_range(values, sample_format, low, high):
    read = read_image(tiff(values, sample_format, 2 if values.ndim == 3 else 1))

    assert np.abs(shades(read) - np.linspace(0, 255, 64)).max() < 2
    assert f"from {low} to {high}" in read.notes[0]


def test_the_other_order_of_bytes_and_the_other_end_of_the_scale():
    swapped = tiff(np.repeat((RAMP * 4095).astype(np.uint16)[..., None], 3, 2), 1, 2, ">")
    negative = read_image(tiff((RAMP * 4095).astype(np.uint16), 1, photometric=0))

    assert np.abs(shades(read_image(swapped)) - np.linspace(0, 255, 64)).max() <= 1
    assert np.abs(shades(negative) - np.linspace(255, 0, 64)).max() <= 1
    assert "lowest value is white" in negative.notes[1]


@pytest.mark.parametrize("head", [b"P5 64 64 4095\n", b"P5 64 64 65535\n", b"P6 64 64 65535\n"])
def test_ppm_of_few_bits_is_shown_by_its_own_range(head):
    values = (RAMP * 1000).astype(">u2")
    values = np.repeat(values[..., None], 3, 2) if head.startswith(b"P6") else values

    read = read_image(head + values.tobytes())

    assert np.abs(shades(read) - np.linspace(0, 255, 64)).max() <= 1
    assert "from 0 to 1000 of" in read.notes[0]


def test_one_hot_pixel_does_not_make_all_others_black():
    values = (RAMP * 4095).astype(np.uint16)
    values[5, 5] = 65535

    read = read_image(encoded(Image.fromarray(values)))

    assert np.median(np.asarray(read.image)) > 100
    assert "to 65535, nearly all of them from" in read.notes[0]


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (9, 9), RED),
        Image.new("L", (9, 9), 0),
        Image.fromarray(np.full((9, 9), 1000, np.uint16)),
        Image.fromarray(np.full((9, 9), -3, np.int32)),
        Image.fromarray(np.full((9, 9), 0.5, np.float32)),
    ],
    ids=["colour", "grey", "16 bits", "32 bits", "real"],
)
def test_flat_pictures_are_told_to_be_flat(image):
    assert "same value: there is nothing to see" in read_image(encoded(image, "TIFF")).notes[-1]


def claims(content, width, height):
    """The JPEG with another size in its header."""
    at = next(content.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in content)
    return content[: at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]


def test_a_large_photograph_is_scaled_while_it_is_decoded():
    ramp = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize((8160, 6120))
    exif = Image.Exif()
    exif[0x0112] = 6

    read = read_image(encoded(ramp, "JPEG", exif=exif))

    assert read.image.size == (3060, 4080)
    assert "8160x6120 pixels were read at a half of their width and height: 4080x3060" in read.notes[0]
    assert "upright" in read.notes[1]
    assert np.abs(np.diff(np.asarray(read.image)[::255, 9].astype(float)) - 16).max() < 3


@pytest.mark.parametrize(
    ("options", "size", "said"),
    [
        ({"progressive": True, "subsampling": 0}, (12_000, 9000), "progressive JPEG"),
        ({}, (20_000, 20_000), "20000x20000 pixels, over 256 million"),
        ({}, (65_500, 65_500), "over 256 million"),
        ({"progressive": True}, (65_500, 3000), "progressive JPEG"),
    ],
)
def test_what_scaling_cannot_make_small_is_refused(options, size, said):
    small = encoded(flag().resize((64, 64)), "JPEG", **options)

    assert said in refused(claims(small, *size))


def test_a_large_text_is_not_read_number_by_number():
    assert "PPM written as text" in refused(b"P3 1200 1200 255 " + b"7 " * 2_000_000)
    assert open_image(b"P3 1 1 255 250 10 20").getpixel((0, 0)) == RED


def test_other_formats_say_that_a_jpeg_may_be_larger():
    assert "can be taken as JPEG" in refused(png(8160, 6120))


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_formats_of_phones(kind):
    register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    large = flag().resize((60, 40), Image.Resampling.NEAREST)
    large.info["exif"] = exif.tobytes()

    read = read_image(encoded(large, kind, quality=90, exif=exif.tobytes()))

    assert read.image.size == (40, 60)
    assert np.abs(np.subtract(read.image.getpixel((20, 14)), RED)).max() < 16


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    content = encoded(Image.fromarray(np.array([[0, bad]], np.float32)), "TIFF")

    assert "without a value" in refused(content)


@pytest.mark.parametrize(("value", "shown"), [(-5, [0, 255]), (70000, [0, 255]), (65535, [0, 255])])
def test_whole_numbers_are_scaled(value, shown):
    content = encoded(Image.fromarray(np.array([sorted([0, value])], np.int32)), "TIFF")

    assert np.asarray(open_image(content))[0, :, 0].tolist() == shown


def test_printing_colours_become_red_green_blue():
    found = read_image(encoded(flag().convert("CMYK"), "TIFF"))

    assert found.image.getpixel((0, 0)) == RED
    assert "CMYK" in found.notes[0]


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "PNG", {}),
        (Image.new("LA", (2, 1), (9, 0)), "PNG", {}),
        (Image.new("P", (2, 1), 0), "PNG", {"transparency": 0}),
        (Image.new("RGB", (2, 1), (9, 9, 9)), "PNG", {"transparency": (9, 9, 9)}),
        (Image.new("L", (2, 1), 9), "PNG", {"transparency": 9}),
        (Image.new("P", (2, 1), 0), "GIF", {"transparency": 0}),
        (Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "WEBP", {"lossless": True, "exact": True}),
        (Image.new("RGBA", (2, 1), (9, 9, 9, 0)), "TIFF", {}),
    ],
)
def test_transparent_parts_are_laid_on_white(image, kind, options):
    found = read_image(encoded(image, kind, **options))

    assert found.image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert found.notes == ("Transparent parts are shown on white.",)


def test_half_transparent_is_half_white():
    found = open_image(encoded(Image.new("RGBA", (1, 1), (0, 0, 0, 51))))

    assert found.getpixel((0, 0)) == (204, 204, 204)


def test_an_alpha_channel_that_hides_nothing_is_not_mentioned():
    assert read_image(encoded(Image.new("RGBA", (1, 1), (*RED, 255)))).notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_stays_grey_until_colour_is_asked_for(mode):
    content = encoded(Image.new(mode, (3, 3)))

    assert read_image(content).image.mode == "L"
    assert open_image(content).mode == "RGB"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_is_taken_and_said_so(kind):
    later = [Image.new("RGB", (8, 8), (0, 0, shade)) for shade in (90, 200)]

    found = read_image(encoded(Image.new("RGB", (8, 8), RED), kind, save_all=True, append_images=later))

    assert np.abs(np.subtract(found.image.convert("RGB").getpixel((4, 4)), RED)).max() < 12
    assert "Only the first frame is shown." in found.notes


@pytest.mark.parametrize("kind", images.FORMATS)
def test_every_truncation_is_refused_or_shown(kind):
    noise = Image.fromarray(np.random.RandomState(0).randint(0, 255, (40, 40, 3), np.uint8))
    content = encoded(noise, kind)

    assert "cannot be read as an image" in refused(content[: len(content) // 2])
    for end in range(0, len(content), 97):
        try:
            assert open_image(content[:end]).size == (40, 40)
        except ImageError:
            continue


def test_nothing_at_all():
    assert "it is empty" in refused(b"")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"<?xml version='1.0'?><!-- x --><SVG xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7 and so on", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\1\0\1\0\x10\x10", "ICO"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"PK\3\4 a document", "zip"),
        (b"hello, this is a text", "damaged, or it is something else"),
    ],
)
def test_other_files_are_refused_by_their_names(content, said):
    error = refused(content)

    assert said in error
    assert "PNG" in error


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((5001, 5000), "5001x5000 pixels, over 25 million"),
        ((30_000, 10), "a side may have 16,384"),
        ((10, 30_000), "a side may have 16,384"),
        ((30_000, 30_000), "more than 25 million pixels"),
        ((2**31 - 1, 2**31 - 1), "more than 25 million pixels"),
    ],
)
def test_size_is_checked_before_pixels_are_decoded(size, said):
    assert said in refused(png(*size))


def test_bytes_are_counted_before_they_are_read(tmp_path):
    class Endless(io.RawIOBase):
        name = "endless.png"
        asked = 0

        def seekable(self):
            return False

        def read(self, size=-1):
            self.asked = size
            return bytes(size)

    file = Endless()
    with pytest.raises(ImageError, match="more than 20 MB"):
        open_image(file)
    assert 0 < file.asked <= images.MAX_BYTES + 1


def test_errors_call_the_file_by_its_name(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"no picture")

    with pytest.raises(ImageError, match=r"^holiday\.jpg cannot be read as an image"):
        open_image(tmp_path / "holiday.jpg")


@pytest.mark.parametrize("given", [None, 3, object(), io.StringIO("text")])
def test_what_is_no_file_is_refused(given):
    with pytest.raises(ImageError):
        open_image(given)


def test_folders_and_missing_files_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.png", "/dev/zero"):
        with pytest.raises(ImageError, match="There is no file"):
            open_image(path)


def test_a_decoder_that_runs_out_of_memory(monkeypatch):
    def out(*_arguments, **_options):
        raise MemoryError

    monkeypatch.setattr(Image, "open", out)
    assert "memory" in refused(b"anything")
