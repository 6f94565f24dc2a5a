"""Entry of `streamlit run explorer/Home.py`: the pages of app.py, and the feed that live charts ask."""

import sys
from pathlib import Path

import streamlit as st
from starlette.routing import Route

root = str(Path(__file__).resolve().parents[1])
if root not in sys.path:
    sys.path.insert(0, root)

from explorer.ui.train.feed import PATH, answer  # noqa: E402 - only found once the root is on the path

app = st.App(Path(__file__).with_name("app.py"), routes=[Route(PATH, answer)])
