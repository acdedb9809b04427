"""Builds the answer of POST /v1/responses. Events of the pipeline become items of the response and events of the
stream, with the same ids in both. The fields of each model are sent in the order of their declaration."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pydantic_core
from pydantic import Field

from app.errors import ApiError, rename_fields
from app.events import AnswerWarning, Event, Finish, Precontext, ReasoningChunk, TextChunk, ToolCallChunk
from app.runnable_commands import adapt_for_client
from app.wire.response import DONE, PrecontextEntry, ResponseModel, absent, encode_event
from app.wire.response_items import CustomTool, OfferedTool
from app.wire.responses import CUSTOM_INPUT, ConvertedRequest, ReasoningConfig, ResponsesRequest
from tasks.precontext import REQUEST, Entry, Evidence

Json = dict[str, Any]
ResponseStatus = Literal["in_progress", "completed", "incomplete", "failed"]


class OutputText(ResponseModel):
    type: Literal["output_text"] = "output_text"
    text: str = ""
    annotations: list[Any] = Field(default_factory=list)
    logprobs: list[Any] = Field(default_factory=list)


class RefusalText(ResponseModel):
    type: Literal["refusal"] = "refusal"
    refusal: str = ""


class ReasoningText(ResponseModel):
    type: Literal["reasoning_text"] = "reasoning_text"
    text: str = ""


class OutputMessage(ResponseModel):
    type: Literal["message"] = "message"
    id: str
    status: ResponseStatus = "in_progress"
    role: Literal["assistant"] = "assistant"
    content: list[OutputText | RefusalText] = Field(default_factory=list)


class OutputReasoning(ResponseModel):
    type: Literal["reasoning"] = "reasoning"
    id: str
    status: ResponseStatus = "in_progress"
    summary: list[Any] = Field(default_factory=list)
    content: list[ReasoningText] = Field(default_factory=list)


class OutputFunctionCall(ResponseModel):
    type: Literal["function_call"] = "function_call"
    id: str
    status: ResponseStatus = "in_progress"
    call_id: str
    name: str
    namespace: str | None = Field(default=None, exclude_if=absent)
    arguments: str = ""


class OutputCustomCall(ResponseModel):
    type: Literal["custom_tool_call"] = "custom_tool_call"
    id: str
    status: ResponseStatus = "in_progress"
    call_id: str
    name: str
    namespace: str | None = Field(default=None, exclude_if=absent)
    input: str = ""


_PARTS: Mapping[str, type[OutputText | RefusalText | ReasoningText]] = {
    "message": OutputText,
    "refusal": RefusalText,
    "reasoning": ReasoningText,
}
"""Content parts by the key of their item."""
OutputItem = OutputMessage | OutputReasoning | OutputFunctionCall | OutputCustomCall
ItemEvent = TextChunk | ReasoningChunk | ToolCallChunk
"""Events of the pipeline that become items."""


class ResponseInputTokens(ResponseModel):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class ResponseOutputTokens(ResponseModel):
    reasoning_tokens: int = 0


class ResponseUsage(ResponseModel):
    input_tokens: int
    input_tokens_details: ResponseInputTokens = Field(default_factory=ResponseInputTokens)
    output_tokens: int
    output_tokens_details: ResponseOutputTokens = Field(default_factory=ResponseOutputTokens)
    total_tokens: int


class IncompleteDetails(ResponseModel):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseError(ResponseModel):
    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str
    partial: Any = Field(default=None, exclude_if=absent)
    """The part of the answer that there is, as JSON."""


class Response(ResponseModel):
    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseStatus = "in_progress"
    background: Literal[False] = False
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: list[OutputItem] = Field(default_factory=list)
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    reasoning: Any = None
    safety_identifier: str | None = None
    service_tier: str = "default"
    store: bool = True
    temperature: float = 1.0
    text: Any = None
    tool_choice: Any = "auto"
    tools: list[Any] = Field(default_factory=list)
    top_logprobs: int = 0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None = None
    user: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    vcache: bool = False
    """True if the answer was made for an earlier request."""
    precontext: list[PrecontextEntry] | None = Field(default=None, exclude_if=absent)
    """Present only if a task ran."""
    evidence: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Source of each field of a structured answer, by JSON pointer; present only on request."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    """Present with `evidence`: pointers of the fields that nothing supports."""
    warnings: list[str] | None = Field(default=None, exclude_if=absent)
    """Warnings for the caller, a sentence each; absent if there are none."""


def begin_response(request: ResponsesRequest, response_id: str, *, is_stored: bool) -> Response:
    """Return the empty response to `request`; most of its fields repeat fields of the request."""
    text_format = request.text.format if request.text else None
    extra = request.model_extra or {}
    return Response(
        id=response_id,
        created_at=int(time.time()),
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        model=request.model,
        parallel_tool_calls=request.parallel_tool_calls is not False,
        previous_response_id=request.previous_response_id,
        prompt_cache_key=request.prompt_cache_key,
        reasoning=_reasoning(request.reasoning),
        safety_identifier=request.safety_identifier,
        store=is_stored,
        temperature=1.0 if request.temperature is None else request.temperature,
        text={
            "format": _format(text_format.model_dump(by_alias=True)) if text_format else {"type": "text"},
            "verbosity": (request.text and request.text.verbosity) or "medium",
        },
        tool_choice=_tool_choice(request),
        tools=[_tool(tool.model_dump()) for tool in request.tools or ()],
        top_logprobs=request.top_logprobs or 0,
        top_p=1.0 if request.top_p is None else request.top_p,
        presence_penalty=extra.get("presence_penalty") or 0.0,
        frequency_penalty=extra.get("frequency_penalty") or 0.0,
        user=request.user,
        metadata=request.metadata or {},
    )


def _tool_choice(request: ResponsesRequest) -> Any:
    if request.tool_choice is None:
        return "auto"
    choice = request.tool_choice
    return choice if isinstance(choice, str) else choice.model_dump(exclude_unset=True)


def _reasoning(config: ReasoningConfig | None) -> Json:
    """Return the response's field `reasoning`. Other values than OpenAI's are replaced, because clients parse the
    response with a type that has only OpenAI's values."""
    effort, summary = (config.effort, config.summary) if config else (None, None)
    return {
        "effort": {"auto": None, "on": None, "off": "none"}.get(effort or "", effort),
        "summary": summary if summary in ("auto", "concise", "detailed") else None,
    }


def _format(text_format: Json) -> Json:
    if text_format["type"] != "json_schema":
        return {"type": text_format["type"]}
    return {**text_format, "name": text_format["name"] or "response", "strict": bool(text_format["strict"])}


def _logprob(logprob: Json) -> Json:
    """Return a token's log probability in OpenAI's form, with the field `bytes` even if the LLM server left it
    out."""
    token_bytes = logprob.get("bytes")
    if token_bytes is None:
        token_bytes = list(logprob["token"].encode(errors="replace"))
    return {"token": logprob["token"], "logprob": logprob["logprob"], "bytes": token_bytes}


def _tool(tool: Json) -> Json:
    return {**tool, "strict": bool(tool["strict"])} if tool["type"] == "function" else tool


def _is_object(text: str) -> bool:
    if not text.rstrip().endswith("}"):
        return False
    try:
        pydantic_core.from_json(text)
    except ValueError:
        return False
    return True


@dataclass
class ResponseBuilder:
    """Builds a response from the pipeline's events. `encode`, `finish`, `end` and `fail` return encoded events of the
    stream. Unless `streams` is true, `encode` and `finish` return nothing."""

    response: Response
    converted: ConvertedRequest
    offered: Mapping[str, OfferedTool] = field(default_factory=dict)
    """The client's tools, by the names under which the LLM sees them."""
    shows_reasoning: bool = False
    streams: bool = True
    warnings: dict[str, None] = field(default_factory=dict)
    """Warnings for the caller, each once."""
    _sequence_number: int = 0
    """Sequence number of the next event."""
    _events: list[bytes] = field(default_factory=list)
    """Encoded events that have not been returned yet."""
    _open: int | str | None = None
    """Key of the open item: `message`, `refusal`, `reasoning`, or the number of a call. None if no item is open. The
    open item is always the last one, because items never overlap."""
    _pieces: list[str] = field(default_factory=list)
    """Pieces of the open item's text so far."""
    _waiting: list[ItemEvent] = field(default_factory=list)
    """Events of other items that came while a call was open. Some LLM servers interleave calls."""
    _logprobs: list[Any] = field(default_factory=list)
    _finished_items: list[bytes] = field(default_factory=list)
    """JSON of the first items of the response, which a stream has sent already. A long text is thus encoded once."""
    _precontext: list[Entry] = field(default_factory=list)
    _evidence: Evidence | None = None

    def response_json(self) -> bytes:
        """Return the JSON of the response so far."""
        output = self.response.output
        items = [*self._finished_items, *map(pydantic_core.to_json, output[len(self._finished_items) :])]
        return _filled(self.response.model_copy(update={"output": []}), "output", items)

    def encode(self, event: Event) -> bytes:
        """Add an event other than Finish, and return the encoded events of the stream."""
        self._collect(event)
        return self._take_encoded()

    def _collect(self, event: Event) -> None:
        match event:
            case Precontext(entries):
                self._precontext += entries
            case Evidence():
                self._evidence = event
            case AnswerWarning(text):
                self.warnings[adapt_for_client(rename_fields(text, self.converted.field_names))] = None
            case TextChunk() | ToolCallChunk():
                self._add_to_item(event)
            case ReasoningChunk() if self.shows_reasoning:
                self._add_to_item(event)
            case _:
                pass

    def _add_to_item(self, event: ItemEvent) -> None:
        """Add `event` to its item, which begins when the previous item is finished. A call is finished with the
        answer, because its further pieces may come at any time."""
        item_key = _item_key(event)
        if isinstance(self._open, int) and item_key != self._open:
            self._waiting.append(event)
        else:
            self._write(item_key, event)

    def _write_waiting(self, status: ResponseStatus) -> None:
        """Write the items that waited for the end of the open call. Of a truncated answer, those are completed whose
        call has whole arguments."""
        items: dict[int | str, list[ItemEvent]] = {}
        for event in self._waiting:
            items.setdefault(_item_key(event), []).append(event)
        for item_key, events in items.items():
            self._close_item("completed" if _is_object("".join(self._pieces)) else status)
            first = events[0]
            if isinstance(first, ToolCallChunk):
                pieces = [event.arguments for event in events if isinstance(event, ToolCallChunk)]
                events = [replace(first, arguments="".join(pieces))]
            for event in events:
                self._write(item_key, event)

    def _write(self, item_key: int | str, event: ItemEvent) -> None:
        """Add `event` to the open item `item_key`, which begins if it is not open."""
        index = self._open_item(item_key, event)
        match event:
            case ReasoningChunk(text):
                self._pieces.append(text)
                if text:
                    self._emit("response.reasoning_text.delta", **self._item_fields(index), content_index=0, delta=text)
            case TextChunk(text, is_refusal=True):
                self._pieces.append(text)
                self._emit("response.refusal.delta", **self._item_fields(index), content_index=0, delta=text)
            case TextChunk(text, logprobs):
                self._pieces.append(text)
                logprob_entries = [
                    {**_logprob(token), "top_logprobs": [_logprob(top) for top in token.get("top_logprobs") or ()]}
                    for token in (logprobs or {}).get("content") or ()
                ]
                self._logprobs += logprob_entries
                if text:
                    fields = {**self._item_fields(index), "content_index": 0, "logprobs": logprob_entries}
                    self._emit("response.output_text.delta", **fields, delta=text)
            case ToolCallChunk(arguments=arguments):
                self._pieces.append(arguments)
                # The input of a custom tool is extracted from the arguments once they are complete.
                if arguments and isinstance(self.response.output[index], OutputFunctionCall):
                    self._emit("response.function_call_arguments.delta", **self._item_fields(index), delta=arguments)

    def finish(self, event: Finish) -> bytes:
        """End all items. Afterwards, `response` is complete except for `store`. Long texts are encoded, so do not call
        this on an event loop."""
        reason: Any = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(event.reason)
        status: ResponseStatus = "incomplete" if reason else "completed"
        if not self.response.output:
            self._open_item("message")
        self._write_waiting(status)
        self._close_item(status)
        answer = self.response
        answer.status = status
        answer.incomplete_details = IncompleteDetails(reason=reason) if reason else None
        answer.completed_at = None if reason else int(time.time())
        answer.vcache = event.vcache
        answer.usage = ResponseUsage(
            input_tokens=event.prompt_tokens,
            output_tokens=event.completion_tokens,
            output_tokens_details=ResponseOutputTokens(reasoning_tokens=event.reasoning_tokens or 0),
            total_tokens=event.prompt_tokens + event.completion_tokens,
        )
        if self._precontext:
            answer.precontext = [
                PrecontextEntry(name=e.name, result=e.result.data, error=e.error) for e in self._precontext
            ]
        if self._evidence is not None:
            answer.evidence = {
                field: {**place_json, "pointer": self.converted.pointer(place_json["pointer"])}
                if place_json["name"] == REQUEST
                else place_json
                for field, place_json in self._evidence.fields.items()
            }
            answer.unsupported = list(self._evidence.unsupported)
        answer.warnings = list(self.warnings) or None
        return self._take_encoded()

    def fail(self, error: ApiError) -> bytes:
        """Return the last events of a failed stream, whose items stay unfinished."""
        error = error.renamed(self.converted.field_names)
        code: Any = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}.get(error.status)
        self._begin()
        self.response.status = "failed"
        self.response.error = ResponseError(code=code or "server_error", message=error.message, partial=error.partial)
        return self._take_encoded() + self.end(self.response_json())

    def end(self, content: bytes) -> bytes:
        """Return the last events of the stream; `content` is the response as JSON."""
        self._emit_response(f"response.{self.response.status}", content)
        return self._take_encoded() + DONE

    def _begin(self) -> None:
        if self.streams and not self._sequence_number:
            content = self.response_json()
            for kind in ("response.created", "response.in_progress"):
                self._emit_response(kind, content)

    def _open_item(self, item_key: int | str, event: ItemEvent | None = None) -> int:
        """Return the index of the item `item_key`. Unless it is open, begin it first (with `event`, if any)."""
        output = self.response.output
        if item_key == self._open:
            return len(output) - 1
        self._close_item()
        self._begin()
        self._open, index = item_key, len(output)
        item = self._new_item(item_key, f"{self.response.id.removeprefix('resp_')}{index:04x}", event)
        output.append(item)
        self._emit("response.output_item.added", output_index=index, item=item)
        if isinstance(item, OutputMessage | OutputReasoning):
            part = _PARTS[str(item_key)]()
            item.content.append(part)  # type: ignore[arg-type]
            self._emit("response.content_part.added", **self._item_fields(index), content_index=0, part=part)
        return index

    def _new_item(self, item_key: int | str, id_suffix: str, event: ItemEvent | None) -> OutputItem:
        if item_key in ("message", "refusal"):
            return OutputMessage(id=f"msg_{id_suffix}")
        if item_key == "reasoning":
            return OutputReasoning(id=f"rs_{id_suffix}")
        assert isinstance(event, ToolCallChunk)
        name = event.name or ""
        fields: Json = {"call_id": event.id or "", "name": name}
        if offered := self.offered.get(name):
            fields |= {"name": offered.tool.name, "namespace": offered.namespace}
            if isinstance(offered.tool, CustomTool):
                return OutputCustomCall(id=f"ctc_{id_suffix}", **fields)
        return OutputFunctionCall(id=f"fc_{id_suffix}", **fields)

    def _close_item(self, status: ResponseStatus = "completed") -> None:
        """End the open item, if any."""
        if self._open is None:
            return
        self._open = None
        index = len(self.response.output) - 1
        item, fields = self.response.output[index], self._item_fields(index)
        text, self._pieces = "".join(self._pieces), []
        item.status = status
        text_json = pydantic_core.to_json(text) if self.streams else b""
        match item:
            case OutputMessage(content=[RefusalText() as part]):
                self._emit("response.refusal.done", {"refusal": text_json}, **fields, content_index=0)
                self._end_item(item, part, "refusal", text, text_json)
            case OutputMessage(content=[OutputText() as part]):
                part.logprobs, self._logprobs = self._logprobs, []
                done = {**fields, "content_index": 0, "logprobs": part.logprobs}
                self._emit("response.output_text.done", {"text": text_json}, **done)
                self._end_item(item, part, "text", text, text_json)
            case OutputReasoning(content=[part]):
                self._emit("response.reasoning_text.done", {"text": text_json}, **fields, content_index=0)
                self._end_item(item, part, "text", text, text_json)
            case OutputFunctionCall():
                self._emit("response.function_call_arguments.done", {"arguments": text_json}, **fields)
                self._end_item(item, item, "arguments", text, text_json)
            case OutputCustomCall():
                given = _custom_input(text)
                text_json = pydantic_core.to_json(given)
                self._emit("response.custom_tool_call_input.delta", {"delta": text_json}, **fields)
                self._emit("response.custom_tool_call_input.done", {"input": text_json}, **fields)
                self._end_item(item, item, "input", given, text_json)
            case _:
                raise AssertionError(item)

    def _end_item(self, item: OutputItem, part: ResponseModel, name: str, text: str, text_json: bytes) -> None:
        """Write `text` into the empty field `name` of the item's only part, or of the item itself, and emit the last
        events about the item."""
        if self.streams:
            fields = self._item_fields(len(self.response.output) - 1)
            content = _filled(part, name, text_json)
            if isinstance(item, OutputMessage | OutputReasoning):
                self._emit("response.content_part.done", {"part": content}, **fields, content_index=0)
                content = _filled(item.model_copy(update={"content": []}), "content", [content])
            self._emit("response.output_item.done", {"item": content}, output_index=fields["output_index"])
            self._finished_items.append(content)
        setattr(part, name, text)

    def _item_fields(self, index: int) -> Json:
        return {"item_id": self.response.output[index].id, "output_index": index}

    def _emit(self, kind: str, encoded: Mapping[str, bytes] | None = None, /, **fields: Any) -> None:
        """Add an event to the stream. Its type is the event's name and is also in its data, as in OpenAI's API.
        `encoded` has further fields as JSON."""
        if self.streams:
            data = pydantic_core.to_json({"type": kind, "sequence_number": self._sequence_number, **fields})
            rest = [b',"%b":%b' % (name.encode(), value) for name, value in (encoded or {}).items()]
            self._events.append(encode_event(data[:-1], *rest, b"}", name=kind.encode()))
            self._sequence_number += 1

    def _emit_response(self, kind: str, content: bytes) -> None:
        """Add an event about the response, whose JSON is `content`."""
        head = b'{"type":"%b","sequence_number":%d,"response":' % (kind.encode(), self._sequence_number)
        self._events.append(encode_event(head, content, b"}", name=kind.encode()))
        self._sequence_number += 1

    def _take_encoded(self) -> bytes:
        events, self._events = self._events, []
        return b"".join(events)


def _filled(model: ResponseModel, name: str, content: bytes | list[bytes]) -> bytes:
    """Return the JSON of `model`, whose field `name` is empty, with `content` in this field: the JSON of a text, or of
    the items of a list."""
    empty, value = (b'""', content) if isinstance(content, bytes) else (b"[]", b"[%b]" % b",".join(content))
    member = b'"%b":' % name.encode()
    # The quotes of a text that contains `empty` are escaped.
    return pydantic_core.to_json(model).replace(member + empty, member + value, 1)


def _item_key(event: ItemEvent) -> int | str:
    """Return the key of the item that `event` belongs to: the number of a call, or the kind of another item."""
    match event:
        case ToolCallChunk(index=index):
            return index
        case TextChunk(is_refusal=is_refusal):
            return "refusal" if is_refusal else "message"
        case _:
            return "reasoning"


def _custom_input(arguments: str) -> str:
    """Return the input in the LLM's arguments, or all arguments if they are not a JSON object with an input."""
    try:
        given = pydantic_core.from_json(arguments)
    except ValueError:
        return arguments
    found = given.get(CUSTOM_INPUT) if isinstance(given, Mapping) else None
    return found if isinstance(found, str) else arguments
