"""The Paper page: claims and tables of the paper, each with a verdict."""

import streamlit as st

from explorer import paper
from explorer.ui.components.figure import offer_csv
from explorer.ui.paper.page import board_lines, choose_part, claim_lines, show_claims, show_help, show_table

st.title("Which of the paper's results are reproduced here?")
part = choose_part()
if part == "claims":
    lines = claim_lines()
    show_claims(lines)
else:
    lines = board_lines(part)
    show_table(paper.TABLES[part], lines)
offer_csv(lines, f"board-{part}")
show_help()
