"""How a chart stands on a page: drawn, told in words, and taken away as CSV, HTML, PNG or SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.ui.components.enlarged_figure import enlarged

_IMAGE = "image"
PRESENT, LOOK = "present", "look"
"""Keys of the switch for presentations, also in the URL, and of what the browser says of itself."""
_PLOTLY_MB = 4.8
# text at 4.5 to 1 and more on either ground, grid lines that stay behind
_INK = {"light": ("#3A424C", "rgba(120,130,140,0.22)"), "dark": ("#C9D1D9", "rgba(150,160,170,0.22)")}
_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


class SharedFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure that nobody changes any more, so that many sessions can be shown it.

    Plotly copies a figure whenever it is drawn, with all its frames; this one is copied once.
    """

    large: SharedFigure | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figure as plain values; the same object at every call."""
        if not hasattr(self, "_plain"):
            self._plain: dict[str, Any] = super().to_dict()
        return self._plain


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure over the whole width of its column, in the colours of the page's theme."""
    show(themed_copy(figure, is_dark()), key, alt)


def show_themed(figure: go.Figure, key: str, alt: str) -> None:
    """As `draw`, for a figure made for this run alone: not copied, which would cost as much again."""
    show(apply_theme(figure, is_dark()), key, alt)


def is_dark() -> bool:
    """Whether this visitor's page is dark."""
    return st.context.theme.type == "dark"


def is_large() -> bool:
    """Whether this visitor presents: the switch is on, or the screen is as wide as a projector's."""
    return bool(st.session_state.get(PRESENT) or st.session_state.get(LOOK, {}).get("wide"))


def is_touch() -> bool:
    """Whether this visitor holds a phone, which calls itself mobile."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def ink(dark: bool) -> str:
    """Colour of text on a dark or a light ground, #RRGGBB."""
    return _INK["dark" if dark else "light"][0]


def themed_copy(figure: go.Figure, dark: bool) -> go.Figure:
    """A copy with text and grid lines for a dark or a light ground."""
    return apply_theme(go.Figure(figure), dark)


def apply_theme(figure: go.Figure, dark: bool) -> go.Figure:
    """The figure itself, with text and grid lines for a dark or a light ground."""
    text, rule = _INK["dark" if dark else "light"]
    axis = {"color": text, "gridcolor": rule, "title_font_color": text, "tickfont_color": text}
    return figure.update_layout(font_color=text).update_xaxes(axis).update_yaxes(axis)


def theme_layout(layout: dict[str, Any], dark: bool) -> dict[str, Any]:
    """As `apply_theme`, for a layout of plain values with one x and one y axis; the given one is kept."""
    text, rule = _INK["dark" if dark else "light"]

    def axis(name: str) -> dict[str, Any]:
        before: dict[str, Any] = layout.get(name, {})
        title, ticks = (before.get(part, {}) for part in ("title", "tickfont"))
        title = title | {"font": title.get("font", {}) | {"color": text}}
        return before | {
            "color": text,
            "gridcolor": rule,
            "title": title,
            "tickfont": ticks | {"color": text},
        }

    font = layout.get("font", {}) | {"color": text}
    return layout | {"font": font, "xaxis": axis("xaxis"), "yaxis": axis("yaxis")}


def show(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure as it is, over the whole width of its column.

    Args:
        figure: in the page's colours already.
        key: unique on the page; also the file name of the exported picture.
        alt: the chart in words.
    """
    st.plotly_chart(_sized(figure), width="stretch", key=key, theme="streamlit", config=_config(key), alt=alt)


def choose_in(figure: go.Figure, key: str, alt: str, chosen: str) -> None:
    """As `show`; a press on a mark puts the first of its customdata into the session under `chosen`."""

    def press() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata"):
            st.session_state[chosen] = points[0]["customdata"][0]

    st.plotly_chart(
        _sized(figure), width="stretch", key=key, theme="streamlit", config=_config(key), alt=alt,
        on_select=press, selection_mode="points",
    )  # fmt: skip


def press_in(figure: go.Figure, key: str, alt: str, pressed: Callable[[str], None]) -> None:
    """As `show`; a press on a mark calls `pressed` with the first of its customdata, a second press again."""
    last = f"{key}-last"

    def press() -> None:
        points = st.session_state[key]["selection"]["points"]
        # Plotly takes a second press on a mark for an end of the selection, and names no point
        found = points[0]["customdata"][0] if points and points[0].get("customdata") else None
        name = found or st.session_state.get(last)
        st.session_state[last] = found
        if name is not None:
            pressed(name)

    st.plotly_chart(
        _sized(figure), width="stretch", key=key, theme="streamlit", config=_config(key), alt=alt,
        on_select=press, selection_mode="points",
    )  # fmt: skip


def _sized(figure: go.Figure) -> go.Figure:
    if not is_large():
        return figure
    if not isinstance(figure, SharedFigure):
        return go.Figure(enlarged(figure), skip_invalid=True)
    if figure.large is None:
        figure.large = SharedFigure(enlarged(figure), skip_invalid=True)
    return figure.large


def _config(name: str) -> dict[str, Any]:
    image = st.session_state.get(_IMAGE, "png")
    config = _CONFIG | {
        "toImageButtonOptions": {"format": image, "filename": name, "scale": 1 if image == "svg" else 3}
    }
    # where nothing hovers, Plotly's buttons would lie over the chart for good
    return config | {"displayModeBar": False} if is_touch() else config


def choose_image() -> None:
    """Which format the charts' camera takes, on every page of the session."""
    st.radio(
        "Format of the charts' camera", ["png", "svg"], key=_IMAGE, horizontal=True, persist_state="session"
    )


def download_panel(
    table: Callable[[], pd.DataFrame], make: Callable[[], go.Figure], name: str, formats: str = ""
) -> None:
    """Offer the numbers of a chart as a table and as CSV, and the chart as a page of its own.

    Args:
        table: called when somebody opens it, so that nobody else waits for it.
        make: the chart, called when it is downloaded.
        name: file name without its ending, unique on the page.
        formats: label of the page's control that chooses the camera's format, where there is one.
    """
    box = st.expander("The same numbers as a table, and downloads", on_change="rerun", key=f"{name}-numbers")
    if not box.open:
        return
    numbers = table()
    # a rerun at the click would take the file away before the browser has asked for it
    with box:
        st.dataframe(numbers.round(3), hide_index=True, width="stretch")
        first, second = st.columns(2)
        first.download_button(
            "CSV",
            lambda: _csv(numbers),
            f"{name}.csv",
            "text/csv",
            on_click="ignore",
            key=f"{name}-csv",
            width="stretch",
        )
        second.download_button(
            "HTML",
            lambda: make().to_html(include_plotlyjs=True),
            f"{name}.html",
            "text/html",
            on_click="ignore",
            key=f"{name}-html",
            width="stretch",
            help=f"About {_PLOTLY_MB} MB, since Plotly is inside: it opens without a network.",
        )
        st.caption(
            "For a picture of the chart, open the HTML and press the camera above it."
            if is_touch()
            else "For a picture of the chart, press the camera that appears above it"
            + (f"; “{formats}” chooses PNG or SVG." if formats else ".")
        )


def _csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False))


def offer_csv(table: pd.DataFrame, name: str) -> None:
    """A button that hands out a table as it is."""
    st.download_button(
        "CSV",
        lambda: _csv(table),
        f"{name}.csv",
        "text/csv",
        on_click="ignore",
        key=f"{name}-csv",
        icon=":material/download:",
    )
