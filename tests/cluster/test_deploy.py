"""The files under deploy/: they parse, fit one another and the project, and nginx does as its own says."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import tomllib
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from explorer.system.paths import ROOT

DEPLOY = ROOT / "deploy"


def documents():
    return sorted(DEPLOY.glob("*.yaml"))


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.stem)
def test_every_document_parses_and_says_what_it_is_for(path):
    assert path.read_text().startswith("# ")
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_compose_has_two_servers_a_database_a_head_and_two_workers():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert {"app-1", "app-2", "database", "nginx", "head", "worker"} <= set(services)
    assert services["worker"]["deploy"]["replicas"] == 2
    ours = [services[name] for name in ("app-1", "app-2", "head", "worker")]
    assert len({str(one["environment"]) for one in ours}) == 1, "all must find the same runs and files"
    user = services["database"]["environment"]
    url = ours[0]["environment"]["EXPLORER_DATABASE_URL"]
    expected = f"{user['POSTGRES_USER']}:{user['POSTGRES_PASSWORD']}@database/{user['POSTGRES_DB']}"
    assert url == f"postgresql://{expected}"
    for service in services.values():
        for volume in service.get("volumes", []):
            name = volume.partition(":")[0]
            assert name in compose["volumes"] or (DEPLOY / name).exists()
        for other in service.get("depends_on", []):
            assert other in services


def test_nginx_knows_the_servers_of_the_compose_file():
    text = (DEPLOY / "nginx.conf").read_text()
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    servers = re.findall(r"^\s*server ([\w-]+):8501", text, re.MULTILINE)
    assert servers == [name for name in services if name.startswith("app-")]


class Named(BaseHTTPRequestHandler):
    """Answers with the name of its server."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.name.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture
def servers():
    """Two servers in place of the app's, by name."""
    found = {}
    for name in ("app-1", "app-2"):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Named)
        server.name = name
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found[name] = server
    yield found
    for server in found.values():
        server.server_close()


@pytest.fixture
def proxy(servers, tmp_path):
    """Address of a real nginx with the file under deploy/, in front of both servers."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    text = (DEPLOY / "nginx.conf").read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
    for name, server in servers.items():
        text = text.replace(f"server {name}:8501", f"server 127.0.0.1:{server.server_port}")
    own = f"pid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\ndaemon off;\n"
    if os.geteuid() == 0:
        own += "user root;\n"
    (tmp_path / "nginx.conf").write_text(own + text.replace("http {", "http { access_log off;"))
    process = subprocess.Popen([program, "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
    assert process.poll() is None, process.stderr.read().decode()
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(30)
    process.stderr.close()


def ask(address, cookie=None):
    """Which server answered, and the cookie that the visitor has then."""
    request = urllib.request.Request(address, headers={"Cookie": cookie} if cookie else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode(), answer.headers["Set-Cookie"].partition(";")[0]


def test_a_visitor_stays_on_a_server_until_it_is_gone(proxy, servers):
    visitors = [ask(proxy) for _ in range(16)]
    assert {name for name, _ in visitors} == set(servers), "both serve"
    for name, cookie in visitors:
        assert ask(proxy, cookie) == (name, cookie)
    servers["app-1"].shutdown()
    servers["app-1"].server_close()
    assert {ask(proxy, cookie) for _, cookie in visitors} == {("app-2", cookie) for _, cookie in visitors}


def test_the_image_runs_as_nobody_special_and_is_looked_after():
    lines = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text()).splitlines()
    words = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert set(words) <= {
        "FROM",
        "ARG",
        "RUN",
        "WORKDIR",
        "COPY",
        "USER",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
    }
    assert [line for line in lines if line.startswith("USER")] == ["USER explorer"]
    assert words.index("USER") < words.index("CMD")
    assert "ARG" in words
    assert "HEALTHCHECK" in words
    extras = re.search(r"\.\[([\w,]+)\]", "\n".join(lines))[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras) <= set(project["optional-dependencies"])


def test_every_cluster_begins_the_training_on_its_head():
    for name in ("compose.yaml", "ray-cluster.yaml", "kuberay.yaml"):
        assert "python -m explorer cluster start --cluster " in (DEPLOY / name).read_text()
    kuberay = yaml.safe_load((DEPLOY / "kuberay.yaml").read_text())
    assert kuberay["kind"] == "RayCluster"
    groups = [kuberay["spec"]["headGroupSpec"], *kuberay["spec"]["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "explorer"}}]
