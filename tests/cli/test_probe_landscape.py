"""probe landscape: the middle is the net's own loss, and mistakes are one line."""

import json

import pytest

from explorer.cli.main import main


def test_a_small_grid_has_the_net_in_its_middle(capsys, tmp_path):
    out = tmp_path / "grid.csv"
    main(["probe", "landscape", "residual-8", "--points", "3", "--count", "60", "--json", "--out", str(out)])
    found = json.loads(capsys.readouterr().out)
    assert len(found["grid"]) == 9
    middle = next(row for row in found["grid"] if row["x"] == row["y"] == 0)
    assert middle["loss"] == pytest.approx(found["loss"])
    assert found["loss"] < 0.5
    assert found["highest_loss"] > found["loss"]
    assert len(out.read_text().splitlines()) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--points", "4"], "give an odd number from 3 to 101"),
        (["--span", "0"], "give a number above 0"),
        (["--count", "0"], "ask for 1 or more"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["probe", "landscape", "residual-8", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
