"""The shell's fixed names and fields, its exit codes, and one clear line per mistake."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from owners import Owner, named

from explorer.cli.main import main


def run_json(capsys, *words):
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    lines = capsys.readouterr().err.strip().splitlines()
    assert stop.value.code == 2
    assert len(lines) == 1
    return lines[0]


def test_describe_gives_the_papers_numbers(capsys):
    found = run_json(capsys, "describe", "residual-110")
    assert found == {
        "id": "residual-110", "depth": 110, "family": "residual",
        "parameters": 1_727_962, "macs": 252_887_680, "blocks": 54,
    }  # fmt: skip


def test_describe_takes_the_datas_shape(capsys):
    small = run_json(
        capsys, "describe", "plain-8", "--image-size", "8", "--in-channels", "1", "--classes", "5"
    )
    # against 75,290: two channels less in the stem (9 x 16 each), five classes less of 65 weights
    assert small["parameters"] == 75_290 - 2 * 9 * 16 - 5 * 65


def test_describe_for_people_names_every_field(capsys):
    main(["describe", "residual-20"])
    assert "parameters  269,722" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("describe", "residual-21"), "20 and 26"),
        (("describe", "resnet20"), "not the id of a net"),
        (("describe", "residual-20", "--image-size", "1"), "image_size"),
        (("train", "plain-8", "--epochs", "0"), "epochs must lie between"),
        (("train", "plain-8", "--lr", "nan"), "lr must lie between"),
        (("train", "plain-8", "--data", "nowhere"), "'nowhere' is not a dataset"),
        (("train", "plain-8", "--warmup-epochs", "99"), "longer than the run"),
        (("train", "plain-9"), "nearest are 8 and 14"),
        (("train", "residual-18-B-w64-s2.2.2.2"), "CIFAR design"),
        (("describe", "resnet18"), "torchvision:resnet18"),
        (("evaluate", "nowhere.safetensors"), "nowhere.safetensors"),
        (("runs", "show", "nobody"), "nobody"),
        (("runs", "delete", "digits-plain-8-s0"), "came with the explorer"),
        (("frobnicate",), "invalid choice"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, words, said):
    assert said in refused(capsys, *words)


def test_train_then_list_show_evaluate_export_delete(capsys, tmp_path):
    trained = run_json(capsys, "train", "residual-8", "--epochs", "2", "--seed", "3", "--batch-size", "64")
    assert set(trained) == {
        "run_id", "train_error_pct", "test_error_pct", "seconds", "images_per_s", "checkpoint"
    }  # fmt: skip
    listed = run_json(capsys, "runs", "list", "--mine")
    assert [(row["run_id"], row["status"], row["epochs"]) for row in listed] == [
        (trained["run_id"], "done", 2)
    ]

    shown = run_json(capsys, "runs", "show", trained["run_id"])
    assert shown["recipe"]["batch_size"] == 64
    assert shown["test_error_pct"] == pytest.approx(trained["test_error_pct"])
    assert shown["provenance"]["versions"]["torch"]

    evaluated = run_json(capsys, "evaluate", trained["checkpoint"], "--data", "digits")
    assert evaluated["id"] == "residual-8"
    assert evaluated["n"] == 360
    assert evaluated["wrong"] == round(trained["test_error_pct"] * 3.6)
    assert evaluated["error_pct"] == pytest.approx(trained["test_error_pct"])

    exported = run_json(capsys, "runs", "export", trained["run_id"], "--out", str(tmp_path / "out"))
    assert all(Path(file).stat().st_size > 0 for file in exported["files"])

    run_json(capsys, "runs", "delete", trained["run_id"])
    assert run_json(capsys, "runs", "list", "--mine") == []
    assert not Path(trained["checkpoint"]).exists()


def test_the_same_seed_trains_the_same_net(capsys):
    first, second = (run_json(capsys, "train", "plain-8", "--epochs", "1", "--seed", "5") for _ in range(2))
    assert first["train_error_pct"] == second["train_error_pct"]
    assert Path(first["checkpoint"]).read_bytes() == Path(second["checkpoint"]).read_bytes()


def test_a_queued_run_is_paused_resumed_worked_off_and_shown(capsys):
    queued = run_json(capsys, "train", "plain-8", "--epochs", "1", "--data", "digits-small", "--queue")
    run_id = queued["run_id"]
    assert queued == {"run_id": run_id, "status": "queued"}
    assert run_json(capsys, "runs", "pause", run_id)["status"] == "paused"
    assert run_json(capsys, "worker", "--until-idle") == {"runs": 0}
    assert run_json(capsys, "runs", "resume", run_id)["status"] == "queued"
    assert run_json(capsys, "worker", "--until-idle") == {"runs": 1}

    shown = run_json(capsys, "runs", "show", run_id)
    fixed = ("run_id", "id", "status", "epoch", "epochs", "reason")
    assert [shown[name] for name in fixed] == [run_id, "plain-8", "done", 1, 1, None]
    assert 0 <= shown["train_error_pct"] <= 100
    assert 0 <= shown["test_error_pct"] <= 100
    assert Path(shown["checkpoint"]).exists()
    assert "is done; stop is for runs that are" in refused(capsys, "runs", "stop", run_id)


def test_a_run_of_the_zoo_is_shown_with_the_same_fields(capsys):
    shown = run_json(capsys, "runs", "show", "digits-plain-8-s0")
    assert (shown["status"], shown["epoch"], shown["epochs"], shown["reason"]) == ("done", 10, 10, None)


def test_a_queued_run_is_stopped(capsys):
    run_id = run_json(capsys, "train", "plain-8", "--queue")["run_id"]
    assert run_json(capsys, "runs", "stop", run_id) == {"run_id": run_id, "status": "stopped", "asked": None}
    shown = run_json(capsys, "runs", "show", run_id)
    assert (shown["status"], shown["epoch"], shown["test_error_pct"]) == ("stopped", 0, None)


def test_a_run_that_fails_says_why_in_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "plain-14", "--data", "digits-small", "--lr", "100", "--epochs", "30"])
    assert stop.value.code == 2
    assert "did not reach its end: The loss is not a number" in capsys.readouterr().err
    listed = run_json(capsys, "runs", "list", "--mine")
    assert [row["status"] for row in listed] == ["failed"]


def test_evaluate_refuses_a_net_for_other_images(capsys, tmp_path):
    from explorer.nets.build import build
    from explorer.nets.checkpoints import save_checkpoint
    from explorer.nets.spec import NetSpec

    save_checkpoint(tmp_path / "net.safetensors", build(NetSpec(depth=8)))
    file = str(tmp_path / "net.safetensors")
    assert "--mean" in refused(capsys, "evaluate", file)
    assert "channels" in refused(capsys, "evaluate", file, "--mean", "0,0,0", "--std", "1,1,1")
    assert "together" in refused(capsys, "evaluate", file, "--mean", "0,0,0")


@pytest.fixture
def stranger(tmp_path):
    """A file of somebody else's: option A, grey, ten classes."""
    path = tmp_path / "best.ckpt"
    owner = Owner((1, 1), (4, 8), shortcut="AA", channels=1, classes=10)
    torch.save({"net": named(owner.draw(), "torchvision"), "best": np.float64(91.2)}, path)
    return str(path)


SCALE = ("--mean", "0.5", "--std", "0.25")


def test_evaluate_tells_what_it_assumed_and_takes_what_is_said(capsys, stranger):
    main(["evaluate", stranger, *SCALE, "--json"])
    captured = capsys.readouterr()
    assert json.loads(captured.out)["id"] == "residual-6-w4-s1.1"
    for option in ("--padding", "--family", "--image-size"):
        assert f"({option})" in captured.err
    main(
        [
            "evaluate",
            stranger,
            *SCALE,
            "--padding",
            "both",
            "--family",
            "residual",
            "--image-size",
            "8",
            "--json",
        ]
    )
    assert "(--" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mean", "127", "--std", "64"), "--mean 0.498 --std 0.251"),
        ((), "give --mean and --std"),
        (("--mean", "0,0,0", "--std", "1,1,1"), "1 channel"),
        ((*SCALE, "--weights", "ema"), "no weights 'ema'"),
        ((*SCALE, "--family", "preact"), "holds a residual net"),
        ((*SCALE, "--image-size", "2"), "between 4 and 1024"),
    ],
)
def test_what_is_said_wrongly_of_a_file_is_refused(capsys, stranger, options, said):
    assert said in refused(capsys, "evaluate", stranger, *options)


def test_a_net_and_a_dataset_of_other_classes_are_refused_with_both_numbers(capsys, tmp_path):
    path = tmp_path / "hundred.pt"
    owner = Owner((1, 1), (4, 8), channels=1, classes=100)
    torch.save(named(owner.draw(), "torchvision"), path)
    said = refused(capsys, "evaluate", str(path), *SCALE, "--image-size", "8")
    assert "100 classes apart" in said
    assert "has 10" in said


def test_every_command_that_reads_a_net_takes_what_a_file_leaves_open():
    from explorer.cli.main import _leaves, make_parser

    (commands,) = [
        action for action in make_parser()._actions if hasattr(action, "choices") and action.choices
    ]
    leaves = [leaf for leaf in _leaves(commands) if leaf.prog.split()[-1] in
              ("evaluate", "responses", "activations", "attributions")]  # fmt: skip
    assert len(leaves) == 4
    for leaf in leaves:
        named_options = {option for action in leaf._actions for option in action.option_strings}
        assert {"--mean", "--std", "--padding", "--family", "--image-size", "--weights"} <= named_options


def test_describe_takes_imagenets_nets_and_other_layouts(capsys):
    assert run_json(capsys, "describe", "torchvision:resnet50")["parameters"] == 25_557_032
    told = run_json(capsys, "describe", "residual-18-B-w64-s2.2.2.2")
    assert (told["depth"], told["blocks"], told["parameters"]) == (18, 8, 11_173_962)


def test_doctor_names_the_limits_and_a_wrong_one(capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_PROFILE", "classroom")
    assert run_json(capsys, "doctor")["limits"]["profile"] == "classroom"
    monkeypatch.setenv("EXPLORER_MAX_QUEUE", "many")
    assert "EXPLORER_MAX_QUEUE is 'many'" in " ".join(run_json(capsys, "doctor")["missing"])


def test_doctor_names_versions_device_and_database(capsys):
    found = run_json(capsys, "doctor")
    assert found["device"][-1] == "cpu"
    assert found["cores"] >= 1
    assert found["versions"]["torch"] != "missing"
    assert "runs" in found["database"]


def test_the_module_runs_and_keeps_stdout_for_results():
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "describe", "plain-8", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["blocks"] == 3
    assert done.stderr == ""


def test_every_command_has_help():
    for words in (
        [],
        ["train"],
        ["evaluate"],
        ["runs", "export"],
        ["runs", "pause"],
        ["worker"],
        ["zoo", "build"],
        ["sweep"],
        ["doctor"],
    ):
        with pytest.raises(SystemExit) as stop:
            main([*words, "--help"])
        assert stop.value.code == 0
