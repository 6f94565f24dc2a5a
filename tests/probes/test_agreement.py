"""Agreement and sizes of gradients: against direct computations, and the net is left as it was."""

from itertools import combinations

import pytest
import torch
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.agreement import agreement, disjoint_batches, mean_cosine, sizes
from explorer.probes.replica import Cancelled
from explorer.probes.responses import gradient_norms

NETS = ["residual-14-B-w4", "plain-14-w4", "highway-14-w4"]


def batches(count=3, size=5):
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(count * size + 2, 3, 16, 16, generator=generator)
    labels = torch.randint(10, (len(images),), generator=generator)
    return disjoint_batches(images, labels, count, size)


def loss_of(net, batch):
    return functional.cross_entropy(net(batch[0].double()), batch[1])


@pytest.mark.parametrize("text", NETS)
def test_agreement_is_the_cosine_of_gradients_of_the_loss(text):
    net = build(NetSpec.parse(text), 1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    found = agreement(net, batches())

    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    direct = build(NetSpec.parse(text), 1).double().train()
    flat = []
    for batch in batches():
        direct.zero_grad()
        loss_of(direct, batch).backward()
        flat.append(
            [
                torch.cat([p.grad.flatten() for name, p in block.named_parameters() if p.ndim == 4])
                for block in direct.block_list()
            ]
        )
    expected = [
        sum(float(functional.cosine_similarity(a, b, dim=0)) for a, b in combinations(group, 2)) / 3
        for group in zip(*flat, strict=True)
    ]
    assert found["cosine"].tolist() == pytest.approx(expected, abs=1e-12)


def test_sizes_are_the_norms_of_gradients_at_the_blocks_outputs_and_in_their_weights():
    net, batch = build(NetSpec.parse("residual-14-w4"), 1), batches()[0]
    found = sizes(net, batch)
    direct = build(NetSpec.parse("residual-14-w4"), 1).double().train()
    kept = []
    for block in direct.block_list():
        block.register_full_backward_hook(lambda _m, _i, out: kept.append(float(out[0].norm())))
    loss_of(direct, batch).backward()
    assert found["norm"].tolist() == pytest.approx(kept[::-1], rel=1e-9)
    assert found["weights_norm"].tolist() == pytest.approx(gradient_norms(direct.block_list()).tolist())


def test_batches_share_no_image_and_too_many_are_refused():
    images, labels = torch.arange(20.0).view(20, 1, 1, 1), torch.arange(20)
    parts = disjoint_batches(images, labels, 3, 6, seed=2)
    seen = torch.cat([part for _, part in parts])
    assert len(parts) == 3
    assert len(set(seen.tolist())) == 18
    with pytest.raises(ValueError, match="need 21 images; there are 20"):
        disjoint_batches(images, labels, 3, 7)
    with pytest.raises(ValueError, match="at least 2"):
        disjoint_batches(images, labels, 1, 7)


def test_a_gradient_of_nothing_agrees_with_nothing():
    assert mean_cosine([torch.ones(3), torch.ones(3)]) == pytest.approx(1)
    assert mean_cosine([torch.ones(3), torch.zeros(3)]) != mean_cosine([torch.ones(3), torch.ones(3)])


def test_progress_is_told_and_can_stop():
    told = []

    def tell(share):
        told.append(share)
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        agreement(build(NetSpec.parse("plain-8-w4")), batches(), tell)
    assert told == pytest.approx([0, 1 / 3, 2 / 3])
