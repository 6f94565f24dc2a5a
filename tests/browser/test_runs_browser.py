"""What a person does with runs: tick, compare, share, take along; in a real browser."""

import csv
import io
import re
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

from explorer.runs.zoo import Zoo
from explorer.transfer.export import zip_runs

pytestmark = pytest.mark.browser
PLAIN, RESIDUAL = "digits-plain-20-s0", "digits-residual-20-s0"


def open_runs(page, server, query=""):
    page.goto(f"{server}/runs{query}")
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def tick(page, row):
    """Tick a row of the table by its box; the grid is drawn on a canvas, its rows are named for readers."""
    grid = page.locator("[data-testid=stDataFrame]").first
    named = grid.locator(f"canvas [role=row][aria-rowindex='{row + 2}']").first
    expect(named).to_have_attribute("aria-selected", re.compile("true|false"))
    settle(page)
    before = named.get_attribute("aria-selected")
    grid.locator(".dvn-scroller").click(position={"x": 16, "y": 36 + 35 * row + 17})
    expect(named).not_to_have_attribute("aria-selected", before)


def chosen_count(page):
    """Of several where one is about to be taken away, the first, which is the newer."""
    return page.get_by_text(re.compile("runs chosen[.]$")).first


def bring_in(page, file):
    page.get_by_role("button", name="Import").first.click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).last.click()


def test_ticking_two_runs_compares_them_and_the_address_is_a_link(page, server):
    page.goto(f"{server}/runs?runs=&find=digits-plain-20-s")
    expect(page.get_by_text("Tick runs in the table to compare them.")).to_be_visible()
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    tick(page, 0)
    page.wait_for_url(f"**runs={PLAIN}*")
    expect(page.get_by_text("plain-20 ends with")).to_be_visible()
    tick(page, 1)
    expect(page.get_by_text("over 2 seeds)")).to_be_visible()
    page.wait_for_url("**digits-plain-20-s1**")
    address = page.url
    page.reload()
    expect(page.get_by_text("over 2 seeds)")).to_be_visible()
    assert page.url == address
    assert complaints(page) == []


def test_a_ticked_run_can_be_unticked(page, server):
    open_runs(page, server, f"?runs={PLAIN},{RESIDUAL}&find={PLAIN}")
    expect(chosen_count(page)).to_have_text(re.compile(r"^2 of \d+ runs chosen"))
    tick(page, 0)
    expect(chosen_count(page)).to_have_text(re.compile(r"^1 of \d+ runs chosen"))
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query)["runs"] == [RESIDUAL])
    expect(page.get_by_text("ResNet-20 ends with")).to_be_visible()


def test_runs_are_taken_along_as_csv_and_zip_and_a_zip_comes_back(page, server, tmp_path):
    open_runs(page, server, f"?runs={PLAIN},{RESIDUAL}")
    page.get_by_role("button", name="Export all").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Epochs of 2 runs, CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {row["run_id"] for row in rows} == {PLAIN, RESIDUAL}
    assert len(rows) == 22
    with page.expect_download() as download:
        page.get_by_role("button", name="2 runs, as zip").click()
    packed = tmp_path / "runs.zip"
    download.value.save_as(packed)
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert {f"{PLAIN}/{PLAIN}.py", f"{RESIDUAL}/{RESIDUAL}.safetensors"} <= set(names)
    page.keyboard.press("Escape")
    bring_in(page, packed)
    expect(page.get_by_text("2 runs were imported, and chosen below")).to_be_visible()
    expect(page.get_by_text("Imported", exact=True)).to_be_visible()
    assert complaints(page) == []


def test_deleting_and_undo(page, server, tmp_path):
    packed = tmp_path / "run.zip"
    packed.write_bytes(zip_runs(Zoo(), [PLAIN], ("json", "csv")))
    open_runs(page, server)
    bring_in(page, packed)
    expect(page.get_by_text("One run was imported, and chosen below")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("will be removed for good")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("will be removed for good")).to_have_count(0)
    expect(chosen_count(page)).to_have_text(re.compile(r"^1 of \d+ runs chosen"))
