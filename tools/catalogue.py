"""Which texts can be translated? Collected from the code into explorer/locale/learn.pot, by Babel.

    python tools/catalogue.py

A language is added by

    pybabel init -D learn -i explorer/locale/learn.pot -d explorer/locale -l zh

brought up to date by `pybabel update` with the same arguments, and made readable for the app by
`pybabel compile -D learn -d explorer/locale`.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[1]
SOURCES = ("explorer/learn", "explorer/ui/learn")
"""Folders whose texts for people all go through gettext."""
TEMPLATE = ROOT / "explorer" / "locale" / "learn.pot"
_KEYWORDS = {"_": None, "gettext": None}


def catalogue() -> Catalog:
    """Every text in `_(...)`, with the files that it stands in."""
    found = Catalog(project="ResNet Explorer", charset="utf-8")
    for path in sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for _, text, _, _ in extract_from_file("python", path, keywords=_KEYWORDS):
            found.add(text, locations=[(name, 1)])
    return found


def template() -> bytes:
    """The template: without dates and line numbers, so that it changes with the texts alone."""
    written = BytesIO()
    write_po(written, catalogue(), omit_header=True, include_lineno=False, width=110)
    head = b'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return head + b'"Content-Transfer-Encoding: 8bit\\n"\n\n' + written.getvalue()


def main() -> None:
    """Write the template."""
    TEMPLATE.write_bytes(template())
    print(f"{TEMPLATE.relative_to(ROOT)}: {len(catalogue())} texts")


if __name__ == "__main__":
    sys.exit(main())
