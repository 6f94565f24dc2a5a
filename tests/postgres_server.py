"""A PostgreSQL of the tests' own: started by them on loopback, killed and started again where a test asks."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
_PATH = os.pathsep.join([*map(str, reversed(_PLACES)), os.environ.get("PATH", "")])
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "60",
    "shared_buffers": "32MB", "logging_collector": "off", "fsync": "off",
}  # fmt: skip


class Server:
    """One PostgreSQL with a data folder of its own, as a user that may run it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = _free_port()
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        data = ["-D", str(self.folder / "data")]
        self._call(
            "initdb", *data, "--auth=trust", "--username=explorer", "--no-sync", "--no-locale", "-E", "UTF8"
        )
        self._process = None
        self.start()

    def start(self):
        """Start it and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        self._process = subprocess.Popen(
            [_program("postgres"), "-D", str(self.folder / "data"), f"--port={self.port}", *settings],
            user=self._user, group=self._user, extra_groups=[] if self._user else None, cwd="/",
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, "PostgreSQL ended as it was started"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)

    def stop(self):
        """Kill it and all its processes: connections break, and what was committed stays."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)

    def remove(self):
        """End it and delete its folder."""
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh_url(self):
        """URL of a database that is empty; what an earlier test kept in it is gone."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url("postgres")

    def url(self, name):
        """Of that database, as SQLAlchemy and psycopg read it."""
        return f"postgresql://explorer@127.0.0.1:{self.port}/{name}"

    def _answers(self):
        done = subprocess.run([_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)])
        return done.returncode == 0

    def _call(self, program, *arguments):
        subprocess.run(
            [_program(program), *arguments], user=self._user, group=self._user, cwd="/",
            extra_groups=[] if self._user else None, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture(scope="session")
def postgres():
    """The server; skipped where it is not installed, but never in CI."""
    if _program("postgres") is None or _program("initdb") is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    server = Server()
    yield server
    server.remove()


def _program(name):
    return shutil.which(name, path=_PATH)


def _free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]
