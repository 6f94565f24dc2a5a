"""A zoo whose nets were trained for two lengths: nets of one length are compared, and the length is named."""

import json
import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs import library
from explorer.runs.provenance import ROOT
from explorer.runs.zoo import MANIFEST, Zoo

HOME = str(ROOT / "explorer" / "app.py")
SHORT = [f"digits-{family}-{depth}-s0" for family in ("plain", "residual") for depth in (8, 20, 56)]
LONG = [name for name in SHORT if "-8-" not in name]


@pytest.fixture(scope="module")
def two_lengths(tmp_path_factory):
    """The zoo's digits of one seed, those of 20 and 56 layers again as if trained for 900 iterations."""
    folder, zoo = tmp_path_factory.mktemp("zoo"), Zoo()
    rows = {run.run_id: run.row() | {"checkpoint": None} for run in zoo.manifest if run.run_id in SHORT}
    long = [
        rows[name] | {"run_id": f"{name}-long", "iterations": 900, "test_error_pct": 1.25} for name in LONG
    ]
    (folder / MANIFEST).write_text(json.dumps([*rows.values(), *long]))
    (folder / "digits").mkdir()
    for name in ("epochs", "blocks", "layers", "steps"):
        table = getattr(zoo, name)(SHORT)
        again = table[table["run_id"].isin(LONG)].assign(run_id=lambda part: part["run_id"] + "-long")
        pd.concat([table, again]).to_parquet(folder / "digits" / f"{name}.parquet", index=False)
    return folder


@pytest.fixture(autouse=True)
def only_these(two_lengths, monkeypatch):
    monkeypatch.setattr(library.open_library, "__defaults__", (two_lengths,))


def opened(name, **query):
    page = AppTest.from_file(HOME, default_timeout=60).switch_page(f"../pages/{name}.py")
    for key, value in query.items():
        page.query_params[key] = value
    page = page.run()
    assert not page.exception
    return page


def text(page):
    told = [re.sub("<b>|</b>", "**", element.proto.body) for element in page.get("html")]
    return " ".join([*(element.value for element in page.markdown), *told])


def test_depth_shows_one_length_and_offers_the_other():
    page = opened("depth", length="110")
    assert page.select_slider(key="depth").options == ["8", "20", "56"]
    assert "after 110 of the paper's 64,000 iterations" in text(page)
    page = opened("depth", depth="56")  # the longer is shown first: it too has twins at two depths
    assert page.select_slider(key="depth").options == ["20", "56"]
    assert "after 900 of the paper's 64,000 iterations" in text(page)
    assert "in the test 1.2 % and 1.2 %" in text(page)
    assert "one seed each" in text(page)


def test_paper_judges_by_the_longest_that_has_the_nets_and_names_it():
    said = text(opened("paper"))
    assert ":small[(900 iterations)]: training error" in said
    lines = opened("paper", part="Table 6")
    assert "900 of the paper's 64,000 iterations" in text(lines)


def test_residuals_tells_nets_of_one_name_apart_and_compares_one_length():
    page = opened("residuals", nets=["plain-20", "residual-20", "residual-20@110"])
    assert "ResNet-20 (110 iterations)" in page.multiselect(key="nets").options
    assert "Not in these comparisons" in text(page)
    assert "(one net" not in text(page)


@pytest.mark.parametrize("name", ["home", "runs", "train", "verydeep"])
def test_other_pages_open(name):
    assert "an error" not in text(opened(name))
