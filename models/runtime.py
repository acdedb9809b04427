"""The engines of one process: chosen by name or by what can run here, built once, closed together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from models.base import EngineSpec, EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig
from models.language.embedding import Embedder
from models.language.llm import Llm
from models.safety.guard import ImageGuard, TextGuard
from models.sandbox.script import Sandbox
from models.series.forecaster import Forecaster
from models.speech.transcriber import Transcriber
from models.speech.voices import Diarizer, VoiceEncoder
from models.translation.translator import Translator
from models.vision.detection.detector import Detector, Segmenter
from models.vision.gui.elements import GuiDetector, GuiGrounder
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
        self._built: dict[EngineSpec, Built] = {}
        for capability, choice in self._choices.items():
            names = [candidate.spec.name for candidate in catalog[capability]]
            if choice not in (AUTO, *names):
                raise ValueError(f"no engine '{choice}' for '{capability}'; there are: {', '.join(names)}")

    def choose(self, capability: str) -> Candidate:
        """The engine that would serve `capability`, from then on the same. Loads nothing; raises EngineUnavailable with
        its remedy."""
        if capability in self._chosen:
            return self._chosen[capability]
        candidates = self._candidates(capability)
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

    def is_at_hand(self, capability: str) -> bool:
        """Whether what serves `capability` is all on this machine: nothing would have to be fetched first."""
        try:
            return self.choose(capability).remedy(replace(self._config, auto_pull=False)) is None
        except EngineUnavailable:
            return False

    def page_reader(self) -> PageReader:
        """The `ocr` capability. Raises EngineUnavailable."""
        return cast(PageReader, self._service("ocr"))

    def detector(self) -> Detector:
        """The `object_detection` capability. Raises EngineUnavailable."""
        return cast(Detector, self._service("object_detection"))

    def gui_detector(self) -> GuiDetector:
        """The `gui_detection` capability. Raises EngineUnavailable."""
        return cast(GuiDetector, self._service("gui_detection"))

    def gui_grounder(self) -> GuiGrounder | None:
        """The `gui_grounding` capability; None where words alone are to tell which element is meant."""
        try:
            return cast(GuiGrounder, self._service("gui_grounding"))
        except EngineUnavailable:
            return None

    def open_vocabulary(self) -> Detector:
        """A Detector of any label, beside the one of `object_detection`. Raises EngineUnavailable."""
        return cast(Detector, self._service("open_vocabulary"))

    def segmenter(self) -> Segmenter:
        """The `segmentation` capability. Raises EngineUnavailable."""
        return cast(Segmenter, self._service("segmentation"))

    def llm(self) -> Llm:
        """The `llm` capability. Raises EngineUnavailable."""
        return cast(Llm, self._service("llm"))

    def voice_encoder(self) -> VoiceEncoder | Diarizer:
        """The `diarization` capability. Raises EngineUnavailable."""
        return cast(VoiceEncoder | Diarizer, self._service("diarization"))

    def embedder(self) -> Embedder | None:
        """The `embedding` capability; None where no engine can serve it."""
        try:
            return cast(Embedder, self._service("embedding"))
        except EngineUnavailable:
            return None

    def sandbox(self) -> Sandbox:
        """The `code_sandbox` capability. Raises EngineUnavailable."""
        return cast(Sandbox, self._service("code_sandbox"))

    def forecaster(self) -> Forecaster:
        """The `forecast` capability. Raises EngineUnavailable."""
        return cast(Forecaster, self._service("forecast"))

    def transcriber(self) -> Transcriber:
        """The `speech_to_text` capability. Raises EngineUnavailable."""
        return cast(Transcriber, self._service("speech_to_text"))

    def translators(self) -> list[Translator]:
        """All engines of the `translate` capability that can run, the best first: one may know languages that another
        does not. Raises EngineUnavailable where there is none."""
        return cast(list[Translator], self._services("translate"))

    def text_guards(self) -> list[TextGuard]:
        """All engines of the `text_guard` capability that can run, the best first: one may judge codes that another
        cannot. Raises EngineUnavailable where there is none."""
        return cast(list[TextGuard], self._services("text_guard"))

    def image_guards(self) -> list[ImageGuard]:
        """All engines of the `image_guard` capability that can run, as `text_guards`."""
        return cast(list[ImageGuard], self._services("image_guard"))

    async def load(self, capability: str) -> None:
        """Loads the engines of `capability` now. Raises EngineUnavailable."""
        for part in self._build(self.choose(capability)).parts:
            await part.load()

    @property
    def healthy(self) -> bool:
        return all(part.healthy for built in self._built.values() for part in built.parts)

    def states(self) -> list[CapabilityState]:
        return [self._state(capability) for capability in self._catalog]

    async def close(self) -> None:
        # Those that one engine has from another are there twice.
        for part in {id(part): part for built in self._built.values() for part in built.parts}.values():
            await part.close()

    def _candidates(self, capability: str) -> Sequence[Candidate]:
        """Those that the operator leaves to choose from."""
        choice = self._choices.get(capability, AUTO)
        return [one for one in self._catalog[capability] if choice in (AUTO, one.spec.name)]

    def _service(self, capability: str) -> Any:
        return self._build(self.choose(capability)).service

    def _services(self, capability: str) -> list[Any]:
        """Of every engine that can run, the best first. Raises EngineUnavailable where there is none."""
        self.choose(capability)
        runnable = [one for one in self._candidates(capability) if one.remedy(self._config) is None]
        return [self._build(one).service for one in runnable]

    def _build(self, candidate: Candidate) -> Built:
        if candidate.spec not in self._built:
            self._built[candidate.spec] = self._new(candidate)
        return self._built[candidate.spec]

    def _new(self, candidate: Candidate) -> Built:
        if candidate.build is not None:
            return candidate.build(self._config)
        assert candidate.over is not None, f"{candidate.spec.name} cannot be built"
        parts = self._build(self.choose(candidate.needs)).parts if candidate.needs else ()
        return Built(candidate.over(self._config, self), parts)

    def _state(self, capability: str) -> CapabilityState:
        try:
            candidate = self.choose(capability)
        except EngineUnavailable as error:
            return CapabilityState(capability, None, loaded=False, remedy=error.remedy)
        built = self._built.get(candidate.spec)
        loaded = built is not None and all(part.loaded for part in built.parts)
        return CapabilityState(capability, candidate, loaded=loaded, remedy=None)
