"""What a server promises at its start, and keeps."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from app.assembly import services as composition
from app.assembly.building import build_runtime
from app.assembly.services import Services
from app.settings import Settings
from models.base import EngineSpec
from models.capability import Built, Candidate, EngineConfig
from models.catalog import CATALOG
from models.hosts.host import EngineHost
from models.runtime import Runtime
from models.vision.ocr.capability import OCR


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

    return Runtime({"ocr": replace(OCR, engines=(Candidate(spec, lambda _: None, build),))}, EngineConfig())


async def test_a_preload_that_fails_is_tried_again_until_the_server_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "PRELOAD_PAUSE_S", 0.0)
    services = Services(Settings(_env_file=None, preload=("ocr",)))
    services.runtime = late_runtime()
    assert not services.ready
    async with asyncio.timeout(60):
        await services.preload()
    assert services.ready
    assert LateEngine.loads == 3
    await services.close()


def test_a_capability_to_preload_must_exist() -> None:
    with pytest.raises(ValueError, match="OPENFAZE_PRELOAD: no capability 'ocd'"):
        Services(Settings(_env_file=None, preload=("ocd",)))


async def test_a_task_without_an_engine_is_not_offered_to_an_llm() -> None:
    services = Services(Settings(_env_file=None, search_provider=("off",)))
    assert services.tasks.has("ocr")
    assert not services.tasks.has("web_search")
    await services.close()


@pytest.mark.parametrize(("name", "value"), [("fetch_proxy", "socks5://p:1"), ("fetch_allow", ("10.0.0.0/99",))])
def test_settings_of_fetching_that_make_no_sense_stop_the_start(name: str, value: object) -> None:
    with pytest.raises(ValueError):
        Services(Settings(_env_file=None, **{name: value}))  # type: ignore[arg-type]


def bare(monkeypatch: pytest.MonkeyPatch, folder: Path, **choices: str) -> Settings:
    """On a machine without programs and without weights that were pulled."""
    monkeypatch.setenv("PATH", str(folder))
    return Settings(_env_file=None, weights_dir=str(folder), **choices)  # type: ignore[arg-type]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("capability", "name"),
    [
        (capability, candidate.spec.name)
        for capability, declared in CATALOG.items()
        for candidate in declared.engines
        if capability in Settings.model_fields and capability != "code_sandbox"
    ],
)
async def test_an_engine_that_is_named_and_cannot_run_stops_the_start_with_its_remedy(
    capability: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = bare(monkeypatch, tmp_path, **{capability: name})
    if remedies := [remedy for *_, remedy in build_runtime(settings).unmet_choices()]:
        [remedy] = remedies
        assert remedy
        with pytest.raises(ValueError, match=f"OPENFAZE_{capability.upper()}={name} cannot run here. ") as caught:
            Services(settings)
        assert str(caught.value).endswith(f" {remedy}")
    else:
        services = Services(settings)
        assert services.runtime.choose(capability).spec.name == name
        await services.close()


def test_all_engines_that_cannot_run_are_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot run here") as caught:
        Services(
            bare(
                monkeypatch,
                tmp_path,
                ocr="pp-ocrv6-medium",
                translate="apertium",
                code_sandbox="on",
                browser="chromium",
            )
        )
    assert [line.partition(" cannot")[0] for line in str(caught.value).splitlines()] == [
        "OPENFAZE_OCR=pp-ocrv6-medium",
        "OPENFAZE_TRANSLATE=apertium",
        "OPENFAZE_CODE_SANDBOX=on",
        "OPENFAZE_BROWSER names a browser that",
    ]


async def test_without_a_choice_the_server_starts_whatever_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await Services(bare(monkeypatch, tmp_path)).close()


async def test_a_part_that_fails_to_close_keeps_none_of_the_others_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = Services(bare(monkeypatch, tmp_path))
    closed = []

    def fails(name: str) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            closed.append(name)
            raise OSError(name)

        return close

    parts = ("browser", "loader", "search", "files", "runtime")
    originals = [getattr(services, name).close for name in parts]
    for name in parts:
        monkeypatch.setattr(getattr(services, name), "close", fails(name))
    with structlog.testing.capture_logs() as lines:
        await services.close()
    assert sorted(closed) == sorted(parts)
    assert [line["event"] for line in lines] == ["closing_failed"] * len(parts)
    for close in originals:
        await close()
