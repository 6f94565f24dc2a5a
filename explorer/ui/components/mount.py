"""Scripts on a page: a script's text, joined with bridge.js, registered as a component and placed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_BRIDGE = Path(__file__).with_name("bridge.js")
_IMPORT = re.compile(r'^import \{[^}]*\} from "[\w./]*bridge\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const )", re.MULTILINE)
HIDDEN_BUTTONS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }\n"
"""Style of the Plotly buttons that scripts press, which nobody should see or meet."""


def mount(
    name: str,
    script: Path,
    *,
    key: str,
    data: Any = None,
    css: str | None = None,
    **changes: Any,
) -> None:
    """Run a script in the page, for as long as the page's run places it.

    Args:
        name: of the component.
        script: a JavaScript module with a default export, as Streamlit's components have; it may import from
            bridge.js, by one statement.
        key: of the place on the page, and of the state that the script sets.
        data: what the script is given.
        css: style of the page that comes with it.
        changes: `on_NAME_change`, a function, for each state or trigger that the script sets.
    """
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component(name, js=joined(script), css=css, isolate_styles=False)
    component(key=key, data=data, height=1, **changes)


@cache
def joined(script: Path) -> str:
    """The script's text, behind that of bridge.js where it imports from it: the browser gets one module."""
    text = script.read_text(encoding="utf-8")
    own = _IMPORT.sub("", text)
    return own if own == text else f"{_EXPORT.sub('', _BRIDGE.read_text(encoding='utf-8'))}\n{own}"
