"""Guards one request under `<guard>`: judges its texts, the results of its tasks and its answer before they are used.

`check_request`, `check_results` and `judge_unread_pictures` judge the inputs, and `check_answer` judges the answer.
`around` calls `check_request` before the answer begins and `check_answer` while it is written; if something is unsafe,
a refusal ends the answer. With `guard_mode` "flag", the same checks are made, but the answer is complete and ends with
the verdict.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from app.chat.call import Inquiry
from app.chat.inputs import Turn, text_of, texts_of
from app.chat.plan import Plan, as_entry
from app.chat.redaction import Redaction
from app.errors import ApiError
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, ReasoningChunk, TextChunk, ToolCallChunk
from app.wire.request import ChatRequest
from models.concurrency import side_by_side
from models.language.llm import estimate_tokens
from tasks.base import Redact, Task, TaskRequest, unredacted
from tasks.errors import InputError
from tasks.guardrails import NAME, SHOWS_NOTHING, Check, Guardrails, Policy, codes_of, result_of
from tasks.inputs.kinds import kind_of
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tasks.result import texts_in
from tasks.wording.page_range import OcrOptions

_EARLIER_TURNS = 4
_EARLIER_CHARS = 4000
"""The user's latest message is judged together with the last _EARLIER_CHARS characters of up to _EARLIER_TURNS earlier
ones, because some messages are unsafe only in combination."""
_EARLIER_MESSAGES = "before"
"""Name of the source for checks of the user's earlier messages alone."""
_MAX_LISTED = 5
"""The warning of a flagged request lists at most this many places. The verdict has all of them."""
_NOT_JUDGED = "The guard did not judge by {codes}, because no engine here can (docs/guard-engines.md)."
_ANSWERING = ("assistant", "tool")
_READ_AT_ONCE = 4
"""The texts of at most this many pictures are read at a time."""

_TAIL = 600
"""The next sentences of an answer are judged together with this many characters before them, because the two may be
unsafe only together."""
_LONGEST_PIECE = 1200
"""Held events with more characters than this are judged even without the end of a sentence, so that the client does not
wait for long."""
_SENTENCE_END = re.compile(r"""[.!?…][\])}"'”’»]*\s|[。！？।؟][」』”]?|\n""")
_ESCAPES = re.compile(r"""(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+""")

log = structlog.get_logger(__name__)


class Unsafe(Exception):
    """Raised when something has one of the requested codes, so that the request must not continue. Never raised for a
    request that is only flagged."""


@dataclass(slots=True)
class RequestGuard:
    """The guard of one request, which names at least one code."""

    guardrails: Guardrails
    inquiry: Inquiry
    checks: list[Check] = field(default_factory=list)
    shown: bool = False
    """True once a part of the answer has been yielded."""
    shown_tokens: int = 0
    """Estimated tokens of the text that has been yielded."""
    _shown_codes: Sequence[str] | None = None
    """Codes in the verdict at the beginning of the answer; None before the answer has begun."""

    @property
    def policy(self) -> Policy:
        return self.inquiry.policy

    @property
    def redaction(self) -> Redaction | None:
        return self.inquiry.redaction

    @property
    def owner(self) -> str | None:
        """Tenant whose verdicts are stored and used again; None if verdicts are neither stored nor used again."""
        return None if self.inquiry.call.fresh else self.inquiry.call.caller.tenant

    @property
    def entry(self) -> Entry:
        redacted = self.redaction.checks if self.redaction else []
        return Entry(NAME, result_of([*self.checks, *redacted]))

    @property
    def redact(self) -> Redact:
        """Function that redacts a text, for the requests of tasks."""
        return self.redaction.of_text if self.redaction else unredacted

    @property
    def refusal(self) -> str:
        """Text of the answer that replaces an unsafe one."""
        return f"unsafe {' '.join(codes_of(self.checks))}"

    async def around(self, answer: Callable[[], AsyncGenerator[Event, None]]) -> AsyncGenerator[Event, None]:
        """Yield the events of `answer` after the request and the answer were checked.

        `answer` is called once the request is judged, and nothing unsafe is shown unless the request is only flagged.
        Raises what `check_request` raises, except Unsafe, which is answered by a refusal.
        """
        try:
            await self.check_request()
            self.inquiry.call.stages.done("guard")
            # If a task's result is the answer, `check_results` judges it.
            async with aclosing(answer() if self.inquiry.task is not None else self.check_answer(answer())) as events:
                async for event in events:
                    if isinstance(event, Finish) and self.policy.left_out:
                        codes = ", ".join(code for code in self.policy.codes if code in self.policy.left_out)
                        yield AnswerWarning(_NOT_JUDGED.format(codes=codes))
                    if not self.inquiry.request.is_only_flagged or isinstance(event, Progress):
                        yield event
                        continue
                    for one in self._add_verdict(event):
                        yield one
        except Unsafe:
            self.inquiry.call.stages.rejected = "guard"
            for event in self._refusal():
                yield event

    def _add_verdict(self, event: Event) -> Iterator[Event]:
        """Yield `event`, with the verdict before a task's result, and with a warning of the findings before the end.

        A streamed answer begins with the verdict on what was judged until then. If the answer has further codes, the
        verdict is repeated before the end.
        """
        codes = codes_of(self.checks)
        if self.inquiry.task is not None and self._shown_codes is None:
            self._shown_codes = codes
            yield Precontext((self.entry,))
        if isinstance(event, Finish) and codes:
            if codes != self._shown_codes:
                yield Precontext((self.entry,))
            places = list(dict.fromkeys(check["source"] for check in self.checks if check["codes"]))
            others = f" and {len(places) - _MAX_LISTED} others" if len(places) > _MAX_LISTED else ""
            yield AnswerWarning(
                f"The guard found {', '.join(codes)} in {', '.join(places[:_MAX_LISTED])}{others}. Nothing was "
                "blocked, because 'guard_mode' is 'flag'."
            )
        yield event

    def _refusal(self) -> Iterator[Event]:
        """Yield an answer that consists of the codes, or only the end of the answer if its beginning has been shown."""
        prompt_tokens = estimate_tokens(*texts_of(self.inquiry.request))
        if self.shown:
            yield Finish("content_filter", prompt_tokens, self.shown_tokens, may_be_kept=False)
            return
        yield Precontext((self.entry,))
        yield TextChunk(self.refusal)
        yield Finish("stop", prompt_tokens, estimate_tokens(self.refusal), may_be_kept=False)

    async def check_request(self) -> None:
        """Judge the user's texts and pictures.

        Raises Unsafe, and EngineUnavailable, EngineOverloaded or InputError if they cannot be judged.
        """
        self.guardrails.check_texts_can_be_judged(self.policy)
        if self.policy.of_texts:
            self.guardrails.check_lengths(await asyncio.to_thread(texts_of_messages, self.inquiry.request))
        # The target of a URL is judged as a picture only if a task that opens it was requested.
        opens_pages = self.inquiry.task is not None and self.inquiry.task.name != "scraper"
        shown = [source for source in self.inquiry.turn.sources if opens_pages or kind_of(source) != "page"]
        both: Sequence[Callable[[], Awaitable[list[Check]]]] = (
            self._judge_request_texts,
            partial(self.guardrails.pictures, shown, self.policy, self.inquiry.turn.text),
        )
        words, pictures = await side_by_side(lambda judge: judge(), both, at_most=2)
        self._add([*words, *pictures])

    async def check_results(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Judge the results of tasks, and return them, redacted if the request asks for it. Raises what `check_request`
        raises."""
        if self.redaction:
            entries = await self.redaction.of_results(entries)
        drawn = [
            Source(Origin(one.name), payload=url, filename=name)
            for one in entries
            for name, url in one.result.pictures()
        ]
        texts = await asyncio.to_thread(_texts_of_results, entries)
        if self.policy.of_texts:
            self.guardrails.check_lengths(texts)
        words = await self.guardrails.texts(texts, self.policy, owner=self.owner)
        self._add([*words, *await self.guardrails.pictures(drawn, self.policy)])
        return tuple(entries)

    async def judge_unread_pictures(
        self, turn: Turn, plan: Plan, entries: Sequence[Entry], find_task: Callable[[str], Task]
    ) -> Turn:
        """Read and judge the text in pictures of `turn` that an LLM is about to see, unless a task has read it.
        `entries` are the results of `plan`.

        Return the turn without the pictures that show personal data if such data is redacted.

        Raises what `check_request` raises, and what the task `ocr` raises, because a picture that cannot be read cannot
        be judged.
        """
        if not self.policy.of_texts:
            return turn
        done = [(step.sources, one) for step, one in zip(plan.steps, entries, strict=True) if step.task == "ocr"]
        read = {source for sources, one in done if one.error is None for source in sources}
        # Videos count as unread, because a task may have read only some of their frames.
        seen = [source for source in turn.sources if not source.is_linked]
        unread = [one for one in seen if kind_of(one) == "video" or (kind_of(one) == "image" and one not in read)]

        async def reading(source: Source) -> list[Entry]:
            try:
                return [as_entry("ocr", await find_task("ocr").run(TaskRequest(OcrOptions(), (source,))))]
            except InputError as error:
                if error.code in SHOWS_NOTHING:
                    return []
                raise

        results = await side_by_side(reading, unread, at_most=_READ_AT_ONCE)
        checked = iter(await self.check_results([one for entries in results for one in entries]))
        if self.redaction is None:
            return turn
        done += [((source,), next(checked)) for source, entries in zip(unread, results, strict=True) if entries]
        hidden = {source for sources, one in done if self.redaction.has_redacted(one) for source in sources}
        return replace(turn, sources=tuple(one for one in turn.sources if one not in hidden))

    async def check_answer(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield each event of `events` once its text has been judged.

        A streamed answer is judged sentence by sentence, any other answer at its end. Raises Unsafe before an event
        with something unsafe, and instead of an error whose part of an answer is unsafe.
        """
        form = self.inquiry.request.response_format
        held = HeldEvents(in_json=form is not None and form.type != "text", redaction=self.redaction)
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Progress):
                        yield event
                        continue
                    if isinstance(event, ReasoningChunk) and not self.inquiry.request.shows_reasoning:
                        continue  # Clients never see this event.
                    held.add(event)
                    part = None
                    if isinstance(event, Finish):
                        part = await asyncio.to_thread(held.take_all)
                    elif self.inquiry.request.stream and held.is_due:
                        part = await asyncio.to_thread(held.take_sentences)
                    if part is not None:
                        await self._judge_answer(part.judged)
                        for one in self._release(part.events):
                            yield one
        except ApiError as error:
            if error.partial is not None:
                held.add(TextChunk(json.dumps(error.partial)))
                part = await asyncio.to_thread(held.take_all)
                await self._judge_answer(part.judged)
                error.partial = json.loads("".join(one.text for one in part.events if isinstance(one, TextChunk)))
            raise

    def _release(self, events: Sequence[Event]) -> Iterator[Event]:
        """Yield the events, with the verdict in the first precontext."""
        self.shown_tokens += estimate_tokens("".join(event.text for event in events if isinstance(event, TextChunk)))
        if self.shown:
            yield from events
            return
        self.shown = True
        self._shown_codes = codes_of(self.checks)
        entries = tuple(one for event in events if isinstance(event, Precontext) for one in event.entries)
        yield Precontext((*entries, self.entry))
        yield from (event for event in events if not isinstance(event, Precontext))

    async def _judge_answer(self, texts: Sequence[tuple[str, str]]) -> None:
        if self.policy.of_texts:
            self.guardrails.check_lengths(texts)
        self._add(await self.guardrails.texts(texts, self.policy, answers=self.inquiry.turn.text))

    async def _judge_request_texts(self) -> list[Check]:
        texts = await asyncio.to_thread(self._request_texts)
        checks = await self.guardrails.texts(texts, self.policy, owner=self.owner)
        # A code that applies to the earlier messages alone is not due to the latest message.
        known = {code for check in checks if check["source"] == _EARLIER_MESSAGES for code in check["codes"]}
        for check in checks:
            if check["source"] == "messages":
                check["codes"] = [code for code in check["codes"] if code not in known]
        return [check for check in checks if check["source"] != _EARLIER_MESSAGES]

    def _request_texts(self) -> list[tuple[str, str]]:
        """Return the texts of the request that are judged: the user's unanswered messages, each by itself and together
        with earlier ones, and the messages of assistants and tools. System messages are the developer's own."""
        if not self.policy.of_texts:
            return []
        messages = self.inquiry.request.messages
        users = [index for index, message in enumerate(messages) if message.role == "user"]
        others = [index for index, message in enumerate(messages) if message.role in _ANSWERING]
        answered = max((index for index in others if users and index < users[-1]), default=-1)
        latest = [index for index in users if index > answered]
        texts = [(_place(index), text_of(messages[index])) for index in (*latest, *others)]
        before = [text_of(messages[index]) for index in users if index < answered]
        earlier = "\n".join(before[-_EARLIER_TURNS:])[-_EARLIER_CHARS:]
        if self.inquiry.request.task_options:
            texts.append(("task_options", "\n".join(texts_in(self.inquiry.request.task_options))))
        if earlier or len(latest) > 1:
            together = [earlier, *(text_of(messages[index]) for index in latest)]
            texts += [("messages", "\n".join(together)), (_EARLIER_MESSAGES, earlier)]
        return texts

    def _add(self, checks: Sequence[Check]) -> None:
        self.checks += checks
        codes = codes_of(checks)
        if codes:
            sources = [check["source"] for check in checks if check["codes"]]
            log.info(
                "guard_flagged" if self.inquiry.request.is_only_flagged else "guard_blocked",
                codes=codes,
                sources=sources,
            )
            if not self.inquiry.request.is_only_flagged:
                raise Unsafe


def texts_of_messages(request: ChatRequest) -> list[tuple[str, str]]:
    """Return the text of each message that a guard judges, with its place in the request."""
    return [
        (_place(index), text_of(message))
        for index, message in enumerate(request.messages)
        if message.role == "user" or message.role in _ANSWERING
    ]


def _place(index: int) -> str:
    return f"messages[{index}].content"


def _texts_of_results(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return, for each entry, its texts, one per line, without repetitions."""
    return [(one.name, "\n".join(dict.fromkeys(one.result.texts_for_guard()))) for one in entries]


@dataclass(frozen=True, slots=True)
class HeldPart:
    """Next part of an answer, with the texts by which it is judged."""

    events: Sequence[Event]
    """Events to be shown next, in order."""
    judged: Sequence[tuple[str, str]]
    """Texts by which the events are judged. Each text begins with up to _TAIL characters that were shown earlier. If
    the events end within a sentence, the text goes on to the end of that sentence, with words that are not shown
    yet."""


class HeldEvents:
    """Events that wait for a verdict, in order, and the end of the text that has been shown.

    `in_json` means that the answer's text is JSON.

    `add` and `is_due` are fast enough to be called for every chunk. `take_sentences` and `take_all` search all held
    events for personal data, and must run in a thread.
    """

    def __init__(self, *, in_json: bool, redaction: Redaction | None = None) -> None:
        self._redaction = redaction
        self._events: list[Event] = []
        self._tails = {TextChunk: "", ReasoningChunk: ""}
        self._in_json = in_json
        self._text = ""
        """Text of the held events, in which the end of a sentence is searched for. Nothing is added once it is longer
        than _LONGEST_PIECE."""
        self._has_words = False
        """False if the held texts are only white space."""
        self._calls_tools = False

    def add(self, event: Event) -> None:
        self._events.append(event)
        self._calls_tools |= isinstance(event, ToolCallChunk)
        if isinstance(event, TextChunk | ReasoningChunk):
            self._has_words = self._has_words or bool(event.text.strip())
            if len(self._text) <= _LONGEST_PIECE:
                self._text += event.text

    @property
    def is_due(self) -> bool:
        """True if `take_sentences` may return something.

        This check saves most searches, because most chunks of an answer do not end a sentence. After the first chunk of
        a tool call, everything waits for the end of the answer, because the call's arguments come in many chunks.
        """
        if self._calls_tools or not self._has_words:
            return False
        return len(self._text) > _LONGEST_PIECE or _SENTENCE_END.search(self._text) is not None

    def take_all(self) -> HeldPart:
        """Return all held events."""
        return self._part(len(self._events))

    def take_sentences(self) -> HeldPart | None:
        """Return the held events up to the end of the last whole sentence, or all of them if their text is longer than
        _LONGEST_PIECE. If they are redacted, two events must meet at that end, because personal data must not be split.

        Return None if there is no such end yet, or only white space before it.
        """
        text = "".join(event.text for event in self._events if isinstance(event, TextChunk | ReasoningChunk))
        ends = {match.end() for match in _SENTENCE_END.finditer(text)}
        meeting_points = {end - before for end in ends for before in (0, 1)}
        end = len(text) if len(text) > _LONGEST_PIECE else max(ends, default=0)
        ready = length = reached = 0
        for index, event in enumerate(self._events):
            if isinstance(event, TextChunk | ReasoningChunk):
                if reached + len(event.text) > end:
                    break
                reached += len(event.text)
                if self._redaction is None or reached in meeting_points:
                    ready, length = index + 1, reached
        if not text[:length].strip():
            return None
        return self._part(ready, "" if self._redaction else text[length:end])

    def _part(self, size: int, ahead: str = "") -> HeldPart:
        """Return the first `size` events as a part. `ahead` is the part of the following text that completes the last
        sentence."""
        events, self._events = self._events[:size], self._events[size:]
        self._text = "".join(event.text for event in self._events if isinstance(event, TextChunk | ReasoningChunk))
        self._has_words = bool(self._text.strip())
        if self._redaction:
            events = self._redaction.of_events(events)
        following = next((event for event in self._events if isinstance(event, TextChunk | ReasoningChunk)), None)
        texts = []
        for kind, source in ((TextChunk, "answer"), (ReasoningChunk, "reasoning")):
            new = "".join(event.text for event in events if isinstance(event, kind))
            if new:
                self._tails[kind] += new
                text = self._tails[kind] + (ahead if isinstance(following, kind) else "")
                texts.append((source, _text_of_json(text) if self._in_json and kind is TextChunk else text))
                self._tails[kind] = self._tails[kind][-_TAIL:]
        calls: dict[int, list[str]] = {}
        for event in events:
            if isinstance(event, ToolCallChunk):
                calls.setdefault(event.index, [f"{event.name} "]).append(event.arguments)
        judged_calls = (_text_of_json("".join(pieces)) for pieces in calls.values())
        return HeldPart(events, [*texts, *(("tool_calls", call) for call in judged_calls)])


def _text_of_json(json_text: str) -> str:
    """Return a JSON text with the escapes in its strings decoded, even if the text is truncated. Lone surrogates are
    replaced."""
    pieces: list[str] = []
    end = 0
    for run in _ESCAPES.finditer(json_text):
        pieces += (json_text[end : run.start()], json.loads(f'"{run[0]}"'))
        end = run.end()
    unescaped = "".join([*pieces, json_text[end:]])
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
