"""Fetches from servers on loopback, under the rules of the real fetcher."""

import ssl

import pytest

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tests.kit.internet.web import TLS, Names

OPEN = FetchPolicy(allow=("127.0.0.1", "good.test"), read_timeout=60, total_timeout=60)


async def fetch(
    url: str,
    policy: FetchPolicy = OPEN,
    names: Names | None = None,
    tls: ssl.SSLContext = TLS,
    max_bytes: int | None = None,
) -> Fetched:
    fetcher = Fetcher(policy, resolver=names, tls=tls) if names else Fetcher(policy, tls=tls)
    try:
        return await fetcher.fetch(url, param="p", max_bytes=max_bytes)
    finally:
        await fetcher.close()


async def refusal(url: str, policy: FetchPolicy = OPEN, names: Names | None = None, **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        await fetch(url, policy, names, **options)  # type: ignore[arg-type]
    assert caught.value.param == "p"
    return caught.value
