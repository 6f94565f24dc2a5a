"""How long do imports take in a fresh process, as a ratio to a bare Streamlit app's?

Home and Depth read finished runs through `explorer.runs.library` and draw them with
`explorer.charts`; neither may import torch. The processes take turns; the first turn, which fills
the disk cache and writes bytecode, does not count. Times are those of the import statements alone,
without the start of Python.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from _alternating import Contender, alternate, hardware, report

ROOT = Path(__file__).parent.parent
STREAMLIT = "import streamlit, streamlit.web.cli"
CHARTS = ", ".join(
    f"explorer.charts.{path.stem}" for path in sorted((ROOT / "explorer/charts").glob("[!_]*.py"))
)
STATEMENTS = {
    "bare Streamlit app": STREAMLIT,
    "+ runs.library and charts": f"{STREAMLIT}, explorer.runs.library, {CHARTS}",
    "+ torch": f"{STREAMLIT}, explorer.runs.library, {CHARTS}, torch",
}


def imports(statement: str, *, torch_allowed: bool) -> Contender:
    """Seconds that `statement` takes in a fresh process.

    Raises:
        SystemExit: torch came along where it may not.
    """
    code = (
        f"import sys, time; started = time.perf_counter()\n{statement}\n"
        "print(time.perf_counter() - started, 'torch' in sys.modules)"
    )

    def run() -> float:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds, torch = done.stdout.split()[-2:]
        if torch == "True" and not torch_allowed:
            raise SystemExit(f"torch came along with: {statement}")
        return float(seconds)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()

    print(hardware())
    contenders = {
        name: imports(statement, torch_allowed=name == "+ torch") for name, statement in STATEMENTS.items()
    }
    report("Imports in a fresh process", "s", alternate(contenders, arguments.repeats))


if __name__ == "__main__":
    main()
