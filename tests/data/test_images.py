"""Pictures from untrusted files: really encoded ones, and everything that can be wrong with them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    content = encoded(Image.fromarray(np.array([[0, bad]], np.float32)), "TIFF")

    assert "no numbers" in refused(content)


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

    assert "no readable image" in refused(content[: len(content) // 2])
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

    with pytest.raises(ImageError, match=r"^holiday\.jpg is no readable image"):
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
