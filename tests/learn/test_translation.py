"""Texts of the path: the template is up to date, every text goes through it, and a language is found."""

import importlib.util
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from test_questions import FOUND

from explorer.learn import stations, translation
from explorer.learn.question import Question

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    source = importlib.util.spec_from_file_location("catalogue", ROOT / "tools" / "catalogue.py")
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return module


@pytest.fixture
def marked(tool, tmp_path, monkeypatch):
    """A language in which each text stands between marks."""
    catalogue = tool.catalogue()
    for message in catalogue:
        if message.id:
            message.string = f"«{message.id}»"
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "learn.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(translation, "FOLDER", tmp_path)


def test_the_template_has_every_text(tool):
    assert tool.TEMPLATE.read_bytes() == tool.template(), "run python tools/catalogue.py"


@pytest.mark.parametrize("station", stations.ALL, ids=lambda station: station.name)
def test_every_text_of_a_station_is_translated(station, marked):
    with translation.speaking("zh-CN"):
        question, title = station.ask(FOUND), station.title()
    texts = [title, question.text]
    if isinstance(question, Question):
        texts += [
            question.shown,
            *(text for text in question.options if not text.startswith(("plain-", "0", "1"))),
        ]
    else:
        texts.append(question.shown((1.0, 2.0)))
    assert [text for text in texts if not (text.startswith("«") and text.endswith("»"))] == []
    assert "{" not in "".join(texts)


@pytest.mark.parametrize("locale", [None, "", "en-US", "de", "../../etc", "x" * 300])
def test_a_language_without_a_catalogue_is_english(locale, marked):
    with translation.speaking(locale):
        assert translation.gettext("Start") == "Start"


def test_a_language_ends_where_it_was_spoken(marked):
    with translation.speaking("zh"):
        assert translation.gettext("Start") == "«Start»"
    assert translation.gettext("Start") == "Start"
