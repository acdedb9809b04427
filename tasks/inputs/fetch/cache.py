"""What was fetched before, while HTTP's own rules let it be used again (RFC 9111).

hishel decides: what may be stored, what is fresh, what must be asked about again and how. Here are the memory and the
bodies. It holds only what anyone may have: answers to a GET without credentials that are not `private` or `no-store`.
And still each caller has its own: how long a fetch takes would tell one what another has fetched.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from uuid import uuid4

from hishel import (
    CacheMiss,
    CacheOptions,
    Entry,
    FromCache,
    Headers,
    IdleClient,
    InvalidateEntries,
    NeedRevalidation,
    NeedToBeUpdated,
    Request,
    Response,
    StoreAndUse,
)

from tasks.inputs.fetch.body import FetchedResponse

Send = Callable[[Mapping[str, str]], Awaitable[FetchedResponse]]
"""Asks the server, with these headers more."""

_SHARED = CacheOptions(shared=True, supported_methods=["GET"], allow_stale=False)
_ENTRY = 1024
"""Bytes that an entry takes besides its body, URL and headers, roughly."""
_CONDITIONS = ("if-none-match", "if-modified-since")
_LONGEST = 2**31
"""Seconds: RFC 9111, section 1.2.2."""


@dataclass(frozen=True, slots=True)
class _StoredResponse:
    entry: Entry
    data: bytes

    @property
    def size(self) -> int:
        headers = self.entry.response.headers
        return _ENTRY + len(self.data) + len(self.entry.request.url) + sum(len(k) + len(headers[k]) for k in headers)


_Key = tuple[str, str]
"""Whose it is, and the URL."""


class HttpCache:
    """At most `max_bytes`, the least recently used leaves first. One variant of a URL at a time."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[_Key, _StoredResponse] = OrderedDict()
        self.size = 0
        """Bytes in use."""

    async def answer(self, owner: str, url: str, headers: Mapping[str, str], send: Send) -> FetchedResponse:
        """The answer to a GET of `url` with `headers`, asking the server only where the rules want it. What an `owner`
        has fetched is found by the same `owner` only."""
        request, key = Request("GET", url, Headers(headers)), (owner, url)
        kept = self._find(key, request)
        state = IdleClient(options=_SHARED).next(request, [kept.entry] if kept else [])
        if kept and isinstance(state, FromCache):
            return _answer(kept)
        if kept and isinstance(state, NeedRevalidation):
            return await self._revalidate(state, key, request, kept, send)
        return self._keep(key, request, await send({}))

    async def _revalidate(
        self, state: NeedRevalidation, key: _Key, request: Request, kept: _StoredResponse, send: Send
    ) -> FetchedResponse:
        conditions = {name: state.request.headers[name] for name in _CONDITIONS if name in state.request.headers}
        answer = await send(conditions)
        if answer.status != 304:
            return self._keep(key, request, answer)
        then = state.next(Response(304, _dated(answer.headers)))
        if isinstance(then, NeedToBeUpdated):
            [updated] = then.updating_entries
            self._store(key, request, updated.response, kept.data)
            return _answer(kept)
        if isinstance(then, InvalidateEntries):
            self._drop(key)
        return self._keep(key, request, await send({}))  # that 304 was about something else

    def _find(self, key: _Key, request: Request) -> _StoredResponse | None:
        kept = self._kept.get(key)
        if kept is None or not _is_variant(request, kept.entry):
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: _Key, request: Request, answer: FetchedResponse) -> FetchedResponse:
        if answer.status == 200:
            self._store(key, request, Response(200, _dated(answer.headers)), answer.data)
        return answer

    def _store(self, key: _Key, request: Request, response: Response, data: bytes) -> None:
        """In place of what there is for that URL; also when the new answer may not be stored."""
        self._drop(key)
        state = CacheMiss(options=_SHARED, request=request).next(response)
        if not isinstance(state, StoreAndUse):
            return
        kept = _StoredResponse(Entry(uuid4(), request, state.response), data)
        if kept.size > self._max_bytes or not _can_serve_again(request, kept.entry):
            return
        self._kept[key] = kept
        self.size += kept.size
        while self.size > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= kept.size


def _answer(kept: _StoredResponse) -> FetchedResponse:
    return FetchedResponse(200, dict(kept.entry.response.headers), kept.data)


def _is_variant(request: Request, entry: Entry) -> bool:
    """Whether `entry` answered a request that looked the same in all that its server looks at."""
    names = [name.strip() for name in entry.response.headers.get("vary", "").split(",") if name.strip()]
    return "*" not in names and all(request.headers.get(name) == entry.request.headers.get(name) for name in names)


def _can_serve_again(request: Request, entry: Entry) -> bool:
    if not _is_variant(request, entry):  # Vary: *
        return False
    headers = entry.response.headers
    fresh = isinstance(IdleClient(options=_SHARED).next(request, [entry]), FromCache)
    return fresh or "etag" in headers or "last-modified" in headers


def _dated(headers: Mapping[str, str]) -> Headers:
    """`headers` such that their Date alone tells their age, and nothing stays fresh that does not say so.

    hishel reads neither Age nor the time of arrival, takes an answer without a Date for new forever, and guesses a
    lifetime from Last-Modified: a person who names a URL again wants what is there now.
    """
    now = time.time()
    date = _seconds(headers.get("date"))
    claimed = headers.get("age", "").strip()
    age = max(0.0, now - date if date is not None else 0.0, float(claimed[:10]) if claimed.isdecimal() else 0.0)
    then = now - min(age, now)
    expires = _seconds(headers.get("expires"))
    lifetime = 0.0 if expires is None else expires - (now if date is None else date)
    expiry = then + min(max(lifetime, 0.0), _LONGEST)
    rest = {name: value for name, value in headers.items() if name not in {"date", "age", "expires"}}
    return Headers({**rest, "date": formatdate(then, usegmt=True), "expires": formatdate(expiry, usegmt=True)})


def _seconds(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return None
