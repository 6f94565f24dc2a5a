"""The Attributions page: which pixels speak for a class."""

import streamlit as st

from explorer.data.preprocess import fit
from explorer.ui.attributions import method_controls
from explorer.ui.attributions.map_downloads import download_maps
from explorer.ui.attributions.page import (
    Case,
    conductance_question,
    questions_of,
    sentence,
    show_conductance,
    show_help,
    show_maps,
)
from explorer.ui.attributions.trust_scores import show_trust
from explorer.ui.components.net_picker import choose_net, net_choices, opened, twin_of
from explorer.ui.components.picture_picker import choose_picture, choose_tone

st.title("Why does the net say this class?")
try:
    first, second = st.columns([4, 9], vertical_alignment="bottom")
    with first:
        choice = choose_net()
        loaded = opened(choice)
    with second:
        picture = choose_picture(choice.dataset)
    third, fourth, fifth, sixth = st.columns([3, 6, 2, 2], vertical_alignment="bottom")
    view = sixth.popover("View", icon=":material/tune:", width="stretch")
    with view:
        tone = choose_tone(loaded.in_channels)
    case = Case(choice, loaded, picture, fit(picture, loaded.image_size, loaded.in_channels, tone))
    with third:
        target = method_controls.choose_target(loaded.classes, case.probabilities())
    with fourth:
        methods = method_controls.choose_methods()
    with fifth:
        settings, seed = method_controls.choose_settings(methods, len(loaded.blocks()))
    with view:
        look, with_twin = method_controls.choose_look()
    questions = questions_of(methods, settings, target, seed)
    cases = [case]
    twin = twin_of(choice, net_choices()) if with_twin else None
    if twin is not None:
        cases.append(Case(twin, opened(twin), picture, case.seen))
    found = show_maps(case, questions, look, "first")
    if with_twin and twin is None:
        st.info("This net has no plain or residual twin here. Choose one of the zoo's.")
    for other in cases[1:]:
        show_maps(other, questions, look, "twin")
    st.markdown(sentence(case, found))
    download_maps(found, look, "maps")
    show_conductance(cases, conductance_question(target, settings))
    show_trust(case, found)
    show_help(case)
except ValueError as error:
    st.error(str(error))
