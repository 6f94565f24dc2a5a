"""The kept lesions are what the code measures, and a measurement goes on where it stopped."""

from explorer.evidence import lesion
from explorer.evidence.lesion import COLUMNS, keep, kept, measure
from explorer.runs.net_catalogue import trained_nets
from explorer.runs.zoo import Zoo


def choice(name):
    runs = Zoo().runs()
    return next(net for net in trained_nets(runs[runs["checkpoint"].notna()]) if net.key == name)


def test_what_is_kept_can_be_measured_again():
    table = kept()
    old = table[table["net"] == "digits-residual-8-s0"].reset_index(drop=True)
    new = measure(choice("digits-residual-8-s0"), draws=1)
    assert list(new.columns) == COLUMNS
    for kind in ("intact", "single"):
        ours, theirs = (part[part["kind"] == kind]["error_pct"].to_numpy() for part in (new, old))
        assert abs(ours - theirs).max() < 0.6  # two of 360 digits: another processor rounds otherwise
    assert table.attrs["command"] == lesion.COMMAND


def test_the_twins_of_20_layers_are_kept_with_every_kind():
    table = kept()
    for family in ("plain", "residual"):
        kinds = table[table["net"] == f"digits-{family}-20-s0"].groupby("kind").size()
        assert kinds["single"] == 9
        assert kinds["removed"] == 10 * 5
        assert kinds["swapped"] == 10 * len(lesion.PAIRS)
    plain = table[(table["net"] == "digits-plain-20-s0") & (table["kind"] == "single")]
    assert plain["error_pct"].min() > 80
    assert plain["renewed_pct"].median() > 80


def test_keeping_adds_what_is_lacking(tmp_path, monkeypatch):
    nets = [choice("digits-residual-8-s0"), choice("digits-plain-8-s0")]
    monkeypatch.setattr(lesion, "trained_nets", lambda runs: nets)
    monkeypatch.setattr(lesion, "measure", lambda net: measure(net, draws=1))
    said = []
    rows = keep(tmp_path, said.append)
    assert rows == len(kept(tmp_path))
    assert said == ["ResNet-8, digits, seed 0: 3 blocks", "plain-8, digits, seed 0: 3 blocks"]
    assert keep(tmp_path, said.append) == rows
    assert len(said) == 2
