"""The table of pages, with the question that each answers, for the sidebar and for Home."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page


@dataclass(frozen=True)
class MenuItem:
    """One page.

    Attributes:
        path: its URL path, and the name of its file in pages/.
        title: in the sidebar.
        icon: a Material symbol.
        invitation: what somebody can do there, in one sentence.
    """

    path: str
    title: str
    icon: str
    invitation: str

    @property
    def file(self) -> str:
        """The page's file, as seen from the app's entry."""
        return f"../pages/{self.path}.py"


GRADIENTS = MenuItem("gradients", "Gradients", "explore", "See whether gradients vanish, or only disagree.")
PRODUCT = "ResNet Explorer"

HOME = MenuItem("home", "Home", "home", "")
SECTIONS: dict[str, tuple[MenuItem, ...]] = {
    "": (HOME, MenuItem("depth", "Depth", "layers", "Slide the depth and watch plain nets train worse.")),
    "Look inside": (
        MenuItem("residuals", "Residuals", "bar_chart", "See how much each block changes its input."),
        MenuItem("inspect", "Inspect", "visibility", "See what each block makes of your picture."),
        MenuItem(
            "attributions", "Attributions", "center_focus_strong", "Ask where the net looked; doubt it."
        ),
        MenuItem("nets", "Nets", "account_tree", "Take a net apart, or bring your own checkpoint."),
    ),
    "Why": (
        MenuItem(
            "construct", "Construct", "construction", "Build a good plain net 1202 layers deep yourself."
        ),
        GRADIENTS,
        MenuItem("shortcut", "Shortcut", "alt_route", "Weaken the shortcut, or let a gate decide."),
        MenuItem("lesion", "Lesion", "content_cut", "Take blocks out of a net, and see what it still knows."),
        MenuItem("landscape", "Landscape", "terrain", "Walk around a trained net, and see what is near it."),
        MenuItem("multigrid", "Corrections", "stacked_line_chart", "Watch corrections beat whole solutions."),
    ),
    "Train": (
        MenuItem("train", "Live training", "timeline", "Start twins here and watch them learn."),
        MenuItem("runs", "Runs", "table_chart", "Compare runs over seeds, and take them away."),
    ),
    "Evidence": (
        MenuItem("paper", "Paper", "fact_check", "Put every number of the paper beside what was measured."),
        MenuItem("verydeep", "Very deep", "height", "Go beyond 1000 layers, and see what limits them."),
        MenuItem("data", "Data", "photo_library", "Look at what the nets are trained on, or add your own."),
    ),
}  # fmt: skip


def navigation() -> Page:
    """The sidebar with all pages; the page to run."""
    return st.navigation(
        {section: [_page(entry) for entry in entries] for section, entries in SECTIONS.items()}
    )


def card(entry: MenuItem) -> None:
    """A link to the page with its invitation, framed."""
    with st.container(border=True, height="stretch"):
        st.page_link(entry.file, label=f"**{entry.title}**", icon=f":material/{entry.icon}:")
        st.markdown(entry.invitation)


def link_to(entry: MenuItem, label: str) -> None:
    """A link to a page, named by what is seen there: "See it measured: Gradients"."""
    st.page_link(entry.file, label=f"{label}: {entry.title}", icon=f":material/{entry.icon}:")


def _page(entry: MenuItem) -> Page:
    icon = f":material/{entry.icon}:"
    if entry is HOME:
        return Page(entry.file, title=entry.title, icon=icon, default=True)
    return Page(entry.file, title=entry.title, icon=icon, url_path=entry.path)
