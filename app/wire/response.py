"""What POST /v1/chat/completions answers. The order of the fields is the order on the wire."""

import ast
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field

from app.events import FinishReason

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


class FileObject(BaseModel):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    """Seconds since 1970."""
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"


class FileList(BaseModel):
    object: Literal["list"] = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class FileDeleted(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


def data(chunk: BaseModel) -> bytes:
    return b"data: " + chunk.__pydantic_serializer__.to_json(chunk) + b"\n\n"


def error(body: Mapping[str, object]) -> bytes:
    return b"event: error\ndata: " + pydantic_core.to_json(body) + b"\n\n"


def progress(stage: str, done: int, total: int) -> bytes:
    """A comment line, which clients that do not know it skip."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"


def absent(value: object) -> bool:
    return value is None


def docstrings_of(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each field of a model in the source. It is read when somebody asks: to have pydantic do it
    (`use_attribute_docstrings`) takes as long as a tenth of the server's start."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _docstrings_in(one.__module__)[one.__qualname__]
    return found


@functools.cache
def _docstrings_in(module: str) -> dict[str, dict[str, str]]:
    """The same by class, of all in a module: `inspect` would parse the whole file for each."""
    found: dict[str, dict[str, str]] = {}
    todo: list[tuple[str, ast.AST]] = [("", ast.parse(inspect.getsource(sys.modules[module])))]
    while todo:
        prefix, outer = todo.pop()
        for node in ast.iter_child_nodes(outer):
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = dict(_below_fields(node))
                todo.append((f"{prefix}{node.name}.", node))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                todo.append((f"{prefix}{node.name}.<locals>.", node))
            elif isinstance(node, ast.stmt):
                todo.append((prefix, node))
    return found


def _below_fields(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(definition.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """For a model's `json_schema_extra`: its fields' docstrings are their descriptions."""
    described = docstrings_of(model)
    for name, field in schema.get("properties", {}).items():
        if name in described:
            field["description"] = described[name]


class ResponseModel(BaseModel):
    model_config = ConfigDict(json_schema_extra=describe)


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
    """As a run task answers it; null where the task failed."""
    error: str | None = Field(default=None, exclude_if=absent)
    """Why it failed."""


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
    tool_calls: list[CompletionToolCall] | None = Field(default=None, exclude_if=absent)


class CompletionChoice(ResponseModel):
    index: int = 0
    message: CompletionMessage
    logprobs: Any = Field(default=None, exclude_if=absent)
    """As the LLM gives them, where they were asked for."""
    finish_reason: FinishReason


class ChatCompletion(ResponseModel):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    usage: CompletionUsage
    vcache: bool = False
    precontext: list[PrecontextEntry] | None = Field(default=None, exclude_if=absent)
    """Only when something ran."""
    reasoning: str | None = Field(default=None, exclude_if=absent)
    """Only when it was asked for, and there is one."""
    choices: list[CompletionChoice]
    evidence: dict[str, Any] | None = Field(default=None, exclude_if=absent)
    """Where each field of a structured answer comes from, by JSON pointer; only when it was asked for."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    """Beside `evidence`: pointers of the fields that nothing in the precontext says, or whose label there speaks
    against them."""
    warnings: list[str] | None = Field(default=None, exclude_if=absent)
    """Sentences that the caller should know; only when there is one."""

    @property
    def is_short(self) -> bool:
        """Whether it is written as JSON in less time than another thread takes to begin."""
        plain = self.precontext is None and self.evidence is None and self.choices[0].logprobs is None
        return plain and self.usage.completion_tokens <= FEW_TOKENS


FEW_TOKENS = 4000


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
    """On the chunk that ends the answer, as `unsupported` and `warnings`."""
    unsupported: list[str] | None = Field(default=None, exclude_if=absent)
    warnings: list[str] | None = Field(default=None, exclude_if=absent)


class Model(ResponseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["openfaze"] = "openfaze"


class ModelList(ResponseModel):
    object: Literal["list"] = "list"
    data: list[Model]
