"""What does the list of runs cost with 2,000 of them, as a ratio to the bare rows and to a list of 100?

Contenders take turns on two databases in a folder of their own, one of 100 runs and one of many: the
page's list (`Store.listing`, `Library.listing`), whole runs (`Library.runs`, which Home and Depth read), and
the bare rows by SQL alone, into no table. The rows differ in their seeds and specs as a user's would.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from _alternating import Contender, alternate, hardware, report
from sqlalchemy import insert, select

from explorer.nets.spec import NetSpec
from explorer.runs import rows, schema
from explorer.runs.library import Library
from explorer.runs.store import Store
from explorer.runs.zoo import Zoo

DEPTHS = (8, 14, 20, 26, 32, 38, 44, 50, 56, 74, 92, 110)


def fill(folder: Path, count: int) -> Store:
    """A store of so many finished runs."""
    store, like = Store(f"sqlite:///{folder}/runs-{count}.sqlite3"), Zoo().manifest[0]
    values = []
    for number in range(count):
        spec = NetSpec("plain" if number % 2 else "residual", DEPTHS[number % len(DEPTHS)], in_channels=1)
        recipe = replace(like.recipe, seed=number)
        run = replace(like, run_id=f"run-{number}", spec=spec, recipe=recipe, source="mine", checkpoint=None)
        values.append(rows.run_values(run) | {"position": number + 1})
    with store.database.writing() as connection:
        connection.execute(insert(schema.runs), values)
    return store


def bare(store: Store) -> Callable[[], object]:
    """The same columns, fetched and dropped."""
    columns = [column for column in schema.runs.c if column.name not in ("provenance", "spec", "recipe")]

    def read() -> object:
        with store.database.reading() as connection:
            return connection.execute(select(*columns)).all()

    return read


def timed(action: Callable[[], object]) -> Contender:
    """Milliseconds of CPU, since a busy machine makes wall time wander."""

    def run() -> float:
        started = time.process_time()
        action()
        return 1000 * (time.process_time() - started)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as folder:
        few, many = fill(Path(folder), 100), fill(Path(folder), arguments.runs)
        name = f"{arguments.runs:,} runs"
        library = Library([Zoo(), many])
        against_rows = {
            f"bare rows, {name}": timed(bare(many)),
            f"list, {name}": timed(many.listing),
            f"list with the zoo's, {name}": timed(library.listing),
            f"whole runs with the zoo's, {name}": timed(library.runs),
        }
        against_few = {"list, 100 runs": timed(few.listing), f"list, {name}": timed(many.listing)}
        report("Against the bare rows", "ms CPU", alternate(against_rows, arguments.repeats))
        report("Against a list of 100", "ms CPU", alternate(against_few, arguments.repeats))
        few.close()
        many.close()


if __name__ == "__main__":
    main()
