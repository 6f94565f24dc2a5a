"""Published CIFAR nets: fetched from a server, checked by hash, opened with what their publisher used."""

import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from published_names import published_names

from explorer.nets.build import build
from explorer.nets.published_cifar import PUBLISHED_CIFAR, SCALE, published_cifar
from explorer.nets.spec import NetSpec
from explorer.nets.weights import WeightsError, fetch_published, published_file
from explorer.paper.reproductions import reproductions_of
from explorer.runs import net_catalogue
from explorer.runs.net_opening import open_net


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A ResNet-20 with random weights, served under the publisher's names; and where it is served."""
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "home"))
    served = tmp_path / "served"
    served.mkdir()
    net = build(NetSpec.parse("residual-20"), seed=3).eval()
    state = {f"module.{name}": tensor for name, tensor in published_names(net, head="linear").items()}
    torch.save({"state_dict": state, "best_prec1": 91.7}, served / "net.th")
    digits = hashlib.sha256((served / "net.th").read_bytes()).hexdigest()[:8]
    about = replace(published_cifar("resnet20"), digits=digits)
    monkeypatch.setitem(PUBLISHED_CIFAR, "resnet20", about)
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield about, net, f"http://127.0.0.1:{http.server_port}/net.th"
    http.shutdown()
    http.server_close()


def test_a_published_net_is_fetched_listed_and_opened(published):
    about, net, url = published
    assert net_catalogue.published_nets() == []

    fetch_published(about, net_catalogue.cifar_folder(), url=url)
    (choice,) = net_catalogue.published_nets()
    loaded = open_net(choice)

    assert choice == net_catalogue.find_net([], "published:resnet20")
    assert (choice.dataset, choice.image_size, loaded.image_size) == ("cifar10", 32, 32)
    assert loaded.classes[3] == "cat"
    assert loaded.normalisation == SCALE
    assert "akamaster" in loaded.origin
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        ours = loaded.net(x)
        padded = _padded_on_both_sides(net, x)
    torch.testing.assert_close(ours, padded, rtol=1e-5, atol=1e-5)


def _padded_on_both_sides(net, x):
    """The publisher's forward pass: option A with half of the new channels before and half after."""
    x = net.stem(x)
    for block in net.blocks:
        kept = x
        if block.branch[0].stride == (2, 2):
            half = x.shape[1] // 2
            kept = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        x = torch.relu(block.branch(x) + kept)
    return net.head(x)


def test_another_file_is_refused_and_a_missing_one_says_where_to_put_it(published):
    about, _, url = published
    other = replace(about, digits="00000000")
    with pytest.raises(WeightsError, match="sha256 differs"):
        fetch_published(other, net_catalogue.cifar_folder(), url=url)
    with pytest.raises(
        WeightsError, match=r"no connection.*put resnet20-\w+\.th of akamaster/.* into .*published"
    ):
        fetch_published(about, net_catalogue.cifar_folder(), url="http://127.0.0.1:9/nobody")
    with pytest.raises(WeightsError, match="not here yet"):
        published_file(about, net_catalogue.cifar_folder())
    net_catalogue.cifar_folder().mkdir(parents=True, exist_ok=True)
    (net_catalogue.cifar_folder() / about.file).write_bytes(b"another")
    with pytest.raises(WeightsError, match="is not the published file"):
        published_file(about, net_catalogue.cifar_folder())


def test_errors_are_those_of_the_reproduction_and_sizes_follow_from_the_parameters():
    for about in PUBLISHED_CIFAR.values():
        assert about.error_pct in [one.test_error_pct for one in reproductions_of(about.spec_id)]
    assert published_cifar("resnet20").mib == pytest.approx(1_099_231 / 2**20, rel=0.02)
    assert published_cifar("resnet32").mib == pytest.approx(1_890_043 / 2**20, rel=0.02)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="resnet20, resnet32, resnet44, resnet56, resnet110, resnet1202"):
        published_cifar("resnet21")
