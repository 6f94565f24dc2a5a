"""What the benchmarks share: contenders take turns in one run, and each is compared with the first."""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence

Contender = Callable[[], float]


def hardware() -> str:
    """The machine in one line: processor, cores, accelerator and library versions."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores{load}, {device}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def alternate(contenders: Mapping[str, Contender], repeats: int) -> dict[str, list[float]]:
    """Measure every contender `repeats` times, in turns, after one turn that does not count."""
    for contender in contenders.values():
        contender()
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            results[name].append(contender())
    return results


def report(title: str, unit: str, results: Mapping[str, Sequence[float]]) -> None:
    """Print median, spread and the ratio to the first contender, paired turn by turn."""
    baseline, repeats = next(iter(results.values())), len(next(iter(results.values())))
    print(f"\n{title} ({repeats} runs each, in turns)")
    print(f"{'':34} {'median':>10} {'least':>10} {'most':>10}  {unit:8} {'ratio':>7}")
    for name, values in results.items():
        ratio = statistics.median(value / base for value, base in zip(values, baseline, strict=True))
        print(
            f"{name:34} {statistics.median(values):10.4g} {min(values):10.4g} {max(values):10.4g}  "
            f"{unit:8} {ratio:7.3f}"
        )
