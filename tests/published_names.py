"""Names that published residual nets give their tensors, for files that tests make."""

from torch import Tensor

from explorer.nets.build import CifarNet

State = dict[str, Tensor]


def published_names(net: CifarNet, head: str = "fc", projection: str = "downsample") -> State:
    """Our state dict under torchvision's names; with `linear` for the head, under akamaster's."""
    per_stage = net.spec.blocks_per_stage
    renamed: State = {}
    for name, tensor in net.state_dict().items():
        parts = name.split(".")
        if parts[0] == "blocks":
            stage, index = divmod(int(parts[1]), per_stage)
            number, kind = divmod(int(parts[3]), 3)
            place = f"conv{number + 1}" if kind == 0 else f"bn{number + 1}"
            inner = f"{projection}.{parts[3]}" if parts[2] == "shortcut" else place
            new = f"layer{stage + 1}.{index}.{inner}.{parts[4]}"
        else:
            modules = {"stem.0": "conv1", "stem.1": "bn1", "head.2": head}
            new = f"{modules['.'.join(parts[:2])]}.{parts[2]}"
        renamed[new] = tensor
    return renamed
