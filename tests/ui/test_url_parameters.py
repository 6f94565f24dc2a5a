"""Every declared parameter takes any text of an address: a value of its own kind, or none."""

import ast
import importlib
import math
import pkgutil
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import explorer.ui
from explorer.runs.zoo import ROOT
from explorer.ui.url_parameters import (
    Choice,
    Choices,
    Names,
    Pair,
    Real,
    Switch,
    Text,
    Whole,
    bound,
    declared,
    keys_of,
)

for module in pkgutil.walk_packages(explorer.ui.__path__, "explorer.ui."):
    importlib.import_module(module.name)
PARAMETERS = declared()
OPTIONS = ("mean", "each", "7", "")
# what reads as a number somewhere, and what no widget can show
NASTY = ("inf", "-inf", "Infinity", "nan", "1e400", "-1e400", "1e309", "1e15", "9" * 400, "-" + "9" * 40,
         "1_0", "٣", "0x10", "1e-400", "+5", "5.0", "5.5", "", " ", "\0", "\ud800", "None", "true", "%00",
         "a,b,,c", "-0", "1/0", "½", "१", "1.", ".5", "1e5", "2**9")  # fmt: skip
HOPELESS = ("inf", "-inf", "nan", "1e400", "9" * 400, "", " ", "0x10", "None")
FIELDS = (Whole, Real, Pair, Switch)
any_text = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=30), st.text(string.digits + "+-.eE_ infa", max_size=12),
    st.integers().map(str), st.floats().map(str),
)  # fmt: skip
texts = st.lists(any_text, max_size=4)


def within(parameter, value):
    """Whether a value is one that the parameter's widget can show."""
    match parameter:
        case Whole():
            return type(value) is int and parameter.low <= value and value <= (parameter.high or 2**53)
        case Real():
            return type(value) is float and math.isfinite(value) and parameter.low <= value <= parameter.high
        case Pair():
            return all(type(end) is int for end in value) and (
                parameter.low <= value[0] <= value[1] <= parameter.high
            )
        case Switch():
            return type(value) is bool
        case Choice() | Choices():
            return set([value] if isinstance(value, str) else value) <= set(parameter.options)
        case Text():
            return value.isprintable() and len(value) <= 200
        case Names():
            return all(name.isascii() and "," not in name for name in value)
    raise AssertionError(f"a new kind of parameter: {parameter}")


def test_there_are_many_parameters_and_each_is_declared_once_for_its_place():
    assert len(PARAMETERS) > 60
    assert {type(parameter) for parameter in PARAMETERS} >= {
        Whole,
        Real,
        Pair,
        Switch,
        Choice,
        Choices,
        Names,
    }


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(said=texts)
def test_any_text_is_read_as_a_value_of_the_parameter_or_as_none(said):
    for parameter in PARAMETERS:
        value = parameter.read(said)
        assert value is None or within(parameter, value), parameter


def test_texts_that_are_numbers_somewhere_are_none_here():
    for text in NASTY:
        for parameter in PARAMETERS:
            value = parameter.read([text, text])
            assert value is None or within(parameter, value), (parameter, text)
            assert text not in HOPELESS or value is None or not isinstance(parameter, FIELDS), parameter


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(said=texts, parameter=st.sampled_from([Choice("a", OPTIONS), Choices("b", OPTIONS)]))
def test_a_choice_is_one_of_its_options(said, parameter):
    value = parameter.read(said)

    assert value is None or within(parameter, value)
    assert set(keys_of(said, dict.fromkeys(OPTIONS, "title"))) <= set(OPTIONS)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(number=st.integers(-1000, 10_000))
def test_every_number_within_its_limits_is_read_as_itself(number):
    whole, real = Whole("a", -5, 9999), Real("b", -5, 9999)
    right = number if -5 <= number <= 9999 else None

    assert whole.read([str(number)]) == whole.read(["7", f"{number}.0"]) == right
    assert real.read([str(number)]) == real.read([f"{number}e0"]) == right
    assert Pair("c", 0, 9).read([str(number), "9"]) == ((number, 9) if 0 <= number <= 9 else None)


def test_nobody_reads_the_address_or_binds_a_widget_but_the_reader():
    found = []
    for path in [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        if path.name == "url_parameters.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            binds = isinstance(node, ast.keyword) and node.arg == "bind"
            reads = (
                isinstance(node, ast.Attribute)
                and node.attr == "query_params"
                and (isinstance(node.value, ast.Name) and node.value.id == "st")
            )
            if binds or reads:
                found.append(f"{path.name}:{node.lineno}")

    assert found == []


def test_a_parameter_that_was_not_declared_cannot_be_bound():
    with pytest.raises(KeyError, match="was not declared"):
        bound(Whole("nobody-knows-this"))
