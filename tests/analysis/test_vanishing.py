"""The one answer on vanishing gradients: each half of it follows from its table, at the rules' edges."""

import pandas as pd
import pytest

from explorer.analysis import vanishing
from explorer.analysis.vanishing import Kept

LAST = 110


def agreement(**nets):
    rows = [
        (net.replace("_", "-"), "usual", seed, 0, block, cosine)
        for net, cosines in nets.items()
        for seed, cosine in enumerate(cosines)
        for block in (1, 2)
    ]
    return pd.DataFrame(rows, columns=["net", "start", "seed", "epoch", "block", "cosine"])


def sizes(**nets):
    """By net the first block's norm over the last one's, untrained, after an epoch and at the end."""
    rows = []
    for net, found in nets.items():
        for step, ratio in zip((0, 1, 11, LAST), found, strict=True):
            rows += [
                (net.replace("_", "-"), 0, step, block, norm, 5.7 * (1 + step * 99 * (net == "plain_110")))
                for block, norm in ((1, ratio), (2, ratio**0.5), (3, 1.0))
            ]
    return pd.DataFrame(rows, columns=["net", "seed", "step", "block", "norm", "stem_weight"])


def forced(**nets):
    rows = [
        (net.replace("_", "-"), "share", seed, epoch, 90.0 if epoch == 0 else error, 90.0)
        for net, errors in nets.items()
        for seed, error in enumerate(errors)
        for epoch in (0, 10)
    ]
    names = ["net", "manner", "seed", "epoch", "train_error_pct", "test_error_pct"]
    return pd.DataFrame(rows, columns=names)


def kept(end=3.0, ends=(70.8, 80.3)):
    return Kept(
        agreement(plain_56=(0.0, 0.006), residual_56=(0.3, 0.32)),
        sizes(plain_20=(11.0, 11.0, 10.0, 4.0), plain_56=(2400.0, 2000.0, 8.0, end),
              plain_110=(3.4e6, 286.0, 3e-10, 5e-16)),
        forced(plain_56=ends),
    )  # fmt: skip


def test_the_answer_takes_its_numbers_from_the_tables():
    said = vanishing.answer(kept())
    assert said.startswith("**Not at these depths.** Before training the gradient of a plain net grows")
    assert "11 times the last one's at 20 layers and 2,400 times at 56; after training 3 times at 56" in said
    assert "plain-56 ends at 70.8 to 80.3 % training error" in said
    assert "cosine of 0.003 in plain-56 and 0.31 in ResNet-56" in said


@pytest.mark.parametrize(("end", "begins"), [(0.1, "**Not at these depths.**"), (0.09, "**In part.**")])
def test_a_gradient_that_vanished_at_a_depth_of_the_claim_changes_the_answer(end, begins):
    assert vanishing.answer(kept(end=end)).startswith(begins)


@pytest.mark.parametrize(
    ("ends", "says"),
    [((5.0, 5.0), "Its size is what fails"), ((5.1, 5.1), "Its size alone does not explain")],
)
def test_steps_of_a_healthy_size_that_train_the_net_change_the_answer(ends, says):
    assert says in vanishing.answer(kept(ends=ends))


def test_nothing_is_answered_without_the_tables():
    whole = kept()
    nothing = whole.forced[:0]
    assert vanishing.answer(Kept(whole.agreement, whole.sizes, nothing)) == ""
    assert vanishing.answer(Kept(whole.agreement[:0], whole.sizes[:0], nothing)) == ""
    assert vanishing.reconciled(Kept(whole.agreement[:0], whole.sizes[:0], nothing)) == ""


def test_growth_is_per_layer():
    # two blocks of two layers lie between the first and the last
    assert vanishing.growth(sizes(plain_20=(16.0, 1.0, 1.0, 1.0))) == pytest.approx(2)


def test_the_failure_at_110_layers_is_told_as_one():
    said = vanishing.reconciled(kept())
    assert "at 56 layers from 2,400 times to 8 within 11 steps and to 3 in the end" in said
    assert "the first convolution's weights 100 to 100 times as large, and after 11 steps" in said
    assert "3·10⁻¹⁰" in said


def test_agreement_in_degrees():
    assert vanishing.angle(0) == pytest.approx(90)
    assert vanishing.angle(1.0000001) == 0
    said = vanishing.agreement_sentence(kept().agreement, 56, 0)
    assert "90° apart in plain-56 (cosine 0.003; 0.000 to 0.006 over 2 seeds)" in said
    assert "72° apart in ResNet-56 (cosine 0.31; 0.30 to 0.32 over 2 seeds)" in said
    assert vanishing.agreement_sentence(kept().agreement, 8, 0) == "Not measured at this depth."


@pytest.mark.parametrize(("cosine", "said"), [(0.4, True), (0.09, False)])
def test_a_net_that_agrees_and_fails_is_told_of(cosine, said):
    whole = kept()
    later = agreement(plain_56=(cosine,)).assign(epoch=2)
    text = vanishing.caveat(Kept(pd.concat([whole.agreement, later]), whole.sizes, whole.forced))
    assert ("after 2 epochs two batches agree with a cosine of 0.40 in plain-56 too" in text) == said
    assert vanishing.caveat(whole) == ""
