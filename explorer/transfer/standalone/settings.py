"""What is trained, on what, how, and what came out: replaced by those of the run."""

from typing import Any

SETTINGS: dict[str, Any] = {
    "net": {"family": "plain", "depth": 8, "width": 16, "block": "basic", "shortcut": "A",
            "in_channels": 1, "classes": 10, "gate_bias": -2.0, "block_counts": (1, 1, 1),
            "has_shortcut": False, "head_norm": False, "options": {},
            "layout": {"blocks": (1, 1, 1), "channels": (16, 32, 64), "stem": 16, "kernel": 3, "stride": 1,
                       "pool": False, "expansion": 1, "projection": "input", "averaged": False,
                       "project_first": False, "projection_norm": True, "stem_norm": True,
                       "last_norm": True, "conv_bias": False}},
    "recipe": {"epochs": 10, "iterations": None, "batch_size": 128, "lr": 0.03, "schedule": "cosine",
               "drops": [0.5, 0.75], "warmup": 0.15, "momentum": 0.9, "weight_decay": 0.0001,
               "augment": False, "seed": 0, "precision": "fp32", "device": "auto", "survival": 1.0,
               "dropout": 0.0, "checkpointing": False},
    "data": {"name": "digits", "sha256": None},
    "threads": 1,
    "results": {},
}  # fmt: skip
NET, RECIPE = SETTINGS["net"], SETTINGS["recipe"]
SEED = RECIPE["seed"]
