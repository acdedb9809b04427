"""What POST /v1/responses answers: events of the pipeline become items, and the events of a stream, with the same ids
in both. The order of the fields is the order on the wire."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic_core
from pydantic import Field

from app.calling import as_sent
from app.chat.event_driver import Entry, Event, Evidence, Finish, Precontext, Reasoning, Text, ToolCall, Warned
from app.chat.inputs import REQUEST
from app.errors import ApiError
from app.wire import response as chat
from app.wire.response import PrecontextEntry, Wire, absent
from app.wire.response_items import CustomTool, Offered
from app.wire.responses import CUSTOM_INPUT, Asked, ResponsesRequest
from app.wire.responses import Reasoning as AskedReasoning

Json = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete", "failed"]


class OutputText(Wire):
    type: Literal["output_text"] = "output_text"
    text: str = ""
    annotations: list[Any] = Field(default_factory=list)
    logprobs: list[Any] = Field(default_factory=list)


class ReasoningText(Wire):
    type: Literal["reasoning_text"] = "reasoning_text"
    text: str = ""


class OutputMessage(Wire):
    type: Literal["message"] = "message"
    id: str
    status: Status = "in_progress"
    role: Literal["assistant"] = "assistant"
    content: list[OutputText] = Field(default_factory=list)


class OutputReasoning(Wire):
    type: Literal["reasoning"] = "reasoning"
    id: str
    status: Status = "in_progress"
    summary: list[Any] = Field(default_factory=list)
    content: list[ReasoningText] = Field(default_factory=list)


class OutputFunctionCall(Wire):
    type: Literal["function_call"] = "function_call"
    id: str
    status: Status = "in_progress"
    call_id: str
    name: str
    namespace: str | None = Field(default=None, exclude_if=absent)
    arguments: str = ""


class OutputCustomCall(Wire):
    type: Literal["custom_tool_call"] = "custom_tool_call"
    id: str
    status: Status = "in_progress"
    call_id: str
    name: str
    namespace: str | None = Field(default=None, exclude_if=absent)
    input: str = ""


Item = OutputMessage | OutputReasoning | OutputFunctionCall | OutputCustomCall


class ResponseInputTokens(Wire):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class ResponseOutputTokens(Wire):
    reasoning_tokens: int = 0


class ResponseUsage(Wire):
    input_tokens: int
    input_tokens_details: ResponseInputTokens = ResponseInputTokens()
    output_tokens: int
    output_tokens_details: ResponseOutputTokens = ResponseOutputTokens()
    total_tokens: int


class IncompleteDetails(Wire):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseError(Wire):
    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class Response(Wire):
    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Status = "in_progress"
    background: Literal[False] = False
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: list[Item] = Field(default_factory=list)
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
    """Whether it is the answer to an earlier request."""
    precontext: list[PrecontextEntry] | None = Field(default=None, exclude_if=absent)
    """Only when something ran."""
    evidence: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Where each field of a structured answer comes from, by JSON pointer; only when it was asked for."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    """Beside `evidence`: pointers of the fields that nothing supports."""
    warnings: list[str] | None = Field(default=None, exclude_if=absent)
    """Sentences that the caller should know; only when there is one."""

    @property
    def is_short(self) -> bool:
        """As a ChatCompletion's."""
        plain = self.precontext is None and self.evidence is None
        return plain and (self.usage is None or self.usage.output_tokens <= chat.FEW_TOKENS)


def begun(request: ResponsesRequest, response_id: str, *, is_stored: bool) -> Response:
    """The response to `request` before there is any of it: most of its fields repeat the request's."""
    asked = request.text.format if request.text else None
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
            "format": _format(asked.model_dump(by_alias=True)) if asked else {"type": "text"},
            "verbosity": (request.text and request.text.verbosity) or "medium",
        },
        tool_choice="auto"
        if request.tool_choice is None
        else request.tool_choice
        if isinstance(request.tool_choice, str)
        else request.tool_choice.model_dump(),
        tools=[_tool(tool.model_dump()) for tool in request.tools or ()],
        top_logprobs=request.top_logprobs or 0,
        top_p=1.0 if request.top_p is None else request.top_p,
        presence_penalty=extra.get("presence_penalty") or 0.0,
        frequency_penalty=extra.get("frequency_penalty") or 0.0,
        user=request.user,
        metadata=request.metadata or {},
    )


def _reasoning(asked: AskedReasoning | None) -> Json:
    """In OpenAI's words: clients read the answer by a type that has no others."""
    effort, summary = (asked.effort, asked.summary) if asked else (None, None)
    return {
        "effort": {"auto": None, "on": None, "off": "none"}.get(effort or "", effort),
        "summary": summary if summary in ("auto", "concise", "detailed") else None,
    }


def _format(asked: Json) -> Json:
    if asked["type"] != "json_schema":
        return {"type": asked["type"]}
    return {**asked, "name": asked["name"] or "response", "strict": bool(asked["strict"])}


def _logprob(said: Json) -> Json:
    """As OpenAI sends it: some servers leave out what can be told from the rest."""
    known = said.get("bytes")
    spelt = list(said["token"].encode(errors="replace")) if known is None else known
    return {"token": said["token"], "logprob": said["logprob"], "bytes": spelt}


def _tool(tool: Json) -> Json:
    return {**tool, "strict": bool(tool["strict"])} if tool["type"] == "function" else tool


@dataclass
class Answering:
    """A response that is being made. What `of`, `finish` and `failed` yield are the stream's events, each with its
    number; who wants the whole alone passes `streams=False`, passes over what they yield, and is spared the deltas."""

    response: Response
    asked: Asked
    offered: Mapping[str, Offered] = field(default_factory=dict)
    """The client's tools, by what the LLM calls them."""
    shows_reasoning: bool = False
    streams: bool = True
    warnings: dict[str, None] = field(default_factory=dict)
    """What the caller should know, once each."""
    usage: chat.Usage | None = None
    _number: int = 0
    _open: dict[int | str, int] = field(default_factory=dict)
    """The places of the items that are not done: `message`, `reasoning`, or the number of a call."""
    _pieces: dict[int, list[str]] = field(default_factory=dict)
    """The text of each of those so far."""
    _logprobs: list[Any] = field(default_factory=list)
    _precontext: list[Entry] = field(default_factory=list)
    _evidence: Evidence | None = None

    def of(self, event: Event) -> Iterable[Json]:
        """What an event other than Finish comes to."""
        if isinstance(event, Text) and not event.logprobs and [*self._open] == ["message"]:
            # Most of an answer.
            place = self._open["message"]
            self._pieces[place].append(event.text)
            return (self._said(place, event.text, ()),) if self.streams and event.text else ()
        return self._made_of(event)

    def _made_of(self, event: Event) -> Iterator[Json]:
        match event:
            case Precontext(entries):
                self._precontext += entries
            case Evidence():
                self._evidence = event
            case Warned(text):
                self.warnings[as_sent(text)] = None
            case Reasoning(text) if self.shows_reasoning:
                yield from self._close("message")
                place = yield from self._opened("reasoning")
                self._pieces[place].append(text)
                if self.streams and text:
                    yield self._event("response.reasoning_text.delta", **self._at(place), content_index=0, delta=text)
            case Text(text, logprobs):
                yield from self._close("reasoning")
                place = yield from self._opened("message")
                self._pieces[place].append(text)
                said = [
                    {**_logprob(one), "top_logprobs": [_logprob(other) for other in one.get("top_logprobs") or ()]}
                    for one in (logprobs or {}).get("content") or ()
                ]
                self._logprobs += said
                if self.streams and text:
                    yield self._said(place, text, said)
            case ToolCall(index, arguments, id_, name):
                yield from self._close("reasoning", "message")
                place = yield from self._opened(index, id_ or "", name or "")
                self._pieces[place].append(arguments)
                # What a custom tool is given stands within the arguments, and is taken out when they are whole.
                if self.streams and arguments and isinstance(self.response.output[place], OutputFunctionCall):
                    yield self._event("response.function_call_arguments.delta", **self._at(place), delta=arguments)
            case _:
                pass

    def finish(self, event: Finish) -> Iterator[Json]:
        """Ends all items; then `response` is whole, but for whether it was stored."""
        reason: Any = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(event.reason)
        if not self.response.output:
            yield from self._opened("message")
        yield from self._close(*list(self._open), status="incomplete" if reason else "completed")
        answer = self.response
        answer.status = "incomplete" if reason else "completed"
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
                field: {**told, "pointer": self.asked.pointer(told["pointer"])} if told["name"] == REQUEST else told
                for field, told in self._evidence.fields.items()
            }
            answer.unsupported = list(self._evidence.unsupported)
        answer.warnings = list(self.warnings) or None

    def failed(self, error: ApiError) -> bytes:
        """The rest of a stream that fails: the items stay as they are."""
        code: Any = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}.get(error.status)
        events = b"".join(map(sse_of, self._begin()))
        self.response.status = "failed"
        self.response.error = ResponseError(code=code or "server_error", message=error.message)
        return events + self.end(pydantic_core.to_json(self.response)) + chat.DONE

    def end(self, content: bytes) -> bytes:
        """The last event, around the response as JSON, which may be long."""
        kind = f"response.{self.response.status}"
        head = f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{self._number},"response":'
        return b"".join((head.encode(), content, b"}\n\n"))

    def _begin(self) -> Iterator[Json]:
        if self.streams and not self._number:
            for kind in ("response.created", "response.in_progress"):
                yield self._event(kind, response=self.response.model_dump())

    def _opened(self, what: int | str, call_id: str = "", name: str = "") -> Generator[Json, None, int]:
        """Returns the place of the item, which is begun where it is not there."""
        if what in self._open:
            return self._open[what]
        yield from self._begin()
        output = self.response.output
        place = self._open[what] = len(output)
        self._pieces[place] = []
        item = self._new(what, f"{self.response.id.removeprefix('resp_')}{place:04x}", call_id, name)
        output.append(item)
        yield self._event("response.output_item.added", output_index=place, item=item.model_dump())
        if isinstance(item, OutputMessage | OutputReasoning):
            part = OutputText() if isinstance(item, OutputMessage) else ReasoningText()
            item.content.append(part)  # type: ignore[arg-type]
            yield self._event("response.content_part.added", **self._at(place), content_index=0, part=part.model_dump())
        return place

    def _new(self, what: int | str, number: str, call_id: str, name: str) -> Item:
        if what == "message":
            return OutputMessage(id=f"msg_{number}")
        if what == "reasoning":
            return OutputReasoning(id=f"rs_{number}")
        known = self.offered.get(name)
        named: Json = {"name": known.tool.name, "namespace": known.namespace} if known else {"name": name}
        if known and isinstance(known.tool, CustomTool):
            return OutputCustomCall(id=f"ctc_{number}", call_id=call_id, **named)
        return OutputFunctionCall(id=f"fc_{number}", call_id=call_id, **named)

    def _close(self, *names: int | str, status: Status = "completed") -> Iterator[Json]:
        for name in names:
            if name in self._open:
                yield from self._done(self._open.pop(name), status)

    def _done(self, place: int, status: Status) -> Iterator[Json]:
        item, at = self.response.output[place], self._at(place)
        text = "".join(self._pieces.pop(place))
        match item:
            case OutputMessage(content=[said]):
                said.text, said.logprobs = text, self._logprobs
                self._logprobs = []
                beside = {"content_index": 0, "text": text, "logprobs": said.logprobs}
                yield self._event("response.output_text.done", **at, **beside)
                yield self._event("response.content_part.done", **at, content_index=0, part=said.model_dump())
            case OutputReasoning(content=[thought]):
                thought.text = text
                yield self._event("response.reasoning_text.done", **at, content_index=0, text=text)
                yield self._event("response.content_part.done", **at, content_index=0, part=thought.model_dump())
            case OutputFunctionCall():
                item.arguments = text
                yield self._event("response.function_call_arguments.done", **at, arguments=text)
            case OutputCustomCall():
                item.input = _custom_input(text)
                yield self._event("response.custom_tool_call_input.delta", **at, delta=item.input)
                yield self._event("response.custom_tool_call_input.done", **at, input=item.input)
            case _:
                raise AssertionError(item)
        item.status = status
        yield self._event("response.output_item.done", output_index=place, item=item.model_dump())

    def _said(self, place: int, text: str, logprobs: Sequence[Json]) -> Json:
        about = {**self._at(place), "content_index": 0}
        return self._event("response.output_text.delta", **about, logprobs=logprobs, delta=text)

    def _at(self, place: int) -> Json:
        return {"item_id": self.response.output[place].id, "output_index": place}

    def _event(self, kind: str, **fields: Any) -> Json:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event


def _custom_input(arguments: str) -> str:
    """The LLM's arguments are a JSON object with the input, or should be."""
    try:
        given = pydantic_core.from_json(arguments)
    except ValueError:
        return arguments
    found = given.get(CUSTOM_INPUT) if isinstance(given, Mapping) else None
    return found if isinstance(found, str) else arguments


def sse_of(event: Json) -> bytes:
    """As OpenAI sends it: the type twice."""
    kind: str = event["type"]
    return b"event: " + kind.encode() + b"\ndata: " + pydantic_core.to_json(event) + b"\n\n"


class ItemList(Wire):
    object: Literal["list"] = "list"
    data: Sequence[Any]
    first_id: str
    last_id: str
    has_more: bool


class ResponseDeleted(Wire):
    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True
