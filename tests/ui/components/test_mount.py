"""Scripts on a page: what the browser is given is one module."""

import pytest

from explorer.system.paths import ROOT
from explorer.ui.components.mount import HIDDEN_BUTTONS, joined

SCRIPTS = sorted(path for path in (ROOT / "explorer/ui").rglob("*.js") if path.name != "bridge.js")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_comes_as_one_module_without_imports(path):
    text = joined(path)

    assert text.count("export ") == text.count("export default") == 1
    assert "import {" not in text
    assert ("const afterPaint" in text) == ("bridge.js" in path.read_text())


def test_the_style_of_hidden_buttons_stands_once():
    stated = [
        path.name for path in (ROOT / "explorer").rglob("*.py") if "updatemenu-container" in path.read_text()
    ]

    assert stated == ["mount.py"]
    assert "opacity: 0" in HIDDEN_BUTTONS


def test_components_are_registered_in_one_place():
    made = [path.name for path in (ROOT / "explorer").rglob("*.py") if "components.v2" in path.read_text()]

    assert made == ["mount.py"]
