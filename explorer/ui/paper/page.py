"""The board as a page shows it: claims and tables in rows, each with its verdict in words."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from explorer import paper
from explorer.analysis import vanishing
from explorer.analysis.selection import ORIGIN_TITLE
from explorer.analysis.verdicts import RULES, VERDICTS, Verdict
from explorer.charts.board import describe_board, paper_against_measured
from explorer.charts.words import listed
from explorer.evidence.board import board
from explorer.evidence.claims import findings
from explorer.nets.spec import NetSpec
from explorer.paper.tables import Table, TableEntry
from explorer.ui.cached_runs import dataset_title, length, library, vanishing_facts
from explorer.ui.components.figure import draw
from explorer.ui.components.train_links import train_button
from explorer.ui.menu import GRADIENTS, link_to
from explorer.ui.paper.published_errors import published_view
from explorer.ui.url_parameters import Choice, bound, declare

_PART = declare(Choice("part"))
_BADGE: dict[Verdict, str] = {
    "reproduced": ":green-badge[✓ reproduced]",
    "same direction, other protocol": ":blue-badge[≈ same direction, other protocol]",
    "not reproduced": ":orange-badge[✗ not reproduced]",
    "not comparable": ":gray-badge[≠ not comparable]",
    "not measured yet": ":gray-badge[○ not measured yet]",
}
PARTS = {"claims": "Claims"} | {
    key: "Follow-ups" if key == "follow-ups" else table.source.partition(";")[0]
    for key, table in paper.TABLES.items()
}
_NO_TABLE = """The paper tabulates no plain nets on CIFAR-10: it draws them in Figure 6 and says that the one
of 110 layers stays above 60 %. So they stand here as claims, beside what others found who trained them."""


@st.cache_data(ttl=30, show_spinner="Comparing with the zoo…")
def board_lines(part: str) -> pd.DataFrame:
    """All lines of one table; see `evidence.board.Line`."""
    return board(library().runs(), [paper.TABLES[part]])


@st.cache_data(ttl=30, show_spinner="Testing the claims in the zoo's records…")
def claim_lines() -> pd.DataFrame:
    """All claims on all datasets; see `evidence.claims.findings`."""
    return findings(library())


def choose_part() -> str:
    """One table at a time, claims first; the URL's `part`."""
    chosen = st.segmented_control(
        "Part of the paper", list(PARTS), default="claims", format_func=PARTS.__getitem__,
        label_visibility="collapsed", **bound(_PART, options=PARTS.values()),
    )  # fmt: skip
    return chosen if chosen in PARTS else "claims"


def show_claims(lines: pd.DataFrame) -> None:
    """The claims, each with its verdict per dataset."""
    st.markdown(f"{_counted(lines, 'claims on a dataset')}\n\n:small[{_budgets(lines)}]")
    for key, part in lines.groupby("claim", sort=False):
        with st.container(border=True):
            text, link = st.columns([6, 1], vertical_alignment="center")
            text.markdown(f"**{part['text'].iloc[0]}** :small[{part['source'].iloc[0]}]")
            measured = part[part["verdict"] != "not measured yet"]
            for row in (measured if len(measured) else part.head(1)).to_dict("records"):
                where = f"**{dataset_title(row['dataset'])}**{_length(row)}"
                text.markdown(f"{_BADGE[row['verdict']]} {where}: {row['reason']}")
            if key == "gradients":
                text.markdown(vanishing.answer(vanishing_facts()))
                with text:
                    link_to(GRADIENTS, "See it measured")
            if part["others"].iloc[0]:
                text.markdown(f":small[Others found: {part['others'].iloc[0]}.]")
            nets = [NetSpec.parse(net) for net in paper.CLAIMS[str(key)].nets]
            with link:
                train_button(nets, f"claim-{key}")
    st.markdown(f":small[{_NO_TABLE}]")


def _length(row: dict[Any, Any]) -> str:
    return f" :small[({row['iterations']:,} iterations)]" if row["iterations"] else ""


def _budgets(lines: pd.DataFrame) -> str:
    """How long the nets behind the verdicts were trained: most of what a verdict can and cannot mean."""
    known = lines[lines["iterations"] > 0].drop_duplicates(["dataset", "iterations"])
    lengths = [
        f"{dataset_title(row['dataset'])}: {length(row['iterations'])}" for row in known.to_dict("records")
    ]
    return (
        f"{'. '.join(lengths)}. A verdict is about runs of this length: a net that does not train within it "
        "may still train within more."
    )


def show_table(table: Table, lines: pd.DataFrame) -> None:
    """One table: the chart of its numbers, then a row per net."""
    st.markdown(f"**{table.title}** :small[{table.source}; {table.dataset}; {table.protocol}]")
    for column in reversed(table.columns):
        mine = lines[lines["quantity"] == column.name]
        axis = f"{column.title} ({column.unit})"
        titles = {str(name): dataset_title(str(name)) for name in mine["dataset"].unique()}
        said = describe_board(mine, axis, titles)
        draw(paper_against_measured(mine, axis, titles), f"board-{table.key}-{column.name}", said)
    st.markdown(_counted(lines, "numbers"))
    _protocols(lines)
    for entry in table.entries:
        mine = lines[lines["net"] == entry.net]
        if entry.id and (mine["verdict"] != "not measured yet").any():
            _show_entry(table, entry, mine)
    _unmeasured(table, lines)
    _context(table)


def _protocols(lines: pd.DataFrame) -> None:
    """What differs from the paper, once per dataset instead of in every row."""
    for dataset, part in lines[lines["dataset"] != ""].groupby("dataset", sort=False):
        differences = dict.fromkeys("; ".join(part["differences"]).split("; "))
        st.markdown(
            f":small[**{dataset_title(str(dataset))}** differs from the paper: {', '.join(differences)}.]"
        )


def _context(table: Table) -> None:
    """Rows of nets that are not built here, in one box."""
    titles = {column.name: f"{column.unit} {column.title}" for column in table.columns}
    said = [
        f"**{entry.net}**: {', '.join(f'{value} {titles[name]}' for name, value in entry.printed.items())}"
        for entry in table.entries
        if not entry.id
    ]
    if said:
        with st.container(border=True):
            st.markdown(f"In the paper for comparison, and not built here: {'; '.join(said)}.")


def _unmeasured(table: Table, lines: pd.DataFrame) -> None:
    """What was not measured here, one line per reason instead of one per number."""
    missing = lines[(lines["verdict"] == "not measured yet") & (lines["id"] != "")]
    titles = {column.name: f"{column.unit} {column.title}" for column in table.columns}
    for reason, part in missing.groupby("reason", sort=False):
        nets: dict[str, list[str]] = {}
        for row in part.to_dict("records"):
            nets.setdefault(row["net"], []).append(f"{row['paper']} {titles[row['quantity']]}")
        said = "; ".join(f"**{net}** {', '.join(numbers)}" for net, numbers in nets.items())
        st.markdown(f"{_BADGE['not measured yet']} {str(reason).capitalize()}. In the paper: {said}.")


def _show_entry(table: Table, entry: TableEntry, lines: pd.DataFrame) -> None:
    with st.container(border=True):
        left, middle, link = st.columns([2, 5, 1], vertical_alignment="center")
        left.markdown(f"**{entry.net}**" + (f"\n\n:small[{entry.note}]" if entry.note else ""))
        for row in lines[lines["verdict"] != "not measured yet"].to_dict("records"):
            middle.markdown(_sentence(table, row))
        spec = _buildable(entry.id)
        if spec is not None:
            with link:
                train_button([spec], f"row-{table.key}-{entry.net}", as_in_paper=True)


def _sentence(table: Table, row: dict[Any, Any]) -> str:
    column = next(column for column in table.columns if column.name == row["quantity"])
    text = f"{_BADGE[row['verdict']]} {column.title}: **{row['paper']} {row['unit']}** in the paper"
    if row["measured"] is not None and row["measured"] == row["measured"]:
        spread = f" ({row['low']:.2f} to {row['high']:.2f}, {row['seeds']} seeds)" if row["seeds"] > 1 else ""
        where = (
            f" on {dataset_title(row['dataset'])}, {ORIGIN_TITLE[row['origin']]}" if row["dataset"] else ""
        )
        digits = ".2f" if column.unit == "%" else ".4g"
        text += f", **{row['measured']:{digits}}**{spread} here{where}"
    variant = row["differences"] if not row["dataset"] and row["differences"] not in row["reason"] else ""
    details = [row["reason"], variant, row["others"] and f"others found {row['others']}"]
    return f"{text}. :small[{'; '.join(detail for detail in details if detail)}.]"


def _counted(lines: pd.DataFrame, what: str) -> str:
    counts = lines["verdict"].value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts]
    return f"Of {len(lines)} {what}: {listed(said)}."


def _buildable(name: str) -> NetSpec | None:
    try:
        return NetSpec.parse(name.partition("-survival")[0])
    except ValueError:
        return None


def show_help() -> None:
    """Every rule in words, and how to confirm Table 6 with the published checkpoints."""
    with st.expander("How the verdicts are computed"):
        for rule in RULES.values():
            st.markdown(f"- {rule}")
    with st.expander("Confirm Table 6 with published checkpoints"):
        if published_view():
            board_lines.clear()
            st.rerun()
    with st.expander("Where these numbers come from"):
        st.markdown(_SOURCES)


_SOURCES = """Paper: He, Zhang, Ren, Sun, 2015, arXiv:1512.03385, at the place named in each row. Parameters
and multiply-adds: counted here, exactly. Errors: finished runs, mean over seeds and lowest to highest; the
zoo's, those trained here and imported ones are lines of their own. Others: published results as their
authors print them, with their own protocols. In a shell: `python -m explorer board --json`."""
