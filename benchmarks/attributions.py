"""What does each method cost here, as a ratio to Captum called the plain way on the same net and picture?

Plain is `Method(net).attribute(picture, target=…)` with the same parameters and Captum's own defaults
for batching, the convergence delta where the method has one, and the forward pass that a page needs for
the class's probability. Ours is `Explainer.attribute` on a copy made before, probability and delta
included. Both in turns in one run; the project promises ratios of at most 1.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import captum.attr as captum
import torch
from _alternating import alternate, hardware, report
from captum._utils.models.linear_model import SkLearnLasso
from torch import Tensor, nn

from explorer.nets.build import build
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.probes.attributions import AttributionRequest, Explainer
from explorer.probes.baselines import feature_mask, noise_references
from explorer.probes.methods import METHODS

TARGET = 3
SAMPLES = 100
Plain = Callable[[nn.Module, Tensor], Any]


def plain_methods(loaded: LoadedNet, picture: Tensor) -> dict[str, Plain]:
    """Each method as Captum's documentation calls it, with the parameters that ours has by default."""
    black = loaded.normalised(torch.zeros_like(picture))
    references = noise_references(loaded, picture, 10, torch.Generator().manual_seed(0))
    mask = feature_mask(picture, "patches", 64)
    complete = {"target": TARGET, "return_convergence_delta": True}

    def last(net: nn.Module) -> nn.Module:
        return net.blocks[-1]

    def cam(net: nn.Module, x: Tensor) -> Tensor:
        found = captum.LayerGradCam(net, last(net)).attribute(x, target=TARGET, relu_attributions=True)
        return captum.LayerAttribution.interpolate(found, x.shape[2:], "bilinear")

    return {
        "saliency": lambda net, x: captum.Saliency(net).attribute(x, target=TARGET),
        "input_x_gradient": lambda net, x: captum.InputXGradient(net).attribute(x, target=TARGET),
        "integrated_gradients": lambda net, x: captum.IntegratedGradients(net).attribute(
            x, black, **complete
        ),
        "deep_lift": lambda net, x: captum.DeepLift(net).attribute(x, black, **complete),
        "deep_lift_shap": lambda net, x: captum.DeepLiftShap(net).attribute(x, references, **complete),
        "gradient_shap": lambda net, x: captum.GradientShap(net).attribute(
            x, references, n_samples=50, stdevs=0.05, **complete
        ),
        "guided_backprop": lambda net, x: captum.GuidedBackprop(net).attribute(x, target=TARGET),
        "deconvolution": lambda net, x: captum.Deconvolution(net).attribute(x, target=TARGET),
        "occlusion": lambda net, x: captum.Occlusion(net).attribute(x, (3, 8, 8), (3, 4, 4), target=TARGET),
        "feature_ablation": lambda net, x: captum.FeatureAblation(net).attribute(
            x, target=TARGET, feature_mask=mask
        ),
        "kernel_shap": lambda net, x: captum.KernelShap(net).attribute(
            x, target=TARGET, feature_mask=mask, n_samples=SAMPLES
        ),
        "lime": lambda net, x: captum.Lime(net, SkLearnLasso(alpha=0.01)).attribute(
            x, target=TARGET, feature_mask=mask, n_samples=SAMPLES
        ),
        "layer_grad_cam": cam,
        "guided_grad_cam": lambda net, x: captum.GuidedGradCam(net, last(net)).attribute(
            x, target=TARGET, interpolate_mode="bilinear"
        ),
        "layer_conductance": lambda net, x: captum.LayerConductance(net, last(net)).attribute(
            x, black, **complete
        ),
    }


def compare(loaded: LoadedNet, picture: Tensor, name: str, repeats: int, clock: Callable[[], float]) -> None:
    """Measure one method both ways, and with SmoothGrad where the name is saliency."""
    net, subject = loaded.net, Explainer(loaded)
    subject.rows(picture)  # measured once per net and size, as on the page
    plain = plain_methods(loaded, picture)[name]
    settings = {"n_samples": SAMPLES} if name in ("kernel_shap", "lime") else {}

    def plainly() -> float:
        started = clock()
        with torch.no_grad():
            net(picture).softmax(1)
        plain(net, picture.clone())
        return clock() - started

    def ours() -> float:
        started = clock()
        subject.attribute(picture, AttributionRequest(name, TARGET, settings))
        return clock() - started

    report(
        METHODS[name].title,
        "s",
        alternate({"Captum, plainly": plainly, "Explainer.attribute": ours}, repeats),
    )


def compare_smooth(loaded: LoadedNet, picture: Tensor, repeats: int, clock: Callable[[], float]) -> None:
    """SmoothGrad with 25 samples, both ways."""
    net, subject = loaded.net, Explainer(loaded)
    deviation = 0.15 * float(picture.max() - picture.min())

    def plainly() -> float:
        started = clock()
        with torch.no_grad():
            net(picture).softmax(1)
        tunnel = captum.NoiseTunnel(captum.Saliency(net))
        tunnel.attribute(picture.clone(), nt_samples=25, stdevs=deviation, target=TARGET)
        return clock() - started

    def ours() -> float:
        started = clock()
        subject.attribute(picture, AttributionRequest("saliency", TARGET, {"smooth_samples": 25}))
        return clock() - started

    contenders = {"Captum, plainly": plainly, "Explainer.attribute": ours}
    report("SmoothGrad of saliency, 25 samples", "s", alternate(contenders, repeats))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="residual-56")
    parser.add_argument("--methods", default=",".join([*METHODS, "smooth"]), help="separated by commas")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    warnings.simplefilter("ignore")
    spec = NetSpec.parse(arguments.net)
    normalisation = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    net = build(spec, 0).eval()
    loaded = LoadedNet(spec.id, spec.title, net, normalisation, ("",) * 10, 32, False, "random weights")
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    print(hardware(), "(CPU time)" if arguments.cpu_time else "(wall time)")
    for name in arguments.methods.split(","):
        if name == "smooth":
            compare_smooth(loaded, picture, arguments.repeats, clock)
        else:
            compare(loaded, picture, name, arguments.repeats, clock)


if __name__ == "__main__":
    main()
