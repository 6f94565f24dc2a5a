"""Answers of the path beside the library's own numbers, computed here in another way."""

import pandas as pd
import pytest
import torch

from explorer.learn import questions
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.ui.learn.measured import measurements


@pytest.fixture(scope="module")
def zoo():
    return Zoo()


@pytest.fixture(scope="module")
def runs(zoo):
    runs = zoo.runs()
    return runs[runs["dataset"] == "digits"]


def mean(runs, net, split):
    return runs[runs["id"] == net][f"{split}_error_pct"].mean()


def test_errors_are_means_over_the_seeds_of_the_zoo(runs):
    found = measurements()
    plain, residual = questions.predict(found).nets
    assert plain.error_pct == pytest.approx(mean(runs, "plain-56", "test"))
    assert residual.error_pct == pytest.approx(mean(runs, "residual-56", "test"))
    assert questions.training(found).right == int(mean(runs, "plain-56", "train") > 5)
    strengths = measurements().strengths().set_index("strength")["mean"]
    assert strengths[0] == pytest.approx(mean(runs, "plain-56", "train"))
    assert strengths[1] == pytest.approx(mean(runs, "residual-56", "train"), abs=1e-9)


def test_the_first_net_that_degrades_is_worse_at_every_seed(runs):
    question = questions.depth(measurements())
    errors = {
        depth: runs[runs["id"] == f"plain-{depth}"]["train_error_pct"]
        for depth in (20, *questions.ASKED_DEPTHS)
    }
    worse = [
        depth
        for depth in questions.ASKED_DEPTHS
        if errors[depth].mean() - errors[20].mean() >= 2 and errors[depth].min() > errors[20].max()
    ]
    assert question.options[question.right] == f"plain-{worse[0]}"


def test_ratios_are_medians_over_blocks_of_medians_over_seeds(zoo, runs):
    said = questions.blocks(measurements()).shown
    for net in ("residual-20", "residual-110"):
        records = zoo.blocks(list(runs[runs["id"] == net]["run_id"]))
        last = records[records["epoch"] == records["epoch"].max()]
        typical = last.groupby("block")["residual_ratio"].median().median()
        assert f"{typical:.2f} times" in said


def test_blocks_that_nobody_misses_are_counted_one_by_one():
    table = pd.read_parquet(PRETRAINED / "lesions.parquet")
    mine = table[table["net"] == "digits-residual-56-s0"]
    intact = float(mine[mine["kind"] == "intact"]["error_pct"].iloc[0])
    harmless = sum(error <= intact + 1 for error in mine[mine["kind"] == "single"]["error_pct"])
    assert f"{harmless} of ResNet-56's 27 blocks" in questions.lesion(measurements()).shown


def test_the_net_really_calls_the_cat_a_digit():
    from explorer.data.preprocess import fit
    from explorer.data.sample_photos import photograph
    from explorer.runs.net_catalogue import find_net, trained_nets
    from explorer.runs.net_opening import open_net

    digit, share = measurements().answer()
    loaded = open_net(find_net(trained_nets(Zoo().runs()), "digits-residual-20-s0"))
    seen = fit(photograph("cat"), loaded.image_size, loaded.in_channels, "auto")
    with torch.no_grad():
        shares = loaded.net.eval()(loaded.normalised(torch.from_numpy(seen.pixels)[None])).softmax(1)[0]
    assert digit == loaded.classes[int(shares.argmax())]
    assert share == pytest.approx(float(shares.max()), rel=1e-4)
