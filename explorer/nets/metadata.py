"""What a file of ours says about its net: the header's metadata, each field checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.nets.errors import CheckpointError, short
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.nets.tensor_file import json_of

FORMAT = "resnet_explorer_format"
VERSION = 1
_MAX_SIDE = 1024
_FIELDS: dict[str, Any] = {
    "spec": dict,
    "normalisation": dict | None,
    "classes": list | None,
    "recipe": dict,
    "metrics": dict,
    "dataset": str | None,
    "image_size": int | None,
}


def read_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The fields of `Checkpoint` that metadata hold, each checked."""
    if metadata[FORMAT] != str(VERSION):
        raise CheckpointError("another version of the explorer saved it; update the explorer and try again")
    fields = {name: json_of(metadata.get(name, "null")) for name in _FIELDS}
    if not all(isinstance(fields[name], kind) for name, kind in _FIELDS.items()):
        raise CheckpointError("what it says about itself is damaged; save or download it again")
    try:
        spec = NetSpec.from_dict(fields["spec"])
        scale = fields["normalisation"]
        normalisation = None if scale is None else Normalisation.from_dict(scale)
    except ValueError as error:
        raise CheckpointError(f"what it says about itself is wrong. {short(error).rstrip('.')}") from None
    if normalisation is not None and len(normalisation.mean) != spec.in_channels:
        raise CheckpointError(f"its normalisation is not one for {spec.in_channels} channels; correct it")
    size = fields["image_size"]
    if size is not None and (isinstance(size, bool) or not 1 <= size <= _MAX_SIDE):
        raise CheckpointError(f"its image size must be between 1 and {_MAX_SIDE} pixels; correct it")
    classes = None if fields["classes"] is None else tuple(fields["classes"])
    texts = all(isinstance(name, str) for name in classes or ())
    if classes is not None and not (texts and len(classes) == spec.classes):
        raise CheckpointError(f"its class names are not {spec.classes} texts, one a class; correct them")
    return fields | {"spec": spec, "normalisation": normalisation, "classes": classes}
