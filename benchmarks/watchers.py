"""What does it cost a training run that people watch it, as a ratio to the same run unwatched?

Starts the app on a folder of its own, queues twins that its workers train, and counts their steps in the
store over a few seconds with no session, one, and twenty on the page, in turns. The sessions open the page
by Streamlit's own protocol and then ask the feed as a browser does, but draw nothing; counted is from when
all have been answered. Server, sessions and workers share the machine's cores. The speed of a shared
machine drifts within a minute, so beside the steps it is counted how much of the cores the workers got.
Beside the ratios: answers per second that each session got, and what of a core server and sessions took.

    python benchmarks/watchers.py --sessions 1,20
"""

import argparse
import gzip
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from urllib.parse import urlencode, urlsplit

import psutil
from _alternating import Contender, alternate, hardware, report
from _browser import served
from sqlalchemy import func, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from explorer.jobs import actions
from explorer.nets.spec import NetSpec
from explorer.runs import schema
from explorer.runs.store import Store
from explorer.training.recipe import Recipe

TWINS = ("plain", "residual")
SETTLED_S = 1.0
OPENED_S = 60.0


class Watcher:
    """One session on a page, which asks the feed as often as the page says.

    Args:
        address: of the server.
        query: of the page's address.
    """

    def __init__(self, address: str, query: str) -> None:
        """Nothing is opened before `watch`."""
        self.address, self.query = address, query
        self.answers = 0
        self.error: Exception | None = None
        self._page, self._told = "", {}
        self._wait_s = 0.1

    def watch(self, gone: threading.Event) -> None:
        """Open the page and stay until `gone` is set."""
        protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
        stream = f"ws{self.address.removeprefix('http')}/_stcore/stream"
        try:
            with connect(stream, subprotocols=protocols, max_size=None, compression=None) as socket:
                self._draw(socket)
                feed = http.client.HTTPConnection(urlsplit(self.address).netloc)
                had = ""
                while not gone.wait(self._wait_s):
                    if self._told:
                        had = self._ask(feed, socket, had)
        except Exception as error:  # noqa: BLE001 - told by `Audience`
            self.error = error

    def _draw(self, socket: ClientConnection) -> None:
        """Run the page, and note what it tells its charts to ask."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        if self._page:
            message.rerun_script.page_script_hash = self._page
        else:
            message.rerun_script.page_name = "train"
        socket.send(message.SerializeToString())
        while (heard := ForwardMsg.FromString(socket.recv())).WhichOneof("type") != "script_finished":
            if heard.WhichOneof("type") == "navigation":
                self._page = heard.navigation.page_script_hash
            part = heard.delta.new_element.bidi_component
            if part.component_name.endswith("growing_charts"):
                self._told = json.loads(part.json)

    def _ask(self, feed: http.client.HTTPConnection, socket: ClientConnection, had: str) -> str:
        feed.request("GET", f"{self._told['feed']}?{urlencode(self._told['query'] | {'had': had})}")
        answer = feed.getresponse()
        body = answer.read()
        self.answers += 1
        if answer.status == 204:
            return had
        found = json.loads(gzip.decompress(body))
        self._wait_s = found["wait"] / 1000
        if found["drawn"] != self._told["drawn"]:
            self._draw(socket)
        return found["version"]


class Audience:
    """So many sessions, each in a thread of its own; a context that opens and closes them."""

    def __init__(self, watchers: list[Watcher]) -> None:
        """Nothing is opened yet."""
        self.watchers = watchers
        self._gone = threading.Event()
        self._threads = [threading.Thread(target=one.watch, args=(self._gone,)) for one in watchers]

    def __enter__(self) -> "Audience":
        """Open the sessions."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._gone.set()
        for thread in self._threads:
            thread.join(20)
        if lost := [one.error for one in self.watchers if one.error]:
            raise SystemExit(f"{len(lost)} sessions ended by themselves, the first with {lost[0]!r}")

    def settle(self) -> None:
        """Wait until all have drawn their page and been answered; opening twenty at once takes seconds."""
        until = time.monotonic() + OPENED_S
        while any(not watcher.answers and not watcher.error for watcher in self.watchers):
            if time.monotonic() > until:
                raise SystemExit(f"Not all sessions were answered within {OPENED_S:.0f} s.")
            time.sleep(0.1)
        time.sleep(SETTLED_S)

    @property
    def answers(self) -> int:
        """Answers so far, over all sessions."""
        return sum(watcher.answers for watcher in self.watchers)


def steps(store: Store, ids: list[str]) -> int:
    """Steps that all runs have taken, as far as the store knows."""
    recorded = select(schema.epochs.c.run_id, func.max(schema.epochs.c.iteration)).group_by("run_id")
    with store.database.reading() as connection:
        reached = dict(connection.execute(recorded).all())
    for run_id, shot in actions.live(store, ids).items():
        reached[run_id] = max(reached.get(run_id, 0), shot.iteration)
    return sum(reached.values())


def listening(address: str) -> psutil.Process:
    """The server's process."""
    port = urlsplit(address).port
    mine = psutil.Process().children(recursive=True)
    return next(one for one in mine if any(link.laddr.port == port for link in one.net_connections()))


class Course:
    """Twins in training, and who watches them.

    Args:
        address: of the server.
        server: its process.
        ids: of the runs.
        seconds: per turn.
    """

    def __init__(self, address: str, server: psutil.Process, ids: list[str], seconds: float) -> None:
        """Nothing is measured yet."""
        self.address, self.server, self.ids, self.seconds = address, server, ids, seconds
        self.told: dict[int, list[tuple[float, ...]]] = {}

    def with_sessions(self, count: int) -> Contender:
        """Steps per second while so many sessions watch; `told` gets what else was counted."""
        query, store = f"runs={','.join(self.ids)}", Store()

        def run() -> float:
            with Audience([Watcher(self.address, query) for _ in range(count)]) as audience:
                audience.settle()
                before = self._counts(audience, store)
                time.sleep(self.seconds)
                after = self._counts(audience, store)
            clock, *gained = (late - early for early, late in zip(before, after, strict=True))
            taken, *rest = (value / clock for value in gained)
            self.told.setdefault(count, []).append((rest[0] / max(count, 1), *rest[1:]))
            return taken

        return run

    def _counts(self, audience: Audience, store: Store) -> tuple[float, ...]:
        """Seconds; steps; answers; seconds of a core of the workers, the server and the sessions."""
        workers = [one for one in self.server.children(recursive=True) if one.is_running()]
        return (
            time.perf_counter(), steps(store, self.ids), audience.answers,
            sum(map(used, workers)), used(self.server), time.process_time(),
        )  # fmt: skip


def used(process: psutil.Process) -> float:
    """Seconds of a core so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


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
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        served(["explorer/Home.py"], folder) as (address,),
    ):
        os.environ["EXPLORER_HOME"] = folder
        recipe = Recipe(epochs=1000, device="cpu")
        wanted = [(NetSpec(family, arguments.depth, in_channels=1), recipe) for family in TWINS]
        ids = actions.submit_all(Store(), wanted, "digits")
        with Audience([Watcher(address, "")]):  # the first visitor makes the app start its workers
            while steps(Store(), ids) == 0:
                time.sleep(0.5)
        print(hardware())
        course = Course(address, listening(address), ids, arguments.seconds)
        contenders = {f"{count} sessions": course.with_sessions(count) for count in counts}
        title = f"Twins of {arguments.depth} layers on digits"
        report(title, "steps/s", alternate(contenders, arguments.repeats))
        for count in counts:
            middle = [statistics.median(values) for values in zip(*course.told[count], strict=True)]
            print(
                f"{count:2} sessions: {middle[0]:.1f} answers a second each; workers {middle[1]:.3f} cores, "
                f"{middle[1] / statistics.median(one[1] for one in course.told[0]):.3f} of those without; "
                f"server {middle[2]:.3f}, sessions {middle[3]:.3f}"
            )


if __name__ == "__main__":
    main()
