"""What a visitor may cost: three profiles, a variable for each limit, and clear errors for wrong values."""

import pytest

from explorer.system import limits
from explorer.system.limits import LIMITS, LimitError, LimitSettingError
from explorer.system.paths import ROOT


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for variable in (limits.PROFILE_VARIABLE, *(limit.variable for limit in LIMITS.values())):
        monkeypatch.delenv(variable, raising=False)


def test_a_laptop_knows_no_limit():
    assert {limits.most(name) for name in LIMITS} == {None}
    for name in LIMITS:
        limits.refuse_above(name, 10**12)


def test_a_classroom_grants_more_than_the_internet(monkeypatch):
    granted = {}
    for profile in ("classroom", " Internet "):
        monkeypatch.setenv("EXPLORER_PROFILE", profile)
        granted[profile] = [limits.most(name) for name in LIMITS]

    assert all(more > less > 0 for more, less in zip(*granted.values(), strict=True))


@pytest.mark.parametrize("name", LIMITS)
def test_a_variable_goes_before_the_profile(name, monkeypatch):
    monkeypatch.setenv("EXPLORER_PROFILE", "internet")
    monkeypatch.setenv(LIMITS[name].variable, "3")
    counted = {"there": 2, "more": 2, "name": "a.png", "title": "Conductance"}
    limits.refuse_above(name, 3, **counted)
    with pytest.raises(LimitError, match=r"t most 3\b"):
        limits.refuse_above(name, 4, **counted)
    monkeypatch.setenv(LIMITS[name].variable, "none")
    limits.refuse_above(name, 10**12, **counted)


@pytest.mark.parametrize("value", ["-1", "many", "1e3", "3.5", "١", "9" * 99])
@pytest.mark.parametrize("name", LIMITS)
def test_a_wrong_number_is_told_with_what_is_known(name, value, monkeypatch):
    monkeypatch.setenv(LIMITS[name].variable, value)
    with pytest.raises(LimitSettingError, match=f"{LIMITS[name].variable} is .* whole number"):
        limits.check_settings()


def test_a_wrong_profile_is_told_with_those_that_there_are(monkeypatch):
    monkeypatch.setenv("EXPLORER_PROFILE", "clasroom")
    with pytest.raises(LimitSettingError, match=r"'clasroom'.*laptop, classroom or internet"):
        limits.check_settings()


def test_every_limit_is_shown_and_documented(monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_QUEUE", "7")
    shown = limits.in_force()
    assert shown["profile"] == "laptop"
    assert shown[LIMITS["queue"].title] == 7
    assert list(shown.values()).count("none") == len(LIMITS) - 1
    rows = (limits_page := (ROOT / "docs" / "limits.md").read_text()).splitlines()
    for limit in LIMITS.values():
        said = " | ".join("none" if one is None else f"{one:,}" for one in limit.defaults)
        assert f"| {limit.title} | `{limit.variable}` | {said} |" in rows, limits_page
