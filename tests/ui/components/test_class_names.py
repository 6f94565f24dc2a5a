"""A class is named only where the net is sure, and never by a bare number as if that were its name."""

from streamlit.testing.v1 import AppTest

from explorer.data.sample_photos import photograph
from explorer.ui.components.class_names import strange, verdict

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NUMBERED = tuple(f"class {number}" for number in range(10))


def shares(at, sure):
    return [sure if number == at else (1 - sure) / 9 for number in range(10)]


def test_a_class_is_named_above_half_and_else_the_net_is_unsure():
    assert verdict(TEN, shares(3, 0.7)) == "says cat (70.0 %)"
    assert verdict(TEN, shares(3, 0.495)).startswith("is unsure: cat comes first with 49.5 %")


def test_an_output_without_a_name_is_not_called_a_class():
    assert verdict(NUMBERED, shares(3, 1.0)) == "chooses output 3, a class without a name here (100.0 %)"


def test_a_picture_of_something_else_says_what_the_net_knows():
    assert strange(photograph("cat"), TEN) == ""
    assert "knows only its 10 classes: airplane, automobile" in strange(photograph("flower"), TEN)
    assert "knows only its 1,000 classes. " in strange(
        photograph("flower"), [f"name {n}" for n in range(1000)]
    )


def naming():
    from types import SimpleNamespace

    import streamlit as st

    from explorer.nets.loaded_net import LoadedNet
    from explorer.ui.components.class_names import offer_names

    classes = tuple(f"class {number}" for number in range(10))
    loaded = LoadedNet("upload:1", "mine", SimpleNamespace(), None, classes, 32, True, "")
    st.text("|".join(offer_names(loaded, "net").classes))


def test_names_are_cifars_at_a_press_or_a_list_and_a_wrong_list_is_refused():
    page = AppTest.from_function(naming, default_timeout=60).run()
    assert page.text[0].value == "|".join(NUMBERED)
    assert page.button(key="names-cifar-net").click().run().text[0].value == "|".join(TEN)
    page = page.text_area(key="names-given-net").set_value("a, b").run()
    assert "These are 2 names, and the net has 10 classes" in page.error[0].value
    page = page.text_area(key="names-given-net").set_value("a,b,c,d,e,f,g,h,i,<b>j</b>").run()
    assert "of at most 40 letters" in page.error[0].value
    page = page.text_area(key="names-given-net").set_value("a,b,c,d,e,f,g,h,i,j").run()
    assert page.text[0].value == "a|b|c|d|e|f|g|h|i|j"
