"""Links in which every parameter is wrong: each page opens, with its defaults."""

import importlib
import math
import pkgutil

import pytest
from streamlit.testing.v1 import AppTest

import explorer.ui
from explorer.runs.zoo import ROOT
from explorer.ui.url_parameters import Pair, declared

for module in pkgutil.walk_packages(explorer.ui.__path__, "explorer.ui."):
    importlib.import_module(module.name)


@pytest.mark.parametrize(
    ("page", "word"),
    [("train", "inf"), ("train", "-9999999999999"), ("attributions", "1e400"), ("inspect", "nan")],
)
def test_a_page_opens_with_its_defaults_where_every_parameter_is_wrong(page, word, monkeypatch):
    monkeypatch.setenv("EXPLORER_WORKERS", "0")
    monkeypatch.setattr("explorer.ui.components.machine.start_calibration", lambda: False)
    opened = AppTest.from_file(str(ROOT / "explorer" / "app.py"), default_timeout=300)
    opened = opened.switch_page(f"../pages/{page}.py")
    for parameter in declared():
        opened.query_params[parameter.key] = [word, word] if isinstance(parameter, Pair) else word
    opened.query_params["net"] = "untrained:residual-8"
    opened.query_params["methods"] = "Saliency"
    opened.run()

    assert not opened.exception
    fields = [field.key for field in [*opened.number_input, *opened.slider]]
    assert [key for key in fields if key in opened.query_params] == []
    values = [field.value for field in [*opened.number_input, *opened.slider]]
    ends = [end for value in values for end in (value if isinstance(value, tuple | list) else [value])]
    assert all(end is None or math.isfinite(end) for end in ends)
    assert ends
