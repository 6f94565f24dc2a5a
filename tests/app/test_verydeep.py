"""The Very deep page from Home: charts at first paint, every depth, a measurement made and stopped."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT
from explorer.ui.verydeep.page import DEPTHS

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/verydeep.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_at_1202_layers_with_charts_and_computed_sentences():
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 4
    assert "**Untrained, the gradient in the first block's weights is** 4·10⁷⁸ times as large as" in text(
        page
    )
    assert "In plain-1202 it does not vanish on its way back: it explodes" in text(page)
    assert "**Without a regulariser:** from 8 to 302 layers more depth overfits (test error" in text(page)
    assert "from 110 to 302 layers the effect does not show" in text(page)
    assert "Dropout lowers the test error at no depth" in text(page)
    assert page.dataframe[0].value["blocks"].tolist()[-1] == 600


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_depth_is_drawn(depth):
    page = opened(deep=str(depth))
    assert not page.exception
    assert "Untrained, the gradient in the first block" in text(page)
    assert f"times as large as in the last one's in plain-{depth}" in text(page)


@pytest.mark.own_home
def test_a_depth_that_was_not_measured_becomes_1202():
    page = opened(deep="99999")
    assert not page.exception
    assert "in plain-1202" in text(page)


@pytest.mark.own_home
def test_a_small_net_is_measured_again_with_another_seed():
    page = opened(deep="20")
    page.number_input(key="signal-seed").set_value(9)
    page = page.button(key="signal-start").click().run()
    measurement = page.session_state["signal-measurement"]
    until = time.monotonic() + 600
    while measurement.running and time.monotonic() < until:
        time.sleep(0.1)
    page = page.run()
    assert not page.exception
    assert any("seed 9" in caption.value for caption in page.caption)
    measurement.stop()


@pytest.mark.own_home
def test_a_measurement_under_way_can_be_stopped():
    page = opened()
    page = page.button(key="signal-start").click().run()
    measurement = page.session_state["signal-measurement"]
    assert measurement.running
    page = page.button(key="signal-stop").click().run()
    assert not page.exception
    assert not measurement.running


def test_pages_on_plain_and_residual_nets_leave_the_small_digits_out():
    page = AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/depth.py").run()
    assert not page.exception
    assert not any("200" in option for option in page.selectbox(key="data").options)
