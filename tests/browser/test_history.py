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


# as fast as a browser can: when the choice is sent, and before any run has begun for it, the page is left
CHOOSE_AND_LEAVE = """async ([option, path]) => {
  const send = WebSocket.prototype.send;
  const options = [...document.querySelectorAll("[data-testid=stButtonGroup] [role=radio]")];
  await new Promise((sent) => {
    WebSocket.prototype.send = function (message) {
      WebSocket.prototype.send = send;
      this.send(message);
      sent();
    };
    options.find((radio) => radio.textContent.trim() === option).click();
  });
  document.querySelector(`[data-testid=stSidebarNav] a[href$="/${path}"]`).click();
}"""


def test_an_option_chosen_right_before_the_page_is_left_is_there_again(page, server):
    page.goto(f"{server}/residuals")
    group = page.get_by_test_id("stButtonGroup").first
    group.wait_for()
    settle(page)
    options = [option.inner_text().strip() for option in group.get_by_role("radio").all()]
    for option in [*options[1:], options[0]] * 2:
        page.evaluate(CHOOSE_AND_LEAVE, [option, "multigrid"])
        expect(page).to_have_title("Corrections · ResNet Explorer")
        settle(page)
        go(page, "Residuals")
        expect(group.get_by_role("radio", name=option, exact=True)).to_have_attribute("aria-checked", "true")
    assert complaints(page) == []
