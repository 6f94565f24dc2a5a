"""What a visitor is shown: one of the pages of explorer/ui/menu.py. Home.py serves it."""

import sys
from pathlib import Path

import streamlit as st

root = str(Path(__file__).resolve().parents[1])
if root not in sys.path:
    sys.path.insert(0, root)

from explorer.ui.away import check_limits, told_if_away  # noqa: E402 - only found once the root is on the path
from explorer.ui.gc_tuning import tidy_heap  # noqa: E402
from explorer.ui.learn.bar import follow_link, show_bar  # noqa: E402
from explorer.ui.menu import PRODUCT, navigation  # noqa: E402
from explorer.ui.page_style import follow_theme, inject_css, masthead  # noqa: E402
from explorer.ui.places import follow_history, note_choices, place  # noqa: E402

note_choices()
# the icon first: Streamlit would fetch the page's own from the internet
st.set_page_config(page_title=PRODUCT, page_icon=f"{root}/assets/icon.svg", layout="wide")
page = navigation()
st.set_page_config(page_title=f"{page.title} · {PRODUCT}")
follow_link(page.url_path)
with place(page.url_path):
    follow_theme()
    follow_history()
    masthead()
    inject_css()
    check_limits()
    with told_if_away():
        if show_bar(page.url_path):
            page.run()
tidy_heap()
