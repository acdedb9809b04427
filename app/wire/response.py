"""Answers of POST /v1/chat/completions and GET /v1/models, and the encoding of events of all streams. The fields are
sent in the order of their declaration."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field

from app.events import FinishReason
from app.wire.model_names import ModelType


def absent(value: object) -> bool:
    return value is None


class ResponseModel(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class TokensDetails(ResponseModel):
    reasoning_tokens: int


class CompletionUsage(ResponseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    completion_tokens_details: TokensDetails | None = Field(default=None, exclude_if=absent)


class PrecontextEntry(ResponseModel):
    name: str
    result: Any = None
    """The task's result, as if the task had been requested alone; null if the task failed."""
    error: str | None = Field(default=None, exclude_if=absent)
    """Reason of the failure."""


class CompletionFunctionCall(ResponseModel):
    name: str
    arguments: str


class CompletionToolCall(ResponseModel):
    id: str
    type: Literal["function"] = "function"
    function: CompletionFunctionCall


class CompletionMessage(ResponseModel):
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = Field(default=None, exclude_if=absent)
    """Why the LLM does not answer; present only if it says so."""
    tool_calls: list[CompletionToolCall] | None = Field(default=None, exclude_if=absent)


class CompletionChoice(ResponseModel):
    index: int = 0
    message: CompletionMessage
    logprobs: Any = Field(default=None, exclude_if=absent)
    """Log probabilities in the LLM's form, if they were requested."""
    finish_reason: FinishReason


class ChatCompletion(ResponseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    usage: CompletionUsage
    vcache: bool = False
    precontext: list[PrecontextEntry] | None = Field(default=None, exclude_if=absent)
    """Present only if a task ran."""
    reasoning: str | None = Field(default=None, exclude_if=absent)
    """Reasoning of the model; present only on request and if there is any."""
    choices: list[CompletionChoice]
    evidence: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Source of each field of a structured answer, by JSON pointer; present only on request."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    """Present with `evidence`: pointers of the fields that nothing in the precontext supports, or that a label there
    contradicts."""
    explanation: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Why the field that `explain` names has its value; present only on request."""
    warnings: list[str] | None = Field(default=None, exclude_if=absent)
    """Warnings for the caller, a sentence each; absent if there are none."""


class FunctionDelta(ResponseModel):
    name: str | None = Field(default=None, exclude_if=absent)
    arguments: str | None = Field(default=None, exclude_if=absent)


class CompletionToolCallDelta(ResponseModel):
    index: int
    id: str | None = Field(default=None, exclude_if=absent)
    type: Literal["function"] | None = Field(default=None, exclude_if=absent)
    function: FunctionDelta


class Delta(ResponseModel):
    role: Literal["assistant"] | None = Field(default=None, exclude_if=absent)
    content: str | None = Field(default=None, exclude_if=absent)
    refusal: str | None = Field(default=None, exclude_if=absent)
    tool_calls: list[CompletionToolCallDelta] | None = Field(default=None, exclude_if=absent)


class ChunkChoice(ResponseModel):
    index: int = 0
    delta: Delta
    logprobs: Any = Field(default=None, exclude_if=absent)
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(ResponseModel):
    id: str
    type: Literal["text-delta"] = "text-delta"
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = Field(default=None, exclude_if=absent)
    vcache: bool | None = Field(default=None, exclude_if=absent)
    evidence: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Present in the chunk that ends the answer, like `unsupported` and `warnings`."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    explanation: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    warnings: list[str] | None = Field(default=None, exclude_if=absent)


class Architecture(ResponseModel):
    """Modalities of a model in the words of OpenRouter's list of models."""

    input_modalities: list[str]
    output_modalities: list[str]


class Model(ResponseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["openfaze"] = "openfaze"
    type: ModelType
    """Purpose of the model. LobeChat and clients of Together offer only models of the type "chat" for a conversation.
    Clients of OpenRouter read `architecture` instead."""
    architecture: Architecture


class ModelList(ResponseModel):
    object: Literal["list"] = "list"
    data: list[Model]


DONE = b"data: [DONE]\n\n"
"""Last event of a stream; OpenAI's clients expect it."""


def encode_event(*data: bytes, name: bytes = b"") -> bytes:
    """Return the event whose JSON consists of the pieces `data`, which contain no line break. If `name` is empty, the
    event has no name."""
    head = b"event: %b\ndata: " % name if name else b"data: "
    return b"".join((head, *data, b"\n\n"))


async def encode_completion(completion: ChatCompletion) -> bytes:
    """Return a whole answer. One with results of tasks may have megabytes, so a thread encodes it."""
    encode = completion.__pydantic_serializer__.to_json
    if completion.precontext is None and completion.choices[0].logprobs is None:
        return encode(completion)
    return await asyncio.to_thread(encode, completion)


def encode_model(model: BaseModel) -> bytes:
    return encode_event(model.__pydantic_serializer__.to_json(model))


def encode_error(body: Mapping[str, object]) -> bytes:
    return encode_event(pydantic_core.to_json(body), name=b"error")


def encode_progress(stage: str, done: int, total: int) -> bytes:
    """Return progress as a comment line; clients that do not know it skip it."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"
