"""Guards one request under `<guard>`: judges its texts, the results of its tasks and its answer before they are used.

`check_request`, `check_results` and `check_unread` judge the inputs, and `check_answer` judges the answer. `around`
calls `check_request` before the answer begins and `check_answer` while it is written; if something is unsafe, a refusal
ends the answer. With `guard_mode` "flag", the same checks are made, but the answer is complete and ends with the
verdict.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from app.chat.guard.guarded_texts import (
    texts_as_sent,
    texts_beside_messages,
    texts_of_file_names,
    texts_of_others,
    texts_of_results,
    windows_across_joints,
)
from app.chat.guard.held_events import HeldEvents
from app.chat.guard.redaction import Redaction
from app.chat.inputs import Turn, kind_of, text_of, texts_of
from app.chat.plan import Plan, as_entry
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, ReasoningChunk, TextChunk
from app.monitoring.metrics import Stages
from app.wire.request import ChatRequest, TextPart
from models.concurrency import side_by_side
from models.language.llm import estimate_tokens
from tasks.base import Redact, Task, TaskRequest, unredacted
from tasks.errors import InputError, Overloaded
from tasks.guardrails import NAME, SHOWS_NOTHING, Check, Guardrails, Policy, codes_of, result_of
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry

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

log = structlog.get_logger(__name__)


class Unsafe(Exception):
    """Raised when something has one of the requested codes, so that the request must not continue. Never raised for a
    request that is only flagged."""


@dataclass(slots=True)
class RequestGuard:
    """The guard of one request. If the request names no codes, nothing is judged."""

    guardrails: Guardrails
    policy: Policy
    request: ChatRequest
    turn: Turn
    task: str | None = None
    """Task whose result is the answer; None if an LLM answers."""
    stages: Stages = field(default_factory=Stages)
    checks: list[Check] = field(default_factory=list)
    shown: bool = False
    """True once a part of the answer has been yielded."""
    shown_tokens: int = 0
    """Estimated tokens of the text that has been yielded."""
    redaction: Redaction | None = None
    """Redaction of personal data; None if nothing is redacted. `request` and `turn` are redacted already."""
    owner: str | None = None
    """Tenant whose verdicts are stored and used again; None if verdicts are neither stored nor used again."""
    _shown_codes: Sequence[str] | None = None
    """Codes in the verdict at the beginning of the answer; None before the answer has begun."""
    _last_result: tuple[tuple[str, str], ...] = ()
    """The result that was judged last. Its end is judged again together with the next result, because two texts may be
    unsafe only in combination."""

    @property
    def is_on(self) -> bool:
        return bool(self.policy.codes)

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

    def around(self, answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Return the events of `answer` after the request and the answer were checked.

        No part of `answer` runs before the request is judged, and nothing unsafe is shown unless the request is only
        flagged. Raises what `check_request` raises, except Unsafe, which is answered by a refusal.
        """
        return self._around(answer) if self.is_on else answer

    async def _around(self, answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        # If a task's result is the answer, `check_results` has judged it.
        judged = self.check_answer(answer) if self.task is None else answer
        try:
            # No part of the answer is produced before the request has been judged, but inputs are fetched meanwhile.
            async with _prefetch(self.turn.sources, self.guardrails.loader), aclosing(judged) as events:
                await self.check_request()
                self.stages.done("guard")
                async for event in events:
                    if isinstance(event, Finish) and self.policy.left_out:
                        codes = ", ".join(code for code in self.policy.codes if code in self.policy.left_out)
                        yield AnswerWarning(_NOT_JUDGED.format(codes=codes))
                    if not self.request.is_only_flagged or isinstance(event, Progress):
                        yield event
                        continue
                    for one in self._add_verdict(event):
                        yield one
        except Unsafe:
            self.stages.rejected = "guard"
            for event in self._refusal():
                yield event

    def _add_verdict(self, event: Event) -> Iterator[Event]:
        """Yield `event`, with the verdict before a task's result, and with a warning of the findings before the end.

        A streamed answer begins with the verdict on what was judged until then. If the answer has further codes, the
        verdict is repeated before the end.
        """
        codes = codes_of(self.checks)
        if self.task is not None and self._shown_codes is None:
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
        prompt_tokens = estimate_tokens(*texts_of(self.request))
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
        if not self.is_on:
            return
        self.guardrails.check_texts_can_be_judged(self.policy)
        if self.policy.of_texts:
            sent = await asyncio.to_thread(texts_as_sent, self.request, self.turn.sources)
            self.guardrails.check_lengths(sent)
        # The target of a URL is judged as a picture only if a task that opens it was requested.
        opens_pages = self.task is not None and self.task != "scraper"
        shown = [source for source in self.turn.sources if opens_pages or kind_of(source) != "page"]
        both: Sequence[Callable[[], Awaitable[list[Check]]]] = (
            self._judge_request_texts,
            partial(self.guardrails.pictures, shown, self.policy, self.turn.text),
        )
        words, pictures = await side_by_side(lambda judge: judge(), both, at_most=2)
        self._add([*words, *pictures])

    async def check_results(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Judge the results of tasks, and return them, redacted if the request asks for it. Raises what `check_request`
        raises."""
        if not self.is_on:
            return tuple(entries)
        if self.redaction:
            entries = await self.redaction.of_results(entries)
        drawn = [
            Source(Origin(one.name), payload=url, filename=name)
            for one in entries
            for name, url in one.result.pictures()
        ]
        texts = [*await asyncio.to_thread(texts_of_results, entries), *texts_of_file_names(drawn)]
        if self.policy.of_texts:
            self.guardrails.check_lengths(texts)
        # A result that is the whole answer is judged alone, because nobody reads it together with another text.
        joints: list[tuple[str, str]] = []
        if self.task is None and self.policy.of_texts:
            user_words = self._unanswered_text
            joints = await asyncio.to_thread(windows_across_joints, user_words, texts, self._last_result)
            self.guardrails.check_lengths(joints)
        self._last_result = tuple(texts[-1:]) or self._last_result
        self._add([*await self._judge(texts, joints), *await self.guardrails.pictures(drawn, self.policy)])
        return tuple(entries)

    async def check_unread(self, plan: Plan, entries: Sequence[Entry], find_task: Callable[[str], Task]) -> Turn:
        """Read and judge the text in pictures that an LLM is about to see, unless a task has read it.

        Return the turn without the pictures that show personal data if such data is redacted.

        Raises what `check_request` raises, and what the task `ocr` raises, because a picture that cannot be read cannot
        be judged.
        """
        if not self.policy.of_texts:
            return self.turn
        done = [(step.sources, one) for step, one in zip(plan.steps, entries, strict=True) if step.task == "ocr"]
        read = {source for sources, one in done if one.error is None for source in sources}
        # Videos count as unread, because a task may have read only some of their frames.
        seen = [source for source in self.turn.sources if not source.is_linked]
        unread = [one for one in seen if kind_of(one) == "video" or (kind_of(one) == "image" and one not in read)]

        async def reading(source: Source) -> list[Entry]:
            try:
                return [as_entry("ocr", await find_task("ocr").run(TaskRequest("", (source,))))]
            except InputError as error:
                if error.code in SHOWS_NOTHING:
                    return []
                raise

        results = await side_by_side(reading, unread, at_most=_READ_AT_ONCE)
        checked = iter(await self.check_results([one for entries in results for one in entries]))
        if self.redaction is None:
            return self.turn
        done += [((source,), next(checked)) for source, entries in zip(unread, results, strict=True) if entries]
        hidden = {source for sources, one in done if self.redaction.has_redacted(one) for source in sources}
        return replace(self.turn, sources=tuple(one for one in self.turn.sources if one not in hidden))

    async def check_answer(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield each event of `events` once its text has been judged.

        A streamed answer is judged sentence by sentence, any other answer at its end. Raises Unsafe before an event
        with something unsafe.
        """
        form = self.request.response_format
        held = HeldEvents(in_json=form is not None and form.type != "text", redaction=self.redaction)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Progress):
                    yield event
                    continue
                if isinstance(event, ReasoningChunk) and not self.request.shows_reasoning:
                    continue  # Clients never see this event.
                held.add(event)
                part = None
                if isinstance(event, Finish):
                    part = await asyncio.to_thread(held.take_all)
                elif self.request.stream and held.is_due:
                    part = await asyncio.to_thread(held.take_sentences)
                if part is not None:
                    await self._judge_answer(part.judged)
                    for one in self._release(part.events):
                        yield one

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
        self._add(await self.guardrails.texts(texts, self.policy, answers=self.turn.text))

    async def _judge_request_texts(self) -> list[Check]:
        texts, joints = await asyncio.to_thread(self._request_texts)
        if self.policy.of_texts:
            self.guardrails.check_lengths([("messages", window) for _, window in joints])
        checks = await self._judge(texts, joints)
        # A code that applies to the earlier messages alone is not due to the latest message.
        known = {code for check in checks if check["source"] == _EARLIER_MESSAGES for code in check["codes"]}
        for check in checks:
            if check["source"] == "messages":
                check["codes"] = [code for code in check["codes"] if code not in known]
        return [check for check in checks if check["source"] != _EARLIER_MESSAGES]

    def _request_texts(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the texts of the request that are judged, and the windows across them."""
        if not self.policy.of_texts:
            return [], []
        messages = self.request.messages
        unanswered = self._unanswered
        latest = max(unanswered, default=-1)
        text_before = [text_of(one) for one in messages[: unanswered[0]] if one.role == "user"] if unanswered else []
        earlier = "\n".join(text_before[-_EARLIER_TURNS:])[-_EARLIER_CHARS:]
        other_texts = texts_of_others(messages)
        files = texts_of_file_names(self.turn.sources)
        beside_messages = texts_beside_messages(self.request)
        texts = [*self._texts_at(unanswered), *other_texts, *beside_messages, *files]
        if earlier or len(unanswered) > 1:
            texts += [("messages", f"{earlier}\n{self._unanswered_text}"), (_EARLIER_MESSAGES, earlier)]
        tool_results = [
            (f"messages[{index}].content", text_of(message))
            for index, message in enumerate(messages)
            if message.role == "tool" and index > latest
        ]
        return texts, windows_across_joints(self._unanswered_text, [*tool_results, *files])

    async def _judge(self, texts: Sequence[tuple[str, str]], joints: Sequence[tuple[str, str]]) -> list[Check]:
        """Return a check for each text. A window across two texts also gets a check if it has a code that none of the
        texts has by itself."""
        judge = partial(self.guardrails.texts, policy=self.policy, owner=self.owner)
        checks, joint_checks = await side_by_side(
            lambda one: one(), (partial(judge, texts), partial(judge, joints, is_surer=True)), at_most=2
        )
        known = set(codes_of([check for check in checks if check["source"] != _EARLIER_MESSAGES]))
        return [*checks, *(check for check in joint_checks if set(check["codes"]) - known)]

    @property
    def _unanswered_text(self) -> str:
        """Texts of the user's unanswered messages, joined by line breaks."""
        return "\n".join(text_of(self.request.messages[index]) for index in self._unanswered)

    @property
    def _unanswered(self) -> list[int]:
        """Indexes of the user's latest message and of the unanswered messages directly before it."""
        roles = [message.role for message in self.request.messages]
        last = max((index for index, role in enumerate(roles) if role == "user"), default=-1)
        answered = max((index for index, role in enumerate(roles[: last + 1]) if role in _ANSWERING), default=-1)
        return [index for index in range(answered + 1, last + 1) if roles[index] == "user"]

    def _texts_at(self, places: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Yield the texts of the messages at these places: their parts as lines, and also joined without separators."""
        messages = self.request.messages
        for index in places:
            yield f"messages[{index}].content", text_of(messages[index])
            content = messages[index].content
            parts = [part.text for part in content if isinstance(part, TextPart)] if isinstance(content, list) else []
            if len(parts) > 1:
                yield f"messages[{index}].content", "".join(parts)

    def _add(self, checks: Sequence[Check]) -> None:
        self.checks += checks
        codes = codes_of(checks)
        if codes:
            sources = [check["source"] for check in checks if check["codes"]]
            log.info("guard_flagged" if self.request.is_only_flagged else "guard_blocked", codes=codes, sources=sources)
            if not self.request.is_only_flagged:
                raise Unsafe


@asynccontextmanager
async def _prefetch(sources: Sequence[Source], loader: MediaLoader) -> AsyncIterator[None]:
    """Fetch and decode inputs while the block runs, so that they are ready when a task needs them.

    Each input is read only once. Web pages are left to the scraper, which reads the robots.txt of their host first.
    """

    async def read(source: Source) -> None:
        try:
            await loader.load(source)
        except (InputError, Overloaded):
            log.debug("not_read_ahead", param=source.param)  # The task that needs the input reports the error.

    running = [
        asyncio.create_task(read(source)) for source in sources if not source.is_linked or kind_of(source) != "page"
    ]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
