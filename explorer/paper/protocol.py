"""How the paper trained on CIFAR-10: section 4.2."""

from __future__ import annotations

ITERATIONS = 64_000
"""Length of training on CIFAR-10 (section 4.2)."""

DROPS = (0.5, 0.75)
"""The learning rate is divided by ten at 32k and 48k of the 64k iterations (section 4.2)."""

WARMUP_ITERATIONS = 400
"""About as long ResNet-110 is trained at 0.01 before 0.1 (section 4.2)."""

DATASET = "cifar10"
"""Id of the paper's small dataset; a re-encoded copy is another one."""
