"""Replaces the personal data of one request by placeholders, in texts that an LLM or the client is about to see."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from app.chat.inputs import Turn, texts_of
from app.events import Event, ReasoningChunk, TextChunk, ToolCallChunk
from app.wire.request import ChatMessage, ChatRequest, Content, ContentPart, TextPart
from app.wire.request import ChatToolCall as AskedCall
from models.fair_executor import FairExecutor, all_of
from models.safety.number_labels import LONGEST
from models.safety.personal_data import KINDS, find, unsettled_from
from tasks.guardrails import Check
from tasks.json_tokens import is_json
from tasks.precontext import Entry, Evidence
from tasks.redaction import Redactor, placeholder

REDACTING = "S7"
"""Code of the guard for personal data. A request that names it is redacted, if the operator chose redaction."""
_ROLES = ("user", "assistant", "tool")
"""Roles whose messages are redacted. Messages in other roles are the developer's own text."""

TextEvent = type[TextChunk] | type[ReasoningChunk]
_SOURCES: dict[TextEvent, str] = {TextChunk: "answer", ReasoningChunk: "reasoning"}


@dataclass(slots=True)
class Redaction:
    threads: FairExecutor
    """Threads that search texts."""
    _redactors: dict[str, Redactor] = field(default_factory=dict)
    """The redactor of each source. The guard's checks state the same sources."""
    _tails: dict[TextEvent, str] = field(default_factory=lambda: dict.fromkeys(_SOURCES, ""))
    """The end of the text that was shown last, for each kind of text. It may say what a number at the beginning of the
    next text is, such as a telephone number."""

    @property
    def checks(self) -> list[Check]:
        """Checks that count the replacements, by source."""
        return [
            {"source": source, "codes": [], "scores": {}, "redacted": dict(redactor.counts)}
            for source, redactor in self._redactors.items()
            if redactor.counts
        ]

    async def of_request(self, request: ChatRequest, turn: Turn) -> tuple[ChatRequest, Turn]:
        """Return the request and the turn without personal data in their texts. The inputs of the turn are
        unchanged."""
        return await self.threads.run(self._redact_request, request, turn)

    async def of_results(self, entries: Sequence[Entry]) -> list[Entry]:
        return await self.threads.run(self._redact_entries, entries)

    def has_redacted(self, entry: Entry) -> bool:
        """True if the result of a task was redacted somewhere."""
        return any(placeholder(kind) in entry.result.text() for kind in KINDS)

    async def of_text(self, text: str) -> str:
        """Return the redacted text. The redactions are not counted, because only a model sees the text."""
        return await self.threads.run(Redactor().redact_text, text)

    def redact_ahead(self, text: str) -> str:
        """Return the redacted beginning of the answer's next text, which is judged before it is shown."""
        return Redactor().text(text, self._tails[TextChunk])

    def of_events(self, events: Sequence[Event]) -> list[Event]:
        """Return the next events, without personal data.

        A changed chunk of text loses its log probabilities. A changed call of a tool becomes one chunk.
        """
        redacted: dict[int, Event] = dict(enumerate(events))
        for kind in _SOURCES:
            pieces = {place: event.text for place, event in redacted.items() if isinstance(event, kind)}
            for (place, was), text in zip(
                pieces.items(), self._redact_chunks(kind, list(pieces.values())), strict=True
            ):
                event = redacted[place]
                if text != was:
                    is_refusal = isinstance(event, TextChunk) and event.is_refusal
                    redacted[place] = TextChunk(text, is_refusal=True) if is_refusal else kind(text)
                if was and not text:
                    del redacted[place]
        calls: dict[int, dict[int, ToolCallChunk]] = {}
        for place, event in redacted.items():
            if isinstance(event, ToolCallChunk):
                calls.setdefault(event.index, {})[place] = event
        for chunks in calls.values():
            sent_arguments = "".join(chunk.arguments for chunk in chunks.values())
            arguments = self._redactor("tool_calls").text(sent_arguments)
            if arguments != sent_arguments:
                first, *others = chunks
                redacted[first] = replace(chunks[first], arguments=arguments)
                for place in others:
                    del redacted[place]
        return [_redact_evidence(event) if isinstance(event, Evidence) else event for event in redacted.values()]

    def whole_size(self, events: Sequence[Event], size: int) -> int:
        """Return how many of the first `size` events may be shown now, without knowing the text that follows.

        Neither personal data nor a possible beginning of personal data may be split.
        """
        whole = [(lengths, span) for kind in _SOURCES for lengths, span in self._unbreakable(kind, events)]
        while torn := [(lengths, start) for lengths, (start, end) in whole if start < lengths[size] < end]:
            size = min(bisect_right(lengths, start, 0, size) - 1 for lengths, start in torn)
        return size

    def _unbreakable(self, kind: TextEvent, events: Sequence[Event]) -> list[tuple[list[int], tuple[int, int]]]:
        """Return the spans that must not be split in the texts of one kind.

        Each span comes with the total lengths of these texts up to each event.
        """
        texts = [event.text if isinstance(event, kind) else "" for event in events]
        lengths = list(accumulate(map(len, texts), initial=0))
        text = "".join(texts)
        spans = [(span.start, span.end) for span in find(text, self._tails[kind])]
        return [(lengths, span) for span in (*spans, (unsettled_from(text), len(text) + 1))]

    def _redact_chunks(self, kind: TextEvent, pieces: list[str]) -> list[str]:
        text = "".join(pieces)
        redactor = self._redactor(_SOURCES[kind])
        if not self._tails[kind] and all_of(is_json(text)):
            whole = redactor.text(text)
            pieces = [whole, *("" for _ in pieces[1:])] if whole != text else pieces
        else:
            pieces = redactor.pieces(pieces, self._tails[kind])
        self._tails[kind] = (self._tails[kind] + "".join(pieces))[-LONGEST:]
        return pieces

    def _redact_request(self, request: ChatRequest, turn: Turn) -> tuple[ChatRequest, Turn]:
        messages = []
        for index, message in enumerate(request.messages):
            messages.append(self._redact_message(message, f"messages[{index}]"))
        changed: dict[str, Any] = {"messages": messages}
        if request.user is not None:
            # The field is redacted, because the LLM's server gets it, too.
            changed["user"] = all_of(self._redactor("user").redact_text(request.user))
        if request.stop is not None:
            # The LLM writes placeholders, so only a redacted stop text can be met.
            stops: list[str] = []
            for stop in [request.stop] if isinstance(request.stop, str) else request.stop:
                redacted = all_of(self._redactor("stop").redact_text(stop))
                stops.append(redacted)
            changed["stop"] = stops
        request = request.model_copy(update=changed)
        return request, replace(turn, text=next(reversed(texts_of(request, "user")), turn.text))

    def _redact_message(self, message: ChatMessage, path: str) -> ChatMessage:
        if message.role not in _ROLES:
            return message
        content = _redact_content(message.content, self._redactor(f"{path}.content"))
        changed: dict[str, Any] = {"content": content}
        if message.name is not None:
            changed["name"] = all_of(self._redactor(f"{path}.name").redact_text(message.name))
        if message.tool_calls:
            redactor = self._redactor(f"{path}.tool_calls")
            calls: list[AskedCall] = []
            for call in message.tool_calls:
                redacted = _redact_call(call, redactor)
                calls.append(redacted)
            changed["tool_calls"] = calls
        return message.model_copy(update=changed)

    def _redact_entries(self, entries: Sequence[Entry]) -> list[Entry]:
        redone = []
        for entry in entries:
            result = all_of(entry.result.mapped(self._redactor(entry.name)))
            redone.append(Entry(entry.name, result))
        return redone

    def _redactor(self, source: str) -> Redactor:
        return self._redactors.setdefault(source, Redactor())


def _redact_content(content: Content, redactor: Redactor) -> Content:
    if content is None or isinstance(content, str):
        return content and all_of(redactor.redact_text(content))
    parts: list[ContentPart] = []
    text_before = ""
    for part in content:
        if isinstance(part, TextPart):
            text = all_of(redactor.redact_text(part.text, text_before))
            text_before = f"{part.text}\n"
            parts.append(part.model_copy(update={"text": text}))
        else:
            parts.append(part)
    return parts


def _redact_call(call: AskedCall, redactor: Redactor) -> AskedCall:
    arguments = all_of(redactor.redact_text(call.function.arguments))
    return call.model_copy(update={"function": call.function.model_copy(update={"arguments": arguments})})


def _redact_evidence(event: Evidence) -> Evidence:
    """Return redacted evidence. The redactions are not counted, because texts of evidence only repeat other texts."""
    redactor = Redactor()
    return Evidence(redactor.value(event.fields), redactor.value(event.unsupported))
