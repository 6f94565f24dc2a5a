"""Published weights: fetched once from a real server, checked by hash, and refused in words."""

import hashlib
import io
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from explorer.nets import weights
from explorer.nets.published_imagenet import PUBLISHED, published
from explorer.nets.weights import WeightsError, fetch_published, labels, load_published


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def file():
    """torchvision's ResNet-18 with random weights, as torch.save writes it."""
    from torchvision import models

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = models.resnet18(weights=None)
    buffer = io.BytesIO()
    torch.save(net.state_dict(), buffer)
    return buffer.getvalue()


@pytest.fixture
def about(file):
    """ResNet-18 whose published file is the one just made."""
    return replace(published("resnet18"), file=f"resnet18-{hashlib.sha256(file).hexdigest()[:8]}.pth")


@pytest.fixture
def server(tmp_path, file):
    served = tmp_path / "served"
    served.mkdir()
    (served / "good.pth").write_bytes(file)
    (served / "other.pth").write_bytes(file[:-1] + b"x")
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


def test_weights_are_fetched_once_checked_and_loaded(server, about, tmp_path):
    folder = tmp_path / "home" / "torchvision"
    path = fetch_published(about, folder, url=f"{server}/good.pth")
    assert path == folder / about.file
    assert fetch_published(about, folder, url="http://127.0.0.1:9/nobody") == path
    assert [kept.name for kept in folder.iterdir()] == [about.file]

    net = load_published(about, folder)
    assert not net.training
    assert net(torch.zeros(1, 3, 32, 32)).shape == (1, 1000)


def test_another_file_at_the_address_is_not_kept(server, about, tmp_path):
    with pytest.raises(WeightsError, match="sha256 differs"):
        fetch_published(about, tmp_path / "x", url=f"{server}/other.pth")
    assert list((tmp_path / "x").iterdir()) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/nobody", "{}/missing.pth"])
def test_without_a_connection_it_says_what_to_do(server, about, tmp_path, address):
    with pytest.raises(WeightsError, match=r"no connection.*put resnet18-\w+\.pth.*untrained:resnet18"):
        fetch_published(about, tmp_path, url=address.format(server))


def test_a_silent_server_is_given_up(about, tmp_path, monkeypatch):
    import socket

    def serve(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            given_up.wait(20)
            connection.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    given_up = threading.Event()
    monkeypatch.setattr(weights, "_SILENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x.pth"
        with pytest.raises(WeightsError, match="Nothing has come"):
            fetch_published(about, tmp_path, url=address)
        given_up.set()
        thread.join()
        for worker in threading.enumerate():
            if worker.name == about.file:
                worker.join()


def test_progress_is_told_in_mib(about, tmp_path):
    """A server that sends half the file, waits, and sends the rest."""
    import socket

    content = b"w" * 2_000_000
    net = replace(about, file=f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    go_on, told = threading.Event(), []

    def serve(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2000000\r\n\r\n" + content[:1_000_000])
            go_on.wait(20)
            connection.sendall(content[1_000_000:])

    def progress(come, all_of):
        told.append((come, all_of))
        go_on.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        fetch_published(net, tmp_path, progress, f"http://127.0.0.1:{listening.getsockname()[1]}/x.pth")
        thread.join()
    assert told
    assert 0 < told[0][0] <= 1_000_000 / 2**20
    assert told[0][1] == about.mib


def test_a_file_put_there_by_hand_must_be_the_published_one(about, file, tmp_path):
    (tmp_path / about.file).write_bytes(file[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"its sha256 begins with \w{8}, not"):
        load_published(about, tmp_path)


def test_a_file_of_the_right_hash_that_is_no_state_dict_is_refused_in_our_own_words(tmp_path):
    content = b"no pickle at all"
    about = replace(published("resnet18"), file=f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    (tmp_path / about.file).write_bytes(content)
    with pytest.raises(WeightsError, match="is damaged") as refused:
        load_published(about, tmp_path)
    assert "weights_only" not in str(refused.value)


def test_missing_weights_say_how_to_get_them_and_nobody_gets_random_ones(tmp_path):
    with pytest.raises(WeightsError, match=r"not here yet.*45 MiB.*untrained:resnet18"):
        load_published(published("resnet18"), tmp_path)
    with pytest.raises(WeightsError, match="random weights"):
        load_published(published("plain34"), tmp_path)


def test_names_and_sizes_of_the_files_are_torchvisions():
    from torchvision.models import get_model_weights

    for name, net in PUBLISHED.items():
        if net.file:
            weights_of = get_model_weights(name)["IMAGENET1K_V1"]
            assert weights_of.url.rpartition("/")[2] == net.file
            assert weights_of.meta["_file_size"] == pytest.approx(net.mib, abs=0.06)


def test_labels_are_imagenets_thousand_classes():
    classes, normalisation = labels()
    assert len(classes) == 1000
    assert classes[0] == "tench"
    assert normalisation.mean == (0.485, 0.456, 0.406)
