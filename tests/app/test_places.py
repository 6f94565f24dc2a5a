"""What a visitor chose on a page is there again after other pages; whatever the page, whatever the choice."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT
from explorer.ui.menu import SECTIONS

HOME = str(ROOT / "explorer" / "app.py")
PAGES = [entry.path for section in SECTIONS.values() for entry in section]
KINDS = (
    "selectbox", "select_slider", "slider", "number_input", "toggle", "multiselect", "button_group", "radio",
)  # fmt: skip
# what is looked at takes seconds to compute, and what costs nothing to choose is chosen all the same
COSTLY = {"live", "net", "trust", "twin", "methods"}
OTHER = {"preset", "image"}
"""What follows from other choices, and what is one choice for all pages."""


@pytest.fixture(autouse=True)
def nothing_outlives_the_test(own_home, monkeypatch):
    monkeypatch.setenv("EXPLORER_WORKERS", "0")
    monkeypatch.setattr("explorer.ui.components.machine.start_calibration", lambda: False)


def go(page, path):
    """As by the sidebar: without an address."""
    page.query_params.clear()
    return page.switch_page(f"../pages/{path}.py").run()


def chosen(page):
    widgets = [widget for kind in KINDS for widget in getattr(page, kind)]
    return {widget.key: widget for widget in widgets if widget.key and not widget.disabled}


def another(widget):
    """A value that the widget does not have, or None where there is no other."""
    value, kind = widget.value, widget.type
    options = list(getattr(widget, "options", []))
    if kind in ("toggle", "checkbox"):
        return not value
    if kind == "number_input":
        step = (value or 0) + widget.step
        return step if widget.max is None else min(step, widget.max)
    if kind == "slider" and not options:
        return None if isinstance(value, list | tuple) else min(value + widget.step, widget.max)
    if isinstance(value, list):
        return [option for option in options if option not in value][:1] or None
    return next((option for option in options if option not in (value, str(value))), None)


def values(page):
    return {key: widget.value for key, widget in chosen(page).items() if key not in OTHER}


def choose(page):
    """Another value for all that costs nothing to choose."""
    for key, widget in chosen(page).items():
        if key not in COSTLY | OTHER and (value := another(widget)) is not None:
            widget.set_value(value)


def walk_back(page, left):
    for path, (before, address) in left.items():
        page = go(page, path)
        assert values(page) == before, path
        # a browser writes what is bound to the address, and there is none here: the address may say more
        assert address.items() <= page.query_params.items(), path


def test_every_choice_on_every_page_survives_all_other_pages_also_when_chosen_right_before_leaving():
    page, left = AppTest.from_file(HOME, default_timeout=120).run(), {}
    for path in PAGES:
        page = go(page, path)
        choose(page)
        page = page.run()
        assert not page.exception, path
        left[path] = values(page), dict(page.query_params)
    walk_back(page, left)
    assert sum(len(before) for before, _ in left.values()) > 60

    hurried = AppTest.from_file(HOME, default_timeout=120).run()
    for path in PAGES:
        hurried = go(hurried, path)
        choose(hurried)  # no run of this page sees it: the next request is for the next page
    walk_back(go(hurried, "home"), left)


def at(path, **address):
    page = AppTest.from_file(HOME, default_timeout=120).run().switch_page(f"../pages/{path}.py")
    page.query_params.update(address)
    page = page.run()
    assert not page.exception
    return page


def told(page):
    return " ".join(element.value for element in [*page.info, *page.warning])


@pytest.mark.parametrize(
    ("path", "address", "said"),
    [
        ("depth", {"depth": "57"}, "57 layers was trained on these images. Shown is the nearest: 56."),
        ("verydeep", {"deep": "400"}, "No net of 400 layers was measured. Shown is the nearest: 302."),
        ("residuals", {"data": "digits", "epoch": "99"}, "no record of epoch 99. Shown is the nearest: 10."),
    ],
)
def test_a_number_that_is_not_there_becomes_the_nearest_and_says_so(path, address, said):
    assert said in told(at(path, **address))


def test_the_nearest_depth_is_told_on_other_images_too_and_no_longer_when_another_is_chosen():
    page = at("depth", depth="8")
    page = page.selectbox(key="data").set_value("cifar10-jpeg").run()
    assert page.select_slider(key="depth").value == 20
    assert "No net of 8 layers was trained on these images. Shown is the nearest: 20." in told(page)
    page = page.select_slider(key="depth").set_value(56).run()
    assert told(page) == ""


def test_a_link_to_somebody_elses_upload_says_whose_it_is_and_what_is_shown_instead():
    page = at("inspect", net="upload:0123456789ab", picture="own-0123456789abcdef")
    assert "shows a net from a file. Such a file stays with the session that opened it" in told(page)
    assert "shows a picture from a file" in told(page)
    assert f"Shown instead: {page.selectbox(key='picture').options[0]}." in told(page)
    assert "net" not in page.query_params  # the address says what is seen
    page = page.selectbox(key="net").select_index(3).run()
    assert "shows a net from a file" not in told(page)


def test_a_link_to_a_deleted_run_says_so():
    assert "There is no net “gone” here" in told(at("nets", net="gone"))
