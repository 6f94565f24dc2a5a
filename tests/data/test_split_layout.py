"""Layouts of datasets as people have them: what is taken, told, and refused with its cause."""

import io
import json
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import GREEN, encoded, write_images, write_shard
from PIL import Image
from small_cifar import CLASSES, archive_bytes, batches, instead_of_cifar10

from explorer.data import registry
from explorer.data.add_dataset import AddRequest, add, add_upload
from explorer.data.dataset import DataError
from explorer.data.sources import named_or_path, open_dataset
from explorer.data.split_layout import split_word


def tree(root, *paths, kind="PNG"):
    """Pictures of two colours at some paths; a number at the end writes as many, numbered."""
    for path in paths:
        write_images(root, {path: encoded(GREEN if "dog" in path else (9, 9, 9), kind=kind)})
    return root


def several(*folders, count=3, ending="png"):
    return [f"{folder}/{number}.{ending}" for folder in folders for number in range(count)]


def opened(path):
    """Classes, images by split, and what is told."""
    dataset = open_dataset(str(path))
    counts = {name: len(dataset.split(name).labels) for name in dataset.readers}
    return dataset.classes, counts, " ".join(dataset.told())


def read_error(path):
    with pytest.raises(DataError) as caught:
        opened(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"), ("train", "valid"), ("train", "val"), ("train", "dev"), ("train", "validation"),
        ("Training", "Testing"), ("TRAIN", "VAL"), ("training_set", "test_set"), ("seg_train", "seg_test"),
        ("train_images", "validation_images"),
    ],
)  # fmt: skip
def test_two_splits_under_any_of_their_names(tmp_path, train, test):
    tree(tmp_path, *several(f"{train}/cat", f"{train}/dog"), *several(f"{test}/cat", f"{test}/dog", count=1))

    classes, counts, told = opened(tmp_path)

    assert (classes, counts) == (("cat", "dog"), {"train": 6, "test": 2})
    assert (f"{train}/ is the train split" in told) == (train != "train")
    assert (f"{test}/ is the test split" in told) == (test != "test")


@pytest.mark.parametrize("name", ["cat", "bullet_train", "testimony", "value", "train-station", "trains"])
def test_names_that_only_look_like_a_split(name):
    assert split_word(name) is None


def test_of_three_splits_the_third_is_told_to_be_left_out(tmp_path):
    for split in ("train", "val", "test"):
        tree(tmp_path / split, "cat/1.png", "dog/1.png")

    assert "val/ (2 images) is left out: another split is used" in opened(tmp_path)[2]


@pytest.mark.parametrize("other", ["valid", "val"])
def test_a_test_split_without_labels_is_told_and_the_other_one_used(tmp_path, other):
    tree(tmp_path, *several("train/cat", "train/dog"), *several(f"{other}/cat", f"{other}/dog", count=2))
    tree(tmp_path, *several("test", count=5))

    _, counts, told = opened(tmp_path)

    assert counts == {"train": 6, "test": 4}
    assert "test/ (5 images) is left out: it has no folders of classes, so its images have no labels" in told


def test_a_test_split_without_labels_alone(tmp_path):
    tree(tmp_path, *several("train/cat", "train/dog"), *several("test"))

    entry = add(AddRequest("pets", str(tmp_path)))

    assert (entry.train, entry.test) == (4, 2)
    assert "test/ (3 images) is left out" in " ".join(entry.notes)
    assert "one split: 20 % of each class" in " ".join(entry.notes)


def test_splits_without_classes_are_no_classes(tmp_path):
    tree(tmp_path, *several("train", "test"))

    assert "has the splits test, train, but no folders of classes" in read_error(tmp_path)


@pytest.mark.parametrize("wrapper", ["", "pets/", "a/b/"])
def test_a_folder_train_alone_is_the_training_split(tmp_path, wrapper):
    tree(tmp_path, *several(f"{wrapper}train/cat", f"{wrapper}train/dog"))

    classes, counts, _ = opened(tmp_path)

    assert (classes, counts) == (("cat", "dog"), {"train": 6})


def test_a_class_may_be_called_train(tmp_path):
    tree(tmp_path, *several("car", "bus", "train/steam"))

    classes, counts, told = opened(tmp_path)

    assert (classes, counts) == (("bus", "car", "train"), {"test": 9})
    assert "train/ is taken as a class, not as a split" in told


def test_a_folder_beside_the_splits_is_named(tmp_path):
    tree(tmp_path, *several("train/cat", "train/dog", "test/cat", "test/dog", "extra/cat"))

    assert "extra/ (3 images) is left out" in opened(tmp_path)[2]


def test_splits_inside_of_each_class(tmp_path):
    tree(tmp_path, *several("cat/train", "dog/train"), *several("cat/val", "dog/val", count=1), "cat/odd.png")

    classes, counts, told = opened(tmp_path)

    assert (classes, counts) == (("cat", "dog"), {"train": 6, "test": 2})
    assert "folders val/ inside of the classes are the test split" in told
    assert "In neither split, and left out: 1 image of" in told


@pytest.mark.parametrize("wrap", ["pets", "a/b/pets", "train/train"])
def test_folders_that_hold_nothing_but_one_folder(tmp_path, wrap):
    tree(tmp_path / wrap, *several("cat", "dog"))

    assert opened(tmp_path)[0] == ("cat", "dog")


def test_deeper_pictures_belong_to_their_class_and_are_told(tmp_path):
    tree(tmp_path, "cat/1.png", "cat/wild/2.png", "cat/wild/big/3.png", "dog/4.png")

    classes, counts, told = opened(tmp_path)

    assert (classes, counts) == (("cat", "dog"), {"test": 4})
    assert "(cat/wild, cat/wild/big) hold 2 images" in told


def test_eleven_folders_deep_is_read_and_too_deep_is_refused(tmp_path):
    tree(tmp_path / "a", "cat/1.png", "dog/" + "x/" * 9 + "1.png")
    tree(tmp_path / "b", "cat/1.png", "dog/" + "x/" * 14 + "1.png")

    assert opened(tmp_path / "a")[1] == {"test": 2}
    assert "more than 12 folders deep" in read_error(tmp_path / "b")


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("ppm", "PPM"), ("pgm", "PPM"), ("pnm", "PPM"), ("tif", "TIFF"), ("jfif", "JPEG"), ("avif", "AVIF"),
     ("JPE", "JPEG"), ("dib", "BMP")],
)  # fmt: skip
def test_unusual_endings(tmp_path, ending, kind):
    tree(tmp_path, *several("cat", "dog", ending=ending), kind=kind)

    assert opened(tmp_path)[1] == {"test": 6}


def test_files_of_other_kinds_are_counted_and_named(tmp_path):
    tree(tmp_path, "cat/1.png", "dog/1.png", "loose.png")
    write_images(
        tmp_path, {"cat/GT-0.csv": b"a;b", "dog/scan.dcm": b"x", "dog/scan2.dcm": b"x", "README": b""}
    )

    told = opened(tmp_path)[2]

    assert "4 other files (2 .dcm, 1 without an ending, 1 .csv) are not taken: README, cat/GT-0.csv" in told
    assert "Outside of the classes' folders, and left out: 1 image: loose.png" in told


def test_nothing_but_unknown_files_is_refused_by_their_kind(tmp_path):
    write_images(tmp_path, {"cat/1.dcm": b"x", "cat/2.dcm": b"x", "dog/1.dcm": b"x"})

    assert "3 other files (3 .dcm) are not taken: cat/1.dcm" in read_error(tmp_path)


def test_pictures_without_folders_are_counted(tmp_path):
    tree(tmp_path, "1.png", "2.png")

    assert "it has 0. Outside of such folders: 2 images." in read_error(tmp_path)


def test_a_folder_without_pictures_is_no_class(tmp_path):
    tree(tmp_path, *several("cat", "dog"))
    write_images(tmp_path, {"annotations/1.xml": b"<a/>"})

    classes, _, told = opened(tmp_path)

    assert classes == ("cat", "dog")
    assert "No image is taken from annotations/" in told


def test_a_few_damaged_pictures_are_left_out_counted_and_named_also_from_the_cache(tmp_path):
    tree(tmp_path, *several("cat", "dog", count=15))
    (tmp_path / "cat" / "3.png").write_bytes(encoded()[:30])
    (tmp_path / "dog" / "4.png").write_bytes(b"")

    for _ in range(2):  # decoded, and mapped from the file
        classes, counts, told = opened(tmp_path)
        assert (classes, counts) == (("cat", "dog"), {"test": 28})
        assert "2 images that cannot be read are left out" in told
        assert "cat/3.png cannot be read as an image" in told
        assert "dog/4.png" in told


def test_many_damaged_pictures_refuse_the_dataset(tmp_path):
    tree(tmp_path, *several("cat", "dog"))
    for number in range(2):
        (tmp_path / "cat" / f"{number}.png").write_bytes(b"x")

    assert "2 of 6 images in" in read_error(tmp_path)


def test_pictures_of_more_than_8_bits_are_told(tmp_path):
    for name in ("cat", "dog"):
        file = io.BytesIO()
        Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 60).save(file, "PNG")
        write_images(tmp_path, {f"{name}/1.png": file.getvalue()})

    assert "2 images: Its values run from 0 to 3780 of" in opened(tmp_path)[2]


def test_classes_that_are_numbers_are_ordered_by_number(tmp_path):
    tree(tmp_path, *[f"{number}/1.png" for number in range(12)])

    classes, _, told = opened(tmp_path)

    assert classes == tuple(map(str, range(12)))
    assert "The classes are numbers, and in their order" in told


def test_classes_with_numbers_in_them_keep_the_order_of_letters_and_say_so(tmp_path):
    tree(tmp_path, "c1/1.png", "c2/1.png", "c10/1.png")

    classes, _, told = opened(tmp_path)

    assert classes == ("c1", "c10", "c2")
    assert "in the order of letters" in told


def test_what_was_added_earlier_keeps_its_order_and_its_split(tmp_path):
    tree(tmp_path, *several(*[f"train/{number}" for number in range(11)], count=5))
    tree(tmp_path, *[f"valid/{number}/1.png" for number in range(11)])
    letters = tuple(sorted(map(str, range(11))))
    registry.keep(registry.RegisteredDataset("old", "Old", str(tmp_path), letters, 6, 3, 44, 11, None, 0.2))

    dataset = open_dataset("old")

    assert dataset.classes == letters
    assert (len(dataset.split("train").labels), len(dataset.split("test").labels)) == (44, 11)
    assert "its other split is left out" in " ".join(dataset.told())


class TestShards:
    def test_layouts_of_the_hub(self, tmp_path):
        for number, (train, test) in enumerate(
            [
                ("plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet"),
                ("data/train-00000-of-00001-abc0123.parquet", "data/validation-00000-of-00001-abc.parquet"),
                ("default/train/0000.parquet", "default/test/0000.parquet"),
                ("train.parquet", "valid.parquet"),
                ("train_0.parquet", "dev_0.parquet"),
                ("cifar_train.parquet", "cifar_val.parquet"),
            ]
        ):
            write_images(tmp_path / str(number), {"README.md": b"---", ".gitattributes": b""})
            write_shard(tmp_path / str(number) / train, [encoded(), encoded(), encoded()], [0, 1, 1])
            write_shard(tmp_path / str(number) / test, [encoded()], [1])
            assert opened(tmp_path / str(number))[:2] == (("cat", "dog"), {"train": 3, "test": 1}), train

    @pytest.mark.parametrize("name", ["0000.parquet", "data.parquet", "x/y.parquet"])
    def test_one_shard_becomes_two_splits(self, tmp_path, name):
        write_shard(tmp_path / "a" / name, [encoded()] * 6, [0, 1] * 3)

        entry = add(AddRequest("one", str(tmp_path / "a")))

        assert (entry.train, entry.test) == (4, 2)

    def test_a_shard_given_by_its_own_path_and_in_a_zip(self, tmp_path):
        write_shard(tmp_path / "a.parquet", [encoded()] * 2, [0, 1])
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
            packed.write(tmp_path / "a.parquet", "pets/train-0.parquet")

        assert opened(tmp_path / "a.parquet")[:2] == (("cat", "dog"), {"test": 2})
        assert opened(tmp_path / "b.zip")[:2] == (("cat", "dog"), {"train": 2})

    def test_withheld_labels_are_told(self, tmp_path):
        write_shard(tmp_path / "train-0.parquet", [encoded()] * 2, [0, 1])
        write_shard(tmp_path / "validation-0.parquet", [encoded()], [1])
        write_shard(tmp_path / "test-0.parquet", [encoded()] * 2, [-1, -1])

        _, counts, told = opened(tmp_path)

        assert counts == {"train": 2, "test": 1}
        assert "shards of test hold no labels and are left out" in told
        assert "shards of validation are the test split" in told

    def test_missing_shards_and_several_datasets_and_lfs(self, tmp_path):
        write_shard(tmp_path / "a" / "train-00000-of-00003.parquet", [encoded()] * 2, [0, 1])
        write_shard(tmp_path / "b" / "x" / "train-0.parquet", [encoded()], [0])
        write_shard(tmp_path / "b" / "y" / "train-0.parquet", [encoded()], [0])
        write_images(tmp_path, {"c/train-0.parquet": b"version https://git-lfs.github.com/spec/v1\noid"})

        assert "2 of the 3 shards of train are missing" in opened(tmp_path / "a")[2]
        assert "several datasets (x, y): give one folder" in read_error(tmp_path / "b")
        assert "git lfs pull" in read_error(tmp_path / "c")

    @pytest.mark.parametrize(
        ("labels", "names", "classes", "numbers"),
        [
            (pa.array([0, 2, 1], pa.int64()), None, ("0", "1", "2"), [0, 2, 1]),
            (pa.array([1, 3, 2], pa.int64()), None, ("1", "2", "3"), [0, 2, 1]),
            (pa.array([0.0, 2.0, 1.0]), None, ("0", "1", "2"), [0, 2, 1]),
            (pa.array(["dog", "owl", "cat"]), None, ("cat", "dog", "owl"), [1, 2, 0]),
            (pa.array(["10", "9", "2"]), None, ("2", "9", "10"), [2, 1, 0]),
            (pa.array(["b", "a", "b"]).dictionary_encode(), None, ("a", "b"), [1, 0, 1]),
            (pa.array([True, False, True]), None, ("False", "True"), [1, 0, 1]),
            (pa.array([[1], [0], [1]]), ("cat", "dog"), ("cat", "dog"), [1, 0, 1]),
            (pa.array([1, 0, 1], pa.int8()), {"1": "dog", "0": "cat"}, ("cat", "dog"), [1, 0, 1]),
        ],
        ids=[
            "whole",
            "from 1",
            "real",
            "texts",
            "numbers as texts",
            "pandas",
            "bool",
            "lists",
            "names by key",
        ],
    )
    def test_labels_of_any_kind(self, tmp_path, labels, names, classes, numbers):
        write_shard(tmp_path / "test-0.parquet", [encoded()] * 3, [0, 1, 0], names=())
        table = pq.read_table(tmp_path / "test-0.parquet").set_column(1, "label", labels)
        features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}} if names else {}
        meta = {"huggingface": json.dumps(features)}
        pq.write_table(table.replace_schema_metadata(meta), tmp_path / "test-0.parquet")

        dataset = open_dataset(str(tmp_path))

        assert dataset.classes == classes
        assert dataset.split("test").labels.tolist() == numbers

    def test_several_labels_of_an_image_are_refused(self, tmp_path):
        write_shard(tmp_path / "test-0.parquet", [encoded()] * 2, [0, 1])
        table = pq.read_table(tmp_path / "test-0.parquet").set_column(1, "label", pa.array([[0, 1], [1]]))
        pq.write_table(table, tmp_path / "test-0.parquet")

        assert "one label for each image" in read_error(tmp_path)

    @pytest.mark.parametrize(("image", "label"), [("picture", "target"), ("png", "Label"), ("blob", "cls")])
    def test_columns_under_other_names(self, tmp_path, image, label):
        write_shard(tmp_path / "test-0.parquet", [encoded()] * 2, [0, 1], image=image, label=label)

        assert opened(tmp_path)[0] == ("cat", "dog")

    def test_images_as_plain_bytes(self, tmp_path):
        table = pa.table({"image": pa.array([encoded(), encoded()], pa.binary()), "label": [0, 1]})
        pq.write_table(table, tmp_path / "test-0.parquet")

        assert opened(tmp_path)[1] == {"test": 2}


class TestCifarFiles:
    @pytest.fixture
    def unpacked(self, tmp_path, monkeypatch):
        with instead_of_cifar10(monkeypatch):
            (tmp_path / "cifar-10-python.tar.gz").write_bytes(archive_bytes()[0])
            with tarfile.open(tmp_path / "cifar-10-python.tar.gz") as tar:
                tar.extractall(tmp_path / "in", filter="data")
            yield tmp_path

    @pytest.mark.parametrize(
        "place", ["in/cifar-10-batches-py", "in", "cifar-10-python.tar.gz", ".", "a.zip"]
    )
    def test_pythons_form_is_read_where_it_is(self, unpacked, place):
        with zipfile.ZipFile(unpacked / "a.zip", "w") as packed:
            for file in (unpacked / "in" / "cifar-10-batches-py").iterdir():
                packed.writestr(f"cifar-10-batches-py/{file.name}", file.read_bytes())
        dataset = open_dataset(str(unpacked / place))

        assert dataset.classes == tuple(CLASSES)
        first = batches()["data_batch_1"]
        np.testing.assert_array_equal(
            dataset.split("train").images[:20], first["data"].reshape(-1, 3, 32, 32)
        )
        assert len(dataset.split("test").labels) == 20

    def test_it_may_have_cifars_own_name(self, unpacked):
        entry = add(AddRequest("cifar10", str(unpacked / "cifar-10-python.tar.gz")))

        assert (entry.title, entry.train, entry.test) == ("CIFAR-10", 100, 20)

    def test_other_pickles_are_not_read(self, unpacked):
        (unpacked / "in" / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"cos\nsystem\n(S'x'\ntR.")

        error = read_error(unpacked / "in")

        assert "data_batch_3" in error
        assert "data add cifar10" in error

    @pytest.mark.parametrize(("name", "first", "classes"), [("cifar10", 1, 10), ("cifar100", 2, 100)])
    def test_the_binary_form(self, tmp_path, name, first, classes):
        rows = np.random.RandomState(0).randint(0, 256, (classes, first + 3072)).astype(np.uint8)
        rows[:, first - 1] = np.arange(classes)
        train, test = ("data_batch_1.bin", "test_batch.bin") if first == 1 else ("train.bin", "test.bin")
        write_images(tmp_path / "x", {train: rows.tobytes(), test: rows[:9].tobytes()})

        dataset = open_dataset(str(tmp_path / "x"))

        assert len(dataset.classes) == classes
        assert dataset.split("train").labels.tolist() == list(range(classes))
        np.testing.assert_array_equal(dataset.split("test").images, rows[:9, first:].reshape(-1, 3, 32, 32))
        assert ("4 of the 5 files to train on are missing" in " ".join(dataset.told())) == (first == 1)

    def test_matlabs_form_and_a_damaged_binary_say_what_to_do(self, tmp_path):
        write_images(tmp_path / "m", {"data_batch_1.mat": b"x", "test_batch.mat": b"x"})
        write_images(tmp_path / "b", {"data_batch_1.bin": b"x" * 100, "test_batch.bin": b"x"})

        assert "for Matlab" in read_error(tmp_path / "m")
        assert "a multiple of 3073" in read_error(tmp_path / "b")

    def test_another_tar_is_refused_without_unpacking_it(self, tmp_path):
        with tarfile.open(tmp_path / "pets.tar.gz", "w:gz") as tar:
            tree(tmp_path / "p", "cat/1.png", "dog/1.png")
            tar.add(tmp_path / "p", "pets")

        assert "unpack an archive" in read_error(tmp_path / "pets.tar.gz")


def test_a_path_goes_before_a_name_and_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named_or_path("cifar10") == ("cifar10", "")
    tree(tmp_path / "cifar10", *several("cat", "dog"))
    (tmp_path / "digits").mkdir()  # no dataset

    path, told = named_or_path("cifar10")

    assert path == str(tmp_path / "cifar10")
    assert "is taken as the path" in told
    assert named_or_path("cifar10:500")[0] == f"{path}:500"
    assert named_or_path("digits") == ("digits", "")


def test_a_dataset_that_was_added_under_its_folders_name_stays_that_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree(tmp_path / "pets", *several("cat", "dog"))
    add(AddRequest("pets", "pets"))

    assert named_or_path("pets") == ("pets", "")


def test_a_shard_can_be_uploaded(tmp_path):
    write_shard(tmp_path / "a.parquet", [encoded()] * 6, [0, 1] * 3)

    entry = add_upload(AddRequest("shard", ""), (tmp_path / "a.parquet").read_bytes())

    assert (entry.train, entry.test) == (4, 2)
    assert open_dataset("shard").classes == ("cat", "dog")
