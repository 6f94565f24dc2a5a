"""Texts in the reader's language: gettext catalogues of explorer/locale, English where there is none.

`python tools/catalogue.py` collects the texts that stand in `_(...)` into explorer/locale/learn.pot. A text
with numbers has named gaps and is filled after it was translated: `_("{net} ends at {error}").format(...)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path

DOMAIN = "learn"
FOLDER = Path(__file__).parents[1] / "locale"
_LOCALE: ContextVar[str] = ContextVar("locale", default="")


@contextmanager
def speaking(locale: str | None) -> Iterator[None]:
    """Let `gettext` speak the language of a locale such as `zh-CN`, as browsers name it; None is English."""
    token = _LOCALE.set(locale or "")
    try:
        yield
    finally:
        _LOCALE.reset(token)


def gettext(message: str) -> str:
    """The message in the language that is spoken, or as it is where no catalogue has it."""
    return _catalogue(_LOCALE.get(), FOLDER).gettext(message)


@lru_cache(maxsize=16)
def _catalogue(locale: str, folder: Path) -> NullTranslations:
    """The catalogue of zh_CN, else that of zh, else none: every message is then its own translation."""
    name = locale.replace("-", "_")
    languages = [part for part in (name, name.partition("_")[0]) if part.replace("_", "").isalnum()]
    return translation(DOMAIN, folder, languages, fallback=True)
