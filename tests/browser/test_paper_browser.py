"""A person reads the board, opens a table, trains a row's net, and looks at a thousand layers."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

pytestmark = pytest.mark.browser


def test_claims_then_a_table_then_its_numbers(page, server):
    page.goto(f"{server}/paper")
    expect(page.get_by_text("A deeper plain net has a higher training error.")).to_be_visible()
    page.get_by_role("radio", name="Table 6").click()
    expect(page.get_by_text("269,722 parameters")).to_be_visible(timeout=90_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    page.wait_for_url(re.compile("part=Table([+]|%20)6"))
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").last.click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {row["verdict"] for row in rows} >= {"reproduced", "not measured yet"}
    assert complaints(page) == []


def test_a_row_opens_live_training_with_its_setting(page, server):
    page.goto(f"{server}/paper?part=Table%206")
    row = page.locator(".st-key-train-row-table-6-ResNet-56")
    row.get_by_role("link", name="Train it").click()
    expect(page.get_by_label("Depth", exact=True)).to_have_value("56")
    page.wait_for_url("**/train?**nets=residual**")


def test_a_thousand_layers_are_drawn_without_a_console_error(page, server):
    page.goto(f"{server}/verydeep?deep=302")
    expect(page.get_by_text("as in the last one's in plain-302")).to_be_visible()
    page.get_by_role("radio", name="1202").click()
    expect(page.get_by_text("as in the last one's in plain-1202")).to_be_visible()
    expect(page.locator(".st-key-stacks .main-svg").first).to_be_visible()
    assert complaints(page) == []
