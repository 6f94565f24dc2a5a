"""Where numbers come from: what is said of runs that were not all trained alike."""

from explorer.runs.zoo import Zoo
from explorer.ui.components.provenance import provenance_text


def test_nets_with_and_without_a_warm_up_are_told_apart():
    runs = Zoo().runs().query("dataset == 'cifar10-jpeg' and family == 'plain' and depth in (20, 110)")
    runs = runs[runs["iterations"] == runs["iterations"].min()]
    said = provenance_text("cifar10-jpeg", runs)
    assert "without a warm-up at 20 layers, after a warm-up over 10 % of the run at 110 layers" in said
    assert "divided by ten at 50 % and 75 % of the run" in said


def test_nets_with_one_warm_up_name_no_depth():
    said = provenance_text("digits", Zoo().runs().query("dataset == 'digits' and seed == 0"))
    assert "peak learning rate 0.03 after a warm-up over 15 % of the run, cosine decay" in said
