"""Files of runs in a shared storage, a folder or S3 (moto's server): whole and right, or an error."""

import logging
import os
import shutil
import threading
from pathlib import Path

import pytest
import torch

from explorer.data.sources import open_dataset
from explorer.jobs import actions, run_queue, training_loop
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.spec import NetSpec
from explorer.runs import artifacts, run_paths
from explorer.runs.artifacts import ArtifactError
from explorer.runs.storage import StorageError, shared_storage
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe

SPEC = NetSpec(depth=8, width=4, in_channels=1)
RECIPE = Recipe(epochs=3, batch_size=50, device="cpu")


@pytest.fixture(scope="module")
def s3():
    """Address of moto's server, with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **keys)
    client.create_bucket(Bucket="runs")
    yield address, client
    client.close()
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def objects(request, tmp_path, monkeypatch):
    """A shared storage; as what is there by name, with `read`, `write` and `remove`."""
    if request.param == "folder":
        monkeypatch.setenv("EXPLORER_STORAGE", str(tmp_path / "shared"))
        return Folder(tmp_path / "shared")
    address, client = request.getfixturevalue("s3")
    prefix = f"test-{os.getpid()}-{threading.get_ident()}-{request.node.name}".replace("[", "-").strip("]")
    for name, value in (
        ("AWS_ENDPOINT_URL", address), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"), ("EXPLORER_STORAGE", f"s3://runs/{prefix}"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    return Bucket(client, prefix)


class Folder:
    def __init__(self, folder):
        self.folder = folder

    def names(self):
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def read(self, name):
        return (self.folder / "checkpoints" / name).read_bytes()

    def write(self, name, data):
        (self.folder / "checkpoints" / name).write_bytes(data)

    def remove(self, name):
        (self.folder / "checkpoints" / name).unlink()


class Bucket:
    def __init__(self, client, prefix):
        self.client, self.prefix = client, prefix

    def names(self):
        found = self.client.list_objects_v2(Bucket="runs", Prefix=f"{self.prefix}/").get("Contents", [])
        return sorted(one["Key"].rpartition("/")[2] for one in found)

    def _key(self, name):
        return {"Bucket": "runs", "Key": f"{self.prefix}/checkpoints/{name}"}

    def read(self, name):
        return self.client.get_object(**self._key(name))["Body"].read()

    def write(self, name, data):
        self.client.put_object(**self._key(name), Body=data)

    def remove(self, name):
        self.client.delete_object(**self._key(name))


@pytest.fixture
def kept(objects, store, make_run):
    """A file that was kept, and is not here any more."""
    store.add_run(make_run("a"))
    file = store.checkpoint_path("a")
    file.write_bytes(b"weights" * 1000)
    artifacts.keep(store.database, "a", file)
    file.unlink()
    return file


def test_what_was_kept_comes_back_and_is_replaced_whole(kept, objects, store):
    assert artifacts.bring(store.database, kept)
    assert kept.read_bytes() == b"weights" * 1000
    before = objects.names()
    kept.write_bytes(b"newer")
    artifacts.keep(store.database, "a", kept)
    kept.write_bytes(b"of an older attempt")
    assert artifacts.bring(store.database, kept)
    assert kept.read_bytes() == b"newer"
    assert len(objects.names()) == 1
    assert objects.names() != before


def test_half_an_object_is_told_and_never_read(kept, objects, store):
    (name,) = objects.names()
    for wrong in (objects.read(name)[:3000], objects.read(name)[:-1] + b"S"):
        objects.write(name, wrong)
        with pytest.raises(ArtifactError, match=r"a\.safetensors is damaged in the storage"):
            artifacts.bring(store.database, kept)
        assert not kept.exists()
        assert list(kept.parent.iterdir()) == []


def test_a_lost_object_is_told(kept, objects, store):
    objects.remove(objects.names()[0])
    with pytest.raises(ArtifactError, match=r"a\.safetensors is lost"):
        artifacts.bring(store.database, kept)


def test_what_is_deleted_goes_there_too(kept, objects, store):
    store.delete_run("a")
    assert objects.names() == []
    assert not artifacts.bring(store.database, kept)


def test_a_run_goes_on_on_a_machine_that_never_saw_it(objects, store, home, tmp_path, monkeypatch):
    """Two data folders stand for two machines that share the database and the storage."""
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{home / 'runs.sqlite3'}")
    runs = [actions.submit(store, SPEC, RECIPE, "digits-small") for _ in range(2)]
    me = this_process()
    assert training_loop.train(training_loop.TrainingSession(store), run_queue.take(store, me)) == "done"
    leaving = threading.Event()
    session = training_loop.TrainingSession(
        store, 1, leaving.is_set, lambda _trainer, record: leaving.set() if record.epoch == 2 else None
    )
    assert training_loop.train(session, run_queue.take(store, me)) == "interrupted"
    assert any(".resume-1." in name for name in objects.names())

    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "elsewhere"))
    actions.resume(store, runs[1])
    epochs = []
    session = training_loop.TrainingSession(
        store, progress=lambda _trainer, record: epochs.append(record.epoch)
    )
    assert training_loop.train(session, run_queue.take(store, me)) == "done"
    assert epochs == [3]
    assert not any(".resume-1." in name for name in objects.names())

    shutil.rmtree(tmp_path / "elsewhere")  # a third machine shows what the second trained
    first, second = (
        load_checkpoint(artifacts.brought(Path(store.get_run(run_id).checkpoint))).net.state_dict()
        for run_id in runs
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert open_dataset("digits-small") is not None


@pytest.mark.parametrize("url", ["nonsense://bucket", "s3://runs/prefix"])
def test_a_storage_that_cannot_be_reached_is_told(monkeypatch, url, store, make_run):
    monkeypatch.setenv("EXPLORER_STORAGE", url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store.add_run(make_run("a"))
    file = store.checkpoint_path("a")
    file.write_bytes(b"weights")
    with pytest.raises(StorageError, match="EXPLORER_STORAGE"):
        artifacts.keep(store.database, "a", file)


def test_without_a_storage_files_stay_where_they_are(store, make_run, home):
    assert shared_storage() is None
    store.add_run(make_run("a"))
    file = run_paths.checkpoint_path("a")
    assert not artifacts.bring(store.database, file)
    store.checkpoint_path("a").write_bytes(b"weights")
    artifacts.keep(store.database, "a", file)
    assert artifacts.bring(store.database, file)
    assert artifacts.brought(file) == file
    assert sorted(path.name for path in home.iterdir() if "sqlite3" not in path.name) == ["checkpoints"]
