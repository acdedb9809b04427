"""Plans which tasks have to run before an answer can be made: what a message wishes, as a small model says, and the
kinds of its inputs decide."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from app.chat.inputs import Turn
from app.chat.wish import ANSWERED_BY_TASKS, APART, ASIDE, BESIDE, Wish, off_loop
from app.errors import report_error
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from tasks.catalog import PRECONTEXT_NAMES, SPECIALISTS
from tasks.detection.search import DetectionOptions
from tasks.errors import InputError
from tasks.inputs.kinds import Kind, kind_of
from tasks.inputs.source import Source
from tasks.precontext import Entry
from tasks.result import Failure, Result
from tasks.series.options import options_beside
from tasks.series.reading import InlineSeries, read_inline_series
from tasks.series.regular import LEAST_POINTS
from tasks.wording.message import Message
from tasks.wording.named_languages import named_in, target_in
from tasks.wording.options import TaskOptions, ends_of
from tasks.wording.page_range import OcrOptions
from tasks.wording.search_query import orders_search
from tasks.wording.transcripts import SpeechOptions
from tasks.wording.translation import TranslateOptions, parse_translation
from tasks.wording.wishes import Label

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
_SEEN: frozenset[Label] = frozenset({"detect", "objects"})
_ORDERED: frozenset[Label] = frozenset({"translate", "forecast", "search"})
"""Wishes without media that an LLM is not left to decide on."""
_OF_TEXT: frozenset[Label] = frozenset({"read_out", "value", "summary", "translate"})
_LEFT_TO_LLM = "the language model calls tools by itself"
_LONGEST_TO_READ = 2000
"""A language is searched for in this many characters at the beginning of a text."""
_MOST_WORDS = 4_000
"""Options of tasks that read inputs are looked for in this many characters of a message."""
_LOGGED = 200
"""The log shows at most this many characters of an instruction, and of the options of a step."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan: a task and its input."""

    task: str
    """Name of a task in SPECIALISTS."""
    sources: tuple[Source, ...]
    options: TaskOptions | InputError
    """Options of the task, or the error of a request that lacks what the task needs."""
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
    shows_times: bool = False
    """True if the request asks when, or by whom, something is said."""
    describes: bool = False
    """True if the request is an open question about a picture ("What is in it?"), so that its text is an answer if no
    object is found."""
    unfindable: EngineUnavailable | None = None
    """The reason why the things that the request looks for are not detected; None if they are, or if there are none."""
    why_not: Mapping[str, str] = field(default_factory=dict)
    """Reason why a wished task is not a step, by the task's name."""

    def explained(self, wish: Wish, *, shows_content: bool) -> dict[str, Any]:
        """Return the reasons of the plan for a log. Only with `shows_content` are words of the message among them."""
        facts: dict[str, Any] = {
            "wishes": sorted(wish.labels),
            "probability": round(wish.probability, 3),
            "steps": self.summary,
            "why_not": dict(self.why_not),
        }
        if shows_content:
            facts["instruction"] = wish.message.instruction[:_LOGGED]
            facts["options"] = [repr(step.options)[:_LOGGED] for step in self.steps]
        return facts

    @property
    def summary(self) -> tuple[str, ...]:
        """Names of the steps for a log, such as `("ocr", "translate(ocr)")`."""
        before = (",".join(self.steps[index].task for index in step.after) for step in self.steps)
        return tuple(
            f"{step.task}({read})" if read else step.task for step, read in zip(self.steps, before, strict=True)
        )


def chooses_client_tools(request: ChatRequest, *, can_call_tools: bool) -> bool:
    """True if an LLM chooses among the client's tools. `can_call_tools` is True if it can call tools without being
    forced to."""
    choice = request.tool_choice
    return bool(request.tools) and choice != "none" and (can_call_tools or choice not in (None, "auto"))


@dataclass(frozen=True, slots=True)
class Situation:
    """Circumstances beside the turn on which a plan depends."""

    has_schema: bool = False
    """True if the answer has to satisfy a schema, which the text in a picture may fill. A document pasted beside it is
    data: it is not searched for, and its links are not followed."""
    has_document: bool = False
    """True if the messages contain a document."""
    searches_facts: bool = False
    """True if no LLM here can answer a question of fact, so that the web is searched if nothing else is to be done."""
    calls_tools: bool = False
    """True if the LLM calls tools by itself. Without media, it decides on everything but translations, forecasts and
    searches that the message orders in so many words."""
    has_client_tools: bool = False
    """True if an LLM chooses among the client's tools, which may search. It is also offered the web search, so every
    search is left to it."""


async def with_wish(turn: Turn) -> Turn:
    kinds = [kind_of(source) for source in turn.sources]
    if turn.has_handed_text and not kinds:
        kinds = ["document"]
    return replace(turn, wish=await Wish.of(turn.text, kinds))


def with_inputs_asked_about(turn: Turn) -> Turn:
    """Return a turn without the inputs of earlier messages if it does not ask about them, but says thanks, greets
    or asks about something else."""
    if not (turn.is_of_earlier or turn.has_handed_text):
        return turn
    alone = turn.wish.beside(())
    is_aside = alone.labels <= ASIDE
    # "What is the price of the soup?" is a question of fact only if there is no menu.
    if turn.is_of_earlier and (is_aside or turn.wish.labels <= APART):
        return replace(turn, sources=(), leaves_document=True, wish=alone)
    if turn.has_handed_text and is_aside:
        return replace(turn, leaves_document=True, wish=turn.wish if turn.sources else alone)
    return turn


def in_situation(turn: Turn, situation: Situation) -> Turn:
    """Return a turn with the wish that its message has beside the document and the schema of its situation."""
    kinds: tuple[Kind, ...] = ("document",) if situation.has_document and not turn.sources else turn.wish.kinds
    if kinds == turn.wish.kinds and not situation.has_schema:
        return turn
    return replace(turn, wish=turn.wish.beside(kinds, has_schema=situation.has_schema))


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans requests. A requested task is planned even if its engine is missing, because the client should learn of the
    missing engine."""

    can_run: Callable[[str], bool] = lambda _task: True
    is_public: Callable[[str], bool] = field(default=lambda _task: True, kw_only=True)
    """Function that tells whether clients may run a task by its name."""
    check_findable: Callable[[DetectionOptions], Awaitable[None]] | None = field(default=None, kw_only=True)
    """Function that raises EngineUnavailable if no detector here knows the wanted objects."""
    read_series: Callable[[str], Awaitable[InlineSeries]] = field(default=read_inline_series, kw_only=True)
    """Function that finds the series in a message. Raises InputError."""

    async def plan(self, turn: Turn, situation: Situation | None = None) -> Plan:
        """Return the plan of a turn that was judged in its situation, as `in_situation` does. Never raises.

        First the inputs are read or looked at, then the series in the message is forecast, its code run, the web
        searched, and what the earlier steps read is translated.
        """
        situation = situation or Situation()
        wished = turn.wish.labels
        if situation.calls_tools and not turn.sources and wished.isdisjoint(_ORDERED):
            return Plan(why_not={"all": _LEFT_TO_LLM})
        why_not: dict[str, str] = {}
        sources = _sources_used(turn)
        steps = await off_loop(turn.text, _steps_of_sources, sources, turn, situation)
        unfindable = await self._why_unfindable(steps, turn.wish)
        if unfindable is not None:
            steps = [step for step in steps if step.task != "object_detection"]
            why_not["object_detection"] = "no detector here knows the things"
        if "forecast" in wished and not sources:
            steps += await self._forecast_of_message(turn)
        if "run" in wished and (code := turn.wish.message.document or turn.wish.message.tail):
            steps.append(self._run_of_code(code, sources, turn))
        is_search_guessed = "search" not in wished
        if not is_search_guessed or ("fact" in wished and situation.searches_facts and not steps):
            if reason := self._why_not_search(turn, situation):
                why_not["web_search"] = reason
            else:
                steps.append(_make_step("web_search", (), turn.wish.message.words, turn, is_guess=is_search_guessed))
        if "translate" in wished:
            steps += await off_loop(turn.text, _translations, turn, steps, situation)
        return _plan_of(_with_secondary_readings(steps, turn.wish), turn.wish, unfindable, why_not)

    async def _why_unfindable(self, steps: Sequence[Step], wish: Wish) -> EngineUnavailable | None:
        """Return the reason why no detector here finds what the message implies, if that is so."""
        options = next((step.options for step in steps if step.task == "object_detection"), None)
        if self.check_findable is None or "objects" not in wish.labels or not isinstance(options, DetectionOptions):
            return None
        try:
            await self.check_findable(options)
        except EngineUnavailable as error:
            return error
        return None

    async def _forecast_of_message(self, turn: Turn) -> list[Step]:
        """Return a step that forecasts the series in the message, if there is one that is long enough."""
        try:
            found, series = await self.read_series(turn.text)
        except InputError as error:
            return [Step("forecast", (), error)]
        if not any(one.count >= LEAST_POINTS for one in series):
            return []
        return [Step("forecast", (), options_beside(turn.text, found.words))]

    def _run_of_code(self, code: str, sources: Sequence[Source], turn: Turn) -> Step:
        """Return the step that runs the code of a message, with the inputs as files."""
        if not self.is_public("code_sandbox"):
            return Step(
                "code_sandbox", (), InputError("this server runs code of clients only with OPENFAZE_CODE_SANDBOX=on")
            )
        return _make_step("code_sandbox", tuple(sources), code, turn)

    def _why_not_search(self, turn: Turn, situation: Situation) -> str | None:
        """Return the reason for which the web is not searched; None if it is."""
        is_ordered = orders_search(turn.wish.message.words)
        if turn.has_handed_text:
            return "a program handed over a text, of which nothing may leave the server"
        if situation.has_schema and not is_ordered:
            return "a text beside a schema is data"
        if situation.calls_tools and not (turn.sources or is_ordered):
            return _LEFT_TO_LLM
        if situation.has_client_tools:
            return "the language model chooses among the client's tools and the web search"
        if "search" not in turn.wish.labels and not self.can_run("web_search"):
            return "no provider is set up"
        return None


def _sources_used(turn: Turn) -> list[Source]:
    """Return the inputs without the links of the message that are not opened."""
    followed = _links_followed(turn)
    return [one for one in turn.sources if not one.is_linked or one.url in followed or str(one.url) not in turn.text]


def _steps_of_sources(sources: Sequence[Source], turn: Turn, situation: Situation) -> list[Step]:
    return [step for source in sources for step in _steps_of(source, turn, situation, len(sources))]


def _steps_of(source: Source, turn: Turn, situation: Situation, sources: int) -> Iterator[Step]:
    """Yield the steps that read or look at one source, of so many `sources`."""
    kind, wished, text = kind_of(source), turn.wish.labels, ends_of(turn.text, _MOST_WORDS)
    if "forecast" in wished and (kind == "table" or (kind == "page" and sources == 1)):
        yield _make_step("forecast", (source,), text, turn)
        return
    # A speech engine would mistake the target language of a translation for the spoken language.
    words = _without_target(text) if kind in ("audio", "video") and "translate" in wished else text
    yield _make_step(_READERS[kind], (source,), words, turn)
    if kind == "video" and (situation.has_schema or "on_screen" in wished):
        yield _make_step("ocr", (source,), text, turn)
    if kind == "image" and "gui" in wished:
        yield _make_step("gui_detection", (source,), text, turn, text_may_answer=True)
    elif kind == "image" and not wished.isdisjoint(_SEEN):
        yield _make_step("object_detection", (source,), text, turn, text_may_answer="objects" in wished)


def _translations(turn: Turn, steps: Sequence[Step], situation: Situation) -> list[Step]:
    """Return the steps that translate: what earlier steps read, or else the text in the message, into each language."""
    read = tuple(index for index, step in enumerate(steps) if step.task in _READERS.values())
    message = turn.wish.message
    brings_text = bool(message.tail or message.document or message.quotations)
    if read and not (brings_text and _text_to_translate(turn.text)):
        targets = _targets_in(message.words) or _targets_in(turn.text)
        if not targets:
            return []
        return [Step("translate", (), TranslateOptions(target_language=one), read) for one in targets]
    if situation.has_document and not _text_to_translate(turn.text):
        return []
    step = _make_step("translate", (), turn.text, turn, is_guess=situation.has_schema)
    if not isinstance(step.options, TranslateOptions):
        # Without a language, it is an error only of a message that wishes nothing else.
        is_else = not turn.wish.is_only("translate", *BESIDE)
        return [] if step.is_guess or is_else else [step]
    if not step.options.text:
        return []
    alone = [
        step.options.model_copy(update={"target_language": one, "more_languages": ()}) for one in step.options.targets
    ]
    return [replace(step, options=options) for options in alone]


def _links_followed(turn: Turn) -> Collection[str]:
    """Return the links in the message that are opened."""
    wished, message = turn.wish.labels, turn.wish.message
    if "closed" in wished:
        return ()
    if "translate" in wished and message.tail and all(source.is_linked for source in turn.sources):
        return Message(message.head).followed
    return message.followed


def _text_to_translate(text: str) -> str | tuple[str, ...]:
    try:
        return parse_translation(text).text
    except InputError:
        return ""


def _targets_in(words: str) -> tuple[str, ...]:
    """Return the tags of the target languages that `words` name."""
    found = target_in(words, words_at_end=False)
    return found.tags if found is not None else named_in(words)[:1]


def _without_target(text: str) -> str:
    """Return `text` without the words that name a target language, such as `in French`."""
    found = target_in(text[:_LONGEST_TO_READ])
    return f"{text[: found.start]} {text[found.end :]}" if found else text


def _with_secondary_readings(steps: Sequence[Step], wish: Wish) -> list[Step]:
    """Return `steps` in which readings of pictures are marked as secondary if the request only looks for objects in
    them."""
    searched = {source for step in steps if step.task in _DETECTIONS for source in step.sources}
    if not searched or not wish.labels.isdisjoint(_OF_TEXT):
        return list(steps)
    needed = {index for step in steps for index in step.after}
    return [
        replace(step, is_secondary=step.task == "ocr" and index not in needed and searched.issuperset(step.sources))
        for index, step in enumerate(steps)
    ]


def _plan_of(
    steps: Sequence[Step], wish: Wish, unfindable: EngineUnavailable | None, why_not: Mapping[str, str]
) -> Plan:
    """Return the plan of these steps, with what the message wishes of their results."""
    return Plan(
        tuple(steps),
        last_result_only=_lead_to_one_task(steps) and wish.is_only("search", *ANSWERED_BY_TASKS),
        reads_out="read_out" in wish.labels,
        results_only=_is_results_only(steps, wish),
        shows_times="timed" in wish.labels or any(map(_tells_speakers, steps)),
        describes="objects" in wish.labels and any(step.task == "object_detection" for step in steps),
        unfindable=unfindable,
        why_not=why_not,
    )


def _is_results_only(steps: Sequence[Step], wish: Wish) -> bool:
    """True if the request asks for nothing but the results of its steps."""
    if not steps or not wish.is_only("on_screen", "timed", *ANSWERED_BY_TASKS):
        return False
    if all(step.task in _READERS.values() for step in steps):
        return True
    return steps[-1].task in ("translate", "forecast", "code_sandbox") and _lead_to_one_task(steps)


def _tells_speakers(step: Step) -> bool:
    return isinstance(step.options, SpeechOptions) and step.options.diarize


def as_entry(task: str, outcome: Result[Any] | BaseException, link: str | None = None) -> Entry:
    """Return the entry of a result, or of the exception that was raised instead. `link` is the URL of the text that
    could not be read, if that is the reason."""
    if isinstance(outcome, BaseException):
        outcome = Failure(report_error(outcome, "planned_task_failed", task=task).message, link)
    return Entry(PRECONTEXT_NAMES.get(task, task), outcome)


def reading_plan(sources: Sequence[Source]) -> Plan:
    """Return a plan that only reads the texts of the sources."""
    readers = [(SPECIALISTS[_READERS[kind_of(source)]], source) for source in sources]
    return Plan(tuple(Step(one.name, (source,), one.options()) for one, source in readers), reads_out=True)


def _make_step(
    task: str,
    sources: tuple[Source, ...],
    words: str,
    turn: Turn,
    *,
    is_guess: bool = False,
    text_may_answer: bool = False,
) -> Step:
    """Return a step whose options are those that `words` ask for, or that the request states."""
    given = turn.given.get(task, {})
    try:
        options: TaskOptions | InputError = SPECIALISTS[task].options_of(words, given, has_sources=bool(sources))
    except InputError as error:
        options = error
    if isinstance(options, OcrOptions):
        options = options.model_copy(update={"is_for_llm": True})
    return Step(task, sources, options, is_guess=is_guess, text_may_answer=text_may_answer)


def _lead_to_one_task(steps: Sequence[Step]) -> bool:
    """True if every step is needed by the last one, or by the translations into several languages."""
    needed = {index for step in steps for index in step.after}
    ends = [step.task for index, step in enumerate(steps) if index not in needed]
    return len(ends) == 1 or (len(ends) > 1 and set(ends) == {"translate"})
