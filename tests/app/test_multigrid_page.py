"""The Multigrid page and command: true at first paint, and at every slider."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from explorer.cli.main import main
from explorer.runs.zoo import ROOT

HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/multigrid.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_charts_and_computed_sentences():
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 5
    assert "with 5 coarser grids that give corrections, 0.06 %" in text(page)
    assert "coarse knobs with corrections 0.0 %. The condition number is 1,659 against 1.00" in text(page)
    assert "a thousandth of the error is reached after 357 steps against 18" in text(page)
    assert "It is an analogy" in text(page)


def test_every_control_changes_what_is_said():
    page = opened(points="255")
    assert page.slider(key="levels").value == 8
    page.slider(key="levels").set_value(1)
    page.slider(key="cycles").set_value(12)
    page = page.slider(key="descent-steps").set_value(0).run()
    assert not page.exception
    assert "the knobs at the points leave 100.0 % of the error" in text(page)
    page = page.button_group(key="points").set_value("31").run()
    assert not page.exception
    assert page.slider(key="levels").max == 5


def test_garbage_in_the_url_gives_defaults():
    page = opened(points="64")
    assert not page.exception
    assert page.slider(key="levels").max == 6


def test_the_command_gives_the_same_numbers_and_refuses_others(capsys):
    main(["multigrid", "--points", "63", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["condition_points"] == pytest.approx(1659.4, abs=0.1)
    assert found["error_hats"] < 1e-9 < found["error_points"]
    assert len(found["error_by_cycle"]) == 13
    with pytest.raises(SystemExit) as ended:
        main(["multigrid", "--points", "64"])
    assert ended.value.code == 2
    assert "give 2^k - 1" in capsys.readouterr().err
