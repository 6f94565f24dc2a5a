"""Sources: folders and parquet shards of really encoded images, and what is wrong with bad ones."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import GREEN, RED, encoded, write_images, write_shard
from PIL import Image

from explorer.data.dataset import DataError
from explorer.data.sources import digits, open_dataset


def read_error(folder, split="test"):
    with pytest.raises(DataError) as caught:
        open_dataset(str(folder)).split(split)
    return str(caught.value)


def test_the_name_digits_needs_no_folder():
    assert open_dataset("digits") is digits()


@pytest.mark.parametrize("name", ["cifar", "/nowhere/at/all", ""])
def test_unknown_names_say_what_can_be_given(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=r"not a dataset: give digits|needs one folder"):
        open_dataset(name)


class TestImageFolder:
    def test_classes_are_the_folders_in_order(self, tmp_path):
        write_images(tmp_path, {"dog/1.png": encoded(GREEN), "cat/1.png": encoded(), "cat/2.png": encoded()})

        dataset = open_dataset(str(tmp_path))
        split = dataset.split("test")

        assert dataset.classes == ("cat", "dog")
        assert (dataset.id, list(dataset.readers)) == (tmp_path.name, ["test"])
        assert split.labels.tolist() == [0, 0, 1]
        assert split.images.shape == (3, 3, 6, 6)
        assert tuple(split.images[0, :, 2, 3]) == RED
        assert tuple(split.images[2, :, 2, 3]) == GREEN

    @pytest.mark.parametrize("test", ["test", "val", "validation"])
    def test_two_splits(self, tmp_path, test):
        for split in ("train", test):
            write_images(tmp_path / split, {"a/1.png": encoded(), "b/1.png": encoded(GREEN)})

        dataset = open_dataset(str(tmp_path))

        assert list(dataset.readers) == ["train", "test"]
        assert dataset.split("train").sha256 == dataset.split("test").sha256

    def test_jpeg_and_other_files_beside_it(self, tmp_path):
        write_images(
            tmp_path,
            {
                "a/1.JPG": encoded(kind="JPEG"),
                "a/notes.txt": b"no image",
                "b/1.jpeg": encoded(GREEN, kind="JPEG"),
            },
        )

        split = open_dataset(str(tmp_path)).split("test")

        assert len(split.labels) == 2
        assert np.abs(split.images[0, :, 3, 3].astype(int) - RED).max() < 8

    def test_grey_images_keep_one_channel(self, tmp_path):
        write_images(tmp_path, {"a/1.png": encoded(3, mode="L"), "b/1.png": encoded(9, mode="L")})

        assert open_dataset(str(tmp_path)).split("test").images[:, :, 0, 0].tolist() == [[3], [9]]

    def test_grey_among_colour_becomes_colour(self, tmp_path):
        write_images(tmp_path, {"a/1.png": encoded(77, mode="L"), "b/1.png": encoded(RED)})

        assert open_dataset(str(tmp_path)).split("test").images[:, :, 0, 0].tolist() == [[77] * 3, list(RED)]

    def test_palette_and_transparency_become_colour(self, tmp_path):
        write_images(
            tmp_path,
            {"a/1.png": encoded((*RED, 255), mode="RGBA"), "b/1.gif": encoded(0, kind="GIF", mode="P")},
        )

        assert open_dataset(str(tmp_path)).split("test").images.shape == (2, 3, 6, 6)

    def test_one_class_is_not_enough(self, tmp_path):
        write_images(tmp_path, {"only/1.png": encoded()})

        assert "at least two; it has 1" in read_error(tmp_path)

    def test_mixed_sizes_are_named(self, tmp_path):
        write_images(tmp_path, {"a/1.png": encoded(size=(6, 6)), "b/1.png": encoded(size=(8, 5))})

        error = read_error(tmp_path)

        assert "different sizes (6x6, 8x5)" in error
        assert "resize" in error

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    def test_a_truncated_image_is_named(self, tmp_path, kind):
        noise = np.random.RandomState(0).randint(0, 255, (40, 40, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, kind)
        write_images(tmp_path, {"a/1.png": encoded(), "b/broken.png": file.getvalue()[: file.tell() // 2]})

        error = read_error(tmp_path)

        assert "broken.png cannot be read as an image" in error

    @pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-1.4 not an image", b"\x89PNG\r\n\x1a\n"])
    def test_what_is_no_image_is_named(self, tmp_path, content):
        write_images(tmp_path, {"a/1.png": encoded(), "b/bad.png": content})

        assert "bad.png cannot be read as an image" in read_error(tmp_path)

    def test_a_huge_image_is_refused_before_it_is_decoded(self, tmp_path):
        write_images(tmp_path, {"a/1.png": encoded(), "b/huge.png": encoded(0, (6000, 5000), mode="1")})

        assert "huge.png has 6000x5000 pixels" in read_error(tmp_path)

    def test_a_class_missing_in_one_split_is_named(self, tmp_path):
        write_images(tmp_path / "train", {"a/1.png": encoded(), "b/1.png": encoded()})
        write_images(tmp_path / "test", {"a/1.png": encoded()})

        assert "every split needs the same classes" in read_error(tmp_path)

    def test_empty_classes_hold_no_image(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()

        assert "holds no image" in read_error(tmp_path)


class TestParquetFolder:
    def test_class_names_come_from_the_schema(self, tmp_path):
        write_shard(tmp_path / "train-00000-of-00001.parquet", [encoded(), encoded(GREEN)], [1, 0])
        write_shard(tmp_path / "test-00000-of-00001.parquet", [encoded(GREEN)], [0])

        dataset = open_dataset(str(tmp_path))

        assert dataset.classes == ("cat", "dog")
        assert dataset.split("train").labels.tolist() == [1, 0]
        assert dataset.split("train").images[:, :, 0, 0].tolist() == [list(RED), list(GREEN)]
        assert dataset.split("test").labels.tolist() == [0]

    def test_shards_are_read_in_order(self, tmp_path):
        for number, label in ((1, 1), (0, 0), (2, 0)):
            write_shard(tmp_path / f"test-0000{number}-of-00003.parquet", [encoded((number, 0, 0))], [label])

        split = open_dataset(str(tmp_path)).split("test")

        assert split.images[:, 0, 0, 0].tolist() == [0, 1, 2]
        assert split.labels.tolist() == [0, 1, 0]

    @pytest.mark.parametrize(
        ("image", "label"), [("img", "label"), ("image", "fine_label"), ("img", "labels")]
    )
    def test_the_hubs_other_column_names(self, tmp_path, image, label):
        write_shard(tmp_path / "test-0.parquet", [encoded(kind="JPEG")], [1], image=image, label=label)

        assert open_dataset(str(tmp_path)).split("test").labels.tolist() == [1]

    def test_the_same_pixels_have_the_same_hash_from_either_source(self, tmp_path):
        write_shard(tmp_path / "shards" / "test-0.parquet", [encoded(), encoded(GREEN)], [0, 1])
        write_images(tmp_path / "folder", {"cat/1.png": encoded(), "dog/1.png": encoded(GREEN)})

        shards, folder = (open_dataset(str(tmp_path / name)).split("test") for name in ("shards", "folder"))

        assert shards.sha256 == folder.sha256

    def test_missing_label_column(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [0], label="weight", metadata={})

        assert "no column 'label'; it has image, weight" in read_error(tmp_path)

    def test_missing_image_column(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [0])
        table = pq.read_table(tmp_path / "test-0.parquet").drop_columns("image")
        pq.write_table(table, tmp_path / "test-0.parquet")

        assert "no column 'image' or 'img'" in read_error(tmp_path)

    @pytest.mark.parametrize(
        "metadata", [{}, {"huggingface": "{"}, {"huggingface": "[]"}, {"huggingface": "{}"}]
    )
    def test_a_schema_without_class_names_and_one_label(self, tmp_path, metadata):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [0], metadata=metadata)

        assert "names no classes for 'label'" in read_error(tmp_path)

    def test_a_shard_that_is_no_parquet(self, tmp_path):
        (tmp_path / "test-0.parquet").write_bytes(b"PAR1 but not really")

        assert "test-0.parquet cannot be read as a parquet file" in read_error(tmp_path)

    def test_a_truncated_image_in_a_shard_is_numbered(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded(), encoded()[:50]], [0, 1])

        assert "test-0.parquet, image 1 cannot be read as an image" in read_error(tmp_path)

    def test_an_image_without_bytes_is_numbered(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded(), None], [0, 1])

        assert "test-0.parquet, image 1 cannot be read as an image" in read_error(tmp_path)

    def test_images_that_are_no_encoded_files(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [0])
        table = pq.read_table(tmp_path / "test-0.parquet")
        pq.write_table(table.set_column(0, "image", pa.array([[1, 2, 3]])), tmp_path / "test-0.parquet")

        assert "holds list<element: int64>, not the bytes of image files" in read_error(tmp_path)

    def test_a_missing_label_is_refused(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded(), encoded()], [0, None])

        assert "no label" in read_error(tmp_path)

    def test_shards_of_different_columns(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [0])
        write_shard(tmp_path / "test-1.parquet", [encoded()], [0], label="target")

        assert "test-1.parquet has no column 'label'" in read_error(tmp_path)

    def test_a_label_beyond_the_classes(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()], [2])

        assert "between 0 and 1" in read_error(tmp_path)


def test_small_digits_train_on_twenty_of_each_class_and_test_on_all():
    small, whole = open_dataset("digits-small"), open_dataset("digits")
    assert small.id == "digits-small"
    assert np.bincount(small.split("train").labels).tolist() == [20] * 10
    assert small.split("test").sha256 == whole.split("test").sha256
    images = {image.tobytes() for image in whole.split("train").images}
    assert all(image.tobytes() in images for image in small.split("train").images)
