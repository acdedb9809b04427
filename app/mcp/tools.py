"""The tools: their arguments, their results, and the chat request that a call becomes.

A chat client could have sent the same request, so guard, cache, limits and evidence apply to it unchanged. Typed
arguments are its `task_options`.
"""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from app.access.key_file import CHAT
from app.chat.shape import is_open
from app.errors import BadRequest, PayloadTooLarge
from app.wire.model_names import MODEL
from app.wire.parse import TooMuchJson, first_problem, parse_json
from app.wire.request import ResponseFormat
from tasks.base import Specialist
from tasks.catalog import SPECIALISTS
from tasks.schema.checker import refuse_large
from tasks.tools import parameters_of, simplified

_SOURCE = {
    "type": "string",
    "minLength": 1,
    "description": "A URL (http or https), a data URL, or the id of an uploaded file (file-…).",
}
_TEXT = {"type": "string", "minLength": 1, "description": "The text itself. Give this or `source`."}
_Source = Annotated[str, Field(min_length=1, description=_SOURCE["description"])]
_Text = Annotated[str, Field(min_length=1, description=_TEXT["description"])]
_WISHES = "Further wishes about the result, in plain words."
_Instructions = Annotated[str, Field(max_length=4000, description=_WISHES)]
_TEXTS = frozenset({"text", "source", "instructions", "query", "code"})
"""Arguments that are texts, which may themselves be JSON."""
SCHEMA = "response_format.json_schema.schema"
"""Place of the schema in a chat request, which the caller knows as the argument `schema`."""
FIELD_NAMES = (
    *(
        (f"messages[{message}].content[{part}]{field}", "source")
        for message in range(2)
        for part in range(2)
        for field in (".file.file_data", ".file.file_id", ".file", "")
    ),
    (SCHEMA, "schema"),
)
"""Fields of the chat request of a call, with the names of the arguments from which they are made."""
LIST = "results"
"""Field with the result, if the result is a list."""
FILE = "file"
"""Field that names the file of a result that is too large."""
_FILE_SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "uri": {"type": "string"}, "bytes": {"type": "integer"}},
    "required": ["id", "uri", "bytes"],
    "description": "Only for a large result: the JSON file under /v1/files that holds it, instead of the other fields.",
}
EXTRACT: Literal["extract"] = "extract"


def _from_json(value: object, info: ValidationInfo) -> object:
    return _decoded(str(info.field_name).rstrip("_"), value)


def _decoded(name: str, value: object) -> object:
    """Return the object or list that a client wrote as a JSON string; any other value unchanged. Raises BadRequest and
    PayloadTooLarge."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[") or name in _TEXTS:
        return value
    try:
        return parse_json(value.encode())
    except TooMuchJson as error:
        raise PayloadTooLarge(f"Field '{name}': the JSON in this string {error}.", param=name) from None
    except ValueError as error:
        raise BadRequest(f"Field '{name}': the string is not JSON: {error}", param=name) from None


class ToolArguments(BaseModel):
    """The arguments that a tool has beside the options of its task. An argument that is null or empty counts as not
    given. Raises ValidationError for an unknown argument."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, arguments: Any) -> Any:
        return without_empty(arguments)


class ExtractArguments(ToolArguments):
    source: _Source | None = None
    text: _Text | None = None
    instructions: _Instructions = ""
    schema_: Annotated[dict[str, Any], BeforeValidator(_from_json)] = Field(
        alias="schema", description="JSON Schema of the fields to extract. Its type must be object."
    )


def without_empty(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None and value != ""}


class Extracted(BaseModel):
    """The result of `extract`."""

    data: dict[str, Any] = Field(description="Valid against the schema.")
    evidence: dict[str, Any] = Field(
        default_factory=dict, description="Place in the source and probability of each value, by JSON pointer."
    )
    unsupported: list[str] = Field(
        default_factory=list, description="JSON pointers of values without a place in the source."
    )


@dataclass(frozen=True)
class McpTool:
    """A tool: a task, or the extraction of the fields of a schema."""

    name: str
    description: str
    result: Any
    """Type of the result."""
    specialist: Specialist | None = None
    """The task that the tool runs; None for the extraction."""

    @property
    def is_open_world(self) -> bool:
        """True if the tool reads something beyond its arguments and this server, such as the web."""
        return self.specialist is not None and self.specialist.is_web

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        if self.specialist is None:
            schema = ExtractArguments.model_json_schema(by_alias=True)
            schema.pop("description", None)
            return dict(simplified(schema))
        options = self.specialist.options.model_json_schema()
        text = options.get("properties", {}).pop(_content_of(self.specialist), _TEXT)
        names = _inputs_of(self.specialist)
        inputs = {name: {"source": _SOURCE, "text": {"type": "string", **text}}[name] for name in names}
        if "source" in names:
            inputs["instructions"] = {"type": "string", "maxLength": 4000, "description": _WISHES}
        return parameters_of(options, inputs, names if len(names) == 1 else ())

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """Schema of the result, which is always an object. If the result is too large, the object names a file
        instead."""
        schema = TypeAdapter(self.result).json_schema()
        definitions = schema.pop("$defs", {})
        if schema.get("type") != "object":
            schema = {"type": "object", "properties": {LIST: schema}, "required": [LIST]}
        required_sets = [schema.pop("required", []), [FILE]]
        schema["properties"] = schema.get("properties", {}) | {FILE: _FILE_SCHEMA}
        return {
            **simplified(schema),
            "$defs": simplified(definitions),
            "anyOf": [{"required": names} for names in required_sets],
        }

    def called_with(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of the chat request. Raises BadRequest and InputError, which name the argument."""
        try:
            if self.specialist is None:
                return _extraction(ExtractArguments.model_validate(arguments))
            return _task_request(self.specialist, without_empty(arguments))
        except ValidationError as error:
            problem = first_problem(error)
            raise BadRequest(problem.message, param=problem.path) from None


def _task_request(specialist: Specialist, given: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a chat request that runs a task. A text becomes a file, so that it is never an instruction and
    its links are not followed. Raises BadRequest and ValidationError."""
    given = {name: _decoded(name, value) for name, value in given.items()}
    names = _inputs_of(specialist)
    words, values = given.pop("instructions", None), {name: given.pop(name) for name in names if name in given}
    if len(values) != 1:
        got = " and ".join(map(repr, values)) or "nothing"
        raise BadRequest(f"Give {' or '.join(map(repr, names))}; got {got}.", param=names[0])
    if specialist.tool.input == "text":
        # The text is the message itself: a query, a script.
        specialist.options.of_caller({**given, _content_of(specialist): values["text"]})
        content: list[dict[str, Any]] = [{"type": "text", "text": str(values["text"])}]
    else:
        specialist.options.of_caller(given)
        text, source = values.get("text"), values.get("source")
        content = [{"type": "text", "text": str(words)}] if words else []
        content.append(
            {"type": "file", "file": _file_of_source(str(source)) if text is None else _file_of_text(str(text))}
        )
    return {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": f"<task>{specialist.name}</task>"},
            {"role": "user", "content": content},
        ],
        **({"task_options": given} if given else {}),
    }


def _inputs_of(specialist: Specialist) -> tuple[str, ...]:
    """Return the names of the arguments that hold an input, of which one must be given."""
    return {"source": ("source",), "url": ("source",), "text": ("text",), "source or text": ("text", "source")}[
        specialist.tool.input
    ]


def _content_of(specialist: Specialist) -> str:
    """Return the name of the option that holds the text which the task works on."""
    required = (name for name, one in specialist.options.model_fields.items() if one.is_required())
    return next(required) if specialist.tool.input == "text" else "text"


def _extraction(given: ExtractArguments) -> dict[str, Any]:
    """Return the body of a chat request that extracts fields. Raises BadRequest and InputError."""
    # A larger schema would be encoded and parsed once more before the pipeline refuses it.
    refuse_large(given.schema_, SCHEMA)
    form = {"type": "json_schema", "json_schema": {"name": "extract", "schema": given.schema_}}
    if is_open(ResponseFormat.model_validate(form)):
        raise BadRequest(
            f"Field '{SCHEMA}' names no fields to extract: give it 'properties', such as "
            '{"type": "object", "properties": {"total": {"type": "number"}}}.',
            param=SCHEMA,
        )
    present = [name for name in ("text", "source") if getattr(given, name) is not None]
    if len(present) != 1:
        got = " and ".join(map(repr, present)) or "nothing"
        raise BadRequest(f"Give 'text' or 'source'; got {got}.", param="text")
    file = _file_of_source(given.source) if given.source is not None else _file_of_text(str(given.text))
    words = [{"type": "text", "text": given.instructions}] if given.instructions else []
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": [*words, {"type": "file", "file": file}]}],
        "response_format": form,
        "evidence": True,
    }


MCP_TOOLS: Mapping[str, McpTool] = {
    **{name: McpTool(name, one.tool.description, one.tool.result, one) for name, one in SPECIALISTS.items()},
    EXTRACT: McpTool(
        EXTRACT,
        "Extract the fields of a JSON schema from a document or a text, each with its place and probability.",
        Extracted,
    ),
}


def offered(tasks: Collection[str], allowed: Collection[str] | None = None) -> list[McpTool]:
    """Return the tools whose tasks the server has and the key may run."""
    return [
        tool
        for tool in MCP_TOOLS.values()
        if (tool.name == EXTRACT or tool.name in tasks) and (allowed is None or _task_needed(tool) in allowed)
    ]


def _task_needed(tool: McpTool) -> str:
    return CHAT if tool.name == EXTRACT else tool.name


def _file_of_source(source: str) -> dict[str, str]:
    if source.startswith("file-"):
        return {"file_id": source}
    if source.startswith(("http://", "https://", "data:")):
        return {"file_data": source}
    raise BadRequest(
        f"Field 'source': '{source[:80]}' is neither a URL (http, https), a data URL nor the id of a file (file-…).",
        param="source",
    )


def _file_of_text(text: str) -> dict[str, str]:
    coded = base64.b64encode(text.encode()).decode()
    return {"file_data": f"data:text/plain;charset=utf-8;base64,{coded}", "filename": "text.txt"}
