"""The paper board from Home: claims first, each table, its verdicts in words, garbage in the URL."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import paper
from explorer.system.paths import ROOT
from explorer.ui.paper.page import PARTS

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/paper.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_every_claim_and_its_verdict():
    page = opened()

    assert not page.exception
    assert all(claim.text in text(page) for claim in paper.CLAIMS.values())
    assert (
        "other protocol] **Digits (scikit-learn, 8x8)** :small[(110 iterations)]: training error 70.4 %"
        in (text(page))
    )
    assert "Digits (scikit-learn, 8x8): 110 of the paper's 64,000 iterations (0.17 %)" in text(page)
    assert "their publisher states 8.27 % for ResNet-20" in text(page)


@pytest.mark.parametrize("part", list(paper.TABLES))
def test_every_table_has_a_chart_per_quantity_and_a_row_per_net(part):
    page = opened(part=PARTS[part])
    table = paper.TABLES[part]

    assert not page.exception
    assert len(page.get("plotly_chart")) == len(table.columns)
    assert all(f"**{entry.net}**" in text(page) for entry in table.entries)
    assert text(page).count("not measured yet]") <= 2
    assert page.get("download_button")


def test_table_6_counts_exactly_and_does_not_compare_digits_with_cifar():
    said = text(opened(part="Table 6"))

    assert "✓ reproduced] parameters: **0.27 million** in the paper, **0.2697** here" in said
    assert (
        "≠ not comparable] test error: **8.75 %** in the paper, **2.13** (1.11 to 2.78, 3 seeds) here" in said
    )
    assert "images: digits, not CIFAR-10" in said
    assert "No finished run of this net here. In the paper: **ResNet-1202** 7.93 % test error" in said


def test_a_part_that_is_not_there_becomes_the_claims():
    page = opened(part="Table 7")

    assert not page.exception
    assert page.button_group(key="part").value in ("claims", ["claims"])
