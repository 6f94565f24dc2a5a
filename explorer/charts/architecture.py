"""The drawing of a net: its blocks as boxes, a row per stage, its shortcuts as arcs above them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import CONTEXT, LABEL_SIZE, band_colour, blank, colour

PART = "part"
_BOX, _ARC = 0.46, 0.2
_ROW_PX, _TOP_PX = 84, 34
_LEAST_COLUMNS = 6
_LABELLED = 20
_DASH = {"identity": "solid", "padding": "4px,3px", "projection": "8px,3px", "gate": "1px,3px"}
_SAID = {
    "identity": "shortcut: x unchanged",
    "padding": "shortcut: x subsampled by 2, new channels padded with zeros",
    "projection": "shortcut: a 1x1 convolution of x",
    "gate": "a gate mixes the branch with x",
}


@dataclass(frozen=True)
class Design:
    """What is drawn.

    Attributes:
        title: name of the net.
        family: plain, residual, preact or highway; its colour.
        parts: as `explorer.nets.cost_measured.block_costs` gives them: the stem, each block and the head.
        chosen: the part that is outlined.
        marked: parts that are drawn hollow: removed, or put in.
    """

    title: str
    family: str
    parts: pd.DataFrame
    chosen: str = ""
    marked: frozenset[str] = frozenset()


def architecture(design: Design) -> go.Figure:
    """The stem, a row of blocks per stage, and the head; every box can be pressed."""
    placed = _placed(design.parts)
    rows = int(placed["row"].max()) + 1
    figure = blank("", "", _TOP_PX + rows * _ROW_PX)
    columns = max(int(placed["column"].max()) + 1, _LEAST_COLUMNS)
    for kind in _DASH:
        figure.add_trace(_arcs(placed, kind, design.family))
    figure.add_trace(_boxes(placed, design))
    if columns <= _LABELLED:
        chosen = placed["part"] == design.chosen
        figure.add_trace(_numbers(placed[~chosen], {"size": 11}))
        figure.add_trace(_numbers(placed[chosen], {"size": 12, "color": "#FFFFFF"}))
    for row in range(rows):
        part = placed[placed["row"] == row]
        figure.add_annotation(
            x=0, y=-row + _BOX + _ARC + 0.02, text=_row_title(part), xanchor="left", yanchor="bottom",
            showarrow=False, font={"size": LABEL_SIZE}, xref="x", yref="y", xshift=2,
        )  # fmt: skip
    hidden = {"showgrid": False, "showticklabels": False, "ticks": "", "fixedrange": True}
    figure.update_xaxes(range=[-0.1, columns + 0.05], **hidden)
    figure.update_yaxes(range=[-rows + 0.85, 0.95], **hidden)
    return figure.update_layout(
        margin={"l": 8, "r": 8, "t": 6, "b": 6}, bargap=0, dragmode=False, clickmode="event+select"
    )


def describe_design(design: Design) -> str:
    """The picture in words."""
    parts = design.parts
    blocks = parts[parts["stage"] > 0]
    stages = "; ".join(
        f"stage {stage}: {len(part)} blocks, {int(part['out_channels'].iloc[-1])} channels, maps of "
        f"{int(part['out_height'].iloc[-1])}x{int(part['out_width'].iloc[-1])}"
        for stage, part in blocks.groupby("stage")
    )
    kinds = blocks["shortcut"].value_counts()
    shortcuts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if kind != "none") or "none"
    return f"Architecture of {design.title}. {stages}. Shortcuts: {shortcuts}."


def legend(parts: pd.DataFrame) -> str:
    """What the arcs mean, of those that are there."""
    kinds = [kind for kind in _SAID if (parts["shortcut"] == kind).any()]
    named = {"identity": "Solid", "padding": "Dashed", "projection": "Long-dashed", "gate": "Dotted"}
    if not kinds:
        return "No arcs: this net has no shortcuts."
    return " ".join(f"{named[kind]} arc: {_SAID[kind].removeprefix('shortcut: ')}." for kind in kinds)


def _placed(parts: pd.DataFrame) -> pd.DataFrame:
    """Row and column of each part: the stem alone, a row per stage, the head alone."""
    stages = sorted(int(stage) for stage in parts["stage"].unique() if stage > 0)
    rows = {stage: number for number, stage in enumerate(stages, start=1)}
    row = [
        rows[int(stage)] if stage > 0 else 0 if part == "stem" else len(stages) + 1
        for part, stage in zip(parts["part"], parts["stage"], strict=True)
    ]
    placed = parts.assign(row=row)
    return placed.assign(column=placed.groupby("row").cumcount())


def _boxes(placed: pd.DataFrame, design: Design) -> go.Bar:
    chosen = placed["part"] == design.chosen
    wide = int(placed["column"].max()) + 1 <= _LABELLED
    return go.Bar(
        x=(placed["column"] + 0.5).tolist(), y=[_BOX] * len(placed), base=(-placed["row"]).tolist(),
        width=0.86 if wide else 0.98, customdata=[[part] for part in placed["part"]], name=design.title,
        marker={
            "color": [_fill(design, str(part)) for part in placed["part"]],
            "line": {"width": [2.5 if here else 0.8 if wide else 0.3 for here in chosen],
                     "color": colour(design.family)},
        },
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        hoverinfo="text", hovertext=[_sentence(part) for part in placed.to_dict("records")],
    )  # fmt: skip


def _fill(design: Design, part: str) -> str:
    if part == design.chosen:
        return colour(design.family)
    return (
        "rgba(0,0,0,0)"
        if part in design.marked
        else band_colour(design.family, 0.3 if not design.marked else 0.45)
    )


def _numbers(placed: pd.DataFrame, font: dict[str, object]) -> go.Scatter:
    """The blocks' numbers inside their boxes; without a colour of their own they take the page's."""
    blocks = placed[placed["stage"] > 0]
    return go.Scatter(
        x=(blocks["column"] + 0.5).tolist(), y=(_BOX / 2 - blocks["row"]).tolist(), mode="text",
        text=[str(part).removeprefix("block ") for part in blocks["part"]], textfont=font, hoverinfo="skip",
        name="numbers",
    )  # fmt: skip


def _arcs(placed: pd.DataFrame, kind: str, family: str) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for part in placed[placed["shortcut"] == kind].to_dict("records"):
        left, top = float(part["column"]), -float(part["row"]) + _BOX
        for step in range(9):
            share = step / 8
            x.append(left + 0.04 + 0.92 * share)
            y.append(top + _ARC * (1 - (2 * share - 1) ** 2))
        x.append(None)
        y.append(None)
    return go.Scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", name=f"shortcut: {kind}",
        line={"color": colour(family) if kind != "gate" else CONTEXT, "width": 1.6, "dash": _DASH[kind]},
    )  # fmt: skip


def _row_title(part: pd.DataFrame) -> str:
    first, last = part.iloc[0], part.iloc[-1]
    if int(last["stage"]) == 0:
        if last["part"] == "stem":
            return f"Stem: {first['convolutions']}, {int(last['out_channels'])} channels, {_map(last)}"
        return f"Head: {int(last['out_channels']):,} classes"
    blocks = f"{len(part)} block{'s' * (len(part) > 1)} of {last['convolutions']}"
    return f"Stage {int(last['stage'])}: {blocks}, {int(last['out_channels'])} channels, {_map(last)}"


def _map(part: pd.Series) -> str:
    return f"maps {int(part['out_height'])}x{int(part['out_width'])}"


def _sentence(part: dict[object, object]) -> str:
    said = _SAID.get(str(part["shortcut"]))
    lines = [f"<b>{part['part']}</b>"]
    if part["convolutions"]:
        lines.append(f"{part['convolutions']}, stride {part['stride']}")
    lines.append(f"output {part['out_channels']}x{part['out_height']}x{part['out_width']}")
    lines.append(f"{part['parameters']:,} parameters, {int(str(part['macs'])) / 1e6:,.1f} M multiply-adds")
    lines.append(f"one output pixel sees {part['receptive_field']}x{part['receptive_field']} of the image")
    return "<br>".join(lines + ([said] if said else []))
