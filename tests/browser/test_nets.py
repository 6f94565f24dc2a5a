"""In Chromium: one's own checkpoint is uploaded, drawn, and found on another page; garbage is refused."""

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

from explorer.nets.build import build
from explorer.nets.checkpoints import save_checkpoint
from explorer.nets.spec import NetSpec

pytestmark = pytest.mark.browser


def open_nets(page, server, query=""):
    page.goto(f"{server}/nets{query}")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def test_an_uploaded_checkpoint_is_drawn_and_listed_on_another_page(page, server, tmp_path):
    path = tmp_path / "my-own-net.safetensors"
    save_checkpoint(path, build(NetSpec("plain", 14, width=4), seed=1))
    open_nets(page, server)
    page.locator("input[type=file]").first.set_input_files(path)
    expect(
        page.get_by_text("plain-14-w4, your file my-own-net.safetensors, one box per block")
    ).to_be_visible()
    page.get_by_role("button", name="Its ‖F(x)‖, block by block").click()
    expect(page.get_by_role("heading", name="How much does each block change its input?")).to_be_visible()
    expect(page.get_by_text("plain-14-w4, your file my-own-net.safetensors: block")).to_be_visible()
    page.get_by_role("link", name="Inspect").click()
    expect(page.locator(".maps img").first).to_be_visible()
    settle(page)
    page.locator("[data-testid=stSelectbox]").first.locator("input").click()
    expect(page.get_by_role("option", name="your file my-own-net.safetensors")).to_be_visible()
    assert complaints(page) == []


def test_a_garbage_file_gives_one_readable_message(page, server, tmp_path):
    path = tmp_path / "garbage.pth"
    path.write_bytes(b"no checkpoint at all " * 50)
    open_nets(page, server)
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_text("Cannot load garbage.pth")).to_have_count(1)
    expect(page.get_by_text("one box per block")).to_be_visible()
    assert complaints(page) == []


def test_a_pressed_box_shows_its_part(page, server):
    open_nets(page, server, "?net=untrained:residual-20")
    expect(page.get_by_text("Block 1: 3x3, 3x3")).to_be_visible()
    boxes = page.locator(".js-plotly-plot .barlayer .point path")
    expect(boxes).to_have_count(11)
    settle(page)
    box = boxes.nth(5).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(page.get_by_text("Block 5: 3x3, 3x3")).to_be_visible()
    assert complaints(page) == []
