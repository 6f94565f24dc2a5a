"""probe lesion: each block in turn, a set of them, and mistakes in one line."""

import json

import pytest

from explorer.cli.main import main


def asked(capsys, *arguments):
    main(["probe", "lesion", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def test_each_block_equals_the_block_alone(capsys):
    each = asked(capsys, "residual-8", "--each")
    assert [row["block"] for row in each] == [1, 2, 3]
    assert [row["keeps_shape"] for row in each] == [True, False, False]
    alone = asked(capsys, "residual-8", "--remove", "2")
    assert alone["error_pct"] == pytest.approx(each[1]["error_pct"])
    assert alone["intact_error_pct"] == pytest.approx(each[1]["intact_error_pct"])
    assert sum(map(sum, alone["confusion"])) == 360


def test_everything_can_be_done_at_once(capsys):
    found = asked(
        capsys, "residual-20", "--remove", "5", "--random", "2", "--stages", "1", "--scale", "9=0.5",
        "--swap", "2", "--seed", "3", "--new-statistics", "--count", "100",
    )  # fmt: skip
    assert len(found["removed"]) == 3
    assert set(found["removed"]) <= {1, 2, 3, 5}
    assert found["scales"] == {"9": 0.5}
    assert found["tau"] < 1
    assert sum(map(sum, found["confusion"])) == 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--remove", "99"], "no block 99: the net has blocks 1 to 3"),
        (["--scale", "1=7"], "between 0 and 2"),
        (["--scale", "x"], "write a block and a scale"),
        (["--swap", "1", "--shuffle"], "not both"),
        (["--random", "-1"], "give 0 or more"),
        (["--count", "0"], "ask for 1 or more"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["probe", "lesion", "residual-8", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
