"""Groups: equal but for the seed, told apart by the settings that differ."""

from dataclasses import replace

from explorer.nets.spec import NetSpec
from explorer.runs.groups import counted_members, differences, group_runs, members, origins

PLAIN = NetSpec(family="plain", depth=8, in_channels=1)


def seeded(run, seed, **recipe):
    return replace(run, run_id=f"{run.run_id}-s{seed}", recipe=replace(run.recipe, seed=seed, **recipe))


def test_seeds_of_one_setting_are_one_group_and_any_setting_makes_another(make_run):
    base = make_run("base")
    runs = [seeded(base, 2), seeded(base, 0), seeded(base, 1, lr=0.1), replace(base, run_id="p", spec=PLAIN)]
    groups = group_runs(runs)
    assert [(group.tag, group.seeds) for group in groups] == [
        ("plain-8", (0,)), ("ResNet-8-w4 a", (0, 2)), ("ResNet-8-w4 b", (1,))
    ]  # fmt: skip
    assert groups[1].run_ids == ("base-s0", "base-s2")
    assert members(groups)["group"].tolist() == ["plain-8", *["ResNet-8-w4 a"] * 2, "ResNet-8-w4 b"]


def test_other_data_or_length_is_another_group_even_under_one_name(make_run):
    base = make_run("base", provenance={"data_hash": "a" * 64})
    others = [
        replace(base, run_id="x", dataset="cifar10-jpeg"),
        replace(base, run_id="y", epochs=3),
        replace(base, run_id="z", provenance={"data_hash": "b" * 64}),
    ]
    assert len(group_runs([base, *others])) == 4


def test_runs_that_wait_belong_to_those_that_were_ordered_alike(make_run):
    from explorer.jobs.actions import new_run

    begun = make_run("base", provenance={"data_hash": "a" * 64, "device": "cpu"})
    waiting = [new_run(begun.spec, replace(begun.recipe, seed=seed), begun.dataset) for seed in (1, 2)]
    (group,) = group_runs([begun, *waiting])
    assert (group.tag, group.seeds) == ("ResNet-8-w4", (0, 1, 2))
    assert len(group_runs(waiting)) == 1
    other = new_run(begun.spec, replace(begun.recipe, lr=0.5), begun.dataset)
    assert len(group_runs([begun, other])) == 2


def test_runs_of_another_origin_are_groups_of_their_own_and_named(make_run):
    own, zoo = make_run("own", source="mine"), make_run("zoo", source="zoo")
    copy = replace(own, run_id="copy", provenance=own.provenance | {"imported": {"run_id": "own"}})
    assert {group.tag for group in group_runs([own, zoo, copy])} == {
        "ResNet-8-w4", "ResNet-8-w4, zoo", "ResNet-8-w4, imported"
    }  # fmt: skip
    assert group_runs([zoo])[0].tag == "ResNet-8-w4"


def test_finished_runs_count_and_each_seed_once(make_run):
    first = make_run("first", status="done", created="2026-01-01")
    runs = [first, replace(first, run_id="again", created="2026-02-01"),
            replace(seeded(first, 1), status="stopped"), seeded(first, 2)]  # fmt: skip
    table = counted_members(group_runs(runs), runs)
    assert table.set_index("run_id")["counts"].to_dict() == {
        "first": False, "again": True, "first-s1": False, "first-s2": True
    }  # fmt: skip


def test_only_what_differs_is_tabled(make_run):
    base = make_run("base")
    table = differences(group_runs([base, seeded(base, 0, lr=0.1, augment=True)]))
    rows = table.set_index("setting")
    assert set(rows.index) == {"lr", "augment"}
    assert sorted(rows.loc["lr"]) == ["0.03", "0.1"]
    assert sorted(rows.loc["augment"]) == ["no", "yes"]
    assert differences(group_runs([base])).empty


def test_a_group_goes_by_the_name_that_all_its_runs_share(make_run):
    base = make_run("base")
    both = [seeded(base, 0), seeded(base, 1)]
    assert group_runs(both, {"base-s0": "warm", "base-s1": "warm"})[0].tag == "warm"
    assert group_runs(both, {"base-s0": "warm"})[0].tag == "ResNet-8-w4"
    long = "a name that nobody can fit beside a line"
    assert len(group_runs([base], {"base": long})[0].tag) <= 18


def test_origins_say_what_is_unknown(make_run):
    assert origins([make_run("a"), make_run("b", provenance={})]) == (
        "Commit abc, unknown; torch 2, unknown; a CPU, 2 cores, unknown."
    )


def test_runs_are_told_apart_by_where_they_ran_not_by_what_was_asked_for(make_run):
    asked = seeded(make_run("base", provenance={"device": "cpu"}), 0, device="auto")
    named = seeded(make_run("base", provenance={"device": "cpu"}), 1, device="cpu")
    other = seeded(make_run("base", provenance={"device": "cuda"}), 2, device="auto")
    groups = group_runs([asked, named, other])
    assert [group.seeds for group in groups] == [(0, 1), (2,)]
    assert differences(groups).set_index("setting").loc["device"].tolist() == ["cpu", "cuda"]
