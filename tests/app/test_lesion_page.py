"""The Lesion page from Home: answers at first paint, and at every press, scale, order and picture."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT

HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/lesion.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def metrics(page):
    return {metric.label: metric.value for metric in page.metric}


def test_it_opens_intact_with_its_twin_and_every_curve():
    page = opened()
    assert not page.exception
    assert metrics(page) == {
        "Intact": "2.5 %", "Test error now": "2.5 %", "plain-20, same lesion": "3.1 %",
    }  # fmt: skip
    assert len(page.get("plotly_chart")) == 5
    assert "**Take any one block out of ResNet-20:** 2 of 9 cost at most 1 point" in text(page)
    assert "the intact net says **" in text(page)


def test_a_net_and_its_twin_are_shown_as_they_were_after_an_epoch():
    page = opened(at="0")
    assert not page.exception
    assert float(metrics(page)["Intact"].split()[0]) > 80
    assert float(metrics(page)["plain-20, same lesion"].split()[0]) > 80
    page = page.select_slider(key="at").set_value("ships").run()
    assert metrics(page)["Intact"] == "2.5 %"
    assert "No weights of epoch 99 are kept" in opened(at="99").info[0].value


def test_a_removed_block_changes_the_answers_and_can_be_put_back():
    page = opened(out="1")
    assert not page.exception
    assert metrics(page)["Test error now"] == "65.0 %"
    assert metrics(page)["plain-20, same lesion"] == "89.2 %"
    page = page.button(key="put-back").click().run()
    assert not page.exception
    assert metrics(page)["Test error now"] == "2.5 %"


def test_scale_order_random_removal_and_new_statistics():
    page = opened()
    page = page.selectbox(key="scaled").set_value("all blocks").run()
    page = page.slider(key="scale").set_value(0.0).run()
    assert not page.exception
    assert float(metrics(page)["Test error now"].split()[0]) > 50
    page = page.button(key="put-back").click().run()
    page = page.button_group(key="order").set_value("shuffle").run()
    assert not page.exception
    page = page.button(key="put-back").click().run()
    page.number_input(key="random-count").set_value(3)
    page = page.button(key="random-remove").click().run()
    assert len(page.multiselect(key="out").value) == 3
    before = metrics(page)["Test error now"]
    page = page.toggle(key="renewed").set_value(True).run()
    assert not page.exception
    assert metrics(page)["Test error now"] != before


@pytest.mark.parametrize("garbage", [{"out": "99"}, {"out": "x", "net": "nobody"}, {"order": "?"}])
def test_garbage_in_the_url_gives_defaults(garbage):
    page = opened(**garbage)
    assert not page.exception
    assert metrics(page)["Test error now"] == "2.5 %"


def test_another_net_forgets_blocks_that_it_has_not():
    page = opened(net="digits-residual-56-s0", out="27")
    assert not page.exception
    page = page.selectbox(key="net").set_value("digits-residual-20-s0").run()
    assert not page.exception
    assert page.multiselect(key="out").value == []
