"""The body of POST /v1/chat/completions. Unknown fields are kept, because an LLM may know them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.wire.other_servers import (
    GRAMMAR_FIELDS,
    SAMPLING_FIELDS,
    SCHEMA_FIELDS,
    format_beside_messages,
    standard_format,
)
from tasks.inputs.limits import MB, megabytes

MAX_MESSAGES = 2048
"""Number of messages that OpenAI's API accepts, too. Python's other threads compete with those that look through tens
of thousands of messages, many times for each answer."""
MAX_PARTS = 2048
"""The messages of a request have at most this many content parts and calls together."""
MAX_TOOLS = 128
"""A request has at most this many tools, as with OpenAI."""
MAX_DEFINITIONS = MB
"""A field with the definitions of tools or of the answer's form has at most this many bytes of text. Answers of
/v1/responses repeat such fields, and larger ones are not even decoded."""
FAIL_FAST = Field(fail_fast=True)
"""Option of lists: validation stops at the first problem, because finding a million problems would take long."""
_PART_KINDS = {
    "text": "·text",
    "input_text": "·text",
    "image_url": "·image",
    "input_image": "·image",
    "video_url": "·url",
    "audio_url": "·url",
    "file_url": "·url",
    "file": "·file",
    "input_file": "·input_file",
    "input_audio": "·audio",
    "refusal": "·refusal",
}


LLM_OPTIONS = (
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "user",
    *SAMPLING_FIELDS,
    "chat_template_kwargs",
)
"""Fields of a request that are passed to the LLM unchanged."""
WITHOUT_VISIBLE_EFFECT = (
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
)
"""Fields of OpenAI's chat completions that have no effect here. No warning is needed, because they have no visible
effect on an answer elsewhere, either."""
FIELDS_WITHOUT_EFFECT = {
    "audio": "answers are text",
    "function_call": "send 'tool_choice'",
    "functions": "send 'tools'",
    "modalities": "answers are text",
    "prediction": "the answer is written from scratch",
    "store": "only /v1/responses keeps its answers",
    "verbosity": "say in words how long the answer should be",
    "web_search_options": "the model searches the web where it needs to, or run <task>web_search</task>",
    **dict.fromkeys(GRAMMAR_FIELDS, "send a schema in 'response_format'"),
}
"""Fields without an effect here that would change an answer at another server, each with the reason or an
alternative."""
ASKS_NOTHING: Sequence[Any] = (None, False, "", [], {}, "none", ["text"], "medium")
"""Values with which the fields of `FIELDS_WITHOUT_EFFECT` request nothing, so that no warning is needed."""
KNOWN_FIELDS: Mapping[str, Sequence[str]] = {
    "": (*LLM_OPTIONS, *SCHEMA_FIELDS, *WITHOUT_VISIBLE_EFFECT, *FIELDS_WITHOUT_EFFECT),
    "stream_options": ("include_obfuscation",),
    "response_format.json_schema": ("description",),
}
"""Fields that an object may have in addition to the fields of its class, by the object's path."""


class RequestModel(BaseModel):
    """Base of the models of requests. They are strict about JSON types: the string "1" is not a number."""

    model_config = ConfigDict(extra="allow", strict=True, use_attribute_docstrings=True)


def _json_kind(value: Any) -> str | None:
    match value:
        case str():
            return "·string"
        case list():
            return "·list"
        case dict() | BaseModel():
            return "·object"
        case None:
            return "·null"
        case _:
            return None


def by_json_type(expected: str) -> Discriminator:
    """Return a discriminator that chooses a union's member by the value's JSON type, so that an error is about the
    member that the client meant. `expected` describes the types in the message about any other type."""
    return Discriminator(_json_kind, custom_error_type="kind", custom_error_message=f"Input should be {expected}")


def _check_definitions(value: Any) -> Any:
    if (size := _text_bytes(value)) > MAX_DEFINITIONS:
        numbers = {"size": megabytes(size), "limit": megabytes(MAX_DEFINITIONS)}
        raise PydanticCustomError("definitions", "Has {size} of text; the limit is {limit}", numbers)
    return value


DEFINITIONS = AfterValidator(_check_definitions)
"""Option of fields: their values have at most MAX_DEFINITIONS bytes of text."""


def _text_bytes(value: Any) -> int:
    """Return the number of bytes of all texts and keys in `value`."""
    size = 0
    parts = [value]
    while parts:
        match parts.pop():
            case str(text):
                size += len(text.encode(errors="surrogatepass"))
            case BaseModel() as model:
                parts += filter(None, (model.__dict__, model.__pydantic_extra__))
            case dict() as fields:
                parts += fields
                parts += fields.values()
            case list() as items:
                parts += items
            case _:
                pass
    return size


Identifier = Annotated[str, Field(max_length=512)]
"""Name or id by which a client's own systems know something: a call, a speaker, a user. Answers of /v1/responses repeat
it."""
FileName = Annotated[str, Field(max_length=1024)]


class TextPart(RequestModel):
    type: Literal["text", "input_text"]
    text: str


Media = str
"""URL, data URL, or bare base64."""


class Url(RequestModel):
    url: Media
    detail: str | None = None


Reference = Annotated[
    Annotated[Media, Tag("·string")] | Annotated[Url, Tag("·object")],
    by_json_type("a URL or an object with a 'url'"),
]


class ImagePart(RequestModel):
    type: Literal["image_url", "input_image"]
    image_url: Reference | None = None
    file_id: str | None = None
    """Id of an uploaded file, in place of `image_url`."""


class UrlPart(RequestModel):
    """A part with a URL of a video, a recording or a file, in the field that its type names."""

    type: Literal["video_url", "audio_url", "file_url"]
    video_url: Reference | None = None
    audio_url: Reference | None = None
    file_url: Reference | None = None


class File(RequestModel):
    file_data: Media | None = None
    filename: FileName | None = None
    format: str | None = None
    file_id: str | None = None
    """Id of an uploaded file, in place of `file_data`."""
    file_url: Reference | None = None
    """URL of the file, in place of `file_data`."""


class FilePart(RequestModel):
    type: Literal["file"]
    file: File


class InputFilePart(File):
    """A file as OpenAI's newer API sends it, which chat accepts, too."""

    type: Literal["input_file"]


class InputAudio(RequestModel):
    data: Media
    format: str | None = None


class AudioPart(RequestModel):
    type: Literal["input_audio"]
    input_audio: InputAudio


class RefusalPart(RequestModel):
    """A refusal in an earlier answer, which is a text like any other."""

    type: Literal["refusal"]
    refusal: str


def _text_of_refusal(part: RefusalPart) -> TextPart:
    return TextPart(type="text", text=part.refusal)


def _part_kind(part: Any) -> str | None:
    kind = part.get("type") if isinstance(part, dict) else getattr(part, "type", None)
    return _PART_KINDS.get(kind) if isinstance(kind, str) else None


ContentPart = Annotated[
    Annotated[TextPart, Tag("·text")]
    | Annotated[ImagePart, Tag("·image")]
    | Annotated[UrlPart, Tag("·url")]
    | Annotated[FilePart, Tag("·file")]
    | Annotated[InputFilePart, Tag("·input_file")]
    | Annotated[AudioPart, Tag("·audio")]
    | Annotated[RefusalPart, AfterValidator(_text_of_refusal), Tag("·refusal")],
    Discriminator(
        _part_kind,
        custom_error_type="content_part",
        custom_error_message=f"Input should be an object with a 'type' of: {', '.join(_PART_KINDS)}",
    ),
]


MessageContent = Annotated[
    Annotated[str, Tag("·string")]
    | Annotated[list[ContentPart], FAIL_FAST, Field(max_length=MAX_PARTS), Tag("·list")]
    | Annotated[None, Tag("·null")],
    by_json_type("a string or a list of content parts"),
]


class ChatFunctionCall(RequestModel):
    name: Identifier
    arguments: str


class ChatToolCall(RequestModel):
    id: Identifier
    type: Literal["function"] = "function"
    function: ChatFunctionCall


class ChatMessage(RequestModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: MessageContent = None
    name: Identifier | None = None
    tool_calls: Annotated[list[ChatToolCall], FAIL_FAST, Field(max_length=MAX_PARTS)] | None = None
    tool_call_id: Identifier | None = None
    refusal: str | None = None
    """Why the assistant did not answer, if this message has no content."""


ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
"""A tool's name in the form that OpenAI's API accepts. It becomes part of the LLM's prompt and of log lines."""


class Function(RequestModel):
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(RequestModel):
    type: Literal["function"]
    function: Function


class FunctionName(RequestModel):
    name: str


class NamedToolChoice(RequestModel):
    type: Literal["function"]
    function: FunctionName


class AllowedFunctions(RequestModel):
    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedToolChoice], FAIL_FAST, Field(min_length=1, max_length=MAX_TOOLS)]


class AllowedToolsChoice(RequestModel):
    """A choice of some of the tools, each by its name."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedFunctions


class JsonSchema(RequestModel):
    name: str | None = None
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")
    strict: bool | None = False


class ResponseFormat(RequestModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = Field(default=None, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _write_as_openai(cls, given: Any) -> Any:
        return standard_format(given)

    @field_validator("json_schema")
    @classmethod
    def _check_json_schema(cls, json_schema: JsonSchema | None, info: ValidationInfo) -> Any:
        if json_schema is None and info.data.get("type") == "json_schema":
            raise PydanticCustomError("json_schema", "Field required where the type is 'json_schema'")
        return json_schema


class ChatStreamOptions(RequestModel):
    include_usage: bool | None = False


def _choice_kind(choice: Any) -> str | None:
    kind = choice.get("type") if isinstance(choice, dict) else getattr(choice, "type", None)
    return "·allowed" if kind == "allowed_tools" else _json_kind(choice)


ChatToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("·string")]
    | Annotated[AllowedToolsChoice, Tag("·allowed")]
    | Annotated[NamedToolChoice, Tag("·object")],
    Discriminator(
        _choice_kind,
        custom_error_type="kind",
        custom_error_message="Input should be 'auto', 'none', 'required' or an object that names functions",
    ),
]


MAX_STOPS = 16
"""A request has at most this many stop texts, because each is searched for in every token. OpenAI allows 4."""
_StopText = Annotated[str, Field(min_length=1)]
"""An empty stop text is refused, because it would be found before the first token."""
Stop = Annotated[
    Annotated[_StopText, Tag("·string")]
    | Annotated[list[_StopText], FAIL_FAST, Field(max_length=MAX_STOPS), Tag("·list")],
    by_json_type("a string or a list of strings"),
]


LogitBias = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[float, Field(ge=-100, le=100)]],
    Field(max_length=1000),
]
"""Biases by token. Their number is bounded, because llama.cpp takes minutes for tens of thousands, and does not stop
for a caller that leaves. OpenAI's tokens are numbers; llama.cpp also takes texts."""


class OcrFields(RequestModel):
    tables: bool | None = False
    markdown: bool | None = False


Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=16),
]
"""Metadata within OpenAI's limits."""


GuardMode = Literal["block", "flag"]


class ChatRequest(RequestModel):
    """A chat request. Its fields have the order and the ranges of the HTTP contract."""

    model: str
    messages: Annotated[list[ChatMessage], FAIL_FAST] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = False
    stream_options: ChatStreamOptions | None = None
    response_format: Annotated[ResponseFormat, DEFINITIONS] | None = None
    tools: Annotated[list[ChatTool], FAIL_FAST, Field(max_length=MAX_TOOLS), DEFINITIONS] | None = None
    tool_choice: ChatToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh", "on", "off", "auto", "none"] | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=32000)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=32000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = None
    stop: Stop | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    n: int | None = Field(default=None, ge=1, le=1)
    logit_bias: LogitBias | None = None
    top_k: int | None = Field(default=None, ge=-1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    user: str | None = None
    chat_template_kwargs: Annotated[dict[str, Any], DEFINITIONS] | None = None
    """Arguments of the LLM's chat template, for servers that take them."""
    metadata: dict[str, Any] | None = None
    evidence: bool | None = False
    """Ours: with a schema, return the source of each field of the answer."""
    task_options: dict[str, Any] | None = None
    """Ours: options of the task in the `<task>` tag, such as `{"target_language": "es"}`, in place of words."""
    ocr: OcrFields | None = None
    """Ours: further parts of OCR results, in addition to the text. The words "tables" and "as Markdown" in the text do
    the same."""
    verbatim: bool | None = False
    """Ours: a value that nothing supports is null, or the request fails. Implies `evidence`."""
    explain: str | None = Field(default=None, pattern="^/")
    """Ours: with a schema, the JSON pointer of a field of the answer, such as `/total`: the answer says why this field
    has its value. Implies `evidence`."""
    guard_mode: GuardMode | None = "block"
    """Ours: what `<guard>` does about something unsafe: `block` answers with its codes and nothing else, `flag` answers
    the request and reports the codes."""

    @property
    def shows_evidence(self) -> bool:
        return bool(self.evidence or self.verbatim or self.explain is not None)

    @property
    def is_only_flagged(self) -> bool:
        """True if the guard only reports unsafe texts and pictures, and blocks none."""
        return self.guard_mode == "flag"

    @property
    def shows_reasoning(self) -> bool:
        return self.reasoning_effort not in (None, "off", "none")

    @field_validator("messages")
    @classmethod
    def _check_parts(cls, messages: list[ChatMessage]) -> list[ChatMessage]:
        count = sum(
            (len(one.content) if isinstance(one.content, list) else 0) + len(one.tool_calls or ()) for one in messages
        )
        if count > MAX_PARTS:
            raise PydanticCustomError(
                "parts",
                "Expected at most {limit} content parts and calls in all messages together, not {count}",
                {"limit": MAX_PARTS, "count": count},
            )
        return messages

    @field_validator("stream_options")
    @classmethod
    def _check_stream_options(cls, options: ChatStreamOptions | None, info: ValidationInfo) -> Any:
        if options is not None and info.data.get("stream") in (None, False):
            raise PydanticCustomError("stream_options", "Only allowed where 'stream' is true")
        return options

    @field_validator("top_logprobs")
    @classmethod
    def _check_top_logprobs(cls, count: int | None, info: ValidationInfo) -> Any:
        if count and not info.data.get("logprobs"):
            raise PydanticCustomError("top_logprobs", "Only allowed where 'logprobs' is true")
        return count

    @field_validator("tool_choice")
    @classmethod
    def _check_tool_choice(cls, choice: ChatToolChoice | None, info: ValidationInfo) -> Any:
        tools: list[ChatTool] | None = info.data.get("tools")
        if choice is None or choice in ("auto", "none"):
            return choice
        if not tools:
            raise PydanticCustomError("tool_choice", "There are no 'tools' to choose from")
        named: Sequence[NamedToolChoice] = ()
        if isinstance(choice, NamedToolChoice):
            named = [choice]
        elif isinstance(choice, AllowedToolsChoice):
            named = choice.allowed_tools.tools
        if not {one.function.name for one in named} <= {tool.function.name for tool in tools}:
            raise PydanticCustomError("tool_choice", "A function that it names is not in 'tools'")
        return choice

    @model_validator(mode="after")
    def _read_format_beside_messages(self) -> Self:
        """Take a schema that is written in another server's way as that of the answer."""
        is_text = self.response_format is None or self.response_format.type == "text"
        if is_text and (found := format_beside_messages(self.model_extra or {})):
            name, form = found
            try:
                self.response_format = _check_definitions(ResponseFormat.model_validate(form))
            except PydanticCustomError as error:
                raise PydanticCustomError("schema", "{reason}", {"reason": error.message(), "field": name}) from None
        return self

    @model_validator(mode="after")
    def _keep_allowed_tools(self) -> Self:
        """Leave only the allowed tools, so that no other code has to know that there were more."""
        if isinstance(self.tool_choice, AllowedToolsChoice):
            allowed = self.tool_choice.allowed_tools
            names = {one.function.name for one in allowed.tools}
            self.tools = [tool for tool in self.tools or () if tool.function.name in names]
            self.tool_choice = allowed.mode
        return self
