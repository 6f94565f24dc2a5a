"""The paper's chart against what was measured: whose dot is which can be seen."""

import pandas as pd

from explorer.charts.board import describe_board, paper_against_measured

LINES = pd.DataFrame(
    [
        ("ResNet-20", "residual-20", "8.75", 26.0, 25.9, 26.1, "cifar10-jpeg"),
        ("ResNet-20", "residual-20", "8.75", 2.1, 1.1, 2.8, "digits"),
        ("ResNet-1202", "residual-1202", "7.93", None, None, None, ""),
    ],
    columns=["net", "id", "paper", "measured", "low", "high", "dataset"],
).assign(origin="zoo")
TITLES = {"cifar10-jpeg": "CIFAR-10 (JPEG)", "digits": "Digits", "": ""}


def test_datasets_differ_by_form_and_the_paper_by_form_too():
    figure = paper_against_measured(LINES, "test error (%)", TITLES)
    forms = {trace.name: trace.marker.symbol for trace in figure.data}
    assert list(forms) == ["paper", "measured here, CIFAR-10 (JPEG)", "measured here, Digits"]
    assert len(set(forms.values())) == 3


def test_imported_runs_are_marks_of_their_own():
    both = pd.concat([LINES, LINES.iloc[1:2].assign(origin="imported", measured=9.0)])
    names = [trace.name for trace in paper_against_measured(both, "test error (%)", TITLES).data]
    assert names[2:] == ["measured here, Digits", "imported, Digits"]


def test_counts_keep_their_square():
    counted = LINES.assign(dataset="", measured=[0.27, None, 19.4], low=None, high=None).drop(1)
    figure = paper_against_measured(counted, "parameters (million)", TITLES)
    assert [(trace.name, trace.marker.symbol) for trace in figure.data][1:] == [("counted here", "square")]


def test_words_say_what_was_not_measured_by_leaving_it_out():
    said = describe_board(LINES, "test error (%)", TITLES)
    assert "ResNet-20 8.75 in the paper, 26 here on CIFAR-10 (JPEG)" in said
    assert said.endswith("ResNet-1202 7.93 in the paper.")
