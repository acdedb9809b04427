"""The engines of one process: chosen by name or by what can run here, built once, closed together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from models.base import EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig
from models.language.embedding import Embedder
from models.language.llm import Llm
from models.vision.text import PageReader

AUTO = "auto"
NOT_YET = "This version of openfaze has no engine for it yet."


@dataclass(frozen=True, slots=True)
class CapabilityState:
    """One line of `/ready` and `doctor`."""

    capability: str
    candidate: Candidate | None
    """The engine that serves it; None where nothing can."""
    loaded: bool
    remedy: str | None
    """What would provide it, where nothing serves it."""

    @property
    def public(self) -> dict[str, object]:
        if self.candidate is None:
            return {"state": "unavailable", "remedy": self.remedy}
        return {"state": "loaded" if self.loaded else "idle", "engine": self.candidate.spec.name}


class Runtime:
    """`choices` maps a capability to an engine's name or `auto`; capabilities not in it are `auto`.

    Raises ValueError for a name that the catalog does not know.
    """

    def __init__(
        self,
        catalog: Mapping[str, Sequence[Candidate]],
        config: EngineConfig,
        choices: Mapping[str, str] | None = None,
    ) -> None:
        self._catalog = catalog
        self._config = config
        self._choices = dict(choices or {})
        self._chosen: dict[str, Candidate] = {}
        self._built: dict[str, Built] = {}
        for capability, choice in self._choices.items():
            names = [candidate.spec.name for candidate in catalog[capability]]
            if choice not in (AUTO, *names):
                raise ValueError(f"no engine '{choice}' for '{capability}'; there are: {', '.join(names)}")

    def choose(self, capability: str) -> Candidate:
        """The engine that would serve `capability`, from then on the same. Loads nothing; raises EngineUnavailable with
        its remedy."""
        if capability in self._chosen:
            return self._chosen[capability]
        candidates = self._catalog[capability]
        choice = self._choices.get(capability, AUTO)
        if choice != AUTO:
            candidates = [candidate for candidate in candidates if candidate.spec.name == choice]
        if not candidates:
            raise EngineUnavailable(capability, NOT_YET)
        remedies = {candidate.spec.name: candidate.remedy(self._config) for candidate in candidates}
        for candidate in candidates:
            if remedies[candidate.spec.name] is None:
                self._chosen[capability] = candidate
                return candidate
        raise EngineUnavailable(capability, " ".join(remedy for remedy in remedies.values() if remedy))

    def can_serve(self, capability: str) -> bool:
        try:
            self.choose(capability)
        except EngineUnavailable:
            return False
        return True

    def page_reader(self) -> PageReader:
        """The `ocr` capability. Raises EngineUnavailable."""
        return cast(PageReader, self._service("ocr"))

    def llm(self) -> Llm:
        """The `llm` capability. Raises EngineUnavailable."""
        return cast(Llm, self._service("llm"))

    def embedder(self) -> Embedder | None:
        """The `embedding` capability; None where no engine can serve it."""
        try:
            return cast(Embedder, self._service("embedding"))
        except EngineUnavailable:
            return None

    async def load(self, capability: str) -> None:
        """Loads the engines of `capability` now. Raises EngineUnavailable."""
        self._service(capability)
        for part in self._built[capability].parts:
            await part.load()

    @property
    def healthy(self) -> bool:
        return all(part.healthy for built in self._built.values() for part in built.parts)

    def states(self) -> list[CapabilityState]:
        return [self._state(capability) for capability in self._catalog]

    async def close(self) -> None:
        for built in self._built.values():
            for part in built.parts:
                await part.close()

    def _service(self, capability: str) -> Any:
        if capability not in self._built:
            self._built[capability] = self.choose(capability).build(self._config)
        return self._built[capability].service

    def _state(self, capability: str) -> CapabilityState:
        try:
            candidate = self.choose(capability)
        except EngineUnavailable as error:
            return CapabilityState(capability, None, loaded=False, remedy=error.remedy)
        built = self._built.get(capability)
        loaded = built is not None and all(part.loaded for part in built.parts)
        return CapabilityState(capability, candidate, loaded=loaded, remedy=None)
