"""Imported runs: what was exported comes back equal, and nothing that an export does not write gets in."""

import io
import json
import math
import re
import stat
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
from kept_runs import RECIPE, SPEC

from explorer.nets.build import build
from explorer.nets.checkpoints import save_checkpoint
from explorer.nets.cost_formula import totals
from explorer.runs.library import Library, open_library, store_of
from explorer.runs.run import TABLES, Run
from explorer.runs.store import Store
from explorer.runs.zoo import Zoo
from explorer.transfer.export import USUAL, export_run, zip_runs
from explorer.transfer.importing import RunImportError, import_path, import_uploads

ID = "residual-8-w4-s0-aaaaaaaa"


@pytest.fixture
def library(home):
    opened = open_library()
    yield opened
    opened.sources[1].close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A library that nothing gets into: for all refusals."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('empty')}/runs.sqlite3")
    yield Library([store])
    store.close()


def keep(store, records):
    """A whole run with weights, name and note."""
    path = store.checkpoint_path(ID)
    save_checkpoint(path, build(SPEC, 0), recipe=RECIPE.to_dict())
    counts = {"epochs": 2, "iterations": 8, "parameters": totals(SPEC).parameters}
    made = {"commit": "abc", "versions": {"torch": "2"}, "hardware": "a CPU, 2 cores", "data_hash": "0" * 64}
    when = "2026-01-02T00:00:00+00:00"
    run = Run(
        ID, SPEC, RECIPE, "digits", "running", **counts, checkpoint=str(path), provenance=made, created=when
    )
    store.add_run(run, name="Mine", note="as it was")
    for record in records:
        store.add_epoch(ID, record)
    store.set_status(ID, "running", "done")


@pytest.fixture
def kept(library, records):
    keep(library.sources[1], records)
    return library.sources[1]


@pytest.fixture(scope="session")
def packed(records, tmp_path_factory):
    """The zip of that run, from another computer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_HOME", str(tmp_path_factory.mktemp("elsewhere")))
        store = Store()
        keep(store, records)
        content = zip_runs(store, [ID])
        store.close()
    return content


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_again(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def with_json(content, change):
    files = unpacked(content)
    name = f"{ID}/{ID}.json"
    whole = json.loads(files[name])
    change(whole)
    return packed_again(files | {name: json.dumps(whole).encode()})


def with_table(content, table, change):
    files = unpacked(content)
    name = f"{ID}/{ID}-{table}.csv"
    return packed_again(files | {name: change(files[name].decode()).encode()})


def assert_equal_but_for_origin(store, run_id, before, tables, weights):
    after = store.get_run(run_id)
    said = after.provenance["imported"]
    assert after.provenance == before.provenance | {"imported": said}
    assert said["run_id"] == ID
    same = replace(after, provenance=before.provenance, checkpoint=before.checkpoint, run_id=ID)
    assert same == replace(before, source="mine")
    for name in TABLES:
        found = getattr(store, name)([run_id]).assign(run_id=ID)
        pd.testing.assert_frame_equal(found, tables[name], check_exact=True)
    assert store.checkpoint_path(run_id).read_bytes() == weights


def bom(content):
    return b"\xef\xbb\xbf" + content


def lines_of_windows(content):
    return content.replace(b"\n", b"\r\n")


def spreadsheet(content):
    """Every cell quoted, a whole number with a point, an empty row at the end."""
    first, *rows = content.decode().strip().split("\n")
    cells = [row.split(",") for row in rows]
    assert first.startswith("run_id,epoch,")
    made = [first, *(",".join(f'"{cell}"' for cell in [row[0], f"{row[1]}.0", *row[2:]]) for row in cells)]
    return ("sep=,\n" + "\n".join([*made, "," * first.count(",")])).encode()


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("-epochs.csv", bom), ("-epochs.csv", lines_of_windows), ("-epochs.csv", spreadsheet),
        ("-epochs.csv", lambda content: bom(lines_of_windows(spreadsheet(content)))), (".json", bom),
        (".json", lines_of_windows), (".json", lambda content: content.decode().encode("utf-16")),
        ("-steps.csv", lambda content: content.decode().encode("utf-16")),
    ],
    ids=["BOM", "CRLF", "quoted", "all of it", "JSON BOM", "JSON CRLF", "JSON UTF-16", "UTF-16"],
)  # fmt: skip
def test_what_other_programs_do_to_the_files_does_not_matter(library, packed, part, change):
    files = unpacked(packed)
    name = f"{ID}/{ID}{part}"
    expected = import_uploads(library, [("a.zip", packed)])[0]

    (run_id,) = import_uploads(library, [("b.zip", packed_again(files | {name: change(files[name])}))])

    for table in TABLES:
        mine, other = (getattr(library.sources[1], table)([one]) for one in (run_id, expected))
        pd.testing.assert_frame_equal(mine.drop(columns="run_id"), other.drop(columns="run_id"))


@pytest.mark.parametrize(
    ("json_name", "csv_name"),
    [
        (f"{ID} (1).json", f"{ID}-epochs (1).csv"), (f"{ID}(2).json", f"{ID}-epochs(2).csv"),
        (f"{ID} - Copy.json", f"{ID}-epochs - Copy.csv"), (f"{ID} copy.json", f"{ID}-epochs copy.csv"),
        (f"Copy of {ID}.json", f"Copy of {ID}-epochs.csv"), (f"{ID}.JSON", f"{ID}-epochs.CSV"),
        (f"{ID} (1).json", f"{ID}-epochs.csv"),
    ],
)  # fmt: skip
def test_names_that_a_browser_changed(library, packed, tmp_path, json_name, csv_name):
    files = unpacked(packed)
    json_text, epochs = (files[f"{ID}/{ID}{part}"] for part in (".json", "-epochs.csv"))
    (tmp_path / json_name).write_bytes(json_text)
    (tmp_path / csv_name).write_bytes(epochs)

    assert len(library.sources[1].epochs(import_path(library, tmp_path / json_name))) == 3
    assert import_uploads(library, [(json_name, json_text), (csv_name, epochs), ("Thumbs.db", b"x")])


def test_the_same_file_twice_is_one_and_two_versions_are_refused(library, empty, packed):
    text = unpacked(packed)[f"{ID}/{ID}.json"]

    assert import_uploads(library, [(f"{ID}.json", text), (f"{ID} (1).json", text)])
    with pytest.raises(RunImportError, match="is there twice, and the two differ"):
        import_uploads(empty, [(f"{ID}.json", text), (f"{ID} (1).json", text + b" ")])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace(",", ";"), "has semicolons between its values"),
        (lambda text: text.replace(",", ";").replace(".", ","), "often with a comma in its numbers"),
        (lambda text: "sep=;\n" + text.replace(",", ";"), "has semicolons"),
        (lambda text: text.replace(",", "\t"), "has tabs between its values"),
        (lambda text: text.replace(",lr,", ",rate,", 1), "its columns (lr missing)"),
        (lambda text: text.replace(",8,", ',"1.234,5",'), "'1.234,5' in row 3 of its column iteration"),
    ],
)
def test_what_a_spreadsheet_broke_is_refused_with_the_cause(empty, packed, change, said):
    refuse(empty, with_table(packed, "epochs", change), re.escape(said))


def test_a_web_page_instead_of_the_json(empty, packed):
    files = unpacked(packed) | {f"{ID}/{ID}.json": b"<!DOCTYPE html><html></html>"}

    refuse(empty, packed_again(files), "it is a web page")


@pytest.mark.parametrize("loose", [False, True])
def test_what_was_exported_comes_back_equal(library, kept, tmp_path, loose):
    before, weights = kept.get_run(ID), kept.checkpoint_path(ID).read_bytes()
    tables = {name: getattr(kept, name)([ID]) for name in TABLES}
    if loose:
        file = export_run(library, ID, tmp_path / "out")[0]
    else:
        file = export_run(library, ID, tmp_path / "out", formats=["zip"])[0]
    kept.delete_run(ID)
    assert import_path(library, file) == [ID]
    assert_equal_but_for_origin(kept, ID, before, tables, weights)
    state = kept.get_state(ID)
    assert (state.name, state.note) == ("Mine", "as it was")


def test_a_run_whose_id_is_taken_gets_a_new_one_and_the_old_one_stays(library, kept, packed):
    before, weights = kept.get_run(ID), kept.checkpoint_path(ID).read_bytes()
    tables = {name: getattr(kept, name)([ID]) for name in TABLES}
    (new,) = import_uploads(library, [("run.zip", packed)])
    assert new != ID
    assert_equal_but_for_origin(kept, new, before, tables, weights)
    assert kept.get_run(ID) == before


def test_a_run_of_the_zoo_becomes_ones_own(library, tmp_path):
    zoo = library.run("digits-residual-8-s0")
    content = zip_runs(library, [zoo.run_id, "digits-plain-8-s1"], USUAL)
    second, first = import_uploads(library, [("both.zip", content)])
    own = library.run(first)
    assert (own.source, own.provenance["imported"]["source"]) == ("mine", "zoo")
    assert own.results == zoo.results
    assert library.run(second).checkpoint is None
    for name in TABLES:
        found, expected = (getattr(library, name)([run_id]) for run_id in (first, zoo.run_id))
        pd.testing.assert_frame_equal(found.assign(run_id=""), expected.assign(run_id=""), check_exact=True)


def test_a_run_without_weights_or_csv_comes_back_with_its_epochs(library, kept, packed):
    expected = kept.epochs([ID])
    files = {name: data for name, data in unpacked(packed).items() if name.endswith(".json")}
    kept.delete_run(ID)
    import_uploads(library, [(f"{ID}.json", *files.values())])
    pd.testing.assert_frame_equal(kept.epochs([ID]), expected, check_exact=True)
    assert kept.blocks([ID]).empty
    assert kept.get_run(ID).checkpoint is None


def test_losses_that_went_wrong_come_back_as_they_were(library, kept, records):
    kept.add_epoch(ID, replace(records[2], train_loss=math.inf, test_loss=math.nan))
    content, expected = zip_runs(library, [ID]), kept.epochs([ID])
    (new,) = import_uploads(library, [("run.zip", content)])
    pd.testing.assert_frame_equal(kept.epochs([new]).assign(run_id=ID), expected, check_exact=True)


def test_a_run_that_was_going_on_is_kept_as_stopped_and_says_so(library, kept, packed):
    content = with_json(packed, lambda whole: whole["run"].update(status="running"))
    (new,) = import_uploads(library, [("run.zip", content)])
    assert kept.get_run(new).status == "stopped"
    assert kept.get_state(new).reason == "It was running when it was exported."


def refuse(library, content, said):
    kept = store_of(library)
    before = kept.runs()["run_id"].tolist(), sorted(kept.checkpoint_path("x").parent.rglob("*"))
    with pytest.raises(RunImportError, match=said):
        import_uploads(library, [("run.zip", content)])
    assert (kept.runs()["run_id"].tolist(), sorted(kept.checkpoint_path("x").parent.rglob("*"))) == before


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("run_id", "../../etc/passwd", "describes the run"),
        ("run_id", 7, "describes the run|wrong"),
        ("status", "root", "its status"),
        ("epochs", -1, "its epochs"),
        ("epochs", 10**30, "its epochs"),
        ("epochs", True, "its epochs"),
        ("iterations", 7, "the iterations"),
        ("iterations", 9, "it says done"),
        ("parameters", 1, "its number of parameters"),
        ("seconds", "fast", "its seconds"),
        ("seconds", -1.0, "its seconds"),
        ("test_error_pct", 100.5, "its test_error_pct"),
        ("test_loss", "0", "its test_loss"),
        ("dataset", "x" * 300, "its dataset"),
        ("dataset", "a\nb", "its dataset"),
        ("created", "yesterday", "the time"),
        ("depth", 110, "its depth, which contradicts"),
        ("seed", 3, "its seed, which contradicts"),
        ("spec", {"family": "plain", "depth": 9}, "cannot be built"),
        ("spec", "residual-8", "its settings"),
        ("recipe", {"lr": "0.1"}, "settings are not valid"),
        ("recipe", {"augment": 1}, "its augment"),
        ("recipe", {"epochs": 2.5}, "its epochs"),
        ("recipe", {"drops": "ab"}, "its settings"),
        ("recipe", {"unknown": 1}, "Unknown fields"),
        ("provenance", [], "its provenance"),
        ("provenance", {"versions": "2"}, "its versions"),
        ("provenance", {"commit": {"a": 1}}, "its commit"),
        ("provenance", {"more": "x" * 70_000}, "its provenance"),
    ],
)
def test_a_run_that_cannot_be_is_refused(empty, packed, field, value, said):
    refuse(empty, with_json(packed, lambda whole: whole["run"].update({field: value})), said)


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("epochs", lambda text: text.replace("test_error_pct", "test_error"), "its columns"),
        ("epochs", lambda text: text.replace(f"{ID},2,", f"{ID},3,"), "the numbers of its epochs"),
        ("epochs", lambda text: text.replace(f"{ID},1,4,", f"{ID},1,0,"), "the iterations of its epochs"),
        ("epochs", lambda text: text + text.splitlines()[-1] + "\n", "the numbers of its epochs"),
        ("epochs", lambda text: text.replace(f"{ID},2,", "other,2,"), "rows of another run"),
        ("epochs", lambda text: text.replace(f"{ID},2,", f"{ID},two,"), "cannot be read as numbers"),
        ("epochs", lambda text: text.replace(f"{ID},2,", f"{ID},2,2,"), "as numbers|length of its rows"),
        ("epochs", lambda text: "", "its columns"),
        ("epochs", lambda text: text.splitlines()[0] + "\n", "it says done"),
        ("blocks", lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "its blocks"),
        ("blocks", lambda text: text.replace(f"{ID},0,1,1,", f"{ID},0,1,9,"), "the stages"),
        ("blocks", lambda text: text.replace(f"{ID},0,1,1,", f"{ID},0,99999,1,"), "numbers of blocks"),
        ("layers", lambda text: text.replace(f"{ID},0,1,", f"{ID},0,-1,"), "its column layer"),
        ("steps", lambda text: text.replace(f"{ID},1,", f"{ID},2,", 1), "its steps"),
        ("steps", lambda text: text.replace(f"{ID},1,", f"{ID},1e99,", 1), "cannot be read as numbers"),
    ],
)
def test_tables_that_do_not_fit_the_run_are_refused(empty, packed, table, change, said):
    refuse(empty, with_table(packed, table, change), said)


@pytest.mark.parametrize(
    ("column", "value"),
    [("test_error_pct", ""), ("test_error_pct", "101"), ("train_loss", "-1"), ("lr", "inf"), ("seconds", "")],
)
def test_numbers_out_of_range_are_refused(empty, packed, column, value):
    def change(text):
        rows = [line.split(",") for line in text.splitlines()]
        rows[-1][rows[0].index(column)] = value
        return "\n".join(",".join(row) for row in rows) + "\n"

    refuse(empty, with_table(packed, "epochs", change), "Cannot import")


def test_weights_of_another_net_or_damaged_ones_are_refused(empty, packed, tmp_path):
    name = f"{ID}/{ID}.safetensors"
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, build(replace(SPEC, family="plain"), 0))
    refuse(empty, packed_again(unpacked(packed) | {name: other.read_bytes()}), "are those of plain-8")
    cut = unpacked(packed)[name][:-100]
    refuse(empty, packed_again(unpacked(packed) | {name: cut}), "Cannot load")


def link(content):
    files, made = unpacked(content), io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, data)
    return made.getvalue()


def bomb(_content):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{ID}.json", b" " * (80 * 2**20))
    return made.getvalue()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda files: packed_again({f"../{ID}.json": b"{}"}), "leads out"),
        (lambda files: packed_again({f"/tmp/{ID}.json": b"{}"}), "leads out"),
        (lambda files: packed_again(unpacked(files) | {"evil.sh": b"rm"}), "does not belong to an"),
        (lambda files: packed_again({f"{ID}-epochs.csv": b""}), "is missing"),
        (lambda files: packed_again({}), "holds no exported run"),
        (lambda files: b"no zip at all", "cannot be read as a zip"),
        (lambda files: files[:-200], "cannot be read as a zip"),
        (lambda files: packed_again({f"{ID}.json": b"\xff\xfe"}), "UTF-8"),
        (lambda files: packed_again({f"{ID}.json": b"[" * 100_000}), "not valid JSON"),
        (lambda files: packed_again({f"{ID}.json": b'{"run": NaN}'}), "not valid JSON"),
        (lambda files: packed_again({f"{ID}.json": b"[]"}), "not an exported run"),
        (lambda files: packed_again({f"{ID}.json": b"{}"}), "the description of the run"),
        (link, "is a link"),
        (bomb, "times its size"),
    ],
)
def test_hostile_files_are_refused(empty, packed, make, said):
    refuse(empty, make(packed), said)


def test_of_several_runs_none_is_kept_where_one_is_wrong(library, packed):
    content = packed_again(
        unpacked(zip_runs(Zoo(), ["digits-plain-8-s0"], ["json", "csv"])) | unpacked(packed)
    )
    refuse(library, with_json(content, lambda whole: whole["run"].update(status="?")), "its status")


def test_a_store_that_fails_on_the_way_keeps_none_of_them(library, kept, monkeypatch):
    content, calls, whole = zip_runs(library, ["digits-plain-8-s0", ID], USUAL), [], Store.add_whole

    def fail_second(store, run, tables, **more):
        calls.append(run.run_id)
        if len(calls) == 2:
            raise ValueError("full")
        whole(store, run, tables, **more)

    monkeypatch.setattr(Store, "add_whole", fail_second)
    with pytest.raises(ValueError, match="full"):
        import_uploads(library, [("two.zip", content)])
    assert kept.runs()["run_id"].tolist() == [ID]
    assert [path.name for path in kept.checkpoint_path("x").parent.iterdir()] == [f"{ID}.safetensors"]


def test_paths_that_are_no_export_say_what_to_give(library, tmp_path):
    for name, said in (("run.txt", "give its zip"), ("gone.zip", "no file"), ("gone.json", "no file")):
        with pytest.raises(RunImportError, match=said):
            import_path(library, tmp_path / name)
