"""The Data page in Chromium: pictures at first paint, links, downloads, an upload that is removed again."""

import csv
import io
import zipfile

import pytest
from image_files import encoded
from playwright.sync_api import expect
from visit import complaints, settle, unfold

pytestmark = pytest.mark.browser


def open_data(page, server, query=""):
    page.goto(f"{server}/data{query}")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    expect(page.get_by_text("1,437 images to train on")).to_be_visible()


def test_a_link_gives_its_view_back_with_crisp_pixels(page, server):
    open_data(page, server, "?drawn=7&part=test&run-seed=3")
    expect(page.get_by_text("Pictures by class, test images")).to_be_visible()
    expect(page.get_by_text("drawn with seed 7")).to_be_visible()
    picture = page.locator(".st-key-pictures-by-class image").first
    expect(picture).to_be_visible()
    assert "pixelated" in picture.evaluate("node => getComputedStyle(node).imageRendering")
    assert complaints(page) == []


def test_counts_and_pictures_can_be_taken_away(page, server):
    open_data(page, server)
    with page.expect_download() as download:
        page.get_by_role("button", name="Counts as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert sum(int(row["train"]) for row in rows) == 1437
    with page.expect_download() as download:
        page.get_by_role("button", name="Pictures as PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_own_images_are_added_shown_and_removed(page, server, tmp_path):
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(f"cat/{number}.png", encoded((200, number, 0), (16, 16)))
            archive.writestr(f"dog/{number}.png", encoded((0, number, 200), (16, 16)))
    open_data(page, server)
    unfold(page, "Add or remove datasets")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("textbox", name="Name").fill("mine")
    page.get_by_role("textbox", name="Name").press("Enter")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("8 images to train on, 4 of each class")).to_be_visible()
    page.wait_for_url("**set=mine**")
    page.reload()
    expect(page.get_by_text("8 images to train on, 4 of each class")).to_be_visible()
    settle(page)
    unfold(page, "Add or remove datasets")
    unfold(page, "Remove")
    page.get_by_role("button", name="Remove mine").click()
    expect(page.get_by_text("1,437 images to train on")).to_be_visible()
