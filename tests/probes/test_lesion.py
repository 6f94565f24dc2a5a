"""Lesions: equal to passes by hand, all single deletions to a pass each, and the net is left as it was."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.lesion import (
    Lesion,
    answers,
    around,
    check,
    errors_pct,
    folded_net,
    kendall_tau,
    movable,
    removed_at_random,
    scaled,
    shuffled,
    single_deletions,
    swapped_at_random,
    with_new_statistics,
)

NETS = ["residual-14-w4", "residual-14-B-w4", "plain-14-w4", "preact-14-w4", "highway-14-w4"]


def images(count=6):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(6))


LABELS = torch.arange(6)


@pytest.mark.parametrize("text", NETS)
def test_all_single_deletions_equal_a_pass_each(open_small, text):
    net = folded_net(open_small(text).net)
    rows = single_deletions(net, images())
    blocks = len(net.block_list())

    assert rows.shape == (blocks + 1, 6, 10)
    torch.testing.assert_close(rows[0], answers(net, images(), LABELS).logits, atol=1e-5, rtol=1e-4)
    for number in range(blocks):
        alone = answers(net, images(), LABELS, Lesion(frozenset([number]))).logits
        torch.testing.assert_close(rows[number + 1], alone, atol=1e-5, rtol=1e-4)


def test_single_deletions_in_small_parts_are_the_same_and_tell_how_far_they_are(open_small, monkeypatch):
    net = folded_net(open_small("residual-14-w4").net)
    whole, told = single_deletions(net, images()), []
    monkeypatch.setattr("explorer.probes.lesion._ROWS_BYTES", 1)
    torch.testing.assert_close(single_deletions(net, images(), told.append), whole, atol=1e-5, rtol=1e-4)
    assert told == [0, *(pytest.approx(n / 6) for n in range(1, 6)), 1.0]


@pytest.mark.parametrize("text", NETS)
def test_the_intact_net_is_the_net(open_small, text):
    loaded = open_small(text)
    with torch.no_grad():
        expected = loaded.net(images())
    found = answers(folded_net(loaded.net), images(), LABELS)
    torch.testing.assert_close(found.logits, expected, atol=1e-5, rtol=1e-4)


def test_a_removed_residual_block_leaves_its_shortcut_and_a_plain_one_its_input():
    x = torch.rand(2, 4, 8, 8) - 0.3
    residual = build(NetSpec.parse("residual-14-w4")).eval().block_list()
    plain = build(NetSpec.parse("plain-14-w4")).eval().block_list()
    torch.testing.assert_close(around(residual[1], x), x.clamp(min=0))
    assert around(plain[1], x) is x
    smaller = around(plain[2], x)  # option A: every second pixel, new channels zero
    torch.testing.assert_close(smaller[:, :4], x[:, :, ::2, ::2])
    assert smaller.shape == plain[2](x).shape == (2, 8, 4, 4)
    assert not smaller[:, 4:].any()


@pytest.mark.parametrize("text", NETS)
def test_a_scale_of_one_is_the_block_and_of_zero_the_way_around_it(text):
    x = torch.rand(2, 4, 8, 8)
    for number in (1, 2):
        block = build(NetSpec.parse(text)).eval().block_list()[number]
        if block(x).shape != x.shape and text.startswith("highway"):
            continue
        torch.testing.assert_close(scaled(block, x, 1.0), block(x), atol=1e-6, rtol=1e-5)
        if block.shortcut is not None:
            torch.testing.assert_close(scaled(block, x, 0.0), around(block, x), atol=1e-6, rtol=1e-5)


def test_half_a_branch_is_added():
    block = build(NetSpec.parse("residual-8-w4")).eval().block_list()[0]
    x = torch.rand(2, 4, 8, 8)
    torch.testing.assert_close(scaled(block, x, 0.5), torch.relu(x + 0.5 * block.branch(x)))


def test_blocks_that_changed_places_are_passed_in_the_new_order(open_small):
    loaded = open_small("residual-14-w4")
    net = folded_net(loaded.net)
    blocks = net.block_list()
    with torch.no_grad():
        x = net.stem(images())
        for number in (1, 0, 2, 3, 4, 5):
            x = blocks[number](x)
        expected = net.head(x)
    found = answers(net, images(), LABELS, Lesion(order=(1, 0, 2, 3, 4, 5))).logits
    torch.testing.assert_close(found, expected)


def test_errors_and_confusion_count_images(open_small):
    net = folded_net(open_small("residual-8-w4").net)
    found = answers(net, images(), LABELS)
    table = found.confusion()
    assert int(table.sum()) == 6
    assert found.error_pct == pytest.approx(100 * (6 - int(table.diag().sum())) / 6)
    assert errors_pct(found.logits.unsqueeze(0), LABELS) == [pytest.approx(found.error_pct)]


def test_new_statistics_are_those_of_the_lesioned_net(open_small):
    """With statistics of one batch, eval mode gives on that batch what train mode gave."""
    loaded, batch = open_small("plain-14-w4"), images(100)
    before = {name: tensor.clone() for name, tensor in loaded.net.state_dict().items()}
    lesion = Lesion(frozenset([1]))
    net = with_new_statistics(loaded, lesion, batch)
    ours = answers(net, batch, torch.zeros(100, dtype=torch.int64), lesion).logits

    bare = build(NetSpec.parse("plain-14-w4"))
    bare.load_state_dict(before)
    with torch.no_grad():
        x = bare.train().stem(batch)
        for number, block in enumerate(bare.block_list()):
            x = x if number == 1 else block(x)
        expected = bare.head(x)
    torch.testing.assert_close(ours, expected, atol=0.02, rtol=0.02)  # n against n - 1 in the variance
    assert all(torch.equal(before[name], tensor) for name, tensor in loaded.net.state_dict().items())


def test_only_blocks_that_keep_the_shape_move_within_their_stage():
    blocks = build(NetSpec.parse("plain-20-w4")).block_list()
    assert movable(blocks) == {1: [0, 1, 2], 2: [4, 5], 3: [7, 8]}
    for seed in range(5):
        check(blocks, Lesion(order=swapped_at_random(blocks, 4, seed)))
        mixed = shuffled(blocks, [1], seed)
        check(blocks, Lesion(order=mixed))
        assert mixed[3:] == tuple(range(3, 9))
    assert swapped_at_random(blocks, 0) == tuple(range(9))
    assert swapped_at_random(blocks, 3, 1) == swapped_at_random(blocks, 3, 1)


def test_random_removals_are_nested_and_keep_to_their_stages():
    blocks = build(NetSpec.parse("residual-32-w4")).block_list()
    few, more = (removed_at_random(blocks, count, [2, 3], seed=4) for count in (3, 5))
    assert len(few) == 3
    assert few < more
    assert {blocks[number].stage for number in more} <= {2, 3}
    assert removed_at_random(blocks, 99, [2]) == {6, 7, 8, 9}


def test_kendalls_tau():
    assert kendall_tau(range(5)) == 1
    assert kendall_tau([4, 3, 2, 1, 0]) == -1
    assert kendall_tau([1, 0, 2]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("lesion", "said"),
    [
        (Lesion(frozenset([9])), "no block 10: the net has blocks 1 to 6"),
        (Lesion(scales={0: 2.5}), "between 0 and 2"),
        (Lesion(order=(0, 1, 2)), "each of the blocks 1 to 6 once"),
        (Lesion(order=(0, 2, 1, 3, 4, 5)), "change places"),
        (Lesion(order=(0, 1, 3, 2, 4, 5)), "change places"),
    ],
)
def test_a_lesion_that_does_not_fit_is_refused(open_small, lesion, said):
    net = folded_net(open_small("residual-14-w4").net)
    with pytest.raises(ValueError, match=said):
        answers(net, images(), LABELS, lesion)
