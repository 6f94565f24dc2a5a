"""Every page in light and in dark, asked by axe-core: nothing serious, in one session."""

from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from visit import expect_readable, expect_rest, settle

from explorer.ui.menu import SECTIONS

pytestmark = pytest.mark.browser
PAGES = [entry for section in SECTIONS.values() for entry in section]
SERIOUS = ("serious", "critical")
LEVELS = "[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))"
OPTIONS = {"resultTypes": ["violations"]}


def complaints_of(page, axe):
    found = axe.run(page, options=OPTIONS).response["violations"]
    return [
        (one["id"], node["target"], node["html"][:160])
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.slow
def test_axe_has_nothing_serious_to_say_of_any_page_in_either_theme(page, server):
    axe, found = Axe(), {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{server}/")
        for entry in PAGES:
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=entry.title, exact=True).click()
            expect(page).to_have_title(f"{entry.title} · ResNet Explorer")
            settle(page)
            expect(page.locator("[data-stale=true]")).to_have_count(0)
            expect_readable(page, scheme)
            expect_rest(page)
            if said := complaints_of(page, axe):
                found[entry.path, scheme] = said
            levels = page.evaluate(LEVELS)
            assert levels[0] == 1, entry.path
            assert all(after - before <= 1 for before, after in pairwise(levels)), entry.path
    assert found == {}
