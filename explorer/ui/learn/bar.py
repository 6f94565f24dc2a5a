"""The path at the top of every page: where one is, the station's question, and what was measured."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.charts.guess import Guessed, guess_bars
from explorer.learn import stations
from explorer.learn.question import Guess, NotMeasured, Prediction, Question
from explorer.learn.stations import Station
from explorer.learn.translation import gettext as _
from explorer.learn.translation import speaking
from explorer.ui import places
from explorer.ui.components.figure import draw
from explorer.ui.learn.measured import measurements
from explorer.ui.menu import SECTIONS
from explorer.ui.url_parameters import Choice, all_texts, asked, declare, write

LEARN = declare(Choice("learn", stations.names()))
_STATION, _LAST, _ANSWERS = "learn-station", "learn-last", "learn-answers"
_FIRST_GUESS = 50
_PROGRESS = (
    '<div class="told" aria-hidden="true"><div class="share"><i style="width:{:.0f}%"></i></div></div>'
)


def follow_link(path: str) -> None:
    """Open the station that the address names, where it is another one than the session is at.

    A link may name the station alone, on any page: then its page is opened as the path sets it up. Going back
    in the browser's history changes the station and never the page.

    Args:
        path: of the page that was asked for, in the URL.
    """
    station = stations.find(asked(LEARN) or "", _there())
    moved = station != _current()
    if station is None or (not moved and places.is_open(path)):
        return
    _set_current(station)
    context = get_script_run_ctx()
    if context and context.is_history_navigation:
        return
    if station.page == path and set(all_texts()) - set(places.EVERYWHERE):
        places.arrive_afresh({LEARN.key: [station.name], **station.address})
    elif moved:
        st.switch_page(_file(station), query_params=_query(station))


def show_bar(path: str) -> bool:
    """Draw the bar, where the path is on.

    Args:
        path: of the page that is about to be drawn, in the URL.

    Returns:
        Whether that page may be drawn: it waits where it would give the answer away.
    """
    station = _current()
    write(LEARN.key, [station.name] if station else [])
    if station is None:
        return True
    with speaking(st.context.locale):
        with st.container(border=True, key="learn", gap="small"):
            here = station.page == path
            _steps(station, here=here)
            shown = not here or _ask(station) or not station.covered
        if not shown:
            st.title(station.title())
            st.markdown(_("The page appears here with your answer."))
        return shown


def invite() -> None:
    """What Home says of the path: where it begins, or goes on."""
    there = _there()
    begun = stations.find(st.session_state.get(_LAST, ""), there)
    with speaking(st.context.locale), st.container(
        border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center",
        key="learn-invitation",
    ):  # fmt: skip
        title = _("Learn: ten minutes, {count} questions").format(count=_in_words(len(there)))
        said = _(
            "Predict, try it, and see what was measured, on one dataset from the first page to the last."
        )
        st.markdown(f"**{title}**  \n{said}", width="stretch")
        _lead(begun or there[0], _("Go on") if begun else _("Start"), "school")


def _steps(station: Station, *, here: bool) -> None:
    """Progress, and the links that lead on; all of them on one line where there is room."""
    there = _there()
    at = there.index(station)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="learn-steps"):
        progress = _("Learn: {number} of {count}").format(number=at + 1, count=len(there))
        st.markdown(f"**{progress}** · {station.title()}", width="stretch")
        if at:
            _lead(there[at - 1], _("Back"), "arrow_back")
        if not here:
            _lead(station, _("To the question"), "quiz")
        if at + 1 < len(there):
            _lead(there[at + 1], _("Next"), "arrow_forward")
        st.button(_("Leave the path"), key="learn-leave", type="tertiary", on_click=_leave)
    st.html(_PROGRESS.format(100 * (at + 1) / len(there)))


def _ask(station: Station) -> bool:
    """The question, or what was measured; whether it was answered."""
    try:
        question = station.ask(measurements())
    except NotMeasured:
        st.info(_("This was not measured here. Go on to the next question."))
        return True
    st.markdown(question.text)
    if isinstance(question, Prediction):
        return _predict(station, question)
    return _choose(station, question)


def _choose(station: Station, question: Question) -> bool:
    answer = _answers().get(station.name)
    if not isinstance(answer, int) or not 0 <= answer < len(question.options):
        with st.container(horizontal=True, gap="small", key="learn-options"):
            for number, option in enumerate(question.options):
                st.button(option, key=f"learn-option-{number}", on_click=_answer, args=(station, number))
        return False
    mine, measured = question.options[answer], question.options[question.right]
    if answer == question.right:
        said = _("You said “{answer}”, and so it was measured.").format(answer=mine)
    else:
        said = _("You said “{answer}”; measured was “{measured}”.").format(answer=mine, measured=measured)
    with st.container(key="learn-shown"):
        st.markdown(f"{said} {question.shown}")
    return True


def _predict(station: Station, prediction: Prediction) -> bool:
    guess = _answers().get(station.name)
    if isinstance(guess, tuple) and len(guess) == len(prediction.nets):
        _compare(prediction, guess)
        return True
    columns = st.columns(len(prediction.nets), gap="medium")
    guesses = [
        float(column.slider(
            _("{net}: test error (%)").format(net=net.title), 0, 100, _FIRST_GUESS, key=f"learn-guess-{at}"
        ))
        for at, (column, net) in enumerate(zip(columns, prediction.nets, strict=True))
    ]  # fmt: skip
    st.button(
        _("This is my guess: show what was measured"), key="learn-guess", type="primary",
        on_click=_answer, args=(station, tuple(guesses)),
    )  # fmt: skip
    return False


def _compare(prediction: Prediction, guess: Guess) -> None:
    """The guesses as bars beside what was measured."""
    nets = [
        Guessed(net.title, net.family, each, net.error_pct)
        for net, each in zip(prediction.nets, guess, strict=True)
    ]
    said = prediction.shown(guess)
    draw(guess_bars(nets, _("test error (%)"), _("guess"), _("measured")), "learn-bars", said)
    with st.container(key="learn-shown"):
        st.markdown(said)


def _answer(station: Station, answer: int | Guess) -> None:
    _answers()[station.name] = answer


def _answers() -> dict[str, int | Guess]:
    kept: dict[str, int | Guess] = st.session_state.setdefault(_ANSWERS, {})
    return kept


def _there() -> tuple[Station, ...]:
    return stations.on_pages({entry.path for section in SECTIONS.values() for entry in section})


def _current() -> Station | None:
    return stations.find(st.session_state.get(_STATION, ""), _there())


def _set_current(station: Station) -> None:
    st.session_state[_STATION] = st.session_state[_LAST] = station.name


def _lead(station: Station, label: str, icon: str) -> None:
    """A link to a station; after a button the browser would lose the address of the page that is left."""
    st.page_link(
        _file(station), label=label, icon=f":material/{icon}:", query_params=_query(station), width="content"
    )


def _file(station: Station) -> str:
    return f"../pages/{station.page}.py"


def _query(station: Station) -> dict[str, str | list[str]]:
    return {LEARN.key: station.name, **station.address}


def _leave() -> None:
    st.session_state.pop(_STATION, None)
    write(LEARN.key, [])


def _in_words(count: int) -> str:
    return {7: _("seven"), 8: _("eight"), 9: _("nine")}.get(count, str(count))
