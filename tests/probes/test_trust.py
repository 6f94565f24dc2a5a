"""Trust scores where the right answer is known: linear nets, constant maps, nets that forgot everything."""

import math

import numpy as np
import pytest
import torch
from test_attributions import light, traces

from explorer.probes.attributions import AttributionRequest, Explainer
from explorer.probes.replica import Cancelled
from explorer.probes.trust import (
    infidelity_score,
    masking_curve,
    max_sensitivity,
    measure,
    randomisation,
    rank_correlation,
)


def test_a_gradient_explains_a_linear_net_without_infidelity(linear, spot):
    subject = Explainer(linear)
    score = infidelity_score(
        subject, subject.attribute(spot, AttributionRequest("saliency", 1, {"abs": False}))
    )
    assert score.value == pytest.approx(0, abs=1e-3)
    assert score.low <= score.random <= score.high
    assert score.low > 0.1


def test_a_gradient_of_a_linear_net_does_not_move_with_noise(linear, spot):
    subject = Explainer(linear)
    still = subject.attribute(spot, AttributionRequest("saliency", 1))
    moving = subject.attribute(spot, AttributionRequest("input_x_gradient", 1))
    assert max_sensitivity(subject, still) == pytest.approx(0, abs=1e-5)
    assert 0 < max_sensitivity(subject, moving) < 0.2


def test_a_masking_curve_is_the_probability_of_pictures_masked_by_hand(small, picture):
    subject = Explainer(small)
    found = subject.attribute(picture, AttributionRequest("saliency", 3))
    order = torch.arange(256)
    gone = masking_curve(subject, found, order, "deletion")
    come = masking_curve(subject, found, order, "insertion")
    assert gone["share"].iloc[0] == 0
    assert gone["share"].iloc[-1] == 1
    half = picture.clone()
    half[0, :, :8] = 0  # the first 128 pixels at the mean colour
    by_hand = float(small.net(half).softmax(1)[0, 3].detach())
    assert gone.loc[gone["share"] == 0.5, "probability"].item() == pytest.approx(by_hand, rel=1e-4)
    assert gone["probability"].iloc[0] == pytest.approx(found.probability, rel=1e-4)
    assert come["probability"].iloc[-1] == pytest.approx(found.probability, rel=1e-4)


def test_ranks_ignore_the_sign_and_say_nothing_of_a_constant_map():
    values = torch.linspace(-3, 3, 50).view(5, 10)
    assert rank_correlation(values, values) == pytest.approx(1)
    assert rank_correlation(values, -2 * values) == pytest.approx(1)
    assert math.isnan(rank_correlation(values, torch.zeros(5, 10)))


def test_the_randomised_net_is_another_and_the_net_stays(small, picture):
    before = traces(small.net)
    subject = Explainer(small)
    found = subject.attribute(picture, AttributionRequest("saliency", 3))
    table = randomisation(small, found)
    assert list(table["redrawn"]) == ["head", "+ stage 3", "+ stage 2", "+ stage 1", "+ stem (all)"]
    assert table["correlation"].iloc[-1] < 0.9
    after = traces(small.net)
    assert all(torch.equal(before["state"][key], after["state"][key]) for key in before["state"])
    again = subject.attribute(picture, AttributionRequest("saliency", 3))
    assert torch.equal(again.attributions, found.attributions)


@pytest.mark.parametrize("name", ["integrated_gradients", "layer_grad_cam", "gradient_shap"])
def test_all_scores_come_back_from_the_seed_with_progress(small, picture, name):
    subject = Explainer(small)
    found = subject.attribute(picture, AttributionRequest(name, 3, light(name)))
    shares = []
    one, two = measure(subject, found, progress=shares.append), measure(subject, found)
    assert one.infidelity == two.infidelity
    assert one.deletion == two.deletion
    assert one.max_sensitivity == two.max_sensitivity
    assert one.curves.equals(two.curves)
    assert one.randomisation.equals(two.randomisation)
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert set(one.curves["map"]) == {"attribution", "random"}
    area = one.curves.query("curve == 'deletion' and map == 'attribution'")
    assert np.trapezoid(area["probability"], area["share"]) == pytest.approx(one.deletion.value)


def test_scores_can_be_stopped(small, picture):
    subject = Explainer(small)
    found = subject.attribute(picture, AttributionRequest("saliency", 3))

    def stop(share):
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(subject, found, progress=stop)
