"""What a server promises at its start, and keeps."""

import asyncio
from collections.abc import Sequence

import pytest

from app import services as composition
from app.services import Services
from app.settings import Settings
from models.base import EngineSpec
from models.candidate import Built, Candidate, EngineConfig
from models.host import EngineHost
from models.runtime import Runtime
from tasks.media.fetch import FetchPolicy
from tasks.media.limits import MB
from tasks.media.politeness import ScrapePolicy


class LateEngine:
    """Does not load the first two times, as when its server starts later than ours."""

    loads = 0

    def load(self) -> None:
        LateEngine.loads += 1
        if LateEngine.loads <= 2:
            raise OSError("not there yet")

    def run(self, batch: Sequence[str]) -> Sequence[str]:
        return batch

    def close(self) -> None:
        pass


def late_runtime() -> Runtime:
    spec = EngineSpec("late", "ocr", "MIT", "none")

    def build(_: EngineConfig) -> Built:
        host = EngineHost(spec, LateEngine)
        return Built(host, (host,))

    return Runtime({"ocr": (Candidate(spec, lambda _: None, build),)}, EngineConfig())


async def test_a_preload_that_fails_is_tried_again_until_the_server_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "PRELOAD_PAUSE_S", 0.0)
    services = Services(Settings(_env_file=None, preload=("ocr",)))
    services.runtime = late_runtime()
    assert not services.ready
    async with asyncio.timeout(10):
        await services.preload()
    assert services.ready
    assert LateEngine.loads == 3
    await services.close()


def test_a_capability_to_preload_must_exist() -> None:
    with pytest.raises(ValueError, match="OPENFAZE_PRELOAD: no capability 'ocd'"):
        Services(Settings(_env_file=None, preload=("ocd",)))


async def test_a_task_without_an_engine_is_not_offered_to_an_llm() -> None:
    services = Services(Settings(_env_file=None, search_provider=("off",)))
    assert services.has_task("ocr")
    assert not services.has_task("web_search")
    await services.close()


async def test_what_the_settings_say_of_fetching_reaches_the_fetcher(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"ALLOW": "wiki.lan", "PORTS": "80, 9", "PROXY": "http://p:3128", "CACHE_MB": "2", "TIMEOUT_S": "7"}
    for name, value in values.items():
        monkeypatch.setenv(f"OPENFAZE_FETCH_{name}", value)
    monkeypatch.setenv("OPENFAZE_SCRAPE_ROBOTS", "0")
    services = Services(Settings(_env_file=None, max_fetch_mb=3, scrape_host_rps=0.5, scrape_host_concurrent=4))
    assert services.fetcher.policy == FetchPolicy(
        allow=("wiki.lan",),
        ports=(80, 9),
        proxy="http://p:3128",
        cache_bytes=2 * MB,
        total_timeout=7,
        max_bytes=3 * MB,
    )
    assert services.politeness.policy == ScrapePolicy(robots=False, host_rps=0.5, host_concurrent=4)
    assert services.politeness.fetcher is services.fetcher
    await services.close()


@pytest.mark.parametrize(
    ("name", "value"), [("fetch_proxy", "socks5://p:1"), ("fetch_allow", ("10.0.0.0/99",)), ("fetch_ports", (0,))]
)
def test_settings_of_fetching_that_make_no_sense_stop_the_start(name: str, value: object) -> None:
    with pytest.raises(ValueError):
        Services(Settings(_env_file=None, **{name: value}))  # type: ignore[arg-type]
