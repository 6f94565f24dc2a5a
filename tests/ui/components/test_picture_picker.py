"""The picture chooser: samples by default, a visitor's own files, and one message for what is wrong."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.data.images import ImageError
from explorer.data.sample_photos import PHOTOGRAPHS, photograph
from explorer.ui.components import uploads
from explorer.ui.components.paste import pasted_file


def script(dataset):
    import streamlit as st

    from explorer.ui.components.picture_picker import choose_picture

    picture = choose_picture(dataset)
    st.text(f"{picture.key}|{picture.title}|{picture.label}|{picture.image.size}")


def chooser(dataset="digits", **query):
    app = AppTest.from_function(script, args=(dataset,), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    app = app.run()
    assert not app.exception
    return app


def jpeg(size=(40, 30), name="holiday.jpg", **options):
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, "JPEG", **options)  # not of one colour
    file.seek(0)
    file.name = name
    return file


def broken(name="broken.png"):
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n and nothing more")
    file.name = name
    return file


@pytest.fixture
def session(monkeypatch):
    """What a visitor's session holds, and what was said."""
    held, said = {}, []
    monkeypatch.setattr(uploads.st, "session_state", held)
    monkeypatch.setattr(uploads.st, "error", lambda text, **_: said.append(text))
    return said


def test_the_first_picture_is_a_test_image_of_the_nets_own_data():
    assert chooser().text[0].value.startswith("digits-test-0|Digits (scikit-learn, 8x8), test image 0|")


def test_a_net_whose_data_are_not_here_is_shown_a_photograph():
    assert chooser("cifar10-jpeg").text[0].value == "cat|Cat (photograph)|cat|(451, 300)"


def test_any_test_image_can_be_chosen():
    app = chooser(index="17")
    assert app.text[0].value.startswith("digits-test-17|")
    assert app.number_input(key="index").set_value(359).run().text[0].value.startswith("digits-test-359|")


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_there_and_credited(name):
    assert photograph(name).image.size == ((451, 300) if name == "cat" else (640, 427))
    assert "CC" in photograph(name).notes[0]
    assert chooser(picture=PHOTOGRAPHS[name]).text[0].value.startswith(f"{name}|")


def test_there_is_no_other_photograph():
    with pytest.raises(ImageError, match="cat, flower, china"):
        photograph("../../etc/passwd")


@pytest.mark.parametrize(
    "query", [{"picture": "own-0123"}, {"picture": "<b>"}, {"index": "9999"}, {"index": "x"}]
)
def test_garbage_in_the_url_gives_a_test_image(query):
    assert chooser(**query).text[0].value.startswith("digits-test-")


def test_a_file_becomes_a_picture_with_its_name(session):
    key = uploads.take_in([jpeg()])

    picture = uploads.own_pictures()[key]
    assert (picture.title, picture.image.size, picture.notes) == ("holiday.jpg", (40, 30), ())
    uploads.tell_refused()
    assert session == []


def test_large_pictures_are_kept_small_and_said_so(session):
    picture = uploads.own_pictures()[uploads.take_in([jpeg((4096, 2048))])]

    assert picture.image.size == (1024, 512)
    assert "it came with 4096x2048" in picture.notes[-1]


def test_a_bad_file_is_told_once_and_the_good_one_kept(session):
    key = uploads.take_in([broken(), jpeg(), broken("second.gif")])

    assert list(uploads.own_pictures()) == [key]
    uploads.tell_refused()
    uploads.tell_refused()
    assert len(session) == 1
    assert "broken.png cannot be read as an image" in session[0]
    assert "second.gif cannot be read as an image" in session[0]


def test_a_hundred_files_at_once_are_answered_in_one_message(session):
    shades = np.random.RandomState(0).randint(0, 255, (100, 3))
    files = []
    for number, shade in enumerate(shades):
        file = io.BytesIO()
        Image.new("RGB", (30, 20), tuple(int(value) for value in shade)).save(file, "PNG")
        file.name = f"{number}.png"
        files.append(file)

    uploads.take_in(files)
    uploads.take_in([*[broken()] * 50])

    assert len(uploads.own_pictures()) == uploads.KEPT
    uploads.tell_refused()
    assert len(session) == 1
    assert "50 files were sent: the first 12" in session[0]
    assert len(session[0]) < 400


def test_the_oldest_pictures_make_room(session):
    keys = [uploads.take_in([jpeg((40 + number, 30))]) for number in range(uploads.KEPT + 2)]

    assert list(uploads.own_pictures()) == keys[2:]


def test_the_same_file_twice_is_one_picture_and_under_another_name_another(session):
    assert uploads.take_in([jpeg()]) == uploads.take_in([jpeg()])
    assert len(uploads.own_pictures()) == 1
    assert uploads.own_pictures()[uploads.take_in([jpeg(name="again.jpg")])].title == "again.jpg"


def test_a_pasted_picture_is_one_like_any_other(session):
    sent = {"name": "image.png", "content": base64.b64encode(jpeg().getvalue()).decode()}

    assert uploads.own_pictures()[uploads.take_in([pasted_file(sent)])].title == "image.png"


@pytest.mark.parametrize("sent", [None, {}, {"content": "no base64!"}, {"content": 3, "name": ["x"]}, "text"])
def test_what_a_browser_should_never_send_is_refused_like_a_bad_file(session, sent):
    assert uploads.take_in([pasted_file(sent)]) is None
    uploads.tell_refused()
    assert "cannot be read as an image" in session[0]
