"""What does it cost a training run that people watch it, as a ratio to the same run unwatched?

Starts the app on a folder of its own, queues twins that its workers train, and counts their steps in the
store over a few seconds with no session, one, and twenty on the page, in turns. The sessions speak
Streamlit's own protocol and ask for each tick as a browser does, but draw nothing; server, sessions and
workers share the machine's cores. Beside the ratio: ticks per second that each session got.

    python benchmarks/watchers.py --sessions 1,20
"""

import argparse
import asyncio
import os
import tempfile
import threading
import time

from _alternating import Contender, alternate, hardware, report
from _browser import served
from sqlalchemy import func, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from explorer.nets.spec import NetSpec
from explorer.runs import jobs, schema
from explorer.runs.store import Store
from explorer.training.recipe import Recipe

TWINS = ("plain", "residual")
SETTLED_S = 3.0


class Watcher:
    """One session on a page, whose moving parts run as often as they ask for.

    Args:
        address: of the server.
        query: of the page's address.
    """

    def __init__(self, address: str, query: str) -> None:
        """Nothing is opened before `watch`."""
        self.address, self.query = f"ws{address.removeprefix('http')}/_stcore/stream", query
        self.page, self.ticks = "", 0
        self._timers: dict[str, asyncio.Task[None]] = {}

    async def watch(self) -> None:
        """Open the page and stay."""
        protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
        async with connect(self.address, subprotocols=protocols, max_size=None, compression=None) as socket:
            try:
                await self._ask(socket, "")
                async for raw in socket:
                    await self._hear(socket, ForwardMsg.FromString(raw))
            finally:
                self._forget(list(self._timers))

    async def _hear(self, socket, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            ticked = list(message.metadata.run.fragment_ids)
            self.ticks += bool(ticked)
            if not ticked:
                self.page = message.new_session.page_script_hash
                self._forget(list(self._timers))
        elif kind == "auto_rerun" and message.auto_rerun.fragment_id not in self._timers:
            asked = message.auto_rerun
            ticking = self._tick(socket, asked.fragment_id, asked.interval)
            self._timers[asked.fragment_id] = asyncio.create_task(ticking)
        elif kind == "stop_auto_rerun":
            self._forget(message.stop_auto_rerun.fragment_ids)

    def _forget(self, fragments) -> None:
        for name in [name for name in fragments if name in self._timers]:
            self._timers.pop(name).cancel()

    async def _tick(self, socket, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._ask(socket, fragment)

    async def _ask(self, socket, fragment: str) -> None:
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.fragment_id = self.query, fragment
        asked.is_auto_rerun = bool(fragment)
        if self.page:
            asked.page_script_hash = self.page
        else:
            asked.page_name = "train"
        await socket.send(message.SerializeToString())


class Audience:
    """So many sessions in a thread of their own; a context that opens and closes them."""

    def __init__(self, watchers: list[Watcher]) -> None:
        """Nothing is opened yet."""
        self.watchers = watchers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._all = [self._loop.create_task(watcher.watch()) for watcher in self.watchers]
        self._loop.run_until_complete(asyncio.gather(*self._all, return_exceptions=True))

    def __enter__(self) -> "Audience":
        """Open the sessions."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        lost = [task for task in self._all if task.done()]
        for task in self._all:
            self._loop.call_soon_threadsafe(task.cancel)
        self._thread.join(10)
        if lost:
            raise SystemExit(f"{len(lost)} sessions ended by themselves, the first with {lost[0]}")

    @property
    def ticks(self) -> int:
        """Runs of the moving parts so far, over all sessions."""
        return sum(watcher.ticks for watcher in self.watchers)


def steps(store: Store, ids: list[str]) -> int:
    """Steps that all runs have taken, as far as the store knows."""
    recorded = select(schema.epochs.c.run_id, func.max(schema.epochs.c.iteration)).group_by("run_id")
    with store.database.reading() as connection:
        reached = dict(connection.execute(recorded).all())
    for run_id, shot in jobs.live(store, ids).items():
        reached[run_id] = max(reached.get(run_id, 0), shot.iteration)
    return sum(reached.values())


def watched(address: str, ids: list[str], sessions: int, seconds: float, told: dict[int, float]) -> Contender:
    """Steps per second while so many sessions watch; `told` gets their ticks per second."""
    query = f"runs={','.join(ids)}"
    store = Store()

    def run() -> float:
        with Audience([Watcher(address, query) for _ in range(sessions)]) as audience:
            time.sleep(SETTLED_S if sessions else 0.5)
            began, before, ticked = time.perf_counter(), steps(store, ids), audience.ticks
            time.sleep(seconds)
            spent = time.perf_counter() - began
            told[sessions] = (audience.ticks - ticked) / spent / max(sessions, 1)
            return (steps(store, ids) - before) / spent

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", default="1,20", help="numbers, separated by commas")
    parser.add_argument("--seconds", type=float, default=6.0, help="per turn")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--depth", type=int, default=20)
    arguments = parser.parse_args()
    counts = [0, *map(int, arguments.sessions.split(","))]
    with tempfile.TemporaryDirectory() as folder, served(["explorer/Home.py"], folder) as (address,):
        os.environ["EXPLORER_HOME"] = folder
        recipe = Recipe(epochs=1000, device="cpu")
        wanted = [(NetSpec(family, arguments.depth, in_channels=1), recipe) for family in TWINS]
        ids = jobs.submit_all(Store(), wanted, "digits")
        with Audience([Watcher(address, "")]):  # the first visitor makes the app start its workers
            while steps(Store(), ids) == 0:
                time.sleep(0.5)
        print(hardware())
        told: dict[int, float] = {}
        contenders = {
            f"{count} sessions": watched(address, ids, count, arguments.seconds, told) for count in counts
        }
        title = f"Twins of {arguments.depth} layers on digits"
        report(title, "steps/s", alternate(contenders, arguments.repeats))
        for count in counts[1:]:
            print(f"{count} sessions: each ticked {told[count]:.1f} times a second")


if __name__ == "__main__":
    main()
