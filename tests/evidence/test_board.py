"""The board: joined with runs as they are, and claims judged from records made for the purpose."""

import pandas as pd
import pytest

from explorer import paper
from explorer.evidence.board import board, cost_of
from explorer.evidence.claims import findings, others_found
from explorer.nets.spec import NetSpec
from explorer.runs.library import Library, open_library
from explorer.runs.run import Run, run_table
from explorer.runs.tables import empty
from explorer.runs.zoo import Zoo
from explorer.training.recipe import paper_recipe

NO_RUNS = run_table([])
OTHER = "same direction, other protocol"


def run(net, seed=0, test=8.0, train=0.0, dataset="cifar10", iterations=64_000, source="zoo"):
    spec = NetSpec.parse(net)
    return Run(
        f"{dataset}-{net}-{seed}-{iterations}", spec, paper_recipe(seed), dataset, "done", 164, iterations,
        1, {"test_error_pct": test, "train_error_pct": train}, source=source,
    )  # fmt: skip


class Records:
    """A source with runs, and with layers and blocks of one value each."""

    def __init__(self, runs, responses=None, gradients=None):
        self.listed, self.responses, self.gradients = runs, responses or {}, gradients or {}

    def runs(self):
        return run_table(self.listed)

    def layers(self, run_ids):
        rows = [(one.run_id, 5, 1, self.responses[one.spec.id]) for one in self.listed
                if one.run_id in run_ids and one.spec.id in self.responses]  # fmt: skip
        return pd.DataFrame(rows, columns=["run_id", "epoch", "layer", "response_std"])

    def blocks(self, run_ids):
        rows = [(one.run_id, epoch, block, norm) for one in self.listed if one.run_id in run_ids
                for epoch, norms in self.gradients.get(one.spec.id, {}).items()
                for block, norm in enumerate(norms)]  # fmt: skip
        return pd.DataFrame(rows, columns=["run_id", "epoch", "block", "gradient_norm"])


def verdicts(source):
    return findings(source).set_index("claim")["verdict"]


def line(runs, net, quantity="test_error_pct", table="table-6"):
    lines = board(run_table(runs))
    return lines[(lines["table"] == table) & (lines["net"] == net) & (lines["quantity"] == quantity)]


def test_without_runs_costs_are_judged_and_errors_are_not_measured():
    lines = board(NO_RUNS)
    six = lines[lines["table"] == "table-6"]
    counts = six[(six["quantity"] == "parameters_m") & (six["id"] != "")]
    assert set(counts["verdict"]) == {"reproduced"}
    assert set(six.loc[six["quantity"] == "test_error_pct", "verdict"]) == {"not measured yet"}
    assert len(lines) == sum(len(e.printed) for t in paper.TABLES.values() for e in t.entries)


def test_runs_as_in_the_paper_are_compared_over_seeds():
    (found,) = line([run("residual-20", 0, 8.5), run("residual-20", 1, 9.3)], "ResNet-20").to_dict("records")
    assert found["verdict"] == "reproduced"
    assert (found["measured"], found["low"], found["high"], found["seeds"]) == (8.9, 8.5, 9.3, 2)
    assert "8.27" in found["others"]


def test_other_datasets_and_other_lengths_are_lines_of_their_own():
    runs = [run("residual-20"), run("residual-20", dataset="digits"), run("residual-20", iterations=640)]
    found = line(runs, "ResNet-20")
    assert found["verdict"].tolist() == ["not reproduced", "not comparable", "not comparable"][
        : len(found)
    ] or (sorted(found["verdict"]) == ["not comparable", "not comparable", "not reproduced"])
    assert set(found["dataset"]) == {"cifar10", "digits"}


def test_unfinished_runs_do_not_count():
    from dataclasses import replace

    found = line([replace(run("residual-20"), status="running")], "ResNet-20")
    assert found["verdict"].tolist() == ["not measured yet"]


def test_a_run_with_stochastic_depth_is_beside_its_own_row_only():
    from dataclasses import replace

    plain = run("residual-110", test=6.4)
    drop = replace(plain, run_id="x", recipe=replace(plain.recipe, survival=0.5))
    own = line([drop], "ResNet-110 with stochastic depth", table="follow-ups")
    assert own["measured"].tolist() == [6.4]
    assert line([drop], "ResNet-110")["verdict"].tolist() == ["not measured yet"]


def test_costs_are_exact():
    assert cost_of("residual-110").parameters == 1_727_962
    assert cost_of("no-net") is None


@pytest.mark.parametrize(
    ("deep", "shallow", "verdict"), [(2.0, 0.0, "reproduced"), (1.9, 0.0, "not reproduced")]
)
def test_degradation_needs_two_points(deep, shallow, verdict):
    runs = [run("plain-56", train=deep), run("plain-20", train=shallow)]
    assert verdicts(Records(runs))["degradation"] == verdict


def test_claims_about_nets_that_were_not_trained_are_not_measured():
    found = verdicts(Records([run("plain-20")]))
    assert set(found) == {"not measured yet"}
    assert set(found.index) == set(paper.CLAIMS)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [({}, "reproduced"), ({"dataset": "cifar10-jpeg"}, OTHER), ({"iterations": 8000}, OTHER)],
)
def test_what_holds_is_reproduced_only_near_the_papers_data_and_protocol(change, verdict):
    runs = [run("plain-56", train=5.0, **change), run("plain-20", **change)]
    assert verdicts(Records(runs))["degradation"] == verdict
    assert (
        verdicts(Records([*runs, run("residual-20", **change), run("residual-56", **change)]))["parameters"]
        == "reproduced"
    )


def test_nets_of_different_lengths_are_not_compared():
    runs = [run("plain-56", train=5.0), run("plain-20", iterations=8000)]
    assert verdicts(Records(runs))["degradation"] == "not measured yet"
    both = [*runs, run("plain-56", train=9.0, iterations=8000)]
    assert findings(Records(both)).set_index("claim").loc["degradation", "iterations"] == 8000


def test_seeds_twice_imports_and_own_runs_are_lines_of_their_own():
    from dataclasses import replace

    first = run("residual-20", 0, 8.5)
    again = replace(first, run_id="again", source="mine", created="2")
    copy = replace(again, run_id="copy", provenance={"imported": {"run_id": "x"}})
    older = replace(again, run_id="older", created="1", results={"test_error_pct": 50.0})
    found = line([first, run("residual-20", 1, 9.5), again, older, copy], "ResNet-20")
    assert dict(zip(found["origin"], found["seeds"], strict=True)) == {"zoo": 2, "own": 1, "imported": 1}
    assert found.set_index("origin").loc["own", "measured"] == 8.5


@pytest.mark.parametrize(("error", "verdict"), [(60.0, "not reproduced"), (60.1, "reproduced")])
def test_plain_110_must_stay_above_60(error, verdict):
    runs = [run("plain-110", 0, error), run("plain-110", 1, 90)]
    assert verdicts(Records(runs))["plain-110"] == verdict


def test_gain_is_judged_at_the_deepest_net_of_the_paper_and_needs_no_overlap():
    runs = [run("residual-20", s, e) for s, e in enumerate((8.6, 8.8))]
    assert verdicts(Records([*runs, run("residual-56", 0, 8.5)]))["gain"] == "reproduced"
    assert verdicts(Records([*runs, run("residual-56", 0, 8.6)]))["gain"] == "not reproduced"
    deeper = [*runs, run("residual-56", 0, 8.5), run("residual-110", 0, 8.7)]
    assert verdicts(Records(deeper))["gain"] == "not reproduced"


def test_gain_is_judged_on_the_longest_training_that_two_depths_share():
    short = [run("residual-20", 0, 26, iterations=1_920), run("residual-110", 0, 28, iterations=1_920)]
    alone = [*short, run("residual-20", 0, 15, iterations=6_400)]
    assert verdicts(Records(alone))["gain"] == "not reproduced"
    both = [*alone, run("residual-56", 0, 13, iterations=6_400)]
    assert verdicts(Records(both))["gain"] == OTHER


def test_responses_are_compared_at_every_depth_measured():
    runs = [run(f"{family}-{depth}") for family in ("plain", "residual") for depth in (20, 56)]
    lower = {"plain-20": 1.0, "residual-20": 0.9, "plain-56": 1.0, "residual-56": 0.8}
    found = verdicts(Records(runs, lower))
    assert (found["response"], found["response-depth"]) == ("reproduced", "reproduced")
    mixed = verdicts(Records(runs, lower | {"residual-56": 1.1}))
    assert (mixed["response"], mixed["response-depth"]) == ("not reproduced", "not reproduced")


@pytest.mark.parametrize(("last", "verdict"), [(0.1, "reproduced"), (0.09, "not reproduced")])
def test_gradients_must_not_fall_below_a_tenth_from_the_last_block_to_the_first(last, verdict):
    source = Records([run("plain-56")], gradients={"plain-56": {1: [2.0, 1.0], 9: [last, 1.0]}})
    assert verdicts(source)["gradients"] == verdict


def test_vanished_gradients_beyond_the_claims_depths_are_named_and_not_judged():
    runs = [run("plain-56"), run("plain-110")]
    gradients = {"plain-56": {1: [1.0, 1.0]}, "plain-110": {1: [1e-9, 1.0]}}
    found = findings(Records(runs, gradients=gradients)).set_index("claim").loc["gradients"]
    assert found["verdict"] == "reproduced"
    assert "beyond the claim, plain-110: 1·10⁻⁹ after the first epoch" in found["reason"]


@pytest.mark.parametrize(
    ("train", "test", "verdict"),
    [(0.0, 9.0, "reproduced"), (3.0, 9.0, "not reproduced"), (0.0, 6.5, "not reproduced")],
)
def test_very_deep_must_train_and_test_worse(train, test, verdict):
    runs = [run("residual-110", test=6.4), run("residual-302", test=test, train=train)]
    assert verdicts(Records(runs))["very-deep"] == verdict


def test_others_are_named_with_what_they_measured():
    said = others_found(paper.CLAIMS["degradation"])
    assert "plain-20 1.23 %, plain-56 5.24 % in training" in said
    assert others_found(paper.CLAIMS["parameters"]) == ""


def test_the_shipped_zoo_is_judged_on_each_of_its_datasets():
    found = findings(Library([Zoo()]))
    digits = found[found["dataset"] == "digits"].set_index("claim")["verdict"]
    assert digits["parameters"] == "reproduced"
    assert {digits[claim] for claim in ("degradation", "twins", "gradients")} == {OTHER}
    assert len(found) == len(paper.CLAIMS) * found["dataset"].nunique()


def test_an_empty_library_gives_no_finding(tmp_path):
    assert findings(Library([Zoo(tmp_path)])).empty
    assert empty("blocks").empty
    assert open_library(tmp_path).runs() is not None
