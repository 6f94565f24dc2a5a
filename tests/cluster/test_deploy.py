"""The files under deploy/: they parse, fit one another and the project, and nginx takes its own."""

import re
import shutil
import subprocess
import tomllib

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


def test_nginx_knows_the_servers_of_the_compose_file(tmp_path):
    text = (DEPLOY / "nginx.conf").read_text()
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    servers = re.findall(r"^\s*server ([\w-]+):8501", text, re.MULTILINE)
    assert servers == [name for name in services if name.startswith("app-")]
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    local = re.sub(r"server app-(\d):8501", r"server 127.0.0.1:850\1", text)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\n{local}"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True,
        env={"PATH": "/usr/sbin:/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


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
