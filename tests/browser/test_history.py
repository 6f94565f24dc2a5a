"""Back, Forward and the sidebar: each page as it was left, and one press per page."""

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

pytestmark = pytest.mark.browser


def go(page, name):
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_title(f"{name} · ResNet Explorer")
    settle(page)


def test_back_and_forward_show_pages_as_they_were_left_and_the_sidebar_too(page, server):
    page.goto(f"{server}/")
    go(page, "Depth")
    depth = page.get_by_role("slider", name="Depth")
    expect(depth).to_have_attribute("aria-valuetext", "20")
    depth.press("ArrowRight")
    expect(page).to_have_url(f"{server}/depth?depth=26")
    expect(page.locator(".st-key-conclusion")).to_contain_text("plain-26 ")
    settle(page)
    go(page, "Runs")

    go(page, "Depth")
    expect(page).to_have_url(f"{server}/depth?depth=26")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    page.go_back()
    expect(page).to_have_title("Runs · ResNet Explorer")
    settle(page)
    page.go_back()
    expect(page).to_have_url(f"{server}/depth?depth=26")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    settle(page)
    page.go_back()
    expect(page).to_have_title("Home · ResNet Explorer")
    settle(page)
    page.go_forward()
    expect(page).to_have_url(f"{server}/depth?depth=26")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    assert complaints(page) == []
