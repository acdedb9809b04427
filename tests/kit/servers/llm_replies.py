"""Replies of a scripted LLM, and the bytes that an OpenAI-compatible server would send for them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

DONE = b"data: [DONE]\n\n"
MODEL = "scripted"


@dataclass(frozen=True)
class Call:
    """Call of a function."""

    name: str
    arguments: str | Mapping[str, Any] = "{}"
    """Arguments as a JSON string, or as an object, which some servers send instead."""
    id: str | None = "call_1"


@dataclass(frozen=True)
class Reply:
    """One reply. A data event is one `data:` of the stream. The first data event carries only the role."""

    text: str = ""
    chunks: Sequence[str] | None = None
    """Pieces of the text as a stream sends them. By default the text is cut at its spaces."""
    reasoning: str = ""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    tool_calls: Sequence[Call] = ()
    finish_reason: str | None = None
    """Finish reason; None for `tool_calls` if there are any, else `stop`."""
    usage: bool | Mapping[str, Any] = True
    """Usage to report. True: 11 prompt tokens, and one token per piece of text. False: none, even if requested."""
    logprobs: bool = False
    events: Sequence[Mapping[str, Any] | bytes] | None = None
    """Content of the stream, which replaces all fields above.

    An object is the JSON of a data event, and bytes are sent unchanged. Nothing is added, not even `[DONE]`.
    """

    status: int = 200
    error: str | Mapping[str, Any] | None = None
    """Error in the body if `status` is not 200: OpenAI's error object, or a sentence for such an object."""
    retry_after: float | None = None
    """Value of `retry-after`, in seconds."""
    body: bytes | None = None
    """Body that replaces all other content, sent in one piece, with the type `content_type`."""
    content_type: str = "application/json"

    hang_before_first_byte: bool = False
    hang_after: int | None = None
    """Number of data events after which the server falls silent with the connection open; 0 in a failure: within its
    body."""
    cut_after: int | None = None
    """Number of data events after which the server closes the connection; 0 in a failure: within its body."""
    garbage_after: int | None = None
    """Number of data events after which an event that is not JSON is sent."""
    ignores_stream: bool = False
    """True if the reply is sent in one piece even if a stream is requested."""
    delay_s: float = 0.0
    """Delay before each data event, in seconds."""
    gate: asyncio.Event | None = None
    """Event that the data events wait for. It belongs to the event loop of the server, in which `LlmServer.script` is
    called."""

    @property
    def pieces(self) -> list[str]:
        if self.chunks is not None:
            return list(self.chunks)
        return [word for word in self.text.replace(" ", "\0 ").split("\0") if word]

    def stream(self, *, include_usage: bool) -> list[bytes]:
        """Return the server-sent events, one data event per item."""
        if self.events is not None or not (include_usage and self.usage):
            return self._stream
        return self._stream_with_usage

    @cached_property
    def _stream(self) -> list[bytes]:
        if self.events is not None:
            return [event if isinstance(event, bytes) else _data(event) for event in self.events]

        def chunk(delta: Mapping[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
            return _data(_frame("chat.completion.chunk", [choice]))

        events = [chunk({"role": "assistant", "content": ""})]
        if self.reasoning:
            events.append(chunk({self.reasoning_field: self.reasoning}))
        events += [chunk({"content": piece}, logprobs=self._logprobs([piece])) for piece in self.pieces]
        for index, call in enumerate(self.tool_calls):
            events += [chunk({"tool_calls": [delta]}) for delta in _call_deltas(index, call)]
        events.append(chunk({}, finish=self._finish))
        if self.garbage_after is not None:
            events.insert(self.garbage_after, b'data: {"choices": [not JSON\n\n')
        return [*events, DONE]

    @cached_property
    def _stream_with_usage(self) -> list[bytes]:
        usage = _data({**_frame("chat.completion.chunk", []), "usage": self._usage})
        return [*self._stream[:-1], usage, DONE]

    @cached_property
    def completion(self) -> bytes:
        """Return the body of a reply that is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.pieces) or None}
        if self.reasoning:
            message[self.reasoning_field] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = [_whole_call(call) for call in self.tool_calls]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": self._logprobs(self.pieces),
            "finish_reason": self._finish,
        }
        body = _frame("chat.completion", [choice])
        return _json({**body, "usage": self._usage} if self.usage else body)

    def failure(self) -> bytes:
        """Return the body of a reply whose status is not 200."""
        if self.body is not None:
            return self.body
        error = self.error if self.error is not None else f"scripted failure {self.status}"
        if isinstance(error, str):
            error = {"error": {"message": error, "type": "error", "param": None, "code": None}}
        return _json(error)

    @property
    def _finish(self) -> str:
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    @property
    def _usage(self) -> Mapping[str, Any]:
        if isinstance(self.usage, Mapping):
            return self.usage
        written = max(1, len(self.pieces))
        return {"prompt_tokens": 11, "completion_tokens": written, "total_tokens": 11 + written}

    def _logprobs(self, tokens: Sequence[str]) -> Mapping[str, Any] | None:
        if not self.logprobs:
            return None
        content = [
            {"token": token, "logprob": -0.25, "bytes": list(token.encode()), "top_logprobs": []} for token in tokens
        ]
        return {"content": content, "refusal": None}


def _frame(kind: str, choices: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1784164296, "model": MODEL, "choices": choices}


def _whole_call(call: Call) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _call_deltas(index: int, call: Call) -> list[dict[str, Any]]:
    """Return the deltas of a call as OpenAI streams them: its name, then its arguments in pieces. An object cannot be
    cut."""
    if not isinstance(call.arguments, str):
        return [{"index": index, **_whole_call(call)}]
    half = len(call.arguments) // 2
    opening = {"index": index, **_whole_call(Call(call.name, "", call.id))}
    pieces = (call.arguments[:half], call.arguments[half:])
    return [opening, *({"index": index, "function": {"arguments": piece}} for piece in pieces if piece)]


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _data(body: object) -> bytes:
    return b"data: " + _json(body) + b"\n\n"
