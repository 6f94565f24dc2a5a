"""The Inspect page from Home: a picture at first paint, every control, garbage in the URL, bad input."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")
SMALL = "ResNet-8, digits, seed 0"


def inspect_page(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/inspect.py")
    for name, value in ({"net": SMALL} | query).items():
        page.query_params[name] = value
    page = page.run()
    assert not page.exception
    return page


@pytest.fixture
def page():
    return inspect_page()


def words(page):
    """What stands on the page, its own HTML as Markdown."""
    own = re.sub(r"</?b>", "**", html(page))
    return " ".join([*(element.value for element in page.markdown), re.sub(r"<[^>]*>", " ", own)])


def html(page):
    return " ".join(element.proto.body for element in page.get("html"))


def test_at_first_paint_a_sample_and_the_middle_block_are_shown():
    page = inspect_page(net="")

    assert page.title[0].value == "What does each block make of a picture?"
    assert page.selectbox(key="picture").value in ("digits", "cat")
    blocks = int(page.slider(key="block").max)
    assert page.slider(key="block").value == (blocks + 1) // 2
    assert re.search(r"\*\*ResNet-\d+.* (says|is unsure)", words(page))
    assert len(page.get("plotly_chart")) == 3
    assert not page.error
    assert not page.warning


def test_a_residual_block_shows_x_and_what_it_adds(page):
    page = page.slider(key="block").set_value(1).run()

    assert all(f"<b>{part}</b>" in html(page) for part in ("x", "F(x)", "x + F(x)", "output"))


def test_where_the_shape_changes_the_shortcut_is_named(page):
    assert "<b>shortcut(x) + F(x)</b>" in html(page)


def test_a_plain_block_shows_its_whole_mapping():
    page = inspect_page(net="plain-8, digits, seed 0")

    assert "<b>H(x)</b>" in html(page)
    assert "F(x)</b>" not in html(page)
    assert "is plain: it replaces x by H(x)" in words(page)


def test_another_block_and_channel_need_no_other_pass(page, monkeypatch):
    from explorer.probes import activations

    def never(*_arguments):
        raise AssertionError("read anew")

    monkeypatch.setattr(activations, "read_activations", never)
    page = page.slider(key="block").set_value(3).run()
    page = page.number_input(key="channel").set_value(7).run()

    assert not page.exception
    assert "**Block 3, channel 7** of 64" in words(page)


def test_a_channel_beyond_the_last_gives_the_strongest(page):
    page = page.number_input(key="channel").set_value(4000).run()

    assert not page.exception
    assert re.search(r"Block 2, channel \d\d?\*\* of 32", words(page))


def test_both_twins_can_be_seen_side_by_side(page):
    page = page.toggle(key="twin").set_value(True).run()

    assert not page.exception
    assert len(page.get("plotly_chart")) == 6
    assert "ResNet-8, digits, seed 0 says" in words(page)
    assert "plain-8, digits, seed 0 says" in words(page)


def test_the_fitted_line_is_labelled_as_such(page):
    page = page.button_group(key="readout").set_value("linear").run()

    assert not page.exception
    assert "1,437 training images" in page.caption[0].value
    assert "not part of the net" in page.caption[0].value


def test_without_training_images_no_line_is_fitted_and_said_so():
    page = inspect_page(net="untrained:residual-8")
    page = page.button_group(key="readout").set_value("linear").run()

    assert not page.exception
    assert "no line can be fitted" in page.warning[0].value
    assert len(page.get("plotly_chart")) == 3


def test_a_photograph_is_resized_and_said_so():
    page = inspect_page(picture="Palace (photograph)")

    assert "Resized from 640x427 to 8x8" in html(page)
    assert "Colours became brightness." in html(page)
    tone = page.button_group(key="tone")
    page = tone.set_value("inverted").run()
    assert "Inverted: this net learned bright strokes" in html(page)
    page = page.button_group(key="tone").set_value("as it is").run()
    assert "Inverted" not in html(page)


@pytest.mark.parametrize(
    "garbage",
    [
        {"block": "999"}, {"block": "x"}, {"channel": "-3"}, {"channel": "many"}, {"picture": "own-1"},
        {"index": "1e9"}, {"readout": "?"}, {"tone": "<b>"}, {"twin": "perhaps"}, {"net": "nobody"},
    ],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = inspect_page(**garbage)

    assert len(page.get("plotly_chart")) == 3
    assert not page.error


@pytest.mark.own_home
def test_a_net_that_cannot_be_opened_is_one_message(monkeypatch):
    from explorer.ui.inspect import page as inspect_module

    def refuse(_choice):
        raise ValueError("net.safetensors is damaged; take another.")

    monkeypatch.setattr(inspect_module, "opened", refuse)
    page = inspect_page()

    assert [error.value for error in page.error] == ["net.safetensors is damaged; take another."]


def test_maps_can_be_taken_away():
    import io

    import numpy as np

    from explorer.data.sample_photos import photograph
    from explorer.ui.components.net_picker import net_choices
    from explorer.ui.inspect.block_downloads import block_npz, block_png
    from explorer.ui.inspect.inspection_data import load_inspection

    choice = next(choice for choice in net_choices() if choice.key == "digits-residual-8-s0")
    found = load_inspection(choice, photograph("flower"), "auto")
    kept = np.load(io.BytesIO(block_npz(found, 2)))

    assert set(kept) == {"x", "shortcut", "branch", "total", "output"}
    assert np.array_equal(np.maximum(kept["total"], 0), kept["output"])
    assert block_png(found, 2).startswith(b"\x89PNG")


def test_a_net_is_followed_through_its_epochs_with_its_twin_at_the_same_one():
    page = inspect_page(net="digits-residual-20-s0", at="1", twin="true")
    assert "Weights after epoch 1 of 10: run digits-residual-20-s0 trained again" in words(page)
    assert "Weights after epoch 1 of 10: run digits-plain-20-s0 trained again" in words(page)
    assert "at" not in [slider.key for slider in inspect_page().select_slider]
