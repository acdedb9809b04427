"""Which engine serves a capability, and what is said where none can."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.assembly import building
from app.main import create_app
from app.settings import Settings
from models.base import EngineSpec, EngineUnavailable
from models.capability import Built, Candidate, Capability, EngineConfig, listed
from models.catalog import CATALOG
from models.hosts.host import EngineHost
from models.runtime import LOOK_AGAIN_S, Runtime
from models.translation.capability import TRANSLATE
from models.vision.ocr.capability import OCR
from tests.e2e.conftest import data_url, ocr_request
from tests.kit.papers.pages import single_line


class Echo:
    def load(self) -> None:
        pass

    def run(self, batch: Sequence[str]) -> Sequence[str]:
        return batch

    def close(self) -> None:
        pass


def candidate(name: str, remedy: str | None = None) -> Candidate:
    spec = EngineSpec(name, "ocr", "MIT", "none")

    def build(_: EngineConfig) -> Built:
        host = EngineHost(spec, Echo)
        return Built(host, (host,))

    return Candidate(spec, lambda _: remedy, build)


def catalog(**engines: Sequence[Candidate]) -> dict[str, Capability[Any]]:
    return {name: replace(CATALOG[name], engines=candidates) for name, candidates in engines.items()}


def runtime(*candidates: Candidate, choice: str = "auto") -> Runtime:
    return Runtime(catalog(ocr=candidates, llm=()), EngineConfig(), {"ocr": choice})


@dataclass
class Lookups:
    """Counts the looks at the files and packages of an engine."""

    remedy: Callable[[EngineConfig], str | None]
    threads: list[threading.Thread] = field(default_factory=list)

    def __call__(self, config: EngineConfig) -> str | None:
        self.threads.append(threading.current_thread())
        return self.remedy(config)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def watched(remedy: Callable[[EngineConfig], str | None]) -> tuple[Runtime, Lookups, Clock]:
    """A runtime of one engine for `ocr`."""
    lookups, clock = Lookups(remedy), Clock()
    engine = replace(candidate("small"), remedy=lookups)
    return Runtime(catalog(ocr=(engine,)), EngineConfig(), clock=clock), lookups, clock


def test_auto_takes_the_first_that_can_run() -> None:
    chosen = runtime(candidate("large", "Pull it."), candidate("small"), candidate("tiny")).choose("ocr")
    assert chosen.spec.name == "small"


def test_a_chosen_engine_that_cannot_run_is_not_replaced_by_another() -> None:
    with pytest.raises(EngineUnavailable, match="Pull it."):
        runtime(candidate("large", "Pull it."), candidate("small"), choice="large").choose("ocr")


def test_chosen_engines_that_cannot_run_are_told_with_their_remedies() -> None:
    small = candidate("small", "Pull it.")
    assert list(runtime(small, choice="small").unmet_choices()) == [("ocr", "small", "Pull it.")]
    assert list(runtime(small).unmet_choices()) == []


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="OPENFAZE_OCR: no engine 'huge' for 'ocr'; choose from: small, tiny; or 'auto' or 'off'"
    ):
        runtime(candidate("small"), candidate("tiny"), choice="huge")


def test_a_capability_that_is_switched_off_is_served_by_nothing() -> None:
    engines = runtime(candidate("small"), choice="off")
    with pytest.raises(EngineUnavailable, match="OPENFAZE_OCR=off"):
        engines.choose("ocr")
    assert list(engines.unmet_choices()) == []
    remedy = "It is switched off (OPENFAZE_OCR=off)."
    assert engines.states()[0].public == {"state": "off", "remedy": remedy}


def test_a_switch_takes_no_engines_name_and_may_be_off() -> None:
    switch = catalog(code_sandbox=(candidate("bubblewrap"),))
    for choice, can in (("on", True), ("auto", True), ("off", False)):
        assert Runtime(switch, EngineConfig(), {"code_sandbox": choice}).can_serve("code_sandbox") is can


def test_an_engine_over_another_cannot_run_without_it() -> None:
    over = Candidate(
        EngineSpec("over", "translate", "MIT", "none"), lambda _: None, build_around=lambda *_: [], needs="ocr"
    )
    engines = catalog(ocr=(candidate("small"),), translate=(over, candidate("tiny")))
    assert Runtime(engines, EngineConfig()).choose("translate") is over
    without = Runtime(engines, EngineConfig(), {"ocr": "off"})
    assert without.choose("translate").spec.name == "tiny"
    assert len(without.use_all(TRANSLATE)) == 1
    with pytest.raises(EngineUnavailable, match="OPENFAZE_OCR=off"):
        Runtime(engines, EngineConfig(), {"ocr": "off", "translate": "over"}).choose("translate")


async def test_an_engine_that_takes_long_to_build_keeps_nobody_from_another() -> None:
    entered, gate = threading.Event(), threading.Event()
    slow = EngineSpec("slow", "translate", "MIT", "none")

    def build(_: EngineConfig) -> Built:
        entered.set()
        assert gate.wait(60)
        host = EngineHost(slow, Echo)
        return Built(host, (host,))

    made = catalog(ocr=(candidate("eyes"),), translate=(Candidate(slow, lambda _: None, build),))
    engines = Runtime(made, EngineConfig())
    await engines.load("ocr")
    building = asyncio.create_task(engines.prepare("translate"))
    try:
        await asyncio.to_thread(entered.wait, 60)
        await asyncio.wait_for(asyncio.to_thread(engines.use, made["ocr"]), 20)
        await asyncio.wait_for(engines.prepare("ocr"), 60)
    finally:
        gate.set()
    await building
    await engines.close()


async def test_engines_are_closed_side_by_side() -> None:
    together, closed = threading.Barrier(2), []

    class Waiting(Echo):
        def close(self) -> None:
            together.wait(60)
            closed.append(self)

    def waiting(name: str, capability: str) -> Candidate:
        spec = EngineSpec(name, capability, "MIT", "none")

        def build(_: EngineConfig) -> Built:
            host = EngineHost(spec, Waiting)
            return Built(host, (host,))

        return Candidate(spec, lambda _: None, build)

    made = catalog(ocr=(waiting("eyes", "ocr"),), translate=(waiting("tongues", "translate"),))
    engines = Runtime(made, EngineConfig())
    await asyncio.gather(*map(engines.load, made))
    await engines.close()
    assert len(closed) == 2


async def test_what_can_run_is_looked_up_off_the_event_loop_and_remembered() -> None:
    engines, lookups, clock = watched(lambda _: "Pull it.")
    for _ in range(3):
        await asyncio.gather(*(engines.look() for _ in range(5)))
        looked = len(lookups.threads)
        assert not engines.can_serve("ocr")
        assert engines.states()[0].remedy == "Pull it."
        with pytest.raises(EngineUnavailable, match="Pull it."):
            engines.use(OCR)
        assert len(lookups.threads) == looked
        clock.now += LOOK_AGAIN_S / 2
    assert threading.current_thread() not in lookups.threads
    assert len(lookups.threads) == 2


async def test_weights_that_appear_are_found_at_the_next_look(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    engines, _, clock = watched(lambda _: None if weights.exists() else "Pull it.")
    await engines.look()
    assert engines.states()[0].remedy == "Pull it."
    weights.touch()
    clock.now += LOOK_AGAIN_S
    await engines.look()
    assert engines.choose("ocr").spec.name == "small"


def test_what_cannot_be_looked_at_keeps_no_other_engine_from_serving() -> None:
    def broken(_: EngineConfig) -> str | None:
        raise PermissionError(13, "Permission denied", "/secret/weights")

    engines = runtime(replace(candidate("large"), remedy=broken), candidate("small"))
    assert engines.choose("ocr").spec.name == "small"
    with pytest.raises(EngineUnavailable) as raised:
        runtime(replace(candidate("large"), remedy=broken)).choose("ocr")
    assert raised.value.remedy == "Whether 'large' can run here could not be determined: Permission denied."


async def test_no_request_looks_for_engines_on_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lookups = {one.spec: Lookups(one.remedy) for capability in CATALOG.values() for one in capability.engines}
    watched_engines = {
        name: [replace(one, remedy=lookups[one.spec]) for one in capability.engines]
        for name, capability in CATALOG.items()
    }
    monkeypatch.setattr(building, "CATALOG", catalog(**watched_engines))
    app = create_app(Settings(_env_file=None, files_dir=str(tmp_path), llm="off", search_provider=("off",)))
    for one in lookups.values():
        one.threads.clear()  # A start may take its time.
    said = {"role": "user", "content": "Translate to German: Good morning"}
    picture = data_url(single_line("hello").encoded("PNG"))
    asked = [
        ("GET", "/ready", None, 200),
        ("POST", "/v1/chat/completions", {**ocr_request(picture), "messages": [said]}, 503),
        ("POST", "/v1/chat/completions", ocr_request(picture), 200),
        ("POST", "/v1/moderations", {"input": "Good morning"}, 200),
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        for method, path, body, status in asked:
            await app.state.services.runtime.look()  # as a running server does at intervals
            response = await client.request(method, path, json=body)
            assert response.status_code == status, response.text
    await app.state.services.close()
    threads = {thread for one in lookups.values() for thread in one.threads}
    assert threads
    assert threading.current_thread() not in threads


def test_a_name_is_declared_once_however_often_it_is_imported() -> None:
    first, second = (replace(CATALOG["ocr"], order=order) for order in (2, 1))
    assert list(listed([CATALOG["llm"], first, CATALOG["llm"]])) == ["ocr", "llm"]
    with pytest.raises(ValueError, match="'ocr' is declared twice"):
        listed([first, second])


async def test_engines_are_put_together_and_made_off_the_event_loop() -> None:
    threads: list[int] = []

    def noted(make: Callable[[], Any]) -> Any:
        threads.append(threading.get_ident())
        return make()

    engine = candidate("engine")
    host: EngineHost[str, str] = EngineHost(engine.spec, lambda: noted(Echo))
    made = replace(engine, build=lambda _: noted(lambda: Built(host, (host,))))
    serving = runtime(made, candidate("second"))
    await serving.prepare("ocr", "llm")
    await serving.prepare("ocr")
    assert serving.use(OCR) is host  # type: ignore[comparison-overlap]
    assert len(threads) == 1
    await host.run("a")
    assert len(threads) == 2
    assert threading.get_ident() not in threads
    await serving.close()


async def test_an_engine_that_cannot_be_put_together_is_for_those_to_be_told_who_ask_for_it() -> None:
    def build(_: EngineConfig) -> Built:
        raise EngineUnavailable("ocr", "Mend it.")

    serving = runtime(replace(candidate("engine"), build=build))
    await serving.prepare("ocr")
    with pytest.raises(EngineUnavailable, match="Mend it"):
        serving.use(OCR)
    await serving.close()


async def test_all_engines_are_prepared_of_what_several_serve() -> None:
    built: list[str] = []

    def noted(one: Candidate) -> Candidate:
        def build(config: EngineConfig) -> Built:
            built.append(one.spec.name)
            assert one.build is not None
            return one.build(config)

        return replace(one, build=build)

    serving = Runtime(catalog(translate=[noted(candidate(name)) for name in ("first", "second")]), EngineConfig())
    await serving.prepare("translate")
    assert built == ["first", "second"]
    assert len(serving.use_all(TRANSLATE)) == len(built) == 2
    await serving.close()


def test_engines_for_larger_machines_come_last() -> None:
    engines = [replace(candidate(name), profile=name) for name in ("gpu", "standard", "embedded")]
    for profile, first in (("embedded", "embedded"), ("standard", "standard"), ("gpu", "gpu")):
        chosen = Runtime(catalog(ocr=engines), EngineConfig(profile=profile)).choose("ocr")
        assert chosen.spec.name == first
    # What is there serves all the same, unless another one is named.
    assert Runtime(catalog(ocr=engines[:1]), EngineConfig(profile="embedded")).choose("ocr") is engines[0]
    by_name = Runtime(catalog(ocr=engines), EngineConfig(profile="embedded"), {"ocr": "gpu"})
    assert by_name.choose("ocr") is engines[0]
