"""The Attributions page's controls: typed, bound to the URL, built from the table of methods."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.charts import words
from explorer.charts.attributions import MapLook
from explorer.charts.maps import SIGNS
from explorer.probes.methods import METHODS, Method, MethodParameter, Value
from explorer.ui.components.class_names import shown_names
from explorer.ui.url_parameters import Choice, Choices, Real, Switch, Whole, bound, declare, titled
from explorer.ui.url_parameters import Parameter as Linked

DEFAULT = ("integrated_gradients", "layer_grad_cam")
MOST = 4
LIKELIEST = "likeliest"
_LISTED = 5
_METHODS = declare(Choices("methods"))
_TARGET = declare(Choice("target"))
_OPACITY = declare(Whole("opacity", 0, 100))
_SIGN = declare(Choice("sign"))
_CLIP = declare(Real("clip", 90, 100))
_TWIN = declare(Switch("twin"))
_SEED = declare(Whole("seed", 0, 9999))


def _linked(method: Method, parameter: MethodParameter) -> Linked:
    """A setting of a method in the address, `METHOD-PARAMETER`."""
    key, default = f"{method.name}-{parameter.name}", parameter.default
    if isinstance(default, bool):
        return Switch(key)
    if isinstance(default, str):
        return Choice(key)
    if isinstance(default, int):
        return Whole(key, int(parameter.low), int(parameter.high))
    return Real(key, parameter.low, parameter.high)


_SETTINGS = {
    (method.name, parameter.name): declare(_linked(method, parameter))
    for method in METHODS.values()
    for parameter in method.parameters
}


def choose_methods() -> tuple[Method, ...]:
    """Up to four methods, side by side; the URL's `methods`."""
    chosen = st.multiselect(
        "Methods", list(METHODS), default=list(DEFAULT), max_selections=MOST,
        format_func=lambda name: METHODS[name].title if name in METHODS else name,
        **bound(_METHODS, options=titled(METHODS.values(), lambda method: method.title)),
        help="Each asks another question; what it asks stands under its map.",
    )  # fmt: skip
    names = [name for name in chosen if name in METHODS][:MOST] or list(DEFAULT)
    return tuple(METHODS[name] for name in names)


def choose_target(classes: Sequence[str], probabilities: Sequence[float]) -> int:
    """The class that is asked about, the likeliest first; the URL's `target`, by name."""
    ranked = by_probability(probabilities)
    titles = {LIKELIEST: LIKELIEST} | {str(number): class_title(classes, number) for number in ranked}
    chosen = st.selectbox(
        "Class", list(titles), format_func=lambda key: titles.get(key, key),
        **bound(_TARGET, options=titles.values()),
        help="Which class's score is explained. The likeliest five stand below the picture.",
    )  # fmt: skip
    return ranked[0] if chosen == LIKELIEST or chosen not in titles else int(chosen)


def likeliest(classes: Sequence[str], probabilities: Sequence[float]) -> str:
    """The five likeliest classes with their probabilities, in one line."""
    return " · ".join(
        f"**{class_title(classes, number)}** {_percent(probabilities[number])}"
        for number in by_probability(probabilities)[:_LISTED]
    )


def by_probability(probabilities: Sequence[float]) -> list[int]:
    """Class numbers, the likeliest first."""
    return sorted(range(len(probabilities)), key=lambda number: -probabilities[number])


def _percent(probability: float) -> str:
    return words.percent(100 * probability).replace(" ", "\u00a0")


def class_title(classes: Sequence[str], number: int) -> str:
    """The class's name, with its number where another has the same name."""
    names = shown_names(classes)
    name = names[number]
    return name if names.count(name) == 1 else f"{name} ({number})"


def choose_look() -> tuple[MapLook, bool]:
    """How maps are drawn, and whether the twin stands below; `opacity`, `sign`, `clip`, `twin`."""
    opacity = st.slider(
        "Opacity of the map (%)", 0, 100, 80, 5, **bound(_OPACITY),
        help="At 100 the picture below is hidden.",
    )  # fmt: skip
    sign = st.segmented_control(
        "Sign", SIGNS, default="both", **bound(_SIGN, options=SIGNS),
        help="Plum speaks for the class, teal against it.",
    )  # fmt: skip
    clip = st.slider(
        "Scale ends at percentile", 90.0, 100.0, 99.0, 0.5, **bound(_CLIP),
        help="Of the absolute values: a few extreme pixels do not make the others pale.",
    )  # fmt: skip
    twin = st.toggle(
        "Its plain or residual twin below", **bound(_TWIN),
        help="The same picture, class and methods, where the zoo has the twin.",
    )  # fmt: skip
    return MapLook(opacity / 100, sign if sign in SIGNS else "both", clip), twin


def choose_settings(methods: Sequence[Method], blocks: int) -> tuple[dict[str, dict[str, Value]], int]:
    """Parameters by method, and the seed; in the URL as `METHOD-PARAMETER` and `seed`."""
    with st.popover("Settings", icon=":material/settings:", width="stretch"):
        seed = st.number_input(
            "Seed", 0, 9999, 0, **bound(_SEED),
            help="Of all draws; the same seed, the same map.",
        )  # fmt: skip
        settings = {}
        for method in methods:
            st.markdown(f"**{method.title}**")
            settings[method.name] = {
                parameter.name: _widget(method, parameter, blocks) for parameter in method.parameters
            }
    return settings, int(seed or 0)


def _widget(method: Method, parameter: MethodParameter, blocks: int) -> Value:
    linked, default = _SETTINGS[method.name, parameter.name], parameter.default
    if isinstance(default, bool):
        return bool(st.toggle(parameter.title, default, help=parameter.help, **bound(linked)))
    if isinstance(default, str):
        chosen = st.selectbox(
            parameter.title, parameter.options, index=parameter.options.index(default), help=parameter.help,
            **bound(linked, options=parameter.options),
        )  # fmt: skip
        return chosen if chosen in parameter.options else default
    high = min(parameter.high, blocks) if parameter.name == "block" else parameter.high
    kind = int if isinstance(default, int) else float
    digits = "%d" if kind is int else "%.4g"
    chosen_number = st.number_input(
        parameter.title, kind(parameter.low), kind(high), default, kind(parameter.step), format=digits,
        help=parameter.help, **bound(linked),
    )  # fmt: skip
    return default if chosen_number is None else kind(chosen_number)
