"""The HTTP endpoint of live runs: what is new since a page was drawn, made once for all who ask.

No page is run for it, so those who watch cost the training little more than one who does. Why:
docs/decisions/0033-a-feed-beside-the-pages.md.
"""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st
from cachetools import FIFOCache
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from explorer.ui.train.live_snapshot import LiveQuery

PATH = "/watched"
_FRESH_S = 0.35
_SHARE = 5
_RECENT_S = 5.0
_MOST = 32


@dataclass(frozen=True)
class CachedResponse:
    """What is told of one view.

    Attributes:
        version: changes with the content.
        body: JSON, compressed by gzip.
        at: when it was made, monotonic seconds.
        spent_s: how long that took.
        fresh_s: how long there will be nothing newer.
    """

    version: str
    body: bytes
    at: float
    spent_s: float
    fresh_s: float


class ResponseCache:
    """Answers that are kept for a moment, each made by one thread while the others take the one before.

    Args:
        make: JSON of a view, and the milliseconds until there may be more. What takes long is made less
            often, so that all answers together take at most a fifth of one core.
    """

    def __init__(self, make: Callable[[LiveQuery], tuple[str, int]]) -> None:
        self._make = make
        self._making, self._changing = threading.Lock(), threading.Lock()
        self._kept: FIFOCache[LiveQuery, CachedResponse] = FIFOCache(_MOST)

    def peek(self, query: LiveQuery) -> CachedResponse | None:
        """An answer that is at most a moment old; never waits."""
        kept = self._last(query)
        return None if kept is None or self._is_old(kept) else kept

    def get(self, query: LiveQuery) -> CachedResponse:
        """The newest answer; one is made where none is at hand."""
        if answer := self.peek(query):
            return answer
        kept = self._last(query)
        if not self._making.acquire(blocking=kept is None):
            return kept  # type: ignore[return-value]  # it waits where there is none
        try:
            return self.peek(query) or self._renewed(query)
        finally:
            self._making.release()

    def invalidate(self) -> None:
        """Something was asked of a run: what was known is old."""
        with self._changing:
            self._kept.clear()

    def _last(self, query: LiveQuery) -> CachedResponse | None:
        with self._changing:
            return self._kept.get(query)

    def _is_old(self, kept: CachedResponse) -> bool:
        now = time.monotonic()
        with self._changing:
            work = sum(one.spent_s for one in self._kept.values() if now - one.at < _RECENT_S)
        return now - kept.at > max(kept.fresh_s, _SHARE * work)

    def _renewed(self, query: LiveQuery) -> CachedResponse:
        began = time.monotonic()
        text, wait_ms = self._make(query)
        version = f"{zlib.crc32(text.encode()):08x}"
        body = gzip.compress(f'{{"version":"{version}",{text[1:]}'.encode(), 1)
        spent, fresh = time.monotonic() - began, min(_FRESH_S, 0.8e-3 * wait_ms)
        answer = CachedResponse(version, body, began, spent, fresh)
        with self._changing:
            self._kept[query] = answer
        return answer


async def live_endpoint(request: Request) -> Response:
    """Tell the newest of one view: 200 with JSON, 204 where the asker has it, 404 where there is none."""
    from explorer.ui.train.live_snapshot import LiveQuery, LiveQueryError

    if not _is_ours(request.headers.get("host", "")):
        return PlainTextResponse("This host is not in server.allowedHosts.", 403)
    try:
        query, cache = LiveQuery.from_params(request.query_params), _cache()
        found = cache.peek(query)
        if found is None:
            found = await run_in_threadpool(cache.get, query)
    except LiveQueryError as error:
        return PlainTextResponse(str(error), 404)
    if found.version == request.query_params.get("had"):
        return Response(status_code=204)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return Response(found.body, media_type="application/json", headers=headers)


def invalidate_live() -> None:
    """Let the next answer tell what a run was just asked to do."""
    _cache().invalidate()


@lru_cache(maxsize=1)
def _cache() -> ResponseCache:
    from explorer.ui.train.live_snapshot import load_snapshot

    def make(query: LiveQuery) -> tuple[str, int]:
        seen = load_snapshot(query)
        return seen.payload, seen.wait_ms

    return ResponseCache(make)


def _is_ours(host: str) -> bool:
    """Whether `server.allowedHosts` has the host, as Streamlit asks for its own routes."""
    allowed: list[str] = st.get_option("server.allowedHosts") or ["*"]
    name = urlsplit(f"//{host}").hostname or ""
    return any(fnmatchcase(name, one.strip("[]").lower()) for one in allowed)
