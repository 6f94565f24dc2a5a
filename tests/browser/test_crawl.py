"""Every page in every state that it offers, found by crawling the DOM: nothing that opens may fall over.

What is opened: folds, tabs, popovers, dialogs, downloads, options, switches and select boxes, also those that
appear only once another is open. Of options and select boxes one is tried, and the others where it brought
more to open; what stands within a popover to be chosen are settings of what is open already, and left alone.
Folds are opened all at once. Nothing is listed here but kinds of Streamlit's elements.
"""

import re
from collections import Counter

import pytest
from playwright.sync_api import expect
from visit import complaints, expect_large, expect_readable

from explorer.ui.menu import HOME, SECTIONS

pytestmark = pytest.mark.browser

PATHS = [entry.path for section in SECTIONS.values() for entry in section if entry is not HOME]
WIDE = {"width": 1400, "height": 900}
PICTURE = ".js-plotly-plot .main-svg:visible, .maps img:visible"
WITHOUT_PICTURE = {"paper"}
"""Its claims are text; its tables have charts, and stand in test_phone.py."""
MOST_STEPS = 150
LONGEST_MS = 300_000
"""For what takes longest, a live probe of many images, on a machine that does other work as well."""
# all that can be opened, and the next that was not; options that are chosen at first sight count as seen
FIND = r"""(done) => {
  const kinds = [
    ["fold", "[data-testid=stExpander] summary", (e) => !e.closest("details").open],
    ["tab", "[role=tab]", (e) => e.getAttribute("aria-selected") !== "true"],
    ["download", "[data-testid=stDownloadButton] button", () => true],
    ["option", "[data-testid=stButtonGroup] [role=radio], [data-testid=stButtonGroup] [aria-pressed]",
      (e) => (e.getAttribute("aria-checked") ?? e.getAttribute("aria-pressed")) !== "true"],
    ["option", "[data-testid=stRadio] label:has(input)", (e) => !e.querySelector("input").checked],
    ["switch", "[data-testid=stCheckbox] label", () => true],
    ["select", "[data-testid=stSelectbox] [role=combobox]", () => true],
    ["popover", "[data-testid=stPopover] button", (e) => e.getAttribute("aria-expanded") !== "true"],
  ];
  const body = document.querySelector("[data-testid=stPopoverBody], [role=dialog]");
  const within = body ?? document.querySelector("[data-testid=stMain]");
  const key = (e) => {
    const keyed = e.closest("[class*='st-key-']");
    return keyed ? [...keyed.classList].find((name) => name.startsWith("st-key-")) : "";
  };
  const found = { names: [], seen: [], next: null };
  const counted = {};
  document.querySelectorAll("[data-crawl]").forEach((e) => e.removeAttribute("data-crawl"));
  for (const [kind, selector, closed] of kinds) {
    for (const e of within.querySelectorAll(selector)) {
      if (body && ["option", "switch", "select"].includes(kind)) continue;
      const off = e.disabled || e.querySelector("input:disabled") || e.ariaDisabled === "true";
      if (off || !e.getClientRects().length) continue;
      const group = kind === "select" ? kind : `${kind} ${key(e)}`;
      counted[group] = (counted[group] ?? 0) + 1;
      const name = `${group} ${counted[group]}`;
      found.names.push(name);
      if (kind === "option" && !closed(e)) found.seen.push(name);
      if (done.includes(name) || done.includes(group) || !closed(e)) continue;
      const too = kind === "fold" && found.next?.kind === "fold";
      if (found.next && !too) continue;
      const label = (e.innerText || e.ariaLabel || "").trim().slice(0, 40);
      e.setAttribute("data-crawl", "next");
      found.next ??= { kind, group, name, names: [], label };
      found.next.names.push(name);
    }
  }
  return found;
}"""
AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"
ASKED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FALLEN = "[data-testid=stException]"
IN_FULL = "[data-testid=stPopoverBody], [role=dialog]"
NEXT = "[data-crawl=next]"


class Crawler:
    """Opens whatever a page offers, and keeps what it opened and what went wrong."""

    def __init__(self, page, kinds=None):
        self.page, self.kinds = page, kinds
        self.opened, self.problems = Counter(), []

    def crawl(self, path):
        """Open everything on one page, and what that brings with it."""
        done = set()
        self.look(path, "opened")
        for _ in range(MOST_STEPS):
            there = self.page.evaluate(FIND, list(done))
            done |= set(there["seen"])
            found = there["next"]
            if found is None or found["name"] in done:
                if found is None and not self.page.locator(IN_FULL).count():
                    self.problems += [(path, "said", wrong) for wrong in self.untrue()]
                    return
                if found is None:
                    self.page.keyboard.press("Escape")
                    self.page.locator(IN_FULL).first.wait_for(state="detached")
                continue
            done |= set(found["names"])
            if self.kinds is None or found["kind"] in self.kinds:
                self.open(found["kind"])
                self.opened[found["kind"]] += len(found["names"])
                self.look(path, f"{found['name']} ({found['label']})")
                if found["kind"] in ("option", "select") and not self.brought(there["names"]):
                    done.add(found["group"])  # the others would unfold nothing either
        self.problems.append((path, "never at its end", sorted(done)[-3:]))

    def brought(self, before):
        """Whether there is more to open than before."""
        return set(self.page.evaluate(FIND, [])["names"]) - set(before)

    def open(self, kind):
        """Press it, and wait until the server has nothing left to send for it."""
        target = self.page.locator(NEXT)
        if kind == "fold":
            target.evaluate_all("(folds) => folds.forEach((fold) => fold.click())")
            self.settled()
            return
        target.scroll_into_view_if_needed()
        if kind == "download":
            with self.page.expect_download() as download:
                target.click()
            assert download.value.failure() is None
        elif kind == "select":
            target.click()
            self.page.get_by_role("option").last.click()
        else:
            target.click()
        self.settled()

    def settled(self):
        """Streamlit marks its app as running once the press is painted; until then it looks as if done."""
        self.page.evaluate(ASKED)
        self.page.wait_for_selector(AT_REST, timeout=LONGEST_MS)

    def look(self, path, name):
        """What the page and its console have to say against it."""
        if self.page.locator(FALLEN).count():
            self.problems.append((path, name, self.page.locator(FALLEN).first.inner_text()[:200]))
            self.page.reload()
            self.settled()
        said = complaints(self.page)
        self.page.complaints.clear()
        self.problems += [(path, name, text) for text in said]

    def untrue(self):
        """Sentences about a control that the page does not have."""
        text = self.page.get_by_test_id("stMain").inner_text()
        named = set(re.findall(r"“([^”]+)” chooses", text))
        there = {label.strip() for label in self.page.get_by_test_id("stPopover").all_inner_texts()}
        return [f"no control “{name}”" for name in named if not any(name in label for label in there)]


def visit(page, path):
    """Go there as a reader does, by the sidebar: the session stays, with what pages have left in it."""
    unfold = page.get_by_test_id("stExpandSidebarButton")  # on a phone it is folded away until it is wanted
    if unfold.is_visible():
        unfold.click()
    page.get_by_test_id("stSidebarNav").locator(f"a[href$='/{path}']").click()
    page.wait_for_url(f"**/{path}*")
    page.get_by_role("heading", level=1).wait_for()


def tell(capsys, opened, where):
    with capsys.disabled():
        print(f"\n{1 + len(PATHS)} pages {where}, {opened.total()} things opened: {dict(opened)}")  # noqa: T201


@pytest.mark.slow
def test_nothing_that_a_page_offers_falls_over(page, server, capsys):
    crawler = Crawler(page)
    page.set_viewport_size(WIDE)
    page.goto(server)
    crawler.settled()
    crawler.crawl("home")
    for path in PATHS:
        visit(page, path)
        crawler.settled()
        crawler.crawl(path)
    tell(capsys, crawler.opened, "on a desk")
    assert crawler.problems == []
    assert crawler.opened["fold"] >= 2 * len(PATHS)


@pytest.mark.slow
def test_a_phone_shows_all_of_every_page_and_what_unfolds_there_in_light_and_dark(phone, server, capsys):
    """What an option brings or a file holds is the same there; captions and frames of charts are not."""
    crawler = Crawler(phone, {"fold", "popover"})
    phone.goto(server)
    crawler.settled()
    for path in ["", *PATHS]:
        phone.emulate_media(color_scheme="light")
        if path:
            visit(phone, path)
        if path not in WITHOUT_PICTURE:  # the first net of a session wakes torch
            expect(phone.locator(PICTURE).first).to_be_visible(timeout=LONGEST_MS)
        crawler.settled()
        expect_readable(phone, "light")
        expect_large(phone)
        crawler.crawl(path or "home")
        phone.emulate_media(color_scheme="dark")
        expect_readable(phone, "dark")
    tell(capsys, crawler.opened, "on a phone")
    assert crawler.problems == []
    assert crawler.opened["fold"] >= 2 * len(PATHS)
