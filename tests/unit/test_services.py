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
    services = Services(Settings(_env_file=None))
    assert services.has_task("ocr")
    assert not services.has_task("web_search")
    await services.close()
