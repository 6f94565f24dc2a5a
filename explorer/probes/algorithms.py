"""The attribution methods' algorithms: Captum's classes, run in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from captum.attr import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    FeatureAblation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Lime,
    Occlusion,
    Saliency,
)
from torch import Tensor, nn

from explorer.probes.baselines import feature_mask
from explorer.probes.conductance import Path, layer_conductances, spread
from explorer.probes.methods import Value
from explorer.probes.seeds import OwnKernelShap, OwnNoiseTunnel, coin_flips, seeded

Parameters = dict[str, Value]


@dataclass(frozen=True, eq=False)
class Task:
    """All that a method needs.

    Attributes:
        net: a replica: hooks may be set on it.
        blocks: its blocks in order.
        inputs: normalised, (1, C, H, W).
        target: class number.
        baseline: normalised, (1, C, H, W).
        references: normalised, (N, C, H, W); of methods that average over baselines.
        parameters: all of the method's, settled.
        seed: of all draws.
        rows: images per pass, so that memory stays bounded.
    """

    net: nn.Module
    blocks: list[nn.Module]
    inputs: Tensor
    target: int
    baseline: Tensor
    references: Tensor
    parameters: Parameters
    seed: int
    rows: int

    def generator(self) -> torch.Generator:
        """A fresh generator from the seed."""
        return torch.Generator().manual_seed(self.seed)

    def layer(self) -> nn.Module:
        """The block asked for; 0 is the last."""
        return self.blocks[int(self.parameters["block"]) - 1]

    def mask(self) -> Tensor:
        """The regions asked for, (1, 1, H, W)."""
        kind, count = str(self.parameters["regions"]), int(self.parameters["n_regions"])
        return feature_mask(self.inputs, kind, count)


@dataclass(frozen=True)
class Algorithm:
    """How a method is run, and how many images go through the net for it."""

    run: Callable[[Task], Tensor]
    images: Callable[[Task], int]


def attribute(task: Task, name: str) -> Tensor:
    """Attributions of the method of that name, (1, C, H, W)."""
    found: Tensor = ALGORITHMS[name].run(task)
    return found.detach()


def images_for(task: Task, name: str) -> int:
    """How many images will go through the net."""
    copies = max(int(task.parameters.get("smooth_samples", 0)), 1)
    return copies * ALGORITHMS[name].images(task)


def _captum(task: Task, method: Any, rows_each: int = 1, **arguments: Any) -> Tensor:
    """Run a method of Captum, on noisy copies where SmoothGrad is asked for."""
    arguments["target"] = task.target
    samples = int(task.parameters.get("smooth_samples", 0))
    if not samples:
        attributions: Tensor = method.attribute(task.inputs, **arguments)
        return attributions
    spread_of_pixels = float(task.inputs.max() - task.inputs.min())
    smoothed: Tensor = OwnNoiseTunnel(method, task.generator()).attribute(
        task.inputs,
        nt_type="smoothgrad",
        nt_samples=samples,
        nt_samples_batch_size=max(1, min(samples, task.rows // rows_each)),
        stdevs=float(task.parameters["smooth_noise"]) * spread_of_pixels,
        **arguments,
    )
    return smoothed


def _saliency(task: Task) -> Tensor:
    return _captum(task, Saliency(task.net), abs=bool(task.parameters["abs"]))


def _input_x_gradient(task: Task) -> Tensor:
    return _captum(task, InputXGradient(task.net))


def _integrated_gradients(task: Task) -> Tensor:
    steps = int(task.parameters["n_steps"])
    method = IntegratedGradients(task.net)
    arguments = {"baselines": task.baseline, "n_steps": steps, "internal_batch_size": task.rows}
    return _captum(task, method, min(steps, task.rows), **arguments)


def _deep_lift(task: Task) -> Tensor:
    return _captum(task, DeepLift(task.net), 2, baselines=task.baseline)


def _deep_lift_shap(task: Task) -> Tensor:
    """Captum takes at least two baselines, all of them in one pass."""
    size = max(2, task.rows // 2)
    parts = torch.tensor_split(task.references, max(1, len(task.references) // size))
    total = torch.zeros_like(task.inputs)
    for part in parts:
        found = DeepLiftShap(task.net).attribute(task.inputs, baselines=part, target=task.target)
        total += found.detach() * len(part)
    return total / len(task.references)


def _gradient_shap(task: Task) -> Tensor:
    """Captum draws from the global generators, so each chunk is seeded, and locked, by itself."""
    samples, total = int(task.parameters["n_samples"]), torch.zeros_like(task.inputs)
    noise = float(task.parameters["noise"]) * float(task.inputs.max() - task.inputs.min())
    for number, start in enumerate(range(0, samples, task.rows)):
        count = min(task.rows, samples - start)
        with seeded(task.seed + number):
            found = GradientShap(task.net).attribute(
                task.inputs, baselines=task.references, n_samples=count, stdevs=noise, target=task.target
            )
        total += found.detach() * count
    return total / samples


def _guided_backprop(task: Task) -> Tensor:
    return _captum(task, GuidedBackprop(task.net))


def _deconvolution(task: Task) -> Tensor:
    return _captum(task, Deconvolution(task.net))


def _occlusion(task: Task) -> Tensor:
    window, stride = _window(task)
    channels = task.inputs.shape[1]
    return _captum(
        task,
        Occlusion(task.net),
        task.rows,
        sliding_window_shapes=(channels, window, window),
        strides=(channels, stride, stride),
        baselines=task.baseline,
        perturbations_per_eval=task.rows,
    )


def _window(task: Task) -> tuple[int, int]:
    """Window and stride in pixels, neither larger than the picture, no pixel left between windows."""
    side = min(task.inputs.shape[2:])
    window = min(int(task.parameters["window"]) or max(side // 4, 1), side)
    return window, min(int(task.parameters["stride"]) or max(window // 2, 1), window)


def _occlusion_images(task: Task) -> int:
    window, stride = _window(task)
    rows, columns = (-(-(side - window) // stride) + 1 for side in task.inputs.shape[2:])
    return int(rows * columns + 1)


def _feature_ablation(task: Task) -> Tensor:
    method = FeatureAblation(task.net)
    arguments = {"baselines": task.baseline, "feature_mask": task.mask()}
    return _captum(task, method, task.rows, perturbations_per_eval=task.rows, **arguments)


def _kernel_shap(task: Task) -> Tensor:
    return _sampled(task, OwnKernelShap(task.net, task.generator()))


def _lime(task: Task) -> Tensor:
    from captum._utils.models.linear_model import SkLearnLasso

    model = SkLearnLasso(alpha=float(task.parameters["alpha"]))
    return _sampled(task, Lime(task.net, model, perturb_func=coin_flips(task.generator())))


def _sampled(task: Task, method: Any) -> Tensor:
    found: Tensor = method.attribute(
        task.inputs,
        baselines=task.baseline,
        target=task.target,
        feature_mask=task.mask(),
        n_samples=int(task.parameters["n_samples"]),
        perturbations_per_eval=task.rows,
    )
    return found


def _layer_grad_cam(task: Task) -> Tensor:
    """Enlarged as in the paper (bilinear), and shared out evenly: summed over the channels it is the map."""
    method = LayerGradCam(task.net, task.layer())
    coarse = _captum(task, method, relu_attributions=bool(task.parameters["relu"]))
    large: Tensor = LayerAttribution.interpolate(coarse, tuple(task.inputs.shape[2:]), "bilinear")
    return large.expand_as(task.inputs) / task.inputs.shape[1]


def _guided_grad_cam(task: Task) -> Tensor:
    return _captum(task, GuidedGradCam(task.net, task.layer()), 2, interpolate_mode="bilinear")


def _layer_conductance(task: Task) -> Tensor:
    path = Path(task.inputs, task.baseline, task.target, _steps(task), task.rows)
    return spread(layer_conductances(task.net, [task.layer()], path)[0], task.inputs)


def _steps(task: Task) -> int:
    return int(task.parameters["n_steps"])


def _samples(task: Task) -> int:
    return int(task.parameters["n_samples"])


ALGORITHMS = {
    "saliency": Algorithm(_saliency, lambda _: 1),
    "input_x_gradient": Algorithm(_input_x_gradient, lambda _: 1),
    "integrated_gradients": Algorithm(_integrated_gradients, _steps),
    "deep_lift": Algorithm(_deep_lift, lambda _: 2),
    "deep_lift_shap": Algorithm(_deep_lift_shap, lambda task: 2 * len(task.references)),
    "gradient_shap": Algorithm(_gradient_shap, _samples),
    "guided_backprop": Algorithm(_guided_backprop, lambda _: 1),
    "deconvolution": Algorithm(_deconvolution, lambda _: 1),
    "occlusion": Algorithm(_occlusion, _occlusion_images),
    "feature_ablation": Algorithm(_feature_ablation, lambda task: int(task.mask().max()) + 2),
    "kernel_shap": Algorithm(_kernel_shap, _samples),
    "lime": Algorithm(_lime, _samples),
    "layer_grad_cam": Algorithm(_layer_grad_cam, lambda _: 1),
    "guided_grad_cam": Algorithm(_guided_grad_cam, lambda _: 2),
    "layer_conductance": Algorithm(_layer_conductance, lambda task: _steps(task) + 1),
}
