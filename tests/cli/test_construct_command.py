"""construct: a deeper net from a shell, compared, trained and written; mistakes in one line."""

import json

import pytest

from explorer.cli.main import main


def test_a_built_net_gives_the_same_answers(capsys):
    main(["construct", "plain-20", "56", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["built"] == "plain-56"
    assert found["inserted"] == 18
    assert found["error_pct"] == found["built_error_pct"]
    assert found["answers_changed"] == 0
    assert found["largest_logit_change"] <= 2e-4


def test_it_is_trained_and_written_and_can_be_evaluated(capsys, tmp_path):
    file = tmp_path / "deep.safetensors"
    main(["construct", "residual-8", "14", "--train", "--epochs", "1", "--out", str(file), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["epoch"] for row in found["epochs"]] == [0, 1]
    main(["evaluate", str(file), "--json"])
    again = json.loads(capsys.readouterr().out)
    assert again["id"] == "residual-14"
    assert again["error_pct"] == pytest.approx(found["epochs"][-1]["test_error_pct"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plain-20", "57"], "nearest are 56 and 62"),
        (["highway-20", "56"], "gate is shut"),
        (["plain-20", "20"], "give a larger depth"),
        (["nobody", "56"], "is neither a run nor a file"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["construct", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
