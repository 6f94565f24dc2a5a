"""The images, by name or from a folder."""

import hashlib
import io
from pathlib import Path

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


def load(name: str, folder: str | None) -> tuple[Arrays, Arrays]:
    """Training and test images, uint8 (N, C, H, W), and labels (N,)."""
    if folder is not None:
        read = read_shards if any(Path(folder).glob("*.parquet")) else read_folder
        return read(Path(folder), "train"), read(Path(folder), "test")
    if name not in ("digits", "digits-validation", "digits-small"):
        raise SystemExit(f"Give the folder of {name!r}: --data FOLDER")
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images, labels = pixels.reshape(-1, 1, 8, 8).astype(np.uint8), labels.astype(np.int64)
    order = np.random.RandomState(0).permutation(len(labels))
    train, test = np.sort(order[360:]), np.sort(order[:360])
    if name == "digits-validation":  # one fifth of the training images, to choose a recipe by
        order = np.random.RandomState(1).permutation(len(train))
        count = round(0.2 * len(train))
        train, test = train[np.sort(order[count:])], train[np.sort(order[:count])]
    if name == "digits-small":  # 20 of each class
        train = np.sort(np.concatenate([train[labels[train] == label][:20] for label in range(10)]))
    return (images[train], labels[train]), (images[test], labels[test])


def read_shards(folder: Path, split: str) -> Arrays:
    import pyarrow.parquet as pq

    images, labels = [], []
    for shard in sorted(folder.glob(f"{split}-*.parquet")):
        table = pq.read_table(shard)
        image = "img" if "img" in table.column_names else "image"
        label = next(name for name in ("label", "fine_label", "labels") if name in table.column_names)
        images += [decode(row["bytes"]) for row in table[image].to_pylist()]
        labels += table[label].to_pylist()
    return np.stack(images), np.array(labels, np.int64)


def read_folder(folder: Path, split: str) -> Arrays:
    images, labels = [], []
    names = (split,) if split == "train" else ("test", "val", "validation")
    root = next(folder / name for name in names if (folder / name).is_dir())
    for label, place in enumerate(sorted(path for path in root.iterdir() if path.is_dir())):
        for path in sorted(place.iterdir()):
            images.append(decode(path.read_bytes()))
            labels.append(label)
    return np.stack(images), np.array(labels, np.int64)


def decode(encoded: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(encoded)) as image:
        array = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def sha256(images: np.ndarray, labels: np.ndarray) -> str:
    digest = hashlib.sha256(f"{images.shape}".encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return digest.hexdigest()
