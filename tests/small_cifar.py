"""A small archive in CIFAR-10's format, and a server on this machine that hands it out."""

import hashlib
import io
import pickle
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from explorer.data.cifar import ARCHIVES, Archive

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def batch(seed, count=20):
    random = np.random.RandomState(seed)
    rows = random.randint(0, 256, (count, 3072)).astype(np.uint8)
    return {"data": rows, "labels": [number % 10 for number in range(count)]}


def batches():
    """The files of the archive, unpickled."""
    return {f"data_batch_{number}": batch(number) for number in range(1, 6)} | {"test_batch": batch(6)}


def archive_bytes():
    """The archive, and the checksums of its files."""
    files = {name: pickle.dumps(content) for name, content in batches().items()}
    files["batches.meta"] = pickle.dumps({"label_names": CLASSES})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    return packed.getvalue(), sums


def known_as(url, content, sums):
    """CIFAR-10 as torchvision would know it if this were the real archive."""
    train = [[name, sums[name]] for name in sorted(sums) if name.startswith("data")]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}
    differs = {
        "url": url, "tgz_md5": hashlib.md5(content).hexdigest(), "train_list": train,
        "test_list": [["test_batch", sums["test_batch"]]], "meta": meta,
    }  # fmt: skip
    return Archive("cifar10", "CIFAR-10", len(content), differs)


@contextmanager
def served(content, *, drip_s=0.0, status=200):
    """An address that hands out `content`, and the paths that were asked for.

    Args:
        content: what is handed out.
        drip_s: how long each tenth of it takes.
        status: what the server answers.
    """
    asked, closing = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def do_GET(self):
            asked.append(self.path)
            self.do_HEAD()
            step = -(-len(content) // 10)
            for start in range(0, len(content), step):
                try:
                    self.wfile.write(content[start : start + step])
                    self.wfile.flush()
                except OSError:
                    return
                if closing.wait(drip_s):
                    return

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/cifar-10-python.tar.gz", asked
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def instead_of_cifar10(monkeypatch, **how):
    """Replaces CIFAR-10 by the small archive; gives the archive and the paths asked for."""
    content, sums = archive_bytes()
    with served(content, **how) as (url, asked):
        small = known_as(url, content, sums)
        monkeypatch.setitem(ARCHIVES, "cifar10", small)
        yield small, asked
