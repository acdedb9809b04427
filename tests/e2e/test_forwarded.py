"""Whose address a caller has: that of its connection, or what a proxy says that a setting names."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.kit.servers.server import Server, serving

KEY = "of-mine"
TRIES = 40


def is_refused_at_last(statuses: list[int]) -> bool:
    """True if the first 30 of TRIES wrong keys were checked, and the last was not."""
    return statuses[:30] == [401] * 30 and statuses[-1] == 429


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that nobody guesses keys of before the last test."""
    with serving(tmp_path_factory.mktemp("open") / "log", api_keys=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"api_keys": KEY, "trusted_proxies": "127.0.0.1,10.0.0.0/8"}
    with serving(tmp_path_factory.mktemp("behind") / "log", **settings) as server:
        yield server


def status(server: Server, forwarded: str, key: str = "guess") -> int:
    headers = {"authorization": f"Bearer {key}", "x-forwarded-for": forwarded}
    return httpx.get(f"{server.base_url}/v1/models", headers=headers, trust_env=False).status_code


def test_behind_a_proxy_each_caller_has_its_own_address(behind_a_proxy: Server) -> None:
    assert is_refused_at_last([status(behind_a_proxy, "198.51.100.1") for _ in range(TRIES)])
    assert status(behind_a_proxy, "198.51.100.1", KEY) == 429
    assert status(behind_a_proxy, "198.51.100.2", KEY) == 200


def test_what_a_caller_says_itself_ahead_of_the_proxy_does_not_count(behind_a_proxy: Server) -> None:
    statuses = [status(behind_a_proxy, f"192.0.2.{number}, 198.51.100.3") for number in range(TRIES)]
    assert is_refused_at_last(statuses)


@pytest.mark.parametrize(("proxied", "scheme"), [(False, "http"), (True, "https")])
def test_the_scheme_is_the_proxys_where_it_is_trusted(
    direct: Server, behind_a_proxy: Server, proxied: bool, scheme: str
) -> None:
    server = behind_a_proxy if proxied else direct
    """Of the address at which a result lies that is too large for an answer."""
    text = base64.b64encode(b"A line of a book that is long.\n" * 20_000).decode()
    arguments = {"source": f"data:text/plain;base64,{text}"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ocr", "arguments": arguments}}
    headers = {
        "authorization": f"Bearer {KEY}",
        "accept": "application/json, text/event-stream",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "198.51.100.5",
    }
    answer = httpx.post(f"{server.base_url}/mcp", headers=headers, json=body, trust_env=False, timeout=240)
    assert f'"{scheme}://{httpx.URL(server.base_url).netloc.decode()}/v1/files/file-' in answer.text


def test_whoever_connects_from_loopback_is_not_who_it_says(direct: Server) -> None:
    assert is_refused_at_last([status(direct, f"198.51.100.{number}") for number in range(TRIES)])
