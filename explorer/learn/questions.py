"""The nine questions, each with the answer that was measured: text, options and the sentence."""

from __future__ import annotations

from explorer.analysis import degradation, lesions
from explorer.analysis.aggregates import Final, final_of
from explorer.analysis.responses import by_depth
from explorer.analysis.verdicts import HEALTHY_GRADIENT, SAME_POINTS, TRAINED_PCT, ordered
from explorer.analysis.wording import literal, percent
from explorer.learn.question import (
    Guess,
    Measurements,
    NotMeasured,
    PredictedNet,
    Prediction,
    Question,
    first_true,
)
from explorer.learn.translation import gettext as _
from explorer.nets.families import net_title

DEEP, SHALLOW, DEEPEST = 56, 20, 110
ASKED_DEPTHS = (32, 44, DEEP, DEEPEST)
"""Deeper than `SHALLOW`, as the paper's nets on CIFAR-10."""
SURE = 0.5
"""A class is named above this probability: it is then more probable than all others together."""
LESIONED, BESIDE = f"digits-residual-{DEEP}-s0", f"digits-plain-{SHALLOW}-s0"
"""Keys of the nets from which blocks are taken."""
_PLAIN, _RESIDUAL, _PLAIN_20 = f"plain-{DEEP}", f"ResNet-{DEEP}", f"plain-{SHALLOW}"


def predict(found: Measurements) -> Prediction:
    """The test errors at 56 layers, guessed from those at 20."""
    plain, residual = _final(found, "plain", DEEP, "test"), _final(found, "residual", DEEP, "test")
    before = _final(found, "plain", SHALLOW, "test"), _final(found, "residual", SHALLOW, "test")
    text = _(
        "With 20 layers a plain net is wrong on {plain} of the test digits, a ResNet on {residual}. Both are "
        "made 56 layers deep and trained in the same way. **What do you expect?**"
    ).format(plain=percent(before[0].mean), residual=percent(before[1].mean))
    said = _(
        "You expected {first} and {second}; measured on the test digits: plain-56 is wrong on {plain}, "
        "ResNet-56 on {residual} ({conditions})."
    )

    def shown(guess: Guess) -> str:
        return said.format(
            first=f"{guess[0]:.0f} %", second=f"{guess[1]:.0f} %", plain=percent(plain.mean),
            residual=percent(residual.mean), conditions=conditions,
        )  # fmt: skip

    conditions = _trained(found, plain)
    nets = (
        PredictedNet(_PLAIN, "plain", plain.mean),
        PredictedNet(_RESIDUAL, "residual", residual.mean),
    )
    return Prediction(text, nets, shown)


def depth(found: Measurements) -> Question:
    """From which depth on a plain net degrades."""
    finals = found.finals()
    deeper = {
        family: [one for depth in ASKED_DEPTHS if (one := degradation.deeper(finals, family, depth))]
        for family in ("plain", "residual")
    }
    worse = {family: [one for one in each if one.order == "higher"] for family, each in deeper.items()}
    if not deeper["plain"] or not deeper["residual"]:
        raise NotMeasured
    options = (*(net_title("plain", one.depth) for one in deeper["plain"]), _("none of them"))
    text = _(
        "Slide the depth. Which of these is the **first that trains worse than plain-20**: by at least "
        "{points:g} points of training error, with no two seeds overlapping?"
    ).format(points=SAME_POINTS)
    if not worse["plain"]:
        said = _("No plain net up to {depth} layers trains worse than plain-20 ({conditions}).")
        shown = said.format(depth=deeper["plain"][-1].depth, conditions=_trained(found))
        return Question(text, options, len(options) - 1, shown)
    first = worse["plain"][0]
    said = _(
        "{net} ends with {deep} training error, plain-20 with {shallow}; residual nets of these depths that "
        "train worse than ResNet-20: {worse} ({conditions})."
    )
    shown = said.format(
        net=net_title("plain", first.depth), deep=percent(first.error.mean),
        shallow=percent(first.shallow.mean),
        worse=", ".join(net_title("residual", one.depth) for one in worse["residual"]) or _("none"),
        conditions=_trained(found, first.error),
    )  # fmt: skip
    return Question(text, options, deeper["plain"].index(first), shown)


def training(found: Measurements) -> Question:
    """Whether a deep plain net overfits."""
    train, test = _final(found, "plain", DEEP, "train"), _final(found, "plain", DEEP, "test")
    text = _(
        "plain-56 is wrong on {test} of the test digits. **Is that overfitting?** Look at the dashed line: "
        "its error in training."
    ).format(test=percent(test.mean))
    options = (
        _("Yes: it learnt its training digits, and only the test goes wrong"),
        _("No: it did not even learn its training digits"),
    )
    said = (
        _(
            "plain-56 is wrong on {train} of the digits that it trains on and on {test} of the test digits: "
            "it overfits ({conditions})."
        ),
        _(
            "plain-56 is wrong on {train} of the digits that it trains on, nearly as in the test ({test}): "
            "what fails is the training, so this is not overfitting ({conditions})."
        ),
    )
    right = first_true(train.mean <= TRAINED_PCT, True)
    shown = said[right].format(
        train=percent(train.mean), test=percent(test.mean), conditions=_trained(found, train)
    )
    return Question(text, options, right, shown)


def construct(found: Measurements) -> Question:
    """Whether a good deep plain net exists, beside what training finds."""
    table = found.built()
    before = table[(table["start"] == "trained") & (table["depth"] == DEEP) & (table["epoch"] == 0)]
    errors = before["train_error_pct"].dropna()
    if errors.empty:
        raise NotMeasured
    built = Final(float(errors.mean()), float(errors.min()), float(errors.max()), len(errors))
    usual = _final(found, "plain", DEEP, "train")
    text = _(
        "Press “Build 56 layers”: identity blocks make the trained plain-20 as deep as plain-56. **How does "
        "its training error compare** with that of a plain-56 trained from the usual start?"
    )
    options = (_("It is lower"), _("It is about the same"), _("It is higher"))
    right = first_true(*(ordered(built, usual).startswith(way) for way in ("lower", "same", "higher")))
    said = (
        _(
            "Built and not trained any further, plain-56 is wrong on {built} of the training digits; trained "
            "from the usual start it ends at {usual}: a good net of 56 layers exists, and training does not "
            "find it ({conditions})."
        )
        if right == 0
        else _(
            "Built, plain-56 is wrong on {built} of the training digits; trained from the usual start it "
            "ends at {usual}: training finds a net that is as good ({conditions})."
        )
    )
    shown = said.format(
        built=percent(built.mean), usual=percent(usual.mean), conditions=_trained(found, usual)
    )
    return Question(text, options, right, shown)


def gradients(found: Measurements) -> Question:
    """Whether the gradient of a deep plain net vanishes on its way back."""
    measured, net = found.gradients(), f"plain-{DEEP}"
    if not all(net in each for each in (measured.untrained, measured.first, measured.last)):
        raise NotMeasured
    start, first, end = measured.untrained[net], measured.first[net], measured.last[net]
    text = _(
        "A gradient that vanishes is far smaller in the first block than in the last. **What of plain-56, "
        "before it is trained?** Compare the gradient in its first block's weights with that in the last's."
    )
    options = (
        _("It is less than a tenth as large: it vanishes"),
        _("It lies between a tenth and ten times"),
        _("It is more than ten times as large: it grows"),
    )
    right = first_true(start.value < HEALTHY_GRADIENT, start.value <= 1 / HEALTHY_GRADIENT, True)
    vanishes = min(start.value, first.value, end.value) < HEALTHY_GRADIENT
    said = (
        _(
            "In plain-56's first block the gradient is {start} times the last one's before training, {first} "
            "times after an epoch, {end} times at the end: below a tenth, which is called vanishing here "
            "({conditions})."
        )
        if vanishes
        else _(
            "In plain-56's first block the gradient is {start} times the last one's before training, {first} "
            "times after an epoch, {end} times at the end: it does not vanish, and the net fails all the "
            "same ({conditions})."
        )
    )
    conditions = _(
        "medians of {seeds} seeds; untrained on 16 digits, with the batch's own BN statistics"
    ).format(seeds=start.seeds)
    shown = said.format(start=start, first=first, end=end, conditions=conditions)
    return Question(text, options, right, shown)


def shortcut(found: Measurements) -> Question:
    """How weak a shortcut may be with which a deep net still learns."""
    rows = found.strengths().sort_values("strength", ascending=False).to_dict("records")
    errors = {float(row["strength"]): float(row["mean"]) for row in rows}
    learnt = [strength for strength, error in errors.items() if error <= TRAINED_PCT]
    if not learnt or len(errors) < 2:
        raise NotMeasured
    text = _(
        "Drag the strength of the shortcut from 1, a ResNet, to 0, a plain net. **Which is the weakest with "
        "which 56 layers still learn** their training digits, to an error of at most {error:g} %?"
    ).format(error=TRAINED_PCT)
    weakest = min(learnt)
    weaker = max((strength for strength in errors if strength < weakest), default=weakest)
    said = _(
        "With shortcuts that count {strength:g} times, 56 layers end with {error} training error, at "
        "{weaker:g} with {failed} ({conditions})."
    )
    seeds = min(int(row["seeds"]) for row in rows)
    conditions = _("scikit-learn's digits, {epochs} epochs of training, at least {seeds} seeds of each")
    shown = said.format(
        strength=weakest, error=percent(errors[weakest]), weaker=weaker, failed=percent(errors[weaker]),
        conditions=conditions.format(epochs=found.epochs(), seeds=seeds),
    )  # fmt: skip
    options = tuple(f"{strength:g}" for strength in errors)
    return Question(text, options, list(errors).index(weakest), shown)


def blocks(found: Measurements) -> Question:
    """Whether a block of a deeper residual net adds more or less."""
    ratios = found.ratios()
    by_net = {int(row["depth"]): float(row["value"]) for row in ratios.to_dict("records")}
    answer = by_depth(ratios, "‖F(x)‖ / ‖x‖", "")
    if answer is None or not {SHALLOW, DEEPEST} <= set(by_net):
        raise NotMeasured
    text = _(
        "A residual block adds F(x) to its input x; ‖F(x)‖ / ‖x‖ says how much. **A typical block of "
        "ResNet-110, beside one of ResNet-20:** how much does it add?"
    )
    options = (_("Less"), _("About as much"), _("More"))
    right = first_true(bool(answer.yes), bool(answer.same), True)
    said = (
        _(
            "In ResNet-20 a typical block adds {shallow:.2f} times the norm of its input, in ResNet-110 "
            "{deep:.2f} times: deeper, each block changes less ({conditions})."
        ),
        _(
            "In ResNet-20 a typical block adds {shallow:.2f} times the norm of its input, in ResNet-110 "
            "{deep:.2f} times: hardly a difference ({conditions})."
        ),
        _(
            "In ResNet-20 a typical block adds {shallow:.2f} times the norm of its input, in ResNet-110 "
            "{deep:.2f} times: deeper, each block changes more ({conditions})."
        ),
    )[right]
    conditions = _(
        "median over blocks and seeds, 32 training digits, BN in eval mode, after {epochs} epochs"
    ).format(epochs=found.epochs())
    shown = said.format(shallow=by_net[SHALLOW], deep=by_net[DEEPEST], conditions=conditions)
    return Question(text, options, right, shown)


def lesion(found: Measurements) -> Question:
    """How many blocks of a deep residual net nobody misses."""
    table = found.lesions()
    mine, other = (table[table["net"] == net] for net in (LESIONED, BESIDE))
    if mine.empty or other.empty:
        raise NotMeasured
    residual, plain = lesions.count_missed(mine), lesions.count_missed(other)
    text = _(
        "Press a block of ResNet-56 out, and back in. **How many of its {blocks} blocks can be missing**, "
        "one at a time, at a cost of at most {points:g} point of test error?"
    ).format(blocks=residual.blocks, points=lesions.HARMLESS_POINTS)
    third, most = residual.blocks // 3, 2 * residual.blocks // 3
    options = (
        _("Up to {count}").format(count=third),
        _("{low} to {high}").format(low=third + 1, high=most),
        _("More than {count}").format(count=most),
    )
    right = first_true(residual.harmless <= third, residual.harmless <= most, True)
    said = _(
        "{harmless} of ResNet-56's {blocks} blocks can go, one at a time, for at most {points:g} point; of "
        "plain-20's {others} blocks {few} can, and the median error is then {median} (all test digits, seed "
        "0, no weight changed)."
    )
    shown = said.format(
        harmless=residual.harmless, blocks=residual.blocks, points=lesions.HARMLESS_POINTS,
        others=plain.blocks, few=plain.harmless or _("none"), median=percent(plain.median),
    )  # fmt: skip
    return Question(text, options, right, shown)


def picture(found: Measurements) -> Question:
    """What a net says to a picture of a kind that it never saw."""
    text = _(
        "This ResNet-20 has seen nothing but digits; below it looks at a cat. **What does it say?** Then "
        "give it a picture of your own: “Your own picture” takes a file or a photograph."
    )
    options = (
        _("One of the ten digits, and it is sure of it"),
        _("One of the ten digits, at less than 50 %"),
        _("That this is not a digit"),
    )
    digit, share = found.answer()
    said = _(
        "It calls the cat “{digit}” with {share}: it has an output for each digit and none for anything "
        "else, so even a sure answer says little about pictures unlike those that it learnt from (ResNet-20, "
        "seed 0, one photograph)."
    )
    shown = said.format(digit=literal(digit), share=percent(100 * share))
    return Question(text, options, first_true(share > SURE, True), shown)


def _final(found: Measurements, family: str, depth: int, split: str) -> Final:
    final = final_of(found.finals(), family, depth, split)
    if final is None:
        raise NotMeasured
    return final


def _trained(found: Measurements, final: Final | None = None) -> str:
    """The conditions under which nets were trained, as a part of a sentence."""
    if final is None or final.seeds == 1:
        return _("scikit-learn's digits, {epochs} epochs of training").format(epochs=found.epochs())
    said = _("scikit-learn's digits, {epochs} epochs of training, means of {seeds} seeds")
    return said.format(epochs=found.epochs(), seeds=final.seeds)
