"""Guards one request under `<guard>`: its texts, the results of its tasks and its answer are judged before use.

What comes in passes `check_request`, `check_results` and `check_unread`; what goes out passes `check_answer`. `around`
puts both around an answer: it begins once the request is judged, and ends with a refusal where something is unsafe.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from app.chat.guard.guarded_texts import (
    texts_beside_messages,
    texts_of_file_names,
    texts_of_messages,
    texts_of_others,
    texts_of_results,
    windows_across_joints,
)
from app.chat.guard.held_events import HeldEvents
from app.chat.guard.redaction import Redaction
from app.chat.inputs import Turn, text_of, texts_of
from app.chat.plan import Plan
from app.chat.plan_executor import as_entry
from app.chat.planning.kinds import kind_of
from app.events import Event, Finish, Precontext, Progress, ReasoningChunk, TextChunk
from app.telemetry import Stages
from app.wire.request import ChatRequest, TextPart
from models.concurrency import side_by_side
from models.language.llm import estimate_tokens
from tasks.base import Redact, Task, TaskRequest, as_it_is
from tasks.errors import InputError, Overloaded
from tasks.guardrails import NAME, SHOWS_NOTHING, Check, Guardrails, Policy, codes_of, result_of
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.precontext import Entry

_EARLIER_TURNS = 4
_EARLIER_CHARS = 4000
"""Messages before the latest, and characters of their end, that may only be unsafe together with it."""
_BEFORE = "before"
"""The source, in checks, of the user's earlier messages by themselves."""
_ANSWERING = ("assistant", "tool")
_READ_AT_ONCE = 4
"""Number of pictures whose text is read at once."""

log = structlog.get_logger(__name__)


class Unsafe(Exception):
    """Something has one of the codes that were asked for: nothing more of the request may happen."""


@dataclass(slots=True)
class RequestGuard:
    """Guard of one request. Without codes, everything passes at once, unjudged."""

    guardrails: Guardrails
    policy: Policy
    request: ChatRequest
    turn: Turn
    task: str | None = None
    """The task whose result is the answer. None: an LLM answers."""
    stages: Stages = field(default_factory=Stages)
    checks: list[Check] = field(default_factory=list)
    shown: bool = False
    """True once a part of the answer has been yielded."""
    shown_tokens: int = 0
    """Estimated tokens of the text that has been yielded."""
    redaction: Redaction | None = None
    """Redacts personal data, in `request` and `turn` already. None: nothing is redacted."""
    owner: str | None = None
    """The tenant whose earlier verdicts are used and whose new ones are kept. None: no verdict is used or kept."""
    _read: tuple[tuple[str, str], ...] = ()
    """The result that was judged last, with which the next one is read."""

    @property
    def is_on(self) -> bool:
        return bool(self.policy.codes)

    @property
    def entry(self) -> Entry:
        redacted = self.redaction.checks if self.redaction else []
        return Entry(NAME, result_of([*self.checks, *redacted]))

    @property
    def redact(self) -> Redact:
        """The `redact` of the requests of tasks."""
        return self.redaction.of_text if self.redaction else as_it_is

    @property
    def refusal(self) -> str:
        """The text that the client is answered instead."""
        return f"unsafe {' '.join(codes_of(self.checks))}"

    def around(self, answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """`answer` between both checks: nothing of it runs before the request is judged, and nothing unsafe leaves.
        Raises what `check_request` raises, but for Unsafe, which is answered by a refusal."""
        return self._around(answer) if self.is_on else answer

    async def _around(self, answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        # A task's result was judged as the task gave it.
        judged = self.check_answer(answer) if self.task is None else answer
        try:
            # Nothing runs before the request is judged, but its inputs are fetched meanwhile.
            async with _reading_ahead(self.turn.sources, self.guardrails.loader), aclosing(judged) as events:
                await self.check_request()
                self.stages.done("guard")
                async for event in events:
                    yield event
        except Unsafe:
            self.stages.rejected = "guard"
            for event in self._refusal():
                yield event

    def _refusal(self) -> Iterator[Event]:
        """An ordinary completion that names the codes; where some of the answer has left already, only its end."""
        prompt_tokens = estimate_tokens(*texts_of(self.request))
        if self.shown:
            yield Finish("content_filter", prompt_tokens, self.shown_tokens, may_be_kept=False)
            return
        yield Precontext((self.entry,))
        yield TextChunk(self.refusal)
        yield Finish("stop", prompt_tokens, estimate_tokens(self.refusal), may_be_kept=False)

    async def check_request(self) -> None:
        """Judges what the user says and shows.

        Raises Unsafe; EngineUnavailable, EngineOverloaded and InputError where it cannot be judged.
        """
        if not self.is_on:
            return
        self.guardrails.check_texts_can_be_judged(self.policy)
        if self.policy.of_texts:
            names = texts_of_file_names(self.turn.sources)
            self.guardrails.check_lengths(
                [*texts_of_messages(self.request), *texts_beside_messages(self.request), *names]
            )
        # What a URL links to is looked at as a picture by a task that was asked for, and by nothing else.
        opens_pages = self.task is not None and self.task != "scraper"
        shown = [source for source in self.turn.sources if opens_pages or kind_of(source) != "page"]
        both: Sequence[Callable[[], Awaitable[list[Check]]]] = (
            self._judge_words,
            partial(self.guardrails.pictures, shown, self.policy, self.turn.text),
        )
        words, pictures = await side_by_side(lambda judge: judge(), both, at_most=2)
        self._add([*words, *pictures])

    async def check_results(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """The results of tasks, as they may be used. Raises what `check_request` raises."""
        if not self.is_on:
            return tuple(entries)
        if self.redaction:
            entries = await self.redaction.of_results(entries)
        texts = await self.guardrails.threads.run(texts_of_results, entries)
        if self.policy.of_texts:
            self.guardrails.check_lengths(texts)
        # A task's result that is the answer is read together with nothing else.
        joints = [] if self.task is not None else windows_across_joints(self._words, texts, self._read)
        self._read = tuple(texts[-1:]) or self._read
        self._add(await self._judge(texts, joints))
        return tuple(entries)

    async def check_unread(self, plan: Plan, entries: Sequence[Entry], find_task: Callable[[str], Task]) -> Turn:
        """Reads and judges the writing in pictures that an LLM is about to see, where no task has read it. Returns the
        turn without the pictures that it must not see because they show personal data. Raises what `check_request`
        raises, and what the reader raises: a picture that cannot be read could say anything."""
        if not self.policy.of_texts:
            return self.turn
        done = [(step.sources, one) for step, one in zip(plan.steps, entries, strict=True) if step.task == "ocr"]
        read = {source for sources, one in done if one.error is None for source in sources}
        # Of a video, the user may have asked for some frames alone.
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
        """`events`, each once everything that it shows has been judged: sentence by sentence where the client reads
        along, else the whole answer at its end. Raises Unsafe instead of showing what is not safe."""
        form = self.request.response_format
        held = HeldEvents(in_json=form is not None and form.type != "text", redaction=self.redaction)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Progress):
                    yield event
                    continue
                if isinstance(event, ReasoningChunk) and not self.request.shows_reasoning:
                    continue  # Nobody sees it, so nobody judges it.
                held.add(event)
                part = None
                if isinstance(event, Finish):
                    part = await self.guardrails.threads.run(held.everything)
                elif self.request.stream and held.is_due:
                    part = await self.guardrails.threads.run(held.sentences)
                if part is not None:
                    await self._judge_answer(part.judged)
                    for one in self._release(part.events):
                        yield one

    def _release(self, events: Sequence[Event]) -> Iterator[Event]:
        """The events, the verdict among the first precontext or as the only entry of it."""
        self.shown_tokens += estimate_tokens("".join(event.text for event in events if isinstance(event, TextChunk)))
        if self.shown:
            yield from events
            return
        self.shown = True
        entries = tuple(one for event in events if isinstance(event, Precontext) for one in event.entries)
        yield Precontext((*entries, self.entry))
        yield from (event for event in events if not isinstance(event, Precontext))

    async def _judge_answer(self, texts: Sequence[tuple[str, str]]) -> None:
        if self.policy.of_texts:
            self.guardrails.check_lengths(texts)
        self._add(await self.guardrails.texts(texts, self.policy, answers=self.turn.text))

    async def _judge_words(self) -> list[Check]:
        messages = self.request.messages
        unanswered = self._unanswered
        before = [text_of(one) for one in messages[: unanswered[0]] if one.role == "user"] if unanswered else []
        earlier = "\n".join(before[-_EARLIER_TURNS:])[-_EARLIER_CHARS:]
        others = await self.guardrails.threads.run(texts_of_others, messages) if self.policy.of_texts else []
        names = texts_of_file_names(self.turn.sources)
        texts = [*self._texts_at(unanswered), *others, *texts_beside_messages(self.request), *names]
        if earlier or len(unanswered) > 1:
            texts += [("messages", f"{earlier}\n{self._words}"), (_BEFORE, earlier)]
        tool_results = [
            (f"messages[{at}].content", text_of(message))
            for at, message in enumerate(messages)
            if message.role == "tool" and at > max(unanswered, default=-1)
        ]
        checks = await self._judge(texts, windows_across_joints(self._words, [*tool_results, *names]))
        # The latest message is not blamed for what the earlier ones say by themselves.
        known = {code for check in checks if check["source"] == _BEFORE for code in check["codes"]}
        for check in checks:
            if check["source"] == "messages":
                check["codes"] = [code for code in check["codes"] if code not in known]
        return [check for check in checks if check["source"] != _BEFORE]

    async def _judge(self, texts: Sequence[tuple[str, str]], joints: Sequence[tuple[str, str]]) -> list[Check]:
        """A check for each text, and for those of the `joints` that have a code which no text has by itself."""
        judge = partial(self.guardrails.texts, policy=self.policy, owner=self.owner)
        checks, joint_checks = await side_by_side(
            lambda one: one(), (partial(judge, texts), partial(judge, joints, is_surer=True)), at_most=2
        )
        known = set(codes_of([check for check in checks if check["source"] != _BEFORE]))
        return [*checks, *(check for check in joint_checks if set(check["codes"]) - known)]

    @property
    def _words(self) -> str:
        """The text of the user's messages that nobody has answered."""
        return "\n".join(text_of(self.request.messages[at]) for at in self._unanswered)

    @property
    def _unanswered(self) -> list[int]:
        """The places of the user's latest message and of those right before it that nobody has answered either."""
        roles = [message.role for message in self.request.messages]
        last = max((at for at, role in enumerate(roles) if role == "user"), default=-1)
        answered = max((at for at, role in enumerate(roles[: last + 1]) if role in _ANSWERING), default=-1)
        return [at for at in range(answered + 1, last + 1) if roles[at] == "user"]

    def _texts_at(self, places: Sequence[int]) -> Iterator[tuple[str, str]]:
        """The texts of the messages at these places: the parts of each as lines, and once more run together."""
        messages = self.request.messages
        for at in places:
            yield f"messages[{at}].content", text_of(messages[at])
            content = messages[at].content
            parts = [part.text for part in content if isinstance(part, TextPart)] if isinstance(content, list) else []
            if len(parts) > 1:
                yield f"messages[{at}].content", "".join(parts)

    def _add(self, checks: Sequence[Check]) -> None:
        self.checks += checks
        codes = codes_of(checks)
        if codes:
            log.info("guard_blocked", codes=codes, sources=[check["source"] for check in checks if check["codes"]])
            raise Unsafe


@asynccontextmanager
async def _reading_ahead(sources: Sequence[Source], loader: MediaLoader) -> AsyncIterator[None]:
    """Fetches inputs and decodes them from base64 while the block runs; each is read once, whoever asks first. Web
    pages are left to the scraper, which asks their host first."""

    async def read(source: Source) -> None:
        try:
            await loader.load(source)
        except (InputError, Overloaded):
            log.debug("not_read_ahead", param=source.param)  # The task that needs it reports it.

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
