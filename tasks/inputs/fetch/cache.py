"""Caches fetched responses by HTTP's own rules (RFC 9111).

hishel decides what may be stored, what is fresh, and how to revalidate; this module holds the entries. Only public
responses are stored: answers to a GET without credentials that are neither `private` nor `no-store`. Each caller has a
separate part of the cache even so, because otherwise the time that a fetch takes would reveal what other callers have
fetched.
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
"""Function that sends the request to the server with additional headers."""

_SHARED = CacheOptions(shared=True, supported_methods=["GET"], allow_stale=False)
_ENTRY = 1024
"""Approximate bytes of an entry in addition to its body, URL and headers."""
_FIELD = 250
"""Approximate bytes of a header field in addition to its characters: hishel keeps each value in a list of its own."""
_CONDITIONS = ("if-none-match", "if-modified-since")
_RULES = frozenset({"age", "cache-control", "date", "etag", "expires", "last-modified", "pragma", "vary"})
_LONGEST_RULE = 1000
"""Answers with more characters in one of the headers in _RULES are not stored."""
_LONGEST = 2**31
"""Largest freshness lifetime in seconds (RFC 9111, section 1.2.2)."""


@dataclass(frozen=True, slots=True)
class _StoredResponse:
    entry: Entry
    data: bytes

    @property
    def size(self) -> int:
        headers = self.entry.response.headers
        fields = sum(_FIELD + len(name) + len(headers[name]) for name in headers)
        return _ENTRY + len(self.data) + len(self.entry.request.url) + fields


_Key = tuple[str, str]
"""Owner of the entry, and the URL."""


class HttpCache:
    """An LRU cache of at most `max_bytes`, with one variant per URL."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[_Key, _StoredResponse] = OrderedDict()
        self.size = 0
        """Number of bytes in use."""

    async def answer(self, owner: str, url: str, headers: Mapping[str, str], send: Send) -> FetchedResponse:
        """Return the response to a GET of `url` with `headers`, from the cache if the rules allow it. Entries of other
        owners are not used."""
        request, key = Request("GET", url, Headers(headers)), (owner, url)
        kept = self._find(key, request)
        state = IdleClient(options=_SHARED).next(request, [kept.entry] if kept else [])
        if kept and isinstance(state, FromCache):
            return _cached_response(kept)
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
        if _has_long_rules(answer):
            self._drop(key)
            return self._keep(key, request, await send({}))
        then = state.next(Response(304, _with_date(answer.headers)))
        if isinstance(then, NeedToBeUpdated):
            [updated] = then.updating_entries
            self._store(key, request, updated.response, kept.data)
            return _cached_response(kept)
        if isinstance(then, InvalidateEntries):
            self._drop(key)
        return self._keep(key, request, await send({}))  # the 304 does not confirm the stored response

    def _find(self, key: _Key, request: Request) -> _StoredResponse | None:
        kept = self._kept.get(key)
        if kept is None or not _is_variant(request, kept.entry):
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: _Key, request: Request, answer: FetchedResponse) -> FetchedResponse:
        if answer.status == 200 and _has_long_rules(answer):
            self._drop(key)
        elif answer.status == 200:
            self._store(key, request, Response(200, _with_date(answer.headers)), answer.data)
        return answer

    def _store(self, key: _Key, request: Request, response: Response, data: bytes) -> None:
        """Replace the entry of a URL. The old entry is dropped even if the new response must not be stored."""
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


def _has_long_rules(answer: FetchedResponse) -> bool:
    """True if a header by which the cache decides is too long. hishel reads these headers sign by sign, several times
    an answer."""
    return any(len(value) > _LONGEST_RULE for name, value in answer.headers.items() if name.lower() in _RULES)


def _cached_response(kept: _StoredResponse) -> FetchedResponse:
    return FetchedResponse(200, dict(kept.entry.response.headers), kept.data)


def _is_variant(request: Request, entry: Entry) -> bool:
    """True if `entry` answered a request with the same values of the headers in its `Vary`."""
    names = [name.strip() for name in entry.response.headers.get("vary", "").split(",") if name.strip()]
    return "*" not in names and all(request.headers.get(name) == entry.request.headers.get(name) for name in names)


def _can_serve_again(request: Request, entry: Entry) -> bool:
    if not _is_variant(request, entry):  # the response has `Vary: *`
        return False
    headers = entry.response.headers
    fresh = isinstance(IdleClient(options=_SHARED).next(request, [entry]), FromCache)
    return fresh or "etag" in headers or "last-modified" in headers


def _with_date(headers: Mapping[str, str]) -> Headers:
    """Return `headers` with a Date that alone determines the age, and with an explicit lifetime.

    hishel ignores Age and the time of arrival, treats a response without Date as new forever, and guesses a lifetime
    from Last-Modified. A user who names a URL again, however, wants its present content.
    """
    now = time.time()
    date = _timestamp_of(headers.get("date"))
    claimed = headers.get("age", "").strip()
    age = max(0.0, now - date if date is not None else 0.0, float(claimed[:10]) if claimed.isdecimal() else 0.0)
    then = now - min(age, now)
    expires = _timestamp_of(headers.get("expires"))
    lifetime = 0.0 if expires is None else expires - (now if date is None else date)
    expiry = then + min(max(lifetime, 0.0), _LONGEST)
    rest = {name: value for name, value in headers.items() if name not in {"date", "age", "expires"}}
    return Headers({**rest, "date": formatdate(then, usegmt=True), "expires": formatdate(expiry, usegmt=True)})


def _timestamp_of(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return None
