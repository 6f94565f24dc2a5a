"""Every probe reads nets of any layout: other stems, stages and shortcuts than those of the CIFAR design."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.probes.activations import read_activations
from explorer.probes.attributions import AttributionRequest, Explainer
from explorer.probes.folded import folded
from explorer.probes.methods import METHODS
from explorer.probes.responses import ResponseProbe, response_layers

NETS = (
    "residual-10-B-w4-s1.1.1.1-7x7s2pool",
    "residual-8-B-w4-stem6-avg-convbias",
    "residual-8-bottleneck-B-w8-s1.1-stem4-x2",
    "preact-8-B-w16-stem8-act",
    "preact-8-B-w8-c8.20-s2.1-act-avg-first-norm-stemnorm-nolast-convbias",
)


@pytest.fixture(params=NETS)
def loaded(request):
    net = build(NetSpec.parse(request.param), 1)
    net.train()(torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    scale = Normalisation((0.5,) * 3, (0.25,) * 3)
    names = tuple(map(str, range(10)))
    return LoadedNet("key", "title", net.eval(), scale, names, 32, True, "")


def test_all_probes_read_it_and_leave_it_as_it_was(loaded):
    before = {name: tensor.clone() for name, tensor in loaded.net.state_dict().items()}
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    read = ResponseProbe(loaded.net, cosine=True).measure([images])
    assert read.layers["layer"].tolist() == response_layers(loaded.net)
    assert len(read.blocks) == len(loaded.blocks())
    with torch.no_grad():
        torch.testing.assert_close(folded(loaded.net)(images), loaded.net(images), rtol=1e-4, atol=1e-5)
    maps = read_activations(loaded, images[0].numpy())
    assert maps.readout.shape == (len(loaded.blocks()) + 1, 10)
    subject = Explainer(loaded)
    for name in ("saliency", "deep_lift", "layer_grad_cam"):
        question = AttributionRequest(name, 3, METHODS[name].settle({}), 0)
        found = subject.attribute(loaded.normalised(images[:1]), question, images)
        assert bool(torch.isfinite(found.map()).all())
    assert all(torch.equal(tensor, before[name]) for name, tensor in loaded.net.state_dict().items())
