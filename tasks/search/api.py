"""Asking a search engine's API, and what its silence or refusal means."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.fetch.url_policy import FetchFailed
from tasks.search.provider import BLOCKED_S, LIMIT_S, REFUSED_S, SearchFailed

_MAX_BYTES = 2 * 1024 * 1024
_CAPTCHA = (b"captcha", b"are you a robot", b"not a robot", b"unusual traffic", b"just a moment", b"/cdn-cgi/challenge")
"""In the page that stands in the place of an answer."""


async def ask(
    fetcher: Fetcher, url: str, *, headers: Mapping[str, str] | None = None, body: object = None
) -> Mapping[str, Any]:
    """The object that the API at `url` answers with; with `body` it is sent as JSON. Raises SearchFailed."""
    try:
        async with asyncio.timeout(LIMIT_S):
            fetched = await fetcher.fetch(
                url,
                max_bytes=_MAX_BYTES,
                headers={"accept": "application/json", **(headers or {})},
                json=body,
                fresh=True,
            )
    except TimeoutError as error:
        raise SearchFailed(f"took longer than {LIMIT_S:g} s") from error
    except FetchFailed as error:
        raise _failed(error.status) from error
    except InputError as error:
        raise SearchFailed("cannot be asked: its address is not allowed, or its answer is too large") from error
    return await asyncio.to_thread(_parsed, fetched.data)


def _failed(status: int | None) -> SearchFailed:
    match status:
        case None:
            return SearchFailed("could not be reached")
        case 400 | 422:
            return SearchFailed(f"did not take the query (status {status})", rest_s=0.0)
        case 401:
            return SearchFailed("did not take its key (status 401)", REFUSED_S)
        case 402 | 432 | 433:
            return SearchFailed(f"has no credit left (status {status})", REFUSED_S)
        case 403:
            return SearchFailed("refuses us (status 403)", BLOCKED_S)
        case 429:
            return SearchFailed("is asked too often (status 429)", BLOCKED_S)
        case _:
            return SearchFailed(f"answered with status {status}")


def _parsed(data: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        page = data.lower()
        if any(sign in page for sign in _CAPTCHA):
            raise SearchFailed("asks for a CAPTCHA", BLOCKED_S) from error
        raise SearchFailed("answered with something other than JSON") from error
    if not isinstance(answer, Mapping):
        raise SearchFailed("answered in a form that is not known here")
    return answer


def part(answer: Mapping[str, Any], *names: str) -> object:
    """What `answer` holds under `names`, one within the other; an empty list where it says nothing of it."""
    found: object = answer
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return [] if found is None else found
