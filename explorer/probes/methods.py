"""The table of attribution methods: the question of each, when it misleads, and its parameters.

One table, from Captum's class in snake case to typed parameters. The page builds its widgets from
it, the shell its checks. Free of torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = bool | int | float | str
BASELINES = ("black", "mean", "white", "blurred")
REGIONS = ("patches", "superpixels")


class AttributionError(ValueError):
    """What was asked cannot be computed; the text says why and what to do."""


@dataclass(frozen=True)
class MethodParameter:
    """One thing that can be set: a switch, a choice, or a number from `low` to `high`.

    Attributes:
        name: as in `Attribution.parameters`, and in the URL.
        title: the label shown to people.
        default: its type is the parameter's type.
        help: one sentence.
        low: least number.
        high: greatest number.
        step: between two numbers of a widget.
        options: of a choice.
    """

    name: str
    title: str
    default: Value
    help: str
    low: float = 0
    high: float = 0
    step: float = 1
    options: tuple[str, ...] = ()

    def checked(self, value: object) -> Value:
        """The value in the parameter's own type.

        Raises:
            AttributionError: it has another type or lies outside.
        """
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            raise AttributionError(f"'{self.name}' is a switch: give true or false, not {value!r}.")
        if isinstance(self.default, str):
            if value in self.options:
                return str(value)
            raise AttributionError(f"'{self.name}' is one of {', '.join(self.options)}, not {value!r}.")
        return self._number(value)

    def _number(self, value: object) -> int | float:
        whole = isinstance(self.default, int)
        fits = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
            and (not whole or value == int(value))
        )
        if not fits:
            kind = "a whole number" if whole else "a number"
            raise AttributionError(
                f"'{self.name}' is {kind} from {self.low:g} to {self.high:g}, not {value!r}."
            )
        assert isinstance(value, int | float)
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Method:
    """One method of Captum.

    Attributes:
        name: Captum's class in snake case.
        title: the name shown to people.
        asks: the question it answers, one sentence.
        misleads: when not to believe it, one sentence.
        paper: authors and year.
        parameters: what can be set.
        complete: its attributions should sum to the difference of the scores of input and baseline.
        signed: it tells what speaks for the class from what speaks against it.
    """

    name: str
    title: str
    asks: str
    misleads: str
    paper: str
    parameters: tuple[MethodParameter, ...] = ()
    complete: bool = False
    signed: bool = True

    def settle(self, given: Mapping[str, object]) -> dict[str, Value]:
        """All parameters, those not given at their defaults.

        Raises:
            AttributionError: a name is unknown or a value does not fit.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        if strange := sorted(set(given) - set(known)):
            raise AttributionError(
                f"{self.title} has no parameter '{strange[0]}'. It has: {', '.join(known) or 'none'}."
            )
        return {
            name: parameter.checked(given.get(name, parameter.default)) for name, parameter in known.items()
        }


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        AttributionError: there is none.
    """
    if name not in METHODS:
        raise AttributionError(f"There is no method '{name[:60]}'. Choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def _baseline(default: str) -> MethodParameter:
    text = "What “nothing there” looks like; blurred is the picture shrunk to an eighth and back."
    return MethodParameter("baseline", "Baseline", default, text, options=BASELINES)


def _smooth() -> tuple[MethodParameter, MethodParameter]:
    return (
        MethodParameter(
            "smooth_samples", "SmoothGrad samples", 0,
            "Average over so many noisy copies of the picture (NoiseTunnel; Smilkov et al. 2017); 0 is off.",
            0, 100, 5,
        ),
        MethodParameter(
            "smooth_noise", "SmoothGrad noise", 0.15,
            "Standard deviation of the noise, as a share of the picture's range.", 0.01, 1, 0.01,
        ),
    )  # fmt: skip


def _steps(default: int = 50) -> MethodParameter:
    return MethodParameter("n_steps", "Steps", default, "Points on the way from the baseline.", 2, 300, 1)


def _samples(default: int, text: str, low: int = 2, high: int = 5000) -> MethodParameter:
    return MethodParameter("n_samples", "Samples", default, text, low, high, 1)


def _regions() -> tuple[MethodParameter, MethodParameter]:
    return (
        MethodParameter(
            "regions", "Regions", "patches",
            "A grid of square patches, or superpixels: neighbours of like colour (SLIC).", options=REGIONS,
        ),
        MethodParameter("n_regions", "Number of regions", 64, "About how many regions.", 4, 400, 1),
    )  # fmt: skip


_BLOCK = MethodParameter(
    "block", "Block", 0, "Which block's output is read, from 1; 0 is the last.", 0, 512, 1
)
_REFERENCES = MethodParameter("n_references", "Reference pictures", 10, "How many baselines.", 2, 100, 1)

_TABLE = (
    Method(
        "saliency", "Saliency",
        "Which pixels would change the score most if they changed a little?",
        "It says nothing about sign or about larger changes, and it is noisy where the net has saturated.",
        "Simonyan, Vedaldi and Zisserman 2013",
        (
            MethodParameter("abs", "Absolute values", True, "Captum's default; off keeps the sign."),
            *_smooth(),
        ),
        signed=False,
    ),
    Method(
        "input_x_gradient", "Input × gradient",
        "How much does each pixel contribute if the net were linear around this picture?",
        "The net is not linear, and a pixel of value zero (the mean colour) always gets zero.",
        "Shrikumar et al. 2016", _smooth(),
    ),
    Method(
        "integrated_gradients", "Integrated gradients",
        "Which pixels account for the score's rise on the straight way from the baseline to this picture?",
        "The answer depends on the baseline: what has its colour gets nothing, however much it matters.",
        "Sundararajan, Taly and Yan 2017", (_steps(), _baseline("black"), *_smooth()), complete=True,
    ),
    Method(
        "deep_lift", "DeepLift",
        "How does each pixel's difference from the baseline pass through the layers into the score?",
        "The rescale rule shares a difference out by convention, and another baseline gives another map.",
        "Shrikumar, Greenside and Kundaje 2017", (_baseline("black"), *_smooth()), complete=True,
    ),
    Method(
        "deep_lift_shap", "DeepLiftShap",
        "What does DeepLift say on average over many baselines?",
        "It approximates Shapley values only where the net is nearly linear, and it inherits the baselines' "
        "bias.",
        "Lundberg and Lee 2017", (_REFERENCES,), complete=True,
    ),
    Method(
        "gradient_shap", "GradientShap",
        "What do gradients say at random points between noisy copies of the picture and many baselines?",
        "With few samples it is mostly noise: compare two seeds before you believe a detail.",
        "Lundberg and Lee 2017",
        (
            _samples(50, "Random points.", 2, 500), _REFERENCES,
            MethodParameter("noise", "Noise", 0.05, "As a share of the picture's range.", 0, 1, 0.01),
        ),
        complete=True,
    ),
    Method(
        "guided_backprop", "Guided backprop",
        "Which pixels excite the score, if only positive evidence may flow back through the ReLUs?",
        "It redraws the picture's edges almost whatever the weights are: run the randomisation check.",
        "Springenberg et al. 2014", _smooth(),
    ),
    Method(
        "deconvolution", "Deconvolution",
        "Which pattern would a net run backwards paint for this class?",
        "It ignores which ReLUs were off: in a net without max pooling the map does not depend on the "
        "picture at all.",
        "Zeiler and Fergus 2013", _smooth(),
    ),
    Method(
        "occlusion", "Occlusion",
        "By how much does the score fall if a window of the picture is hidden?",
        "A hidden window is a picture such as the net has never seen, and it misses what is there twice.",
        "Zeiler and Fergus 2013",
        (
            MethodParameter(
                "window", "Window (pixels)", 0, "Side of the hidden window; 0 is a quarter of the picture.",
                0, 256, 1,
            ),
            MethodParameter(
                "stride", "Stride (pixels)", 0, "From one window to the next; 0 is half a window.", 0, 256, 1
            ),
            _baseline("mean"), *_smooth(),
        ),
    ),
    Method(
        "feature_ablation", "Feature ablation",
        "By how much does the score fall if one region of the picture is hidden?",
        "Regions are hidden one by one, so two that carry the same evidence both look unimportant.",
        "Zeiler and Fergus 2013 for regions; Captum", (*_regions(), _baseline("mean"), *_smooth()),
    ),
    Method(
        "kernel_shap", "KernelShap",
        "What is each region's fair share of the score over all ways of hiding the others?",
        "With few samples shares are rough, and most sampled pictures are unlike any that the net knows.",
        "Lundberg and Lee 2017",
        (_samples(500, "Pictures with regions hidden."), *_regions(), _baseline("mean")),
    ),
    Method(
        "lime", "LIME",
        "Which sparse linear model of regions imitates the net around this picture?",
        "Regions, kernel width and penalty are conventions, and each of them changes the answer.",
        "Ribeiro, Singh and Guestrin 2016",
        (
            _samples(500, "Pictures with regions hidden."), *_regions(), _baseline("mean"),
            MethodParameter("alpha", "Lasso penalty", 0.01, "Greater is sparser.", 0.0001, 10, 0.01),
        ),
    ),
    Method(
        "layer_grad_cam", "Grad-CAM",
        "Where in the picture are the features of one block that speak for the class?",
        "It is as coarse as the block's map, enlarged here, and it averages gradients that may cancel.",
        "Selvaraju et al. 2017",
        (
            _BLOCK,
            MethodParameter("relu", "Positive only", True, "As in the paper; off keeps sign."),
            *_smooth(),
        ),
    ),
    Method(
        "guided_grad_cam", "Guided Grad-CAM",
        "Which fine edges lie where Grad-CAM looks?",
        "The edges come from guided backprop, which would show them under random weights too.",
        "Selvaraju et al. 2017", (_BLOCK, *_smooth()),
    ),
    Method(
        "layer_conductance", "Layer conductance",
        "How much of the score's rise from the baseline flows through each place of one block's output?",
        "A whole block's output carries everything, so its sum tells nothing: compare the branches F(x).",
        "Dhamdhere, Sundararajan and Yan 2018", (_BLOCK, _steps(), _baseline("black")), complete=True,
    ),
)  # fmt: skip
METHODS = {entry.name: entry for entry in _TABLE}
"""Every method by its name, in the order in which they are offered."""
