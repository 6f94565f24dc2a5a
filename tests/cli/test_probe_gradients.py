"""probe agreement, sizes, paths and gates: fields, and mistakes in one line."""

import json

import pytest

from explorer.cli.main import main


def asked(capsys, *arguments):
    main(["probe", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def test_agreement_of_two_small_batches(capsys):
    found = asked(capsys, "agreement", "residual-8", "--batches", "2", "--batch-size", "32")
    cosines = [row["cosine"] for row in found["blocks"]]
    assert len(cosines) == 3
    assert found["mean"] == pytest.approx(sum(cosines) / 3)
    assert "2 batches of 32" in found["source"]


def test_sizes_end_in_their_ratio(capsys):
    found = asked(capsys, "sizes", "untrained:plain-8", "--batch-size", "16")
    norms = [row["norm"] for row in found["blocks"]]
    assert found["first_over_last"] == pytest.approx(norms[0] / norms[-1])
    assert all(row["weights_norm"] > 0 for row in found["blocks"])


def test_paths_are_shares_beside_the_binomial(capsys):
    found = asked(capsys, "paths", "residual-8", "--count", "4", "--draws", "1")
    assert sum(found["shares"]) == pytest.approx(1)
    assert sum(found["signed_shares"]) == pytest.approx(1, abs=1e-4)
    assert sum(found["sampled_shares"]) == pytest.approx(1)
    assert found["binomial_mean_length"] == 1.5
    assert found["blocks"] == 3


def test_gates_of_an_untrained_net_are_as_far_open_as_their_bias(capsys):
    found = asked(capsys, "gates", "untrained:highway-8-bias-4", "--count", "20")
    assert all(row["bias"] == -4 for row in found["layers"])
    assert 0.5 < found["carried"] < 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["agreement", "plain-8", "--batches", "1"], "at least 2"),
        (["agreement", "plain-8", "--batch-size", "999"], "need 5,994 images; there are 1,437"),
        (["paths", "plain-8"], "Choose a residual net"),
        (["paths", "residual-8", "--draws", "-1"], "give 0 or more"),
        (["gates", "plain-8"], "Choose a highway net"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["probe", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("command", ["gradients", "shortcuts"])
def test_unknown_parts_are_refused(capsys, command):
    with pytest.raises(SystemExit):
        main(["zoo", command, "--parts", "everything"])
    assert "--parts everything: give some of" in capsys.readouterr().err
