"""Every method against its closed form on a linear net; on any net: sums, seeds, no trace left."""

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from captum.attr import (
    DeepLift,
    GuidedGradCam,
    IntegratedGradients,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from torch import nn

from explorer.probes import attributions
from explorer.probes.attributions import AttributionRequest, Explainer
from explorer.probes.methods import METHODS, AttributionError, method
from explorer.probes.replica import BUDGET_BYTES, Cancelled, activation_bytes, replica, rows_at_once

LIGHT = {
    "n_samples": 64, "n_regions": 16, "n_references": 4, "n_steps": 16,
}  # fmt: skip


def light(name, **more):
    """A method's parameters, few samples."""
    names = {parameter.name for parameter in METHODS[name].parameters}
    return {key: value for key, value in LIGHT.items() if key in names} | more


def weights(loaded, target):
    return loaded.net.head[1].weight[target].detach().view(1, 2, 4, 4)


def ask(loaded, inputs, name, target=1, references=None, **parameters):
    return Explainer(loaded).attribute(inputs, AttributionRequest(name, target, parameters), references)


BLACK = torch.full((1, 2, 4, 4), -2.0)  # (0 - 0.5) / 0.25


@pytest.mark.parametrize(
    ("name", "parameters", "form"),
    [
        ("saliency", {}, lambda w, x: w.abs()),
        ("saliency", {"abs": False}, lambda w, x: w),
        ("saliency", {"abs": False, "smooth_samples": 7}, lambda w, x: w),
        ("input_x_gradient", {}, lambda w, x: w * x),
        ("integrated_gradients", {}, lambda w, x: w * (x - BLACK)),
        ("integrated_gradients", {"n_steps": 7, "baseline": "mean"}, lambda w, x: w * x),
        ("deep_lift", {}, lambda w, x: w * (x - BLACK)),
        ("deep_lift", {"baseline": "white"}, lambda w, x: w * (x + BLACK)),
        ("guided_backprop", {}, lambda w, x: w),
        ("deconvolution", {}, lambda w, x: w),
        ("occlusion", {"window": 1, "stride": 1}, lambda w, x: (w * x).sum(1, keepdim=True).expand_as(x)),
        ("feature_ablation", {"n_regions": 16}, lambda w, x: (w * x).sum(1, keepdim=True).expand_as(x)),
        ("kernel_shap", {"n_regions": 16}, lambda w, x: (w * x).sum(1, keepdim=True).expand_as(x)),
        ("lime", {"n_regions": 16, "alpha": 0.0001}, lambda w, x: (w * x).sum(1, keepdim=True).expand_as(x)),
    ],
)  # fmt: skip
def test_on_a_linear_net_a_method_equals_its_closed_form(linear, spot, name, parameters, form):
    found = ask(linear, spot, name, **parameters)
    expected = form(weights(linear, 1), spot)
    tolerance = 0.02 if name == "lime" else 1e-3 if name == "kernel_shap" else 1e-5
    torch.testing.assert_close(found.attributions, expected, rtol=tolerance, atol=tolerance)
    if found.delta is not None:
        assert abs(found.delta) < 1e-4


@pytest.mark.parametrize("name", ["deep_lift_shap", "gradient_shap"])
def test_on_a_linear_net_shap_values_are_the_distance_from_the_mean_baseline(linear, spot, name):
    references = torch.randn(4, 2, 4, 4, generator=torch.Generator().manual_seed(2))
    settings = {"noise": 0.0, "n_samples": 500} if name == "gradient_shap" else {}
    found = ask(linear, spot, name, references=references, n_references=4, **settings)
    expected = weights(linear, 1) * (spot - references.mean(0, keepdim=True))
    # GradientShap draws its baselines: the standard error of 500 draws
    error = 4 / math.sqrt(500) * weights(linear, 1).abs().max() if name == "gradient_shap" else 1e-5
    torch.testing.assert_close(found.attributions, expected, rtol=0, atol=float(error))


def test_every_method_is_captums_own_class():
    import captum.attr

    for name in METHODS:
        assert hasattr(captum.attr, "".join(part.capitalize() for part in name.split("_"))), name
    assert len(METHODS) >= 14


@pytest.mark.parametrize("name", list(METHODS))
def test_a_result_has_the_pictures_shape_and_comes_back_from_its_seed(small, picture, name):
    first, again, other = (
        Explainer(small).attribute(picture, AttributionRequest(name, None, light(name), seed))
        for seed in (0, 0, 1)
    )
    assert first.attributions.shape == first.inputs.shape == picture.shape
    assert torch.isfinite(first.attributions).all()
    assert torch.equal(first.attributions, again.attributions)
    sampled = name in ("deep_lift_shap", "gradient_shap", "kernel_shap", "lime")
    assert torch.equal(first.attributions, other.attributions) != sampled
    scores = small.net(picture)[0]
    assert first.target == int(scores.argmax())
    assert first.probability == pytest.approx(float(scores.softmax(0).max().detach()), rel=1e-5)


@pytest.mark.parametrize("name", [m.name for m in METHODS.values() if "smooth_samples" in m.settle({})])
def test_smoothgrad_is_seeded_and_leaves_the_global_generator_alone(small, picture, name):
    state = torch.random.get_rng_state()
    once, twice = (ask(small, picture, name, **light(name, smooth_samples=3)).attributions for _ in range(2))
    assert torch.equal(once, twice)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_smoothgrad_is_the_mean_over_noisy_copies(small, picture):
    found = ask(small, picture, "saliency", abs=False, smooth_samples=3, smooth_noise=0.2)
    deviation = 0.2 * float(picture.max() - picture.min())
    noise = deviation * torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    copies = (picture + noise).requires_grad_()
    small.net(copies)[:, 1].sum().backward()
    torch.testing.assert_close(found.attributions[0], copies.grad.mean(0), rtol=1e-4, atol=1e-6)
    small.net.zero_grad(set_to_none=True)


@pytest.mark.parametrize("text", ["residual-8-w4", "plain-8-w4", "residual-8-B-w4", "preact-8-w4"])
def test_deep_lift_is_complete_with_bn_in_eval_mode(open_small, picture, text):
    found = ask(open_small(text), picture, "deep_lift")
    assert abs(found.delta) < 1e-3 * max(1, abs(found.rise))


def test_integrated_gradients_close_in_on_the_scores_rise(small, picture):
    coarse, fine = (ask(small, picture, "integrated_gradients", n_steps=steps) for steps in (8, 300))
    rise = small.net(picture)[0, 1] - small.net(small.normalised(torch.zeros(1, 3, 16, 16)))[0, 1]
    assert fine.rise == pytest.approx(float(rise.detach()), abs=1e-5)
    assert abs(fine.delta) < 0.01 * abs(fine.rise)
    assert abs(fine.delta) < abs(coarse.delta)
    assert fine.delta == pytest.approx(float(fine.attributions.sum()) - fine.rise, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "plainly"),
    [
        ("saliency", lambda net, x: Saliency(net).attribute(x, target=1)),
        (
            "integrated_gradients",
            lambda net, x: IntegratedGradients(net).attribute(x, torch.zeros_like(x), 1, n_steps=16),
        ),
        ("deep_lift", lambda net, x: DeepLift(net).attribute(x, torch.zeros_like(x), 1)),
        ("occlusion", lambda net, x: Occlusion(net).attribute(x, (3, 4, 4), (3, 2, 2), target=1)),
        (
            "guided_grad_cam",
            lambda net, x: GuidedGradCam(net, net.blocks[1]).attribute(x, 1, interpolate_mode="bilinear"),
        ),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_chunks_change_nothing_against_captum_called_plainly(small, picture, monkeypatch, name, plainly):
    settings = {"baseline": "mean"} if "baseline" in METHODS[name].settle({}) else {}
    settings |= {"n_steps": 16} if name == "integrated_gradients" else {}
    settings |= {"block": 2} if name == "guided_grad_cam" else {}
    subject = Explainer(small)
    monkeypatch.setattr(Explainer, "rows", lambda *_: 3)
    found = subject.attribute(picture, AttributionRequest(name, 1, settings))
    expected = plainly(replica(small.net), picture.clone())
    torch.testing.assert_close(found.attributions, expected.detach(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", list(METHODS))
def test_folding_bn_into_convolutions_changes_no_map(open_small, picture, monkeypatch, name):
    loaded = open_small("residual-8-B-w4")
    found = ask(loaded, picture, name, **light(name)).attributions
    monkeypatch.setattr(attributions, "folded", replica)
    unfolded = ask(loaded, picture, name, **light(name)).attributions
    assert float((found - unfolded).abs().max()) <= 1e-3 * float(unfolded.abs().max())


def test_grad_cam_summed_over_channels_is_captums_map_enlarged(small, picture):
    found = ask(small, picture, "layer_grad_cam", block=1, relu=False)
    net = replica(small.net)
    coarse = LayerGradCam(net, net.blocks[0]).attribute(picture.clone(), 1).detach()
    large = nn.functional.interpolate(coarse, (16, 16), mode="bilinear")
    torch.testing.assert_close(found.map(), large[0, 0], rtol=1e-4, atol=1e-6)


def test_deconvolution_does_not_depend_on_the_picture(small, picture):
    """As its entry in the table warns: no max pooling, no switches."""
    one, other = (ask(small, x, "deconvolution").attributions for x in (picture, -picture))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def traces(net):
    """All that a probe might leave behind."""
    hooks = [
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        for module in net.modules()
    ]
    grads = [parameter.grad for parameter in net.parameters()]
    return {
        "state": OrderedDict((name, tensor.clone()) for name, tensor in net.state_dict().items()),
        "grads": [None if grad is None else grad.clone() for grad in grads],
        "modes": [module.training for module in net.modules()],
        "requires": [parameter.requires_grad for parameter in net.parameters()],
        "hooks": hooks,
        "names": [sorted(vars(module)) for module in net.modules()],
    }


def assert_untouched(before, after):
    for name in ("modes", "requires", "hooks", "names"):
        assert before[name] == after[name]
    assert all(torch.equal(before["state"][key], after["state"][key]) for key in before["state"])
    assert all(one is other or torch.equal(one, other)
               for one, other in zip(before["grads"], after["grads"], strict=True))  # fmt: skip


@pytest.fixture
def used(open_small, picture):
    """A net with gradients, a hook and modes of its own."""
    net = open_small("residual-8-w4")
    net.net(picture).sum().backward()
    net.net.blocks[1].train()
    net.net.blocks[0].register_forward_hook(lambda *_: pytest.fail("another session's hook ran"))
    return net


@pytest.mark.parametrize("name", list(METHODS))
def test_looking_leaves_the_net_as_it_was(used, picture, name):
    before = traces(used.net)
    inputs = picture.clone()
    ask(used, inputs, name, **light(name))
    assert_untouched(before, traces(used.net))
    assert torch.equal(inputs, picture)
    assert not inputs.requires_grad


@pytest.mark.parametrize("name", list(METHODS))
def test_a_stop_leaves_the_net_as_it_was_and_the_subject_usable(used, picture, name, monkeypatch):
    def stop(_share):
        raise Cancelled

    before = traces(used.net)
    subject = Explainer(used)
    question = AttributionRequest(name, 1, light(name))
    whole = subject.attribute(picture, question)
    with pytest.raises(Cancelled):
        subject.attribute(picture, question, progress=stop)
    assert_untouched(before, traces(used.net))
    assert torch.equal(subject.attribute(picture, question).attributions, whole.attributions)


# Python before 3.14 keeps one list of warning filters for all threads
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sessions_that_look_at_once_do_not_meet(small, picture):
    names = ["deep_lift", "guided_backprop", "deconvolution", "gradient_shap", "layer_conductance"] * 2
    alone = [ask(small, picture, name, **light(name)).attributions for name in names]
    with ThreadPoolExecutor(4) as threads:
        together = list(
            threads.map(lambda name: ask(small, picture, name, **light(name)).attributions, names)
        )
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other)


def test_an_error_inside_the_net_leaves_nothing_behind(used, picture, monkeypatch):
    before = traces(used.net)
    subject = Explainer(used)

    def fail(_share):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        subject.attribute(picture, AttributionRequest("deep_lift", 1), progress=fail)
    assert_untouched(before, traces(used.net))


@pytest.mark.parametrize("name", ["integrated_gradients", "occlusion", "kernel_shap", "deep_lift_shap"])
def test_progress_runs_from_nothing_to_nearly_all(small, picture, monkeypatch, name):
    monkeypatch.setattr(Explainer, "rows", lambda *_: 4)
    shares = []
    Explainer(small).attribute(picture, AttributionRequest(name, 1, light(name)), progress=shares.append)
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.4 < shares[-1] <= 1


def test_memory_is_bounded_by_the_size_of_a_pass(small, picture):
    net, passes = replica(small.net), []
    net.stem.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    each = activation_bytes(net, picture)
    by_hand = []
    for module in net.modules():
        if not any(module.children()):
            module.register_forward_hook(lambda _m, _i, output: by_hand.append(4 * output.numel()))
    net(picture)
    assert each == sum(by_hand)
    assert 2 * each * rows_at_once(each) <= BUDGET_BYTES
    assert rows_at_once(BUDGET_BYTES) == 1
    assert rows_at_once(100 * 2**20) == 2


def test_a_replica_shares_the_weights_and_owns_the_rest(small):
    net = replica(small.net)
    assert all(
        one.data_ptr() == other.data_ptr() and not other.requires_grad
        for one, other in zip(small.net.parameters(), net.parameters(), strict=True)
    )
    assert all(
        one.data_ptr() != other.data_ptr()
        for one, other in zip(small.net.buffers(), net.buffers(), strict=True)
    )


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (AttributionRequest("saliency", 10), "no class 10: this net has 0 to 9"),
        (AttributionRequest("saliency", -1), "no class -1"),
        (AttributionRequest("magic"), "no method 'magic'. Choose one of saliency"),
        (
            AttributionRequest("saliency", 0, {"n_steps": 3}),
            "Saliency has no parameter 'n_steps'. It has: abs",
        ),
        (
            AttributionRequest("integrated_gradients", 0, {"n_steps": 1}),
            "a whole number from 2 to 300, not 1",
        ),
        (AttributionRequest("integrated_gradients", 0, {"n_steps": 2.5}), "not 2.5"),
        (AttributionRequest("integrated_gradients", 0, {"n_steps": True}), "not True"),
        (
            AttributionRequest("integrated_gradients", 0, {"baseline": "pink"}),
            "one of black, mean, white, blurred",
        ),
        (AttributionRequest("saliency", 0, {"abs": 1}), "give true or false, not 1"),
        (AttributionRequest("layer_grad_cam", 0, {"block": 4}), "no block 4: this net has 1 to 3"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(small, picture, question, said):
    with pytest.raises(AttributionError, match=said):
        Explainer(small).attribute(picture, question)


@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (1, 1, 16, 16), (3, 16, 16)])
def test_a_picture_of_another_shape_is_refused(small, shape):
    with pytest.raises(AttributionError, match=r"shape \(1, 3, H, W\)"):
        Explainer(small).attribute(torch.zeros(shape), AttributionRequest("saliency"))


def test_a_picture_that_is_not_finite_is_refused(small, picture):
    with pytest.raises(AttributionError, match="not finite"):
        Explainer(small).attribute(picture * float("nan"), AttributionRequest("saliency"))


def test_each_method_says_what_it_asks_and_when_it_misleads():
    for entry in METHODS.values():
        assert entry.asks.endswith("?")
        assert entry.misleads.endswith(".")
        assert any(character.isdigit() for character in entry.paper), entry.name
        for parameter in entry.parameters:
            assert parameter.checked(parameter.default) == parameter.default
            assert parameter.help.endswith(".")
    assert method("lime").settle({"n_samples": 10})["n_samples"] == 10


def test_superpixels_follow_the_picture(linear):
    from explorer.probes.baselines import feature_mask

    halves = torch.zeros(1, 3, 16, 16)
    halves[..., 8:] = 4
    mask = feature_mask(halves, "superpixels", 8)
    assert not set(mask[..., :8].unique().tolist()) & set(mask[..., 8:].unique().tolist())
    assert mask.min() == 0
    assert len(mask.unique()) == int(mask.max()) + 1
    patches = feature_mask(halves, "patches", 16)
    assert len(patches.unique()) == 16
    assert len(feature_mask(torch.zeros(1, 1, 8, 8), "superpixels", 400).unique()) <= 64


@pytest.mark.parametrize("name", [name for name, one in METHODS.items() if "baseline" in one.settle({})])
@pytest.mark.parametrize("kind", ["black", "white", "mean"])
def test_a_picture_that_is_the_baseline_says_so(small, picture, name, kind):
    nothing, _ = Explainer(small).baseline_of(picture, {"baseline": kind})

    found = ask(small, nothing, name, **light(name, baseline=kind))

    assert found.at_baseline
    assert found.emptiness == "" or "the picture is the baseline itself" in found.emptiness
    assert (found.attributions.abs().max() < 1e-5) == bool(found.emptiness)
    assert not ask(small, picture, name, **light(name, baseline=kind)).at_baseline


def test_integrated_gradients_of_the_baseline_are_empty_and_so_is_a_picture_of_zeros(small, picture):
    black, _ = Explainer(small).baseline_of(picture, {"baseline": "black"})

    assert "a black picture" in ask(small, black, "integrated_gradients", baseline="black").emptiness
    assert "finds no pixel" in ask(small, torch.zeros_like(picture), "input_x_gradient").emptiness
