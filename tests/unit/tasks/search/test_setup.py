"""Which providers the settings give, and that the SearXNG of the container files fits them."""

import pytest

from app.assembly.building import build_fetcher
from app.assembly.services import Services
from app.cli.doctor import _search_the_web
from app.settings import Settings
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.search.providers import SearchConfig, Searxng, build_providers, names_of
from tests.kit.internet import search_engines as said
from tests.kit.internet.web import TLS, response, serving

AUTO = ("auto",)


async def names(config: SearchConfig) -> str:
    fetcher = Fetcher(FetchPolicy(), tls=TLS)
    providers = build_providers(config, fetcher)
    for provider in providers:
        await provider.close()
    await fetcher.close()
    return names_of(providers)


@pytest.mark.parametrize(
    ("order", "url", "key", "expected"),
    [
        (AUTO, None, None, "ddgs"),
        (AUTO, "http://searxng:8080", None, "searxng, ddgs"),
        (AUTO, "http://searxng:8080", "tavily=a,brave=b", "searxng, brave, tavily, ddgs"),
        (("ddgs", "brave"), None, "key", "ddgs, brave"),
        (("searxng",), "https://[::1]:8080/searx/", None, "searxng"),
        (("off",), "http://searxng:8080", "key", ""),
    ],
)
async def test_the_order_is_as_named_or_as_set_up(
    order: tuple[str, ...], url: str | None, key: str | None, expected: str
) -> None:
    pytest.importorskip("ddgs")
    assert await names(SearchConfig(order, url, key)) == expected


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (SearchConfig(("bing",)), "no provider 'bing'; choose from: searxng, brave, tavily, serper, ddgs"),
        (SearchConfig(("searxng",)), "'searxng' needs OPENFAZE_SEARCH_URL"),
        (SearchConfig(("brave",)), "'brave' needs OPENFAZE_SEARCH_API_KEY"),
        (SearchConfig(("brave", "tavily"), key="hunter2"), "say whose key it is"),
        (SearchConfig(AUTO, "http://me:hunter2@searxng/"), "OPENFAZE_SEARCH_URL is not the http or https URL"),
    ],
)
async def test_settings_that_do_not_fit_stop_the_start_without_telling_keys(config: SearchConfig, says: str) -> None:
    with pytest.raises(ValueError, match="OPENFAZE_SEARCH") as caught:
        await names(config)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value) + repr(config).replace("me:hunter2@", "")


async def test_what_the_settings_say_reaches_the_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_SEARCH_PROVIDER", "searxng, brave")
    monkeypatch.setenv("OPENFAZE_SEARCH_URL", "http://10.1.2.3:8080")
    monkeypatch.setenv("OPENFAZE_SEARCH_API_KEY", "hunter2")
    settings = Settings(_env_file=None)
    services = Services(settings)
    assert names_of(services.search.providers) == "searxng, brave"
    assert services.tasks.has("web_search")
    assert "hunter2" not in repr(settings) + repr(services.search.providers)
    await services.close()


async def test_only_the_search_may_reach_a_private_searxng() -> None:
    fetcher = Fetcher(FetchPolicy(allow=("wiki.lan",)), tls=TLS)
    [provider] = build_providers(SearchConfig(("searxng",), "http://10.1.2.3:8080/"), fetcher)
    assert isinstance(provider, Searxng)
    assert fetcher.policy.allow == ("wiki.lan",)
    assert provider.fetcher.policy.allow == ("10.1.2.3:8080",)
    await provider.close()
    await fetcher.close()


@pytest.mark.parametrize(
    ("page", "outcome", "state"),
    [
        (said.as_json(said.searxng(("Tides", "https://tides.example/", ""))), "answered with 1 results", "ok"),
        (response(status="500 Oops"), "searxng answered with status 500.", "failed"),
    ],
)
async def test_doctor_asks_the_provider_that_was_named(page: bytes, outcome: str, state: str) -> None:
    async with serving() as server:
        server.pages = {"search?q=openfaze&format=json&categories=general": page}
        settings = Settings(_env_file=None, search_provider=("searxng",), search_url=server.url())
        fetcher = build_fetcher(settings)
        found = await _search_the_web(settings, fetcher)
        await fetcher.close()
    assert (found.engine, found.said.startswith(outcome), found.outcome) == ("searxng", True, state)
