"""Replaces the personal data of one request by placeholders, in texts that an LLM or the client is about to see."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.chat.inputs import Turn, texts_of
from app.events import Event, ReasoningChunk, TextChunk, ToolCallChunk
from app.wire.request import ChatMessage, ChatRequest, ContentPart, MessageContent, TextPart
from app.wire.request import ChatToolCall as AskedCall
from models.safety.number_labels import LONGEST
from models.safety.personal_data import KINDS
from models.workers.pool import Workers
from tasks.guardrails import Check
from tasks.json_tokens import is_json
from tasks.precontext import Entry, Evidence
from tasks.redaction import Redactor, SourceText, placeholder, redact_results, redact_texts

REDACTING = "S7"
"""Code of the guard for personal data. A request that names it is redacted, if the operator chose redaction."""
_ROLES = ("user", "assistant", "tool")
"""Roles whose messages are redacted. Messages in other roles are the developer's own text."""

MapText = Callable[..., str]
"""Function that takes the source of a text, the text, and optionally the text before it, and returns another text."""
TextEvent = type[TextChunk] | type[ReasoningChunk]
_SOURCES: dict[TextEvent, str] = {TextChunk: "answer", ReasoningChunk: "reasoning"}


@dataclass(slots=True)
class Redaction:
    workers: Workers
    """Processes that search long texts."""
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
        texts: list[SourceText] = []

        def note(source: str, text: str, before: str = "") -> str:
            texts.append(SourceText(source, text, before))
            return text

        await asyncio.to_thread(_map_texts, request, note)
        redacted, counts = await self.workers.run_sized(sum(len(one.text) for one in texts), redact_texts, texts)
        for source, count in counts.items():
            self._redactor(source).counts.update(count)
        remaining = iter(redacted)
        request = await asyncio.to_thread(_map_texts, request, lambda *_: next(remaining))
        return request, replace(turn, text=next(reversed(texts_of(request, "user")), turn.text))

    async def of_results(self, entries: Sequence[Entry]) -> list[Entry]:
        results = [entry.result for entry in entries]
        chars = await asyncio.to_thread(lambda: sum(len(text) for one in results for text in one.texts_for_guard()))
        redacted = await self.workers.run_sized(chars, redact_results, results)
        for entry, (_, count) in zip(entries, redacted, strict=True):
            self._redactor(entry.name).counts.update(count)
        return [Entry(entry.name, result) for entry, (result, _) in zip(entries, redacted, strict=True)]

    def has_redacted(self, entry: Entry) -> bool:
        """True if the result of a task was redacted somewhere."""
        return any(placeholder(kind) in entry.result.text() for kind in KINDS)

    async def of_text(self, text: str) -> str:
        """Return the redacted text. The redactions are not counted, because only a model sees the text."""
        return await self.workers.run_sized(len(text), Redactor().text, text)

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

    def _redact_chunks(self, kind: TextEvent, pieces: list[str]) -> list[str]:
        text = "".join(pieces)
        redactor = self._redactor(_SOURCES[kind])
        if not self._tails[kind] and is_json(text):
            whole = redactor.text(text)
            pieces = [whole, *("" for _ in pieces[1:])] if whole != text else pieces
        else:
            pieces = redactor.pieces(pieces, self._tails[kind])
        self._tails[kind] = (self._tails[kind] + "".join(pieces))[-LONGEST:]
        return pieces

    def _redactor(self, source: str) -> Redactor:
        return self._redactors.setdefault(source, Redactor())


def _map_texts(request: ChatRequest, change: MapText) -> ChatRequest:
    """Return the request with what `change` returns for each of its texts. It is called in the same order each time."""
    messages = [
        _map_message(message, f"messages[{index}]", change) if message.role in _ROLES else message
        for index, message in enumerate(request.messages)
    ]
    changed: dict[str, Any] = {"messages": messages}
    if request.user is not None:
        # The field is redacted, because the LLM's server gets it, too.
        changed["user"] = change("user", request.user)
    if request.stop is not None:
        # The LLM writes placeholders, so only a redacted stop text can be met.
        stops = [request.stop] if isinstance(request.stop, str) else request.stop
        changed["stop"] = [change("stop", stop) for stop in stops]
    if request.task_options is not None:
        changed["task_options"] = _map_json(request.task_options, change)
    return request.model_copy(update=changed)


def _map_json(value: Any, change: MapText) -> Any:
    """Return the options of a task with what `change` returns for each text in them."""
    match value:
        case str():
            return change("task_options", value)
        case dict():
            return {key: _map_json(member, change) for key, member in value.items()}
        case list():
            return [_map_json(one, change) for one in value]
    return value


def _map_message(message: ChatMessage, path: str, change: MapText) -> ChatMessage:
    changed: dict[str, Any] = {"content": _map_content(message.content, f"{path}.content", change)}
    if message.name is not None:
        changed["name"] = change(f"{path}.name", message.name)
    if message.tool_calls:
        changed["tool_calls"] = [_map_call(call, f"{path}.tool_calls", change) for call in message.tool_calls]
    return message.model_copy(update=changed)


def _map_content(content: MessageContent, source: str, change: MapText) -> MessageContent:
    if content is None or isinstance(content, str):
        return content and change(source, content)
    parts: list[ContentPart] = []
    text_before = ""
    for part in content:
        if isinstance(part, TextPart):
            parts.append(part.model_copy(update={"text": change(source, part.text, text_before)}))
            text_before = f"{part.text}\n"
        else:
            parts.append(part)
    return parts


def _map_call(call: AskedCall, source: str, change: MapText) -> AskedCall:
    arguments = change(source, call.function.arguments)
    return call.model_copy(update={"function": call.function.model_copy(update={"arguments": arguments})})


def _redact_evidence(event: Evidence) -> Evidence:
    """Return redacted evidence. The redactions are not counted, because texts of evidence only repeat other texts."""
    redactor = Redactor()
    return Evidence(*map(redactor.value, (event.fields, event.unsupported, event.explanation)))
