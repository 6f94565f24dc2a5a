"""The paper's numbers as data, each with its place in He et al. 2015."""

from explorer.paper.claims import CLAIMS, Claim
from explorer.paper.protocol import DATASET, DROPS, ITERATIONS, WARMUP_ITERATIONS
from explorer.paper.reproductions import REPRODUCTIONS, Reproduction
from explorer.paper.tables import TABLE_6, TABLES, Column, Table, TableEntry

__all__ = [
    "CLAIMS",
    "DATASET",
    "DROPS",
    "ITERATIONS",
    "REPRODUCTIONS",
    "TABLES",
    "TABLE_6",
    "WARMUP_ITERATIONS",
    "Claim",
    "Column",
    "Reproduction",
    "Table",
    "TableEntry",
]
