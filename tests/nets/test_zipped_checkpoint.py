"""A checkpoint in a zip: opened where it is alone, and otherwise told."""

import io
import zipfile

import pytest
import torch
from owners import Owner, named

from explorer.nets import zipped_checkpoint
from explorer.nets.checkpoint_reading import Reading
from explorer.nets.checkpoints import CheckpointError, load_any
from explorer.nets.zipped_checkpoint import inside
from explorer.runs.net_opening import open_file, open_upload

OWNER = Owner((1, 1), (4, 8))


@pytest.fixture(scope="module")
def content():
    buffer = io.BytesIO()
    torch.save(named(OWNER.draw(), "torchvision"), buffer)
    return buffer.getvalue()


def zipped(path, method=zipfile.ZIP_DEFLATED, **files):
    with zipfile.ZipFile(path, "w", method) as target:
        for name, data in files.items():
            target.writestr(name.replace("__", "/"), data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_one_checkpoint_in_a_zip_is_opened_and_told(method, content, tmp_path):
    path = zipped(tmp_path / "weights.zip", method, **{"out__best.pth": content, "readme.txt": b"91 %"})
    loaded = open_file(path, "key", path.name)
    assert "out/best.pth" in loaded.notes[0]
    assert len(loaded.blocks()) == 2
    assert open_upload(path.read_bytes(), path.name).notes == loaded.notes


def test_whoever_reads_tensors_is_told_what_the_zip_holds(content, tmp_path):
    with pytest.raises(CheckpointError, match=r"holds best\.pth: unpack it"):
        load_any(zipped(tmp_path / "weights.zip", **{"best.pth": content}))


def test_of_several_one_has_to_be_chosen(content, tmp_path):
    path = zipped(tmp_path / "all.zip", **{"a.pth": content, "b.pth": content})
    with pytest.raises(CheckpointError, match=r"holds 2 checkpoints \(a.pth, b.pth\)"):
        open_file(path, "key", path.name, reading=Reading())


def test_a_file_of_torch_save_is_a_zip_and_stays_one(content, tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with inside(path) as (found, note):
        assert (found, note) == (path, "")


def test_a_name_leads_nowhere_outside(content, tmp_path):
    path = zipped(tmp_path / "evil.zip", **{"..__..__evil.pth": content})
    with inside(path) as (found, _):
        assert found.name == "evil.pth"
        assert found.read_bytes() == content
        folder = found.parent
    assert not folder.exists()
    assert not (tmp_path.parent / "evil.pth").exists()


def test_a_zip_that_unfolds_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(zipped_checkpoint, "MAX_FILE_BYTES", 2**20)
    path = zipped(tmp_path / "bomb.zip", **{"net.pt": bytes(2**22)})
    with pytest.raises(CheckpointError, match="larger than 1 MiB"), inside(path):
        pass


def test_a_damaged_zip_is_refused_in_words(content, tmp_path):
    whole = zipped(tmp_path / "net.zip", **{"best.pth": content}).read_bytes()
    spoiled = bytearray(whole)
    spoiled[200:400] = bytes(200)
    (tmp_path / "spoiled.zip").write_bytes(spoiled)
    with pytest.raises(CheckpointError, match="damaged"), inside(tmp_path / "spoiled.zip"):
        pass
    (tmp_path / "cut.zip").write_bytes(whole[:1000])
    with pytest.raises(CheckpointError):
        open_file(tmp_path / "cut.zip", "key", "cut.zip")
