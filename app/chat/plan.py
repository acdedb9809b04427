"""Plans which tasks have to run before an LLM can answer. Rules decide. If no word of a request determines a task, a
router guesses one."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import structlog

from app.chat.inputs import Turn
from app.chat.nearest_task import LONGEST, WITH_PICTURE, WITHOUT_MEDIA, Router
from app.chat.planning.intents import Intents, without_target
from app.chat.planning.kinds import Kind, kind_of
from app.chat.planning.prose import SUBJECTS, Prose, words_beside_document
from app.chat.planning.questions import is_public
from app.wire.request import ChatRequest
from models.base import ModelError
from models.embedding.embedder import Embedder
from tasks.inputs.source import Source
from tasks.wording.phrases import compiled

log = structlog.get_logger(__name__)

_READERS: dict[Kind, str] = {
    "image": "ocr",
    "document": "ocr",
    "table": "ocr",
    "audio": "speech_to_text",
    "video": "speech_to_text",
    "page": "scraper",
}
"""The task that turns a source into text, by the kind of the source."""
_DETECTIONS = frozenset({"object_detection", "gui_detection"})
_LONG_CHARS = 2_000
"""Searching a text of more characters for a document may take milliseconds, so a thread does it."""
_SEARCHES = re.compile(r"\b(?:web|internet|online|google|bing)\b", re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])")
"""Pattern of the gaps between the words of names like `search_web` and `searchWeb`: signs, digits, or the empty gap
before a capital letter."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan: a task and its input."""

    task: str
    """Name of a task in SPECIALISTS."""
    sources: tuple[Source, ...]
    text: str
    """Input text of the task."""
    after: tuple[int, ...] = ()
    """Indexes of the earlier steps whose text is an input of this step."""
    is_aside: bool = False
    """True if the step reads a picture in addition to the requested task. Its result is left out if it has no text."""
    is_guess: bool = False
    """True if the task was guessed, because no word of the request asks for it."""
    text_may_answer: bool = False
    """True if the text in the picture is the answer when no object is found: the request is an open question about the
    picture ("What is in it?"), or has a schema for printed values and only implies objects."""


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...] = ()
    last_result_only: bool = False
    """True if the result of the last step is all that the request asks for. `execute_plan` then raises errors of
    steps."""
    reads_out: bool = False
    """True if the request asks for the whole text or transcript, not for a detail in it."""
    results_only: bool = False
    """True if the request asks for nothing but the results of its steps, so that no LLM has to add a word."""

    @property
    def summary(self) -> tuple[str, ...]:
        """Names of the steps for a log, such as `("ocr", "translate(ocr)")`."""
        before = (",".join(self.steps[index].task for index in step.after) for step in self.steps)
        return tuple(
            f"{step.task}({read})" if read else step.task for step, read in zip(self.steps, before, strict=True)
        )


@dataclass(frozen=True, slots=True)
class ClientTools:
    """The client's tools, among which an LLM chooses by itself.

    The LLM is also offered the web search and decides whether to search. Therefore the plan contains a search only if
    the request asks for one in words.
    """

    search: bool
    """True if a tool of the client searches, or if the LLM must call one. Even an explicit request to search may then
    be meant for this tool."""

    @classmethod
    def of(cls, request: ChatRequest, *, can_call_tools: bool) -> Self | None:
        """Return the choices, or None if the LLM cannot choose any tool. `can_call_tools` is True if the LLM can call
        tools without being forced to."""
        choice = request.tool_choice
        is_forced = choice not in (None, "auto", "none")
        if not request.tools or choice == "none" or not (can_call_tools or is_forced):
            return None
        descriptions = (f"{tool.function.name} {tool.function.description or ''}" for tool in request.tools)
        return cls(is_forced or any(_SEARCHES.search(_NO_LETTER.sub(" ", text[:LONGEST])) for text in descriptions))


class Planner:
    """Plans requests by rules and a router. Without an embedder, only the rules apply.

    Rules take tens of microseconds and decide the same for the same request. They plan a requested task even if its
    engine is missing, because the client should learn of the missing engine. The router only guesses, and guesses only
    tasks that `can_run`.
    """

    def __init__(self, embedder: Embedder | None = None, can_run: Callable[[str], bool] = lambda _task: True) -> None:
        self._router = Router(embedder, can_run) if embedder is not None else None
        self._can_run = can_run

    async def plan(
        self,
        turn: Turn,
        choices: ClientTools | None = None,
        *,
        has_schema: bool = False,
        searches_facts: bool = False,
    ) -> Plan:
        """Return the plan of a turn. Tasks that the tools of `choices` may do are left to the LLM. `has_schema` is True
        if the answer has to satisfy a schema, which the text in a picture may fill. `searches_facts` is True if the
        turn is a question that no LLM here can answer, so that the web is searched if nothing else is to be done.

        A document pasted into a turn with a schema is data: it is not searched for, and its links are not followed.
        Only the words beside it say what to do.

        Never raises: if the embedder fails, the rules alone make the plan.
        """
        if len(turn.text) > _LONG_CHARS:
            words = await asyncio.to_thread(words_beside_document, turn.text)
        else:
            words = words_beside_document(turn.text)
        wish = words if has_schema else turn.text
        whole = Prose.of(turn.text)
        prose = whole if wish == turn.text else replace(Prose.of(wish), brings_text=True)
        # Media are always inputs. A link in the text is an input unless the text only shows it, for example in code.
        sources = [
            (source, kind_of(source))
            for source in turn.sources
            if not source.is_linked or source.url in prose.followed or str(source.url) not in turn.text
        ]
        intents = Intents.of(turn.text, prose, of_media=bool(sources))
        if choices is not None:
            intents = replace(intents, fresh=False, search=intents.search and not choices.search)
        steps = _plan_steps(turn.text, wish, sources, intents, prose, has_schema=has_schema)
        # A paper that comes without a word does not ask anything, so its text must not leave the machine for a search.
        is_question = bool(sources or (choices is None and words))
        if self._router is not None and intents.undecided and is_question:
            try:
                steps += await self._route(turn, sources, steps, intents, self._router)
            except ModelError as error:
                log.warning("router_failed", error=str(error))
        if searches_facts and not steps and self._can_run("web_search") and is_public(turn.text):
            steps.append(Step("web_search", (), turn.text, is_guess=True))
        return Plan(
            tuple(_with_asides(steps, prose)),
            last_result_only=_is_about_only(steps, prose),
            reads_out=_reads_out(whole),
            results_only=_is_results_only(steps, prose),
        )

    async def _route(
        self,
        turn: Turn,
        sources: Sequence[tuple[Source, Kind]],
        steps: Sequence[Step],
        intents: Intents,
        router: Router,
    ) -> list[Step]:
        """Return the steps that the router adds to the steps of the rules."""
        text = turn.text
        if not text.strip():
            return []
        pictures = [source for source, kind in sources if kind == "image"]
        if pictures and not any(step.task in _DETECTIONS for step in steps):
            task = await router.nearest(turn, WITH_PICTURE)
            return [Step(task, (source,), text, is_guess=True) for source in pictures] if task else []
        if not sources and not steps and not intents.about_doing:
            task = await router.nearest(turn, WITHOUT_MEDIA)
            return [Step(task, (), text, is_guess=True)] if task else []
        return []


def reading_plan(sources: Sequence[Source]) -> Plan:
    """Return a plan that only reads the texts of the sources."""
    return Plan(tuple(Step(_READERS[kind_of(source)], (source,), "") for source in sources), reads_out=True)


def _plan_steps(
    text: str, wish: str, sources: Sequence[tuple[Source, Kind]], intents: Intents, prose: Prose, *, has_schema: bool
) -> list[Step]:
    """Return the steps that the rules find. `wish` is `text` without a document that is only data."""
    steps: list[Step] = []
    for source, kind in sources:
        if _is_series(kind, intents, alone=len(sources) == 1):
            steps.append(Step("forecast", (source,), text))
            continue
        # A speech engine would mistake the target language of a translation for the spoken language, so the words that
        # name the target are removed.
        instruction = without_target(text) if kind in {"audio", "video"} and intents.reading_in else text
        steps.append(Step(_READERS[kind], (source,), instruction))
        if kind == "video" and (has_schema or prose.mentions("written")):
            steps.append(Step("ocr", (source,), text))
        if kind == "image" and intents.interface:
            steps.append(Step("gui_detection", (source,), text))
        if kind == "image" and (intents.explicit_detection or (intents.detection and not intents.interface)):
            text_may_answer = intents.description or (has_schema and not intents.explicit_detection)
            steps.append(Step("object_detection", (source,), text, text_may_answer=text_may_answer))
    if not sources and intents.forecast and intents.series:
        steps.append(Step("forecast", (), text))
    if intents.search or (intents.fresh and not sources and not intents.translation):
        steps.append(Step("web_search", (), wish))
    language = intents.reading_in if sources else intents.translation
    if language:
        steps.append(_translation_step(text, steps, language, prose))
    return steps


def _with_asides(steps: Sequence[Step], prose: Prose) -> list[Step]:
    """Return `steps` in which readings of pictures are marked as asides if the request only looks for objects in
    them."""
    searched = {source for step in steps if step.task in _DETECTIONS for source in step.sources}
    if not searched or prose.mentions("written") or prose.asks("read_out", without="detect"):
        return list(steps)
    needed = {index for step in steps for index in step.after}
    return [
        replace(step, is_aside=step.task == "ocr" and index not in needed and searched.issuperset(step.sources))
        for index, step in enumerate(steps)
    ]


def _is_series(kind: Kind, intents: Intents, *, alone: bool) -> bool:
    """True if a source of this kind contains the series to be forecast. `alone` is True if there is no other source."""
    if kind == "table":
        return intents.forecast or intents.period
    return kind == "page" and intents.forecast and intents.future and alone


def _translation_step(text: str, steps: Sequence[Step], language: str, prose: Prose) -> Step:
    """Return a step that translates the text in the message, or else the texts that the previous steps read."""
    read = tuple(index for index, step in enumerate(steps) if step.task in _READERS.values())
    if prose.brings_text or not read:
        return Step("translate", (), text)
    return Step("translate", (), f"Translate the following into {language}:", read)


def _is_about_only(steps: Sequence[Step], prose: Prose) -> bool:
    """True if the last step's result is the whole answer.

    The request must have at most one sentence, which asks for nothing else, and every step must lead to the last one.
    """
    if not steps or set(steps[-1].after) != set(range(len(steps) - 1)):
        return False
    if len(prose.sentences) > 1 or (prose.mentions("also") and steps[-1].task != "web_search"):
        return False
    done_by_itself = steps[-1].task in {"forecast", "translate"} or prose.mentions("read_out")
    return done_by_itself or not prose.text.strip() or prose.asks("search")


def _reads_out(prose: Prose) -> bool:
    """True if the request asks for the whole text: "Transcribe this.", "Extract the text.", or no words at all. The
    result is False for "Extract the total."."""
    if not prose.text.strip():
        return True
    if not prose.asks("read_out"):
        return False
    details = compiled(SUBJECTS["all_that_is_written"]).sub(" ", prose.text)
    return compiled(SUBJECTS["written"]).search(details) is None


def _is_results_only(steps: Sequence[Step], prose: Prose) -> bool:
    """True if the request asks for nothing but the results of its steps.

    Examples are "Transcribe this.", "Can you read it?" and "Transcribe and translate into Spanish.", but not "Read it
    and sum it up." or "Read it, is it a bill?".
    """
    if not steps or len([sentence for sentence in prose.sentences if any(map(str.isalpha, sentence))]) > 1:
        return False
    text = prose.text if "," in prose.text else prose.text.rstrip(" ?\n")
    further_subjects = sum(1 for _ in compiled(SUBJECTS["also"]).finditer(text))
    last = steps[-1]
    if last.task == "translate":
        is_last = set(last.after) == set(range(len(steps) - 1))
        reads_too = _reads_out(prose) and not prose.mentions("write")
        return is_last and further_subjects <= (1 if reads_too else 0)
    if last.task == "forecast":
        return len(steps) == 1 and not further_subjects
    return not further_subjects and _reads_out(prose) and all(step.task in _READERS.values() for step in steps)
