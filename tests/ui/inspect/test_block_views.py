"""Which classes the read-out draws: the last top ones, and whatever else leads on the way."""

import numpy as np

from explorer.ui.inspect.block_views import classes_shown


def test_a_class_that_leads_early_is_drawn_beside_the_final_five():
    readout = np.full((4, 10), 0.01)
    readout[:3, 9] = 0.9
    readout[3] = np.linspace(0.3, 0.01, 10)
    assert classes_shown(readout) == [0, 1, 2, 3, 4, 9]


def test_of_very_many_leaders_those_that_lead_most_often_are_drawn():
    readout = np.zeros((61, 100))
    for place in range(60):
        readout[place, place + 20 if place % 2 else 99] = 1.0
    readout[60, :5] = 0.2
    shown = classes_shown(readout)
    assert shown[:6] == [0, 1, 2, 3, 4, 99]
    assert len(shown) == 12
