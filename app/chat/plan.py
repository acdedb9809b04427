"""Plans which tasks have to run before an answer can be made. Rules decide. If no word of a request about a picture
determines a task, a router guesses one.
"""

import asyncio
import re
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import structlog
from numpy.typing import NDArray

from app.chat.inputs import Kind, Turn, kind_of
from app.chat.planning.intents import Intents, Wish, without_target
from app.chat.planning.prose import QUOTE, SUBJECTS, WORDS, Prose, words_beside_document
from app.chat.planning.questions import asks_for_prose, is_order, is_question, only_greets, values_asked_for
from app.errors import report_error
from app.wire.request import ChatRequest
from models.base import EngineUnavailable, ModelError
from models.embedding.embedder import Embedder
from tasks.catalog import PRECONTEXT_NAMES
from tasks.errors import InputError
from tasks.inputs.source import Source
from tasks.precontext import Entry
from tasks.result import Failure, Result
from tasks.series.reading import InlineSeries, read_inline_series
from tasks.series.regular import LEAST_POINTS
from tasks.wording.phrases import compiled
from tasks.wording.translation import TranslationOrder, parse_order

NOTHING = "nothing"
"""Key of the example requests that need nothing but the text in the picture."""
_TABLE = tomllib.loads((Path(__file__).parent / "planning" / "prototypes.toml").read_text("utf-8"))
_EXAMPLES: Mapping[str, Sequence[str]] = _TABLE["examples"]
"""Texts of example requests about a picture, by the task that runs in addition to reading it, or NOTHING."""
_THRESHOLD, _MARGIN = _TABLE["threshold"], _TABLE["margin"]
"""A task is chosen only if its score is at least the threshold, and exceeds that of NOTHING by at least the margin."""
_FOLLOW_UPS: Mapping[str, Sequence[str]] = _TABLE["follow_ups"]
"""Texts of example messages that follow an input: `about` it, and `beside` it."""
_FOLLOW_UP_MARGIN: float = _TABLE["follow_up_margin"]
NEIGHBOURS = 3
"""The score of a task is the mean cosine between the request and this many of the task's examples, the nearest ones."""
LONGEST = 500
"""Only requests with at most this many characters are compared with examples. For a longer text, `nearest` returns
None, because such a text is material to work on rather than a question."""
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
_LONG_CHARS = 300
"""Finding the document and the wish in a text of more characters may take milliseconds, so a thread does it."""
_END_CHARS = 2_000
"""A forecast is asked for in this many characters at the beginning or the end of a message."""
_ORDERED_TASKS = ("translate", "forecast", "horizon", "search")
"""Subjects of tasks without media that an LLM is not left to decide on, if a message speaks of them."""
_SEARCHES = re.compile(r"\b(?:web|internet|online|google|bing)\b", re.IGNORECASE)
_MAY_HOLD_SERIES = re.compile(r"(?<!\d)(?:\d++\D++){4}\d|\bdata:(?:text|application)/")
_NO_LETTER = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])")
"""Pattern of the gaps between the words of names like `search_web` and `searchWeb`: signs, digits, or the empty gap
before a capital letter."""

log = structlog.get_logger(__name__)


class Router:
    """Compares messages with examples: finds the task nearest to a request about a picture, if `can_run` is true for at
    least one task in the examples, and whether a message is about an earlier input."""

    def __init__(self, embedder: Embedder, can_run: Callable[[str], bool]) -> None:
        self._embedder = embedder
        self._can_run = can_run
        self._embedded: dict[str, NDArray[np.float32]] = {}
        """Embeddings of examples, by the task or the kind of follow-up."""

    async def nearest(self, text: str) -> str | None:
        """Return the task nearest to a text, or None if no task is clearly nearest. Raises ModelError."""
        worth_asking = any(self._can_run(task) for task in _EXAMPLES if task != NOTHING)
        if not text.strip() or len(text) > LONGEST or not worth_asking:
            return None
        scores = await self._scores(text, _EXAMPLES)
        nothing = scores.pop(NOTHING)
        task = max(scores, key=scores.__getitem__)
        is_clear = scores[task] >= max(_THRESHOLD, nothing + _MARGIN)
        return task if is_clear and self._can_run(task) else None

    async def is_about_input(self, text: str) -> bool:
        """True unless a message is clearly nearer to those that say thanks or ask about the world than to those about
        an input. Raises ModelError."""
        if len(text) > LONGEST:
            return True
        scores = await self._scores(text, _FOLLOW_UPS)
        return scores["beside"] < scores["about"] + _FOLLOW_UP_MARGIN

    async def _scores(self, text: str, examples: Mapping[str, Sequence[str]]) -> dict[str, float]:
        if not examples.keys() <= self._embedded.keys():
            rows = iter(await self._embedder.embed([one for each in examples.values() for one in each]))
            self._embedded |= {name: np.stack([next(rows) for _ in each]) for name, each in examples.items()}
        [vector] = await self._embedder.embed([text])
        cosines = {name: self._embedded[name] @ vector for name in examples}
        return {name: float(np.sort(each)[-NEIGHBOURS:].mean()) for name, each in cosines.items()}


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
    is_secondary: bool = False
    """True if the step reads a picture in addition to the requested task. Its result is left out if it has no text."""
    is_guess: bool = False
    """True if the task was guessed, because no word of the request asks for it."""
    text_may_answer: bool = False
    """True if the text in the picture may be the answer as well, because the request only implies objects: "Where is
    the dog?"."""


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
    describes: bool = False
    """True if the request is an open question about a picture ("What is in it?"), so that its text is an answer if no
    object is found."""
    unfindable: EngineUnavailable | None = None
    """The reason why the things that the request looks for are not detected; None if they are, or if there are none."""
    wish: Wish = field(default_factory=Wish)

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
        """Return the client's tools, or None if the LLM cannot choose any tool. `can_call_tools` is True if the LLM can
        call tools without being forced to."""
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

    def __init__(
        self,
        embedder: Embedder | None = None,
        can_run: Callable[[str], bool] = lambda _task: True,
        *,
        check_findable: Callable[[str], Awaitable[None]] | None = None,
        read_series: Callable[[str], Awaitable[InlineSeries]] = read_inline_series,
    ) -> None:
        """Create the planner. `check_findable` raises EngineUnavailable if no detector here knows the things that
        a text names. `read_series` finds the series in a message, and raises InputError."""
        self._router = Router(embedder, can_run) if embedder is not None else None
        self._can_run = can_run
        self._check_findable = check_findable
        self._read_series = read_series

    async def with_inputs_asked_about(self, turn: Turn) -> Turn:
        """Return a turn without the inputs of earlier messages if it does not ask about them, but says thanks, greets
        or asks about something else. Never raises."""
        if turn.is_of_earlier and not await self._is_about_input(turn.text):
            return replace(turn, sources=(), leaves_document=True)
        return replace(turn, leaves_document=turn.has_handed_text and only_greets(turn.text))

    async def _is_about_input(self, text: str) -> bool:
        if only_greets(text):
            return False
        wanted = values_asked_for(text)
        if self._router is None or (wanted is not None and wanted.are_known):
            return True
        try:
            return await self._router.is_about_input(text)
        except ModelError as error:
            log.warning("router_failed", error=str(error))
            return True

    async def plan(
        self,
        turn: Turn,
        client_tools: ClientTools | None = None,
        *,
        has_schema: bool = False,
        has_document: bool = False,
        searches_facts: bool = False,
        can_call_tools: bool = False,
    ) -> Plan:
        """Return the plan of a turn. Tasks that `client_tools` may do are left to the LLM.

        - `has_schema`: the answer has to satisfy a schema, which the text in a picture may fill.
        - `has_document`: the messages contain a document.
        - `searches_facts`: no LLM here can answer a question of fact, so the web is searched if nothing else is to be
          done.
        - `can_call_tools`: the LLM calls tools by itself. Without media, it decides what no word of the message asks
          for.

        A document pasted into a turn with a schema is data: it is not searched for, and its links are not followed.
        Only the words beside it say what to do.

        Never raises: if the embedder fails, the rules alone make the plan.
        """
        ends = _ends_of(turn.text)
        if can_call_tools and not turn.sources and not WORDS.speaks_of(ends, *_ORDERED_TASKS):
            return Plan()
        of_input = bool(turn.sources) or has_document
        if len(turn.text) > _LONG_CHARS:
            words = await asyncio.to_thread(words_beside_document, turn.text)
            wished = await asyncio.to_thread(Wish.of, turn.text, of_input=of_input)
        else:
            words, wished = words_beside_document(turn.text), Wish.of(turn.text, of_input=of_input)
        wish = words if has_schema else turn.text
        prose = Prose.of(turn.text) if wish == turn.text else replace(Prose.of(wish), brings_text=True)
        # Media are always inputs. A link in the text is an input unless the text only shows it, for example in code.
        sources = [
            (source, kind_of(source))
            for source in turn.sources
            if not source.is_linked or source.url in prose.followed or str(source.url) not in turn.text
        ]
        intents = Intents.of(turn.text, prose, words, of_media=bool(sources))
        series_words = None if sources else await self._words_beside_series(turn.text)
        if series_words is not None:
            prose = Prose.of(series_words, is_instruction=True)
            intents = replace(Intents.of(series_words, prose, series_words, of_media=False), fresh=False)
        if client_tools is not None:
            intents = replace(intents, fresh=False, search=intents.search and not client_tools.search)
        if can_call_tools or has_document:
            intents = replace(intents, fresh=False)
        unfindable: EngineUnavailable | None = None
        implies_things = intents.detection and not intents.explicit_detection
        if self._check_findable and (implies_things or intents.undecided) and "image" in (kind for _, kind in sources):
            try:
                await self._check_findable(turn.text)
            except EngineUnavailable as error:
                unfindable = error if implies_things else None
                intents = replace(intents, detection=False, undecided=False)
        order = intents.order
        if order is None and intents.translation and (not sources or prose.brings_text):
            with suppress(InputError):  # the task will raise it
                is_long = len(turn.text) > _LONG_CHARS
                order = await asyncio.to_thread(parse_order, turn.text) if is_long else parse_order(turn.text)
        steps = [Step("forecast", (), turn.text)] if series_words is not None else []
        steps += _plan_steps(turn.text, wish, sources, intents, prose, order, has_schema=has_schema)
        pictures = [source for source, kind in sources if kind == "image"]
        is_looked_at = any(step.task in _DETECTIONS for step in steps)
        if self._router and pictures and intents.undecided and not is_looked_at and wished.kind != "reading":
            try:
                if task := await self._router.nearest(turn.text):
                    steps += [Step(task, (source,), turn.text, is_guess=True) for source in pictures]
            except ModelError as error:
                log.warning("router_failed", error=str(error))
        if searches_facts and wished.kind == "fact" and not steps and self._can_run("web_search"):
            steps.append(Step("web_search", (), turn.text, is_guess=True))
        instruction = prose
        if order is not None:
            instruction = Prose.of(order.instruction.replace(order.text or QUOTE, QUOTE), is_instruction=True)
        return Plan(
            tuple(_with_secondary_readings(steps, prose)),
            last_result_only=_is_about_only(steps, instruction),
            reads_out=wished.reads,
            results_only=_is_results_only(steps, instruction, wished),
            describes=intents.description and any(step.task == "object_detection" for step in steps),
            unfindable=unfindable,
            wish=wished,
        )

    async def _words_beside_series(self, message: str) -> str | None:
        """Return the words of a message that asks for a forecast of a series in it, without the series; None for any
        other message."""
        ends = _ends_of(message)
        if not _MAY_HOLD_SERIES.search(message) or not WORDS.speaks_of(ends, "forecast", "horizon"):
            return None
        try:
            found, series = await self._read_series(message)
        except InputError:
            # The task tells the client what is wrong with the series.
            return ends if Intents.of(ends, Prose.of(ends), ends, of_media=False).forecast else None
        words, long_enough = found.words, [one for one in series if one.count >= LEAST_POINTS]
        intents = Intents.of(words, Prose.of(words, is_instruction=True), words, of_media=False)
        # A list of numbers without dates may be anything, so at least something must be asked.
        is_likely = any(one.times for one in long_enough) or is_question(words)
        return words if long_enough and (intents.forecast or (intents.period and is_likely)) else None


def _ends_of(message: str) -> str:
    return message if len(message) <= 2 * _END_CHARS else f"{message[:_END_CHARS]}\n{message[-_END_CHARS:]}"


def as_entry(task: str, outcome: Result[Any] | BaseException, link: str | None = None) -> Entry:
    """Return the entry of a result, or of the exception that was raised instead. `link` is the URL of the text that
    could not be read, if that is the reason."""
    if isinstance(outcome, BaseException):
        outcome = Failure(report_error(outcome, "planned_task_failed", task=task).message, link)
    return Entry(PRECONTEXT_NAMES.get(task, task), outcome)


def reading_plan(sources: Sequence[Source]) -> Plan:
    """Return a plan that only reads the texts of the sources."""
    return Plan(tuple(Step(_READERS[kind_of(source)], (source,), "") for source in sources), reads_out=True)


def _plan_steps(
    text: str,
    wish: str,
    sources: Sequence[tuple[Source, Kind]],
    intents: Intents,
    prose: Prose,
    order: TranslationOrder | None,
    *,
    has_schema: bool,
) -> list[Step]:
    """Return the steps that the rules find. `wish` is `text` without a document that is only data. `order` is the order
    to translate a text in the message."""
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
            steps.append(Step("gui_detection", (source,), text, text_may_answer=True))
        if kind == "image" and (intents.explicit_detection or (intents.detection and not intents.interface)):
            may_answer = intents.description or not intents.explicit_detection
            steps.append(Step("object_detection", (source,), text, text_may_answer=may_answer))
    if intents.search or (intents.fresh and not sources and not intents.translation):
        steps.append(Step("web_search", (), wish))
    if order is not None and order.text.strip():
        # A letter with a schema may end like such an order, so its failure must not end the request.
        is_guess = has_schema and order is intents.order
        steps += [Step("translate", (), order.message_into(target), is_guess=is_guess) for target in order.targets]
    elif intents.reading_in:
        read = tuple(index for index, step in enumerate(steps) if step.task in _READERS.values())
        order_texts = (f"Translate the following into {language}:" for language in intents.reading_in)
        steps += [Step("translate", (), order_text, read) for order_text in order_texts]
    elif intents.translation and not sources:
        steps.append(Step("translate", (), text))
    return steps


def _with_secondary_readings(steps: Sequence[Step], prose: Prose) -> list[Step]:
    """Return `steps` in which readings of pictures are marked as secondary if the request only looks for objects in
    them."""
    searched = {source for step in steps if step.task in _DETECTIONS for source in step.sources}
    if not searched or prose.mentions("written") or prose.asks("read_out", without="detect"):
        return list(steps)
    needed = {index for step in steps for index in step.after}
    return [
        replace(step, is_secondary=step.task == "ocr" and index not in needed and searched.issuperset(step.sources))
        for index, step in enumerate(steps)
    ]


def _is_series(kind: Kind, intents: Intents, *, alone: bool) -> bool:
    """True if a source of this kind contains the series to be forecast. `alone` is True if there is no other source."""
    if kind == "table":
        return intents.forecast or intents.period
    return kind == "page" and intents.forecast and intents.future and alone


def _is_about_only(steps: Sequence[Step], prose: Prose) -> bool:
    """True if the last step's result is the whole answer.

    The request must have at most one sentence, which asks for nothing else, and every step must lead to the last one.
    """
    if not _lead_to_one_task(steps):
        return False
    if len(prose.sentences) > 1 or (prose.mentions("also") and steps[-1].task != "web_search"):
        return False
    done_by_itself = steps[-1].task in {"forecast", "translate"} or prose.mentions("read_out")
    return done_by_itself or not prose.text.strip() or prose.asks("search")


def _lead_to_one_task(steps: Sequence[Step]) -> bool:
    """True if every step is needed by the last one, or by the translations into several languages."""
    needed = {index for step in steps for index in step.after}
    ends = [step.task for index, step in enumerate(steps) if index not in needed]
    return len(ends) == 1 or (len(ends) > 1 and set(ends) == {"translate"})


def _is_results_only(steps: Sequence[Step], prose: Prose, wish: Wish) -> bool:
    """True if the request asks for nothing but the results of its steps.

    Examples are "Transcribe this.", "Can you read it?" and "Transcribe and translate into Spanish.", but not "Read it
    and sum it up." or "Read it, is it a bill?".
    """
    if steps and all(step.task in _READERS.values() for step in steps):
        return wish.kind == "reading"
    if not steps:
        return False
    last = steps[-1]
    sentences = [sentence for sentence in prose.sentences if any(map(str.isalpha, sentence))]
    if last.task == "forecast":
        # Other sentences only say what the numbers are.
        others = [sentence for sentence in sentences if not WORDS.speaks_of(sentence, "forecast", "horizon")]
        asks_more = any(is_question(one) or is_order(one) or asks_for_prose(one) for one in others)
        return len(steps) == 1 and not (asks_more or prose.mentions("write"))
    if last.task != "translate" or len(sentences) > 1:
        return False
    text = without_target(prose.text)
    text = text if "," in text else text.rstrip(" ?\n")
    further_subjects = sum(1 for _ in compiled(SUBJECTS["also"]).finditer(text))
    reads_too = wish.reads and not prose.mentions("write")
    return _lead_to_one_task(steps) and further_subjects <= (1 if reads_too else 0)
