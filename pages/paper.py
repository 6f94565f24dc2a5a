"""The Paper page: claims and tables of the paper, each with a verdict."""

import streamlit as st

from explorer import paper
from explorer.ui.evidence.board import board_lines, choose_part, claim_lines, guide, show_claims, show_table
from explorer.ui.figures import offer_csv

st.title("Which of the paper's results are reproduced here?")
part = choose_part()
if part == "claims":
    lines = claim_lines()
    show_claims(lines)
else:
    lines = board_lines(part)
    show_table(paper.TABLES[part], lines)
offer_csv(lines, f"board-{part}")
guide()
