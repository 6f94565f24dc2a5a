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
    page.wait_for_url("**/depth?depth=26")
    page.get_by_role("radio", name="each").click()
    page.wait_for_url("**/depth?depth=26&seeds=each")
    settle(page)
    go(page, "Runs")
    page.get_by_text("Log axes").click()
    page.wait_for_url("**/runs?logy=true")
    settle(page)

    go(page, "Depth")
    page.wait_for_url("**/depth?depth=26&seeds=each")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    page.go_back()
    page.wait_for_url("**/runs?logy=true")
    expect(page).to_have_title("Runs · ResNet Explorer")
    settle(page)
    page.go_back()
    page.wait_for_url("**/depth?depth=26&seeds=each")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    settle(page)
    page.go_back()
    page.wait_for_url(f"{server}/")
    expect(page).to_have_title("Home · ResNet Explorer")
    settle(page)
    page.go_forward()
    page.wait_for_url("**/depth?depth=26&seeds=each")
    expect(depth).to_have_attribute("aria-valuetext", "26")
    assert complaints(page) == []
