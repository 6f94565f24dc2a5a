"""The fused batch-normalisation kernel: compiled once per machine, kept below EXPLORER_HOME, loaded lazily.

The source is one C++ file without dependencies, so a build takes about two seconds where torch's extension
tools take forty. Without a compiler training takes torch's own operations, which give the same results up to
rounding.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import time
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from explorer.system.files import replacing
from explorer.system.paths import home

SWITCH_VARIABLE = "EXPLORER_KERNELS"
SOURCE = Path(__file__).with_name("batch_norm.cpp")
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-fno-math-errno", "-fPIC", "-shared")
_BUILD_TIMEOUT_S = 120
_INT, _LONG, _REAL, _POINTER = ctypes.c_int, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p


class KernelError(RuntimeError):
    """The kernel cannot be had here; the text says why."""


def built_path() -> Path:
    """The file of this source on this processor; it may not exist yet."""
    key = hashlib.sha256(SOURCE.read_bytes() + repr((_FLAGS, _processor())).encode()).hexdigest()[:16]
    return home() / "kernels" / f"batch_norm-{key}.so"


def is_built() -> bool:
    """Whether loading costs no build."""
    return built_path().exists()


def is_switched_off() -> bool:
    """Whether the environment says `EXPLORER_KERNELS=eager`."""
    return os.environ.get(SWITCH_VARIABLE, "").strip().lower() == "eager"


def build() -> float:
    """Compile the kernel unless that was done.

    Returns:
        Seconds that it took.

    Raises:
        KernelError: it is switched off, there is no compiler, or the compiler refused.
    """
    if is_switched_off():
        raise KernelError(f"Fused kernels are switched off by {SWITCH_VARIABLE}=eager.")
    path, start = built_path(), time.perf_counter()
    if path.exists():
        return 0.0
    compiler = _compiler()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as made:  # another process may build at the same time: both files are alike
            _compile(compiler, made)
    except OSError as error:
        raise KernelError(f"Fused kernels cannot be kept in {path.parent}: {error.strerror}.") from None
    return time.perf_counter() - start


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL:
    """The compiled kernel; builds it first where that is due.

    Raises:
        KernelError: it cannot be built or loaded.
    """
    build()
    try:
        library = ctypes.CDLL(str(built_path()))
        for dtype in ("float32", "bfloat16"):
            forward, backward = (getattr(library, f"{name}_{dtype}") for name in ("forward", "backward"))
            forward.argtypes = [_LONG, _LONG, _INT, _INT, *[_POINTER] * 5, _REAL, _REAL, *[_POINTER] * 4]
            backward.argtypes = [_LONG, _LONG, _INT, _INT, *[_POINTER] * 11]
            forward.restype = backward.restype = None
    except (OSError, AttributeError) as error:
        raise KernelError(f"The fused kernels do not load: {error}.") from None
    return library


def state() -> str:
    """One sentence for `doctor`: whether the kernel is there, or why training goes without it."""
    if is_switched_off():
        return f"switched off by {SWITCH_VARIABLE}=eager"
    if is_built():
        return "built"
    try:
        return f"not built yet; {Path(_compiler()).name} builds them in a few seconds when a run gains by it"
    except KernelError as error:
        return str(error)


def _compiler() -> str:
    named = os.environ.get("CXX", "").split()[:1]
    for name in (*named, "c++", "g++", "clang++"):
        if found := shutil.which(name):
            return found
    raise KernelError(
        "There is no C++ compiler (c++, g++ or clang++), so training takes torch's own operations: the same "
        "results, more slowly."
    )


def _compile(compiler: str, target: Path) -> None:
    """Run the compiler, with OpenMP where it has that."""
    errors = ""
    for openmp in (["-fopenmp", *_openmp_library()], []):
        words = [compiler, *_FLAGS, *openmp[:1], "-o", str(target), str(SOURCE), *openmp[1:]]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise KernelError(f"{compiler} could not build the fused kernels: {error}.") from None
        if done.returncode == 0:
            return
        errors = errors or done.stderr
    first = next((line for line in errors.splitlines() if "error" in line), "no message")
    raise KernelError(f"{compiler} could not build the fused kernels: {first[:200]}")


def _openmp_library() -> list[str]:
    """Torch's own OpenMP library: with a second one in the process, two pools of threads would compete."""
    torch = find_spec("torch")
    folder = Path(torch.origin).parent / "lib" if torch and torch.origin else None
    return [str(path) for path in sorted(folder.glob("libgomp*.so*"))[:1]] if folder else []


@lru_cache(maxsize=1)
def _processor() -> str:
    """What `-march=native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        facts = [line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))]
        return "\n".join(dict.fromkeys(facts)) or platform.processor()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.system()}"
