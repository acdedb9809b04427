"""Which engine serves a capability, and what is said where none can."""

from collections.abc import Sequence

import pytest

from models.base import EngineSpec, EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig
from models.catalog import CATALOG
from models.host import EngineHost
from models.runtime import Runtime
from tasks.base import TASK_NAMES


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


def runtime(*candidates: Candidate, choice: str = "auto") -> Runtime:
    return Runtime({"ocr": candidates, "llm": ()}, EngineConfig(), {"ocr": choice})


def test_auto_takes_the_first_that_can_run() -> None:
    chosen = runtime(candidate("large", "Pull it."), candidate("small"), candidate("tiny")).choose("ocr")
    assert chosen.spec.name == "small"


def test_a_name_picks_an_engine() -> None:
    assert runtime(candidate("small"), candidate("tiny"), choice="tiny").choose("ocr").spec.name == "tiny"


def test_a_chosen_engine_that_cannot_run_is_not_replaced_by_another() -> None:
    with pytest.raises(EngineUnavailable, match="Pull it."):
        runtime(candidate("large", "Pull it."), candidate("small"), choice="large").choose("ocr")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no engine 'huge' for 'ocr'; there are: small, tiny"):
        runtime(candidate("small"), candidate("tiny"), choice="huge")


def test_a_capability_without_engines_says_so() -> None:
    with pytest.raises(EngineUnavailable, match="'llm'"):
        runtime(candidate("small")).choose("llm")


async def test_engines_load_at_their_first_use_and_are_closed_together() -> None:
    engines = runtime(candidate("small"))
    assert next(state.public for state in engines.states()) == {"state": "idle", "engine": "small"}
    await engines.load("ocr")
    assert next(state.public for state in engines.states()) == {"state": "loaded", "engine": "small"}
    assert engines.healthy
    await engines.close()


def test_every_task_but_those_that_only_read_the_web_is_a_capability_of_the_catalog() -> None:
    assert set(TASK_NAMES) - set(CATALOG) == {"web_search", "scraper"}


def test_every_engine_of_the_catalog_names_its_licence_and_its_weights() -> None:
    specs = [candidate.spec for candidates in CATALOG.values() for candidate in candidates]
    assert specs
    assert all(spec.licence and spec.weights for spec in specs)
    assert len({(spec.capability, spec.name) for spec in specs}) == len(specs)
