"""Really encoded images, as files, folders and parquet shards."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

RED, GREEN = (250, 10, 20), (0, 200, 30)


def encoded(colour=RED, size=(6, 6), kind="PNG", mode="RGB"):
    """An image file of one colour, as bytes."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


def write_images(root, files):
    """Write a dictionary of paths and bytes below `root`."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def write_shard(path, images, labels, *, image="image", label="label", names=("cat", "dog"), metadata=None):
    """Write a parquet shard as the Hugging Face hub does, class names in the schema's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"info": {"features": {label: {"names": list(names), "_type": "ClassLabel"}}}}
    metadata = {"huggingface": json.dumps(features)} if metadata is None else metadata
    structs = [None if content is None else {"bytes": content, "path": None} for content in images]
    column = pa.array(structs, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({image: column, label: pa.array(labels, pa.int64())})
    pq.write_table(table.replace_schema_metadata(metadata), path)
