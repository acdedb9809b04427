"""What each provider is asked, and what becomes of its answers: against servers that give them in their form."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.search import providers
from tasks.search.failover import BLOCKED_S, REFUSED_S, UNREACHABLE_S, Hit, SearchFailed, SearchProvider, hits_of
from tasks.search.providers import Brave, Ddgs, Searxng, Serper, Tavily
from tasks.wording.search_query import Freshness
from tests.conftest import each_case
from tests.kit.internet import search_engines as said
from tests.kit.internet.web import TLS, Names, Server, proxying, redirect, response, serving

TODAY = date(2026, 11, 20)
WEEK = Freshness(date(2026, 11, 13), TODAY, TODAY)
YEARS = Freshness(date(2023, 3, 1), date(2024, 12, 31), TODAY)
FOUND = [
    Hit("Tides", "https://tides.example/", "Why the sea rises and falls."),
    Hit("The moon & the sea", "https://moon.example/tides?utm_source=x", "How the moon pulls."),
]
Making = Callable[[Fetcher, str], SearchProvider]
MAKING: dict[str, tuple[Making, Callable[..., Any]]] = {
    "searxng": (lambda fetcher, url: Searxng(fetcher, url), said.searxng),
    "brave": (lambda fetcher, url: Brave(fetcher, "KEY", f"{url}search"), said.brave),
    "tavily": (lambda fetcher, url: Tavily(fetcher, "KEY", f"{url}search"), said.tavily),
    "serper": (lambda fetcher, url: Serper(fetcher, "KEY", f"{url}search"), said.serper),
}


@asynccontextmanager
async def asking(name: str, answer: Any) -> AsyncIterator[tuple[SearchProvider, Server]]:
    page = answer if isinstance(answer, bytes) or callable(answer) else said.as_json(answer)
    async with serving(search=page) as server:
        # A handler knows paths without what is asked of them.
        server.pages = _Paths(server.pages)
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1/32",)), resolver=Names(), tls=TLS)
        provider = MAKING[name][0](fetcher, server.url())
        try:
            yield provider, server
        finally:
            await provider.close()
            await fetcher.close()


class _Paths(dict[str, Any]):
    def get(self, path: str, default: Any = None) -> Any:
        return super().get(path.partition("?")[0], default)


def asked_of(server: Server) -> dict[str, str]:
    [head] = server.requests
    return {name: value for name, [value] in parse_qs(urlsplit(head.split()[1]).query).items()}


@pytest.mark.parametrize("name", MAKING)
async def test_an_answer_becomes_hits_without_markup(name: str) -> None:
    async with asking(name, MAKING[name][1](*said.LINKS)) as (provider, _):
        assert await provider.search("tides", None, None, 10) == FOUND
        assert provider.name == name


async def test_searxng_gets_the_site_and_the_period() -> None:
    async with asking("searxng", said.searxng(*said.LINKS)) as (provider, server):
        await provider.search("high tide", "sea.example", WEEK, 10)
    expected = {"q": "high tide site:sea.example", "format": "json", "categories": "general", "time_range": "week"}
    assert asked_of(server) == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [("!!g tides", "g tides"), ("!images :fr <9 tides", "images fr 9 tides"), ("a!b <3! 2:1", "a!b 3! 2:1")],
)
async def test_a_query_gives_searxng_no_orders(query: str, words: str) -> None:
    async with asking("searxng", said.searxng(*said.LINKS)) as (provider, server):
        await provider.search(query, None, None, 10)
    assert asked_of(server)["q"] == words


async def test_brave_gets_the_key_the_site_and_the_dates() -> None:
    async with asking("brave", said.brave(*said.LINKS)) as (provider, server):
        await provider.search("tides", "sea.example", YEARS, 30)
    asked = asked_of(server)
    assert (asked["q"], asked["count"], asked["freshness"]) == (
        "tides site:sea.example",
        "20",
        "2023-03-01to2024-12-31",
    )
    assert "X-Subscription-Token: KEY" in server.requests[0]


async def test_tavily_gets_the_key_the_site_and_the_dates() -> None:
    async with asking("tavily", said.tavily(*said.LINKS)) as (provider, server):
        await provider.search("tides", "sea.example", YEARS, 10)
    assert json.loads(server.bodies[0]) == {
        "query": "tides",
        "max_results": 10,
        "search_depth": "basic",
        "include_domains": ["sea.example"],
        "start_date": "2023-03-01",
        "end_date": "2024-12-31",
    }
    assert "Authorization: Bearer KEY" in server.requests[0]


@pytest.mark.parametrize(("freshness", "tbs"), [(WEEK, "qdr:w"), (YEARS, "cdr:1,cd_min:3/1/2023,cd_max:12/31/2024")])
async def test_serper_gets_the_key_the_site_and_the_dates(freshness: Freshness, tbs: str) -> None:
    async with asking("serper", said.serper(*said.LINKS)) as (provider, server):
        await provider.search("tides", "sea.example", freshness, 10)
    assert json.loads(server.bodies[0]) == {"q": "tides site:sea.example", "num": 10, "tbs": tbs}
    assert "X-Api-Key: KEY" in server.requests[0]


@each_case("name", MAKING)
@each_case(
    ("answer", "reason", "rest_s"),
    [
        (response(status="429 Slowly"), "received too many requests (status 429)", BLOCKED_S),
        (response(status="401 Who"), "rejected its API key (status 401)", REFUSED_S),
        (response(status="422 What"), "rejected the query (status 422)", 0.0),
        (response(status="500 Oops"), "answered with status 500", UNREACHABLE_S),
        (b"nonsense\r\n\r\n", "could not be reached", UNREACHABLE_S),
        (response(b"<html>Please solve this CAPTCHA</html>"), "asks for a CAPTCHA", BLOCKED_S),
        (response(b"[" * 100_000), "answered with something other than JSON", UNREACHABLE_S),
        (response(b"[]"), "answered in an unknown format", UNREACHABLE_S),
        (
            response(bytes(3 * 1024 * 1024)),
            "cannot be asked: its address is not allowed or was not found, or",
            UNREACHABLE_S,
        ),
    ],
)
async def test_what_is_no_answer_is_told(name: str, answer: bytes, reason: str, rest_s: float) -> None:
    async with asking(name, answer) as (provider, server):
        with pytest.raises(SearchFailed) as caught:
            await provider.search("tides of 1066", None, None, 10)
    assert caught.value.reason.startswith(reason)
    assert caught.value.rest_s == rest_s
    assert not {"1066", "KEY", str(server.port)} & set(caught.value.reason.split())


@pytest.mark.parametrize(("why", "rest_s"), [("CAPTCHA", BLOCKED_S), ("timeout", UNREACHABLE_S)])
async def test_a_searxng_whose_engines_fail_has_failed(why: str, rest_s: float) -> None:
    async with asking("searxng", said.searxng(silent=(("duckduckgo", why),))) as (provider, _):
        with pytest.raises(SearchFailed, match=rf"engines of its own failed: duckduckgo \({why}\)") as caught:
            await provider.search("tides", None, None, 10)
    assert caught.value.rest_s == rest_s


async def test_a_key_does_not_follow_a_redirect_to_another_host() -> None:
    async with (
        serving(elsewhere=said.as_json(said.brave())) as other,
        asking("brave", redirect(other.url("elsewhere"))) as (provider, _),
    ):
        await provider.search("tides", None, None, 10)
    assert "KEY" not in other.requests[0]


async def test_a_provider_that_keeps_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "LIMIT_S", 0.05)
    left = asyncio.Event()

    async def silent(_head: bytes, _writer: Any) -> None:
        await left.wait()

    async with asking("brave", silent) as (provider, _):
        with pytest.raises(SearchFailed, match=r"took longer than 0\.05 s"):
            await provider.search("tides", None, None, 10)
        left.set()


@each_case(
    "url",
    [
        "ftp://a.example/",
        "javascript:alert(1)",
        "https://user:secret@a.example/",
        "https://a.example:99999/",
        "https://[::1/",
        "https://a.example/\u202egpj",
        "https://a.example/" + "x" * 2000,
        7,
    ],
)
def test_what_is_no_link_is_left_out(url: object) -> None:
    items = [{"t": "bad", "u": url, "d": ""}, "no object", {"t": "good", "u": "https://a.example/", "d": None}]
    assert hits_of(items, title="t", url="u", description="d", count=5) == [Hit("good", "https://a.example/", "")]


def _leaf_certificate(name: str, folder: Path) -> ssl.SSLContext:
    """As `certificate_for`, but of no authority: the client of ddgs takes no authority's certificate for a host's."""
    settings = f"[req]\ndistinguished_name=n\nx509_extensions=x\nprompt=no\n[n]\nCN={name}\n[x]\n"
    settings += f"basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:{name}\n"
    (folder / "settings").write_text(settings)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-config", str(folder / "settings"), "-out", str(certificate), "-keyout", str(key)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@asynccontextmanager
async def duckduckgo(folder: Path, page: bytes) -> AsyncIterator[tuple[Ddgs, Server]]:
    """ddgs as it is, with a proxy that leads to a DuckDuckGo on loopback."""
    async with (
        serving(_leaf_certificate("html.duckduckgo.com", folder), html=page) as server,
        proxying(server.port) as proxy,
    ):
        provider = Ddgs(
            proxy=f"http://127.0.0.1:{proxy.port}",
            authorities=str(folder / "certificate.pem"),
            engines=("duckduckgo",),
        )
        try:
            yield provider, server
        finally:
            await provider.close()


async def test_ddgs_reads_duckduckgo_through_the_proxy(tmp_path: Path) -> None:
    async with duckduckgo(tmp_path, said.duckduckgo(*said.LINKS)) as (provider, server):
        found = await provider.search("tides", "sea.example", WEEK, 10)
    # In an order of its own.
    assert set(found) == set(FOUND)
    asked = parse_qs(server.bodies[0].decode())
    assert (asked["q"], asked["df"]) == (["tides site:sea.example"], ["w"])
