"""Which answer is right, and what is said, follows from numbers made up at the edges of each rule."""

from dataclasses import replace

import pandas as pd
import pytest

from explorer.analysis.gradients import Gradients, Ratio
from explorer.learn import questions, stations
from explorer.learn.question import Measurements, NotMeasured, Question

ERRORS = {
    ("plain", 20): (0.0, 3.0), ("plain", 32): (3.0, 8.0), ("plain", 44): (43.0, 48.0),
    ("plain", 56): (70.0, 76.0), ("plain", 110): (89.0, 92.0),
    ("residual", 20): (0.0, 2.0), ("residual", 32): (0.0, 2.0), ("residual", 44): (0.0, 2.0),
    ("residual", 56): (0.0, 1.5), ("residual", 110): (0.0, 2.0), ("highway", 56): (83.0, 85.0),
}  # fmt: skip


def finals(**changed):
    """Training and test error by net, such as plain_56=(70, 76); two seeds, half a point apart."""
    errors = ERRORS | {
        (name.split("_")[0], int(name.split("_")[1])): value for name, value in changed.items()
    }
    rows = [
        (family, depth, split, error, error - 0.25, error + 0.25, 2)
        for (family, depth), pair in errors.items()
        for split, error in zip(("train", "test"), pair, strict=True)
    ]
    return pd.DataFrame(rows, columns=["family", "depth", "split", "mean", "low", "high", "seeds"])


def built(error):
    row = {"start": "trained", "depth": 56, "seed": 0, "epoch": 0, "train_error_pct": error}
    return pd.DataFrame([row, row | {"epoch": 10, "train_error_pct": 50.0}])


def lesions(harmless, of=27):
    """A residual net of which so many blocks cost nothing, beside a plain one of which none does."""
    rows = []
    for net, free, blocks in ((questions.LESIONED, harmless, of), (questions.BESIDE, 0, 9)):
        rows.append({"net": net, "kind": "intact", "count": 0, "error_pct": 1.0})
        rows += [
            {"net": net, "kind": "single", "count": number + 1, "error_pct": 2.0 if number < free else 88.0}
            for number in range(blocks)
        ]
    return pd.DataFrame(rows)


def ratios(shallow, deep):
    rows = [("residual-20", "residual", 20, shallow), ("residual-110", "residual", 110, deep)]
    return pd.DataFrame(rows, columns=["key", "family", "depth", "value"])


def strengths(errors):
    rows = [(strength, error, error, error, 2) for strength, error in errors.items()]
    return pd.DataFrame(rows, columns=["strength", "mean", "low", "high", "seeds"])


def gradients(start, first, last):
    made = [{"plain-56": Ratio(value, value, value, 3)} for value in (start, first, last)]
    return Gradients(*made)


FOUND = Measurements(
    finals=finals, epochs=lambda: 10, built=lambda: built(0.1), gradients=lambda: gradients(2000, 0.6, 0.2),
    ratios=lambda: ratios(0.57, 0.2), lesions=lambda: lesions(20), answer=lambda: ("8", 0.876),
    strengths=lambda: strengths({0: 70.0, 0.5: 38.0, 0.75: 2.0, 1: 0.0}),
)  # fmt: skip


def given(**changed):
    return replace(FOUND, **{name: lambda value=value: value for name, value in changed.items()})


@pytest.mark.parametrize(
    ("ask", "changed", "right", "said"),
    [
        (questions.depth, {}, 0, "plain-32 ends with 3.0 % training error, plain-20 with 0.0 %"),
        (questions.depth, {"finals": finals(plain_32=(1.9, 8))}, 1, "plain-44 ends with 43.0 %"),
        (questions.depth, {"finals": finals(residual_56=(9, 9))}, 0, "worse than ResNet-20: ResNet-56 ("),
        (questions.training, {}, 1, "70.0 % of the digits that it trains on, nearly as in the test (76.0 %)"),
        (questions.training, {"finals": finals(plain_56=(5, 76))}, 0, "it overfits"),
        (questions.construct, {}, 0, "wrong on 0.1 % of the training digits; trained from the usual start "),
        (questions.construct, {"built": built(69.0)}, 1, "training finds a net that is as good"),
        (questions.construct, {"built": built(90.0)}, 2, "training finds a net that is as good"),
        (questions.gradients, {}, 2, "the gradient is 2,000 times the last one's before training, 0.6 times"),
        (questions.gradients, {"gradients": gradients(10, 1, 1)}, 1, "it does not vanish"),
        (questions.gradients, {"gradients": gradients(0.09, 1, 1)}, 0, "called vanishing here"),
        (questions.gradients, {"gradients": gradients(20, 0.09, 1)}, 2, "called vanishing here"),
        (
            questions.shortcut,
            {},
            1,
            "count 0.75 times, 56 layers end with 2.0 % training error, at 0.5 with 38.0 %",
        ),
        (questions.shortcut, {"strengths": strengths({1: 0.0, 0.5: 5.1, 0: 70.0})}, 0, "count 1 times"),
        (questions.shortcut, {"strengths": strengths({1: 0.0, 0.5: 5.0, 0: 4.0})}, 2, "count 0 times"),
        (questions.blocks, {}, 0, "0.57 times the norm of its input, in ResNet-110 0.20 times: deeper, each"),
        (questions.blocks, {"ratios": ratios(0.5, 0.5)}, 1, "hardly a difference"),
        (questions.blocks, {"ratios": ratios(0.2, 0.5)}, 2, "each block changes more"),
        (questions.lesion, {}, 2, "20 of ResNet-56's 27 blocks can go"),
        (questions.lesion, {"lesions": lesions(18)}, 1, "18 of ResNet-56's"),
        (questions.lesion, {"lesions": lesions(9)}, 0, "plain-20's 9 blocks none can"),
        (questions.picture, {}, 0, "It calls the cat “8” with 87.6 %"),
        (questions.picture, {"answer": ("8", 0.5)}, 1, "“8” with 50.0 %"),
    ],
)
def test_the_right_answer_and_the_sentence_follow_from_the_numbers(ask, changed, right, said):
    question = ask(given(**changed))
    assert isinstance(question, Question)
    assert question.right == right
    assert said in question.shown
    assert len(set(question.options)) == len(question.options) > right


def test_where_no_plain_net_degrades_none_of_them_is_right():
    flat = {f"plain_{depth}": (0.0, 2.0) for depth in questions.ASKED_DEPTHS}
    question = questions.depth(given(finals=finals(**flat)))
    assert question.options[question.right] == "none of them"
    assert "No plain net up to 110 layers trains worse" in question.shown


def test_a_prediction_is_told_beside_what_was_measured():
    prediction = questions.predict(FOUND)
    assert [(net.title, net.error_pct) for net in prediction.nets] == [("plain-56", 76.0), ("ResNet-56", 1.5)]
    assert "wrong on 3.0 % of the test digits, a ResNet on 2.0 %" in prediction.text
    said = prediction.shown((10.0, 5.0))
    assert said.startswith(
        "You expected 10 % and 5 %; measured on the test digits: plain-56 is wrong on 76.0 %"
    )
    assert "10 epochs of training, means of 2 seeds" in said


@pytest.mark.parametrize("station", stations.ALL, ids=lambda station: station.name)
def test_nothing_is_made_up_where_nothing_was_measured(station):
    def missing():
        raise NotMeasured

    empty = Measurements(
        finals=lambda: finals().iloc[:0], epochs=lambda: 10, built=lambda: built(0.1).iloc[:0],
        gradients=lambda: Gradients({}, {}, {}), ratios=lambda: ratios(1, 1).iloc[:0],
        lesions=lambda: lesions(1).iloc[:0], answer=missing, strengths=lambda: strengths({}),
    )  # fmt: skip
    with pytest.raises(NotMeasured):
        station.ask(empty)


def test_stations_follow_the_menu_and_keep_their_names_and_numbers():
    pages = {station.page for station in stations.ALL}
    assert len(stations.on_pages(pages)) == 9
    without = stations.on_pages(pages - {"gradients", "shortcut"})
    assert [station.name for station in without] == [
        "predict", "depth", "training", "construct", "blocks", "lesion", "picture",
    ]  # fmt: skip
    assert stations.find("lesion", without) is stations.find("8", without) is stations.ALL[7]
    assert stations.find("5", without) is None
    assert stations.find("10", stations.ALL) is stations.find("", stations.ALL) is None
