"""The catalogue: every kind of net by its key, uploads that leave nothing behind, and what is refused."""

import hashlib
from dataclasses import replace

import pandas as pd
import pytest
import torch
from published_names import published_names

from explorer.nets.build import build
from explorer.nets.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from explorer.nets.published_imagenet import PUBLISHED
from explorer.nets.spec import NetSpec
from explorer.nets.weights import WeightsError
from explorer.runs import net_opening
from explorer.runs.library import open_library
from explorer.runs.net_catalogue import NetError, find_net, published_nets, trained_nets, weights_folder
from explorer.runs.net_opening import named_net, open_net, open_upload, upload_choice


@pytest.fixture
def runs():
    return open_library().runs()


@pytest.fixture
def checkpoint(tmp_path):
    """A small net's file and its bytes."""
    path = tmp_path / "mine.safetensors"
    net = build(NetSpec("plain", 8, width=4, classes=3), seed=5)
    save_checkpoint(path, net, classes=("a", "b", "c"), image_size=20)
    return path


def test_nets_of_one_name_say_how_long_they_were_trained(runs):
    row = runs[runs["run_id"] == "digits-residual-8-s0"]
    longer = row.assign(run_id="longer", iterations=9000)
    titles = {net.key: net.title for net in trained_nets(pd.concat([row, longer]))}
    assert titles["longer"].endswith(", seed 0, 9,000 iterations")
    assert titles["digits-residual-8-s0"].endswith(", seed 0, 110 iterations")
    assert trained_nets(row)[0].title.endswith(", seed 0")


def test_the_zoos_nets_are_listed_and_open_as_themselves(runs):
    choices = trained_nets(runs)
    choice = find_net(choices, "digits-residual-8-s0")
    assert (choice.family, choice.depth, choice.dataset, choice.image_size) == ("residual", 8, "digits", 8)
    loaded = open_net(choice)
    assert (loaded.trained, loaded.image_size, loaded.in_channels) == (True, 8, 1)
    assert loaded.classes == tuple("0123456789")


@pytest.mark.parametrize("name", ["untrained:residual-110", "untrained:plain-8-w4", "untrained:resnet18"])
def test_untrained_nets_open_and_say_that_they_are(name):
    loaded = open_net(find_net([], name))
    assert loaded.key == name
    assert not loaded.trained
    assert "untrained" in loaded.title
    assert "Random weights" in loaded.origin


def test_an_untrained_imagenet_net_has_imagenets_size_and_classes():
    loaded = open_net(find_net([], "untrained:plain18"))
    assert (loaded.image_size, len(loaded.classes)) == (224, 1000)


def test_published_nets_are_listed_once_their_file_is_here(monkeypatch, tmp_path):
    from torchvision import models

    assert published_nets() == []
    path = tmp_path / "file.pth"
    torch.save(models.resnet18(weights=None).state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    about = replace(PUBLISHED["resnet18"], file=f"resnet18-{digest[:8]}.pth")
    monkeypatch.setitem(PUBLISHED, "resnet18", about)
    with pytest.raises(WeightsError, match="not here yet"):
        open_net(find_net([], "torchvision:resnet18"))
    weights_folder().mkdir(parents=True)
    path.rename(weights_folder() / about.file)
    assert [choice.key for choice in published_nets()] == ["torchvision:resnet18"]
    loaded = open_net(published_nets()[0])
    assert loaded.trained
    assert loaded.classes[0] == "tench"


@pytest.mark.parametrize("key", ["nobody", "untrained:plain-9", "torchvision:resnet19", "upload:abc", ""])
def test_keys_of_nothing_are_refused_in_words(runs, key):
    with pytest.raises(ValueError, match=r"Choose|must be|no net"):
        find_net(trained_nets(runs), key)


def test_an_upload_is_the_net_that_was_saved_and_leaves_nothing_on_the_disk(
    checkpoint, monkeypatch, tmp_path
):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(net_opening.tempfile, "tempdir", str(folder))
    loaded = open_upload(checkpoint.read_bytes(), "../../mine\n.safetensors")
    assert list(folder.iterdir()) == []
    assert loaded.key.startswith("upload:")
    assert (loaded.classes, loaded.image_size) == (("a", "b", "c"), 20)
    assert "\n" not in loaded.title
    assert "your file" in loaded.title
    kept = load_checkpoint(checkpoint).net.state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in loaded.net.state_dict().items())
    choice = upload_choice(loaded)
    assert (choice.family, choice.depth, choice.group) == ("plain", 8, "upload")
    with pytest.raises(NetError, match="Upload it again"):
        open_net(choice)


def test_a_file_of_torchvision_is_taken_as_what_it_is(tmp_path):
    from torchvision import models

    path = tmp_path / "resnet18-f37072fd.pth"
    torch.save(models.resnet18(weights=None).state_dict(), path)
    loaded = open_upload(path.read_bytes(), path.name)
    choice = upload_choice(loaded)

    assert (choice.family, choice.depth, choice.dataset, choice.image_size) == (
        "residual", 18, "imagenet", 224,
    )  # fmt: skip
    assert (loaded.classes[0], loaded.normalisation.mean) == ("tench", (0.485, 0.456, 0.406))
    assert "your file resnet18-f37072fd.pth" in loaded.title
    assert "published ones (resnet18-f37072fd.pth) was not checked" in loaded.origin
    named, _ = named_net(str(path), open_library().runs())
    assert named.classes == loaded.classes


def test_one_content_has_one_key(checkpoint):
    content = checkpoint.read_bytes()
    assert open_upload(content, "a").key == open_upload(content, "b").key


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04broken", b"\x80\x02}q\x00."])
def test_what_is_no_checkpoint_is_refused(content):
    with pytest.raises(CheckpointError):
        open_upload(content, "x.pth")


def test_a_published_file_may_be_read_as_plain(tmp_path):
    state = {
        f"module.{name}": tensor
        for name, tensor in published_names(build(NetSpec("residual", 8)), head="linear").items()
    }
    torch.save({"state_dict": state}, tmp_path / "x.th")
    content = (tmp_path / "x.th").read_bytes()
    residual, plain = open_upload(content, "x.th"), open_upload(content, "x.th", "plain")
    assert (residual.net.spec.family, plain.net.spec.family) == ("residual", "plain")
    assert residual.key != plain.key


def test_names_on_the_shell_are_keys_ids_or_files(runs, checkpoint):
    assert named_net("digits-plain-8-s0", runs)[0].key == "digits-plain-8-s0"
    assert named_net(str(checkpoint), runs)[0].key == "mine.safetensors"
    loaded, said = named_net("residual-8", runs)
    assert loaded.trained
    assert "took the trained net" in said
    loaded, said = named_net("residual-26", runs)
    assert not loaded.trained
    assert "untrained" in said
    with pytest.raises(NetError, match="runs list"):
        named_net("nonsense", runs)


def test_a_run_remembers_the_size_of_its_images(runs):
    row = runs[runs["checkpoint"].notna()].iloc[0].to_dict()
    row |= {"dataset": "my-photographs", "provenance": {"image_size": 64}}
    (choice,) = trained_nets(runs.iloc[:0].__class__([row]))
    assert choice.image_size == 64


def test_a_trained_runs_file_says_the_size_of_its_images(few_digits, tmp_path):
    from explorer.jobs.sweep import finished_run, save_trained
    from explorer.training.recipe import Recipe
    from explorer.training.trainer import Trainer

    recipe = Recipe(epochs=1, batch_size=50, device="cpu")
    trainer = Trainer(NetSpec(depth=8, width=4, in_channels=1), recipe, few_digits)
    run = finished_run("residual-8-w4-s0-aaaaaaaa", trainer, [])
    save_trained(tmp_path / "x.safetensors", trainer, run)
    assert (run.provenance["image_size"], run.provenance["device"]) == (8, "cpu")
    assert load_checkpoint(tmp_path / "x.safetensors").image_size == 8
