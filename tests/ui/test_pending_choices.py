"""A request for another page carries what was chosen right before it."""

from streamlit.proto.ClientState_pb2 import ClientState

from explorer.ui.pending_choices import carry, keep_pending_choices


def request(page, pressed=(), **numbers):
    state = ClientState(page_script_hash=page)
    for name, number in numbers.items():
        state.widget_states.widgets.add(id=name, int_value=number)
    for name in pressed:
        state.widget_states.widgets.add(id=name, trigger_value=True)
    return state


def carried(last, state):
    carry(last, state)
    return {widget.id: widget.int_value for widget in state.widget_states.widgets}


def test_a_change_of_page_carries_choices_and_no_presses():
    last = request("depth", pressed=["export"], depth=56, seeds=1, present=0)
    assert carried(last, request("runs", present=1)) == {"present": 1, "depth": 56, "seeds": 1}


def test_on_one_page_and_at_first_a_request_stays_as_it_is():
    assert carried(request("depth", depth=56), request("depth", seeds=1)) == {"seeds": 1}
    assert carried(None, request("depth", seeds=1)) == {"seeds": 1}


def test_this_version_of_streamlit_takes_up_requests_where_they_are_carried():
    assert keep_pending_choices()
    assert keep_pending_choices()  # for the next server of the same process
