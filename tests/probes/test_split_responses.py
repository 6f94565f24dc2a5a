"""Responses of a split: the direct probe's numbers, whatever the passes; the net and its hooks untouched."""

from threading import Lock

import pytest
import torch

from explorer.probes.inputs import Inputs
from explorer.probes.responses import ResponseProbe
from explorer.probes.split_responses import ReadOptions, batch_for, read_responses


def inputs(loaded, count=11, size=16):
    images = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(6))
    return Inputs(images, 1, loaded, None, "drawn in a test")


@pytest.mark.parametrize("training", [False, True])
def test_numbers_are_those_of_the_probe_on_the_net_itself(small, training):
    shown = inputs(small)
    direct = ResponseProbe(small.net, cosine=True).measure(shown.batches(4), training=training)
    read = read_responses(shown, ReadOptions(training=training, batch=4))

    assert (read.images, read.training) == (11, training)
    for one, other in ((direct.blocks, read.blocks), (direct.layers, read.layers)):
        assert other.to_numpy(float) == pytest.approx(one.to_numpy(float), rel=1e-4, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize(
    ("size", "training", "expected"),
    [(32, False, 32), (8, False, 500), (224, False, 1), (64, False, 8), (32, True, 100)],
)
def test_a_pass_holds_as_many_pixels_at_any_size(small, size, training, expected):
    assert batch_for(inputs(small, 1, size), training=training) == expected


def test_it_tells_how_far_it_is_and_what_is_told_may_stop_it(small):
    shares = []
    read_responses(inputs(small), ReadOptions(batch=4, progress=shares.append))
    assert shares == pytest.approx([4 / 11, 8 / 11, 1])

    def stop(_share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        read_responses(inputs(small), ReadOptions(progress=stop))


def test_the_lock_is_free_again_while_the_copy_is_read(small):
    lock, held = Lock(), []
    read_responses(
        inputs(small), ReadOptions(batch=4, lock=lock, progress=lambda _: held.append(lock.locked()))
    )
    assert held == [False] * 3
