"""The safe defaults of .streamlit/config.toml, asked of a running server, and how it ends."""

import gzip
import http.client
import json
import signal
import socket
import time
from urllib.parse import urlencode, urlsplit

import pytest
from streamlit import config

from explorer.charts.live import LiveStyle
from explorer.jobs import actions
from explorer.nets.spec import NetSpec
from explorer.runs.store import Store
from explorer.system.processes import lives
from explorer.training.recipe import Recipe
from explorer.ui.train.live_api import PATH
from explorer.ui.train.live_snapshot import LiveQuery

pytestmark = pytest.mark.browser


def ask(server, path="/_stcore/health", method="GET", **headers):
    address = urlsplit(server)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def shake_hands(server, host, origin):
    """Status line of a websocket handshake."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
    words = f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{key}\r\n"
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(f"{words}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode())
        return connection.recv(64).split(b"\r\n")[0].decode()


def test_sessions_are_opened_for_its_own_names_only(server):
    own = urlsplit(server).netloc
    assert "101" in shake_hands(server, own, server)
    assert "403" in shake_hands(server, "evil.example", "http://evil.example")
    assert "403" in shake_hands(server, own, "http://evil.example")


def test_it_listens_on_loopback_only(server):
    outside = next(
        (info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
         if not info[4][0].startswith("127.")), None,
    )  # fmt: skip
    if outside is None:
        assert config.get_option("server.address") == "127.0.0.1"
        return
    with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
        socket.create_connection((outside, urlsplit(server).port), timeout=2)


def test_other_origins_may_not_read(server):
    answer = ask(server, Origin="http://evil.example")
    assert answer.getheader("Access-Control-Allow-Origin") != "*"
    assert answer.getheader("Access-Control-Allow-Origin") != "http://evil.example"


def test_an_upload_without_the_token_is_refused(server):
    assert ask(server, "/_stcore/upload_file/session/file", method="PUT").status in (400, 403)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("server.maxUploadSize", 256),
        ("server.enableXsrfProtection", True),
        ("server.enableCORS", True),
        ("server.fileWatcherType", "none"),
        ("client.showErrorDetails", "none"),
        ("client.toolbarMode", "viewer"),
        ("browser.gatherUsageStats", False),
    ],
)
def test_the_safe_defaults_are_in_force(option, value):
    assert config.get_option(option) == value


def test_the_feed_answers_its_own_pages_only(server):
    """Nothing may be read of the user's runs by a page of another name that leads to this machine."""
    view = LiveQuery((), ("digits-plain-20-s0",), LiveStyle(), False).params
    told = ask(server, f"{PATH}?{urlencode(view)}")

    assert told.status == 200
    found = json.loads(gzip.decompress(told.body))
    again = ask(server, f"{PATH}?{urlencode(view | {'had': found['version']})}")
    assert (again.status, again.body) == (204, b"")
    wrong = ask(server, f"{PATH}?{urlencode(view | {'dark': 'maybe'})}")
    assert (wrong.status, b"Ask with runs" in wrong.body) == (404, True)
    assert ask(server, f"{PATH}?{urlencode(view)}", Host="evil.example").status == 403
    assert ask(server, f"{PATH}?{urlencode(view)}", method="POST").status == 405


def test_a_server_that_is_asked_to_end_takes_its_workers_along(own_server, page):
    """By SIGTERM, as service managers ask; a run is kept as of its step and can go on."""
    store = Store()
    recipe = Recipe(epochs=9000, device="cpu")
    run_id = actions.submit(store, NetSpec("residual", 8, width=4, in_channels=1), recipe, "digits")
    page.goto(f"{own_server.address}/train?runs={run_id}")  # the first visit starts the workers
    until = time.monotonic() + 120
    while not len(store.epochs([run_id])):
        assert time.monotonic() < until, "no epoch within two minutes"
        time.sleep(0.1)
    training = store.get_state(run_id)

    own_server.process.send_signal(signal.SIGTERM)
    own_server.process.wait(60)

    assert not lives(training.pid, training.process_started)
    assert store.get_state(run_id).status == "interrupted"
