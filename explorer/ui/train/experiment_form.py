"""The form of an experiment, with presets, bound to the URL; a wrong value there becomes the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import streamlit as st

from explorer.charts.live import schedule
from explorer.data.registry import Available, available
from explorer.jobs.experiment import (
    PRESETS,
    TWINS,
    DatasetInfo,
    Experiment,
    Preset,
    iterations,
    learning_rates,
)
from explorer.nets.families import FAMILIES, Family
from explorer.nets.spec import BlockKind, Shortcut
from explorer.training.estimates import duration
from explorer.training.recipe import Precision, Recipe, Schedule
from explorer.ui.components.figure import draw
from explorer.ui.components.machine import cost_here, devices
from explorer.ui.components.url_sync import rewrite
from explorer.ui.components.url_widgets import linked_choice, linked_pills
from explorer.ui.train import form_fields

_PRESET = "preset"


@dataclass(frozen=True)
class FormResult:
    """What the form says.

    Attributes:
        experiment: what to train, or None where it cannot be trained.
        images: of the chosen dataset.
        refusal: why it cannot be trained.
    """

    experiment: Experiment | None
    images: DatasetInfo
    refusal: str = ""


def choose_experiment() -> FormResult:
    """Presets, the essential settings in one row, the rest in an expander."""
    presets = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="order"):
        families = _families()
        first = {key: form_fields.number(key, width=100) for key in ("layers", "epochs", "repeats")}
        images = _images()
    more = st.expander("More settings", key="more-settings", icon=":material/tune:", on_change="rerun")
    with more:
        result = _read(families, first, images)
        if result.experiment and more.open:
            _draw_schedule(result.experiment, images)
    with presets:
        _choose_preset(result.experiment, images)
    return result


def _read(families: tuple[Family, ...], first: dict[str, Any], images: DatasetInfo) -> FormResult:
    net, learning, rest = st.columns(3, gap="large")
    with net:
        shape = _net_settings()
    with learning:
        recipe = _learning_settings()
    with rest:
        recipe |= _other_settings()
    try:
        auto = recipe["precision"] == "auto"
        recipe |= {"precision": "fp32"} if auto else {}
        experiment = Experiment(
            families=families, depth=int(first["layers"]), seeds=int(first["repeats"]),
            recipe=Recipe(epochs=int(first["epochs"]), **recipe), auto_precision=auto, **shape,
        )  # fmt: skip
        experiment.runs(images)
    except ValueError as error:
        return FormResult(None, images, str(error))
    return FormResult(experiment, images)


def _net_settings() -> dict[str, Any]:
    return {
        "width": int(form_fields.number("width")),
        "block": form_fields.word("block", get_args(BlockKind)),
        "shortcut": form_fields.word("shortcut", get_args(Shortcut)),
        "gate_bias": float(form_fields.number("gate")),
    }


def _learning_settings() -> dict[str, Any]:
    lr, kind = float(form_fields.number("lr")), form_fields.word("schedule", get_args(Schedule))
    drops = form_fields.share("drops", disabled=kind != "step")
    return {
        "lr": lr,
        "schedule": kind,
        "drops": tuple(sorted({part / 100 for part in drops})),
        "warmup": form_fields.share("warmup") / 100,
    }


def _other_settings() -> dict[str, Any]:
    return {
        "batch_size": form_fields.batch_size(),
        "weight_decay": float(form_fields.number("decay")),
        "seed": int(form_fields.number("seed")),
        "precision": form_fields.word("precision", (*get_args(Precision), "auto")),
        "device": form_fields.word("device", ("auto", *devices())),
        "augment": form_fields.augmented(),
        "survival": float(form_fields.number("survival")),
        "dropout": float(form_fields.number("dropout")),
        "checkpointing": form_fields.checkpointed(),
    }


def _families() -> tuple[Family, ...]:
    chosen = linked_pills(
        "Families", {family: one.title for family, one in FAMILIES.items()}, "nets", default=TWINS,
        help="Plain and ResNet together are twins: the same layers, initial weights and batches.",
    )  # fmt: skip
    return tuple(family for family in FAMILIES if family in chosen)


def _images() -> DatasetInfo:
    there = {entry.name: entry for entry in available()}
    with st.container(key="images-box", width=230):
        chosen = linked_choice(
            "Images", {name: entry.title for name, entry in there.items()}, "images", default="digits",
            help="Datasets that this explorer knows; the Data page adds more.",
        )  # fmt: skip
    return _as_images(there.get(chosen, there["digits"]))


def _as_images(entry: Available) -> DatasetInfo:
    return DatasetInfo(entry.name, entry.image_size, entry.channels, entry.classes, entry.train)


def _draw_schedule(experiment: Experiment, images: DatasetInfo) -> None:
    recipe, total = experiment.recipe, iterations(experiment, images)
    figure = schedule(learning_rates(experiment, images), total)
    said = (
        f"Learning rate over {total:,} iterations: it rises to {recipe.lr:g}, then {recipe.schedule} decay."
    )
    draw(figure, "learning-rate", said)


def _choose_preset(experiment: Experiment | None, images: DatasetInfo) -> None:
    """Prepared orders with their time; the one that the form shows is marked."""
    names = {preset.key: preset for preset in PRESETS}
    st.session_state[_PRESET] = next(
        (key for key, preset in names.items() if preset.experiment() == experiment), None
    )
    times = {key: _time(preset, images) for key, preset in names.items()}
    st.pills(
        "Start from", list(names), key=_PRESET, on_change=_take_preset,
        format_func=lambda key: names[key].title + times[key] if key in names else str(key),
        help="Prepared settings, with the time that they take on this machine.",
    )  # fmt: skip


def _time(preset: Preset, images: DatasetInfo) -> str:
    seconds = cost_here(preset.experiment(), images)[1].seconds
    return f" · {duration(seconds)}" if seconds else ""


def _take_preset() -> None:
    """Write the preset into the form and the address; a press on the marked one changes nothing."""
    chosen = next((preset for preset in PRESETS if preset.key == st.session_state[_PRESET]), None)
    if chosen is None:
        return
    said, default = _as_settings(chosen.experiment()), _as_settings(Experiment())
    st.session_state.update(said)
    bound = {key: value for key, value in said.items() if key != "nets"}  # that one is linked already
    rewrite({key: _in_address(value) if value != default[key] else [] for key, value in bound.items()})


def _in_address(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]


def _as_settings(experiment: Experiment) -> dict[str, Any]:
    """The order as values of the form's widgets, by key; the images stay what they are."""
    recipe = experiment.recipe
    return {
        "nets": list(experiment.families), "layers": experiment.depth, "repeats": experiment.seeds,
        "width": experiment.width, "block": experiment.block, "shortcut": experiment.shortcut,
        "gate": experiment.gate_bias,
        "epochs": recipe.epochs, "lr": recipe.lr, "schedule": recipe.schedule,
        "drops": tuple(round(100 * at) for at in recipe.drops), "warmup": round(100 * recipe.warmup),
        "batch": recipe.batch_size, "decay": recipe.weight_decay, "seed": recipe.seed,
        "precision": "auto" if experiment.auto_precision else recipe.precision,
        "device": recipe.device, "augment": recipe.augment,
        "survival": recipe.survival, "dropout": recipe.dropout, "checkpointing": recipe.checkpointing,
    }  # fmt: skip
