"""Entry of `streamlit run explorer/Home.py`: the table of pages."""

import sys
from pathlib import Path

import streamlit as st

root = str(Path(__file__).resolve().parents[1])
if root not in sys.path:
    sys.path.insert(0, root)

from explorer.ui.look import settle  # noqa: E402 - only found once the root is on the path
from explorer.ui.startup import freeze_heap  # noqa: E402

st.set_page_config(page_title="ResNet Explorer", page_icon=f"{root}/assets/icon.svg", layout="wide")
page = st.navigation(
    {
        "": [
            st.Page("../pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("../pages/depth.py", title="Depth", icon=":material/layers:", url_path="depth"),
        ],
        "Look inside": [
            st.Page(
                "../pages/residuals.py", title="Residuals", icon=":material/bar_chart:", url_path="residuals"
            ),
            st.Page("../pages/inspect.py", title="Inspect", icon=":material/visibility:", url_path="inspect"),
            st.Page(
                "../pages/attributions.py",
                title="Attributions",
                icon=":material/center_focus_strong:",
                url_path="attributions",
            ),
            st.Page("../pages/nets.py", title="Nets", icon=":material/account_tree:", url_path="nets"),
        ],
        "Train": [
            st.Page("../pages/train.py", title="Live training", icon=":material/timeline:", url_path="train"),
            st.Page("../pages/runs.py", title="Runs", icon=":material/table_chart:", url_path="runs"),
        ],
        "Evidence": [
            st.Page("../pages/data.py", title="Data", icon=":material/photo_library:", url_path="data"),
            st.Page("../pages/paper.py", title="Paper", icon=":material/fact_check:", url_path="paper"),
            st.Page("../pages/verydeep.py", title="Very deep", icon=":material/height:", url_path="verydeep"),
        ],
    }
)
settle()
page.run()
freeze_heap()
