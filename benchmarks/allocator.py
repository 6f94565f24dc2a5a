"""What do glibc's allocator settings bring to training, as a ratio of images per processor second to none?

A step at 32x32 and batch 128 takes and gives back hundreds of MiB. Left alone, glibc returns much of
that to the system and takes it anew, page by page. Processes with and without the settings
below take turns, each trains the same net on the same noise for some steps. Time
is that of the processor, the kernel's part included, so that other work on the machine matters less.
"""

import argparse
import os
import subprocess
import sys

from _alternating import alternate, hardware, report

SETTINGS = {
    # the largest value that glibc takes: below it, memory comes from the heap, which is kept
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}
SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
import torch
from training import noise
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
torch.set_num_threads(int(sys.argv[2]))
recipe = Recipe(iterations=1000, augment=True, device="cpu", precision=sys.argv[5])
trainer = Trainer(NetSpec.parse(sys.argv[3]), recipe, noise())
trainer.step(), trainer.step()
started = time.process_time()
for _ in range(int(sys.argv[4])):
    trainer.step()
print(int(sys.argv[4]) * 128 / (time.process_time() - started))
"""


def measured(arguments: argparse.Namespace, more: dict[str, str]) -> float:
    words = [
        os.path.dirname(__file__),
        arguments.threads,
        arguments.net,
        arguments.steps,
        arguments.precision,
    ]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", SCRIPT, *map(str, words)]
    done = subprocess.run(command, env=plain | more, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="residual-20", help="id of the net")
    parser.add_argument("--steps", type=int, default=6, help="batches of 128 per process")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    arguments = parser.parse_args()
    print(hardware())
    contenders = {
        "as glibc comes": lambda: measured(arguments, {}),
        "with the settings": lambda: measured(arguments, SETTINGS),
    }
    title = f"{arguments.net}, 32x32, batches of 128, {arguments.threads} thread(s), {arguments.precision}"
    report(title, "img/cpu-s", alternate(contenders, arguments.repeats))


if __name__ == "__main__":
    main()
