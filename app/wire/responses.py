"""The body of POST /v1/responses, and its conversion to a chat request.

Items become messages. An error about a message names the item instead (`ConvertedRequest.field_names`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError, to_json

from app.errors import BadRequest
from app.wire import request as chat
from app.wire.other_servers import GRAMMAR_FIELDS, SCHEMA_FIELDS
from app.wire.parse import first_problem
from app.wire.request import (
    DEFINITIONS,
    FAIL_FAST,
    LLM_OPTIONS,
    MAX_MESSAGES,
    MAX_TOOLS,
    ChatRequest,
    GuardMode,
    Identifier,
    Metadata,
    OcrFields,
    RefusalPart,
    RequestModel,
    TextPart,
    by_json_type,
)
from app.wire.response_items import (
    OPENAIS_TOOLS,
    OWN_TOOLS,
    AllowedTools,
    CallItem,
    CallOutputItem,
    CustomCallItem,
    FunctionTool,
    HostedTool,
    InputItem,
    MessageItem,
    NamedTool,
    OfferedTool,
    OtherItem,
    OutputTextPart,
    ResponsesToolChoice,
    Tool,
    llm_name,
    offered_tools,
)

CUSTOM_INPUT = "input"
"""Name of the only argument of a custom tool, which the LLM sees as a function."""
_CHAT_NAMES = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "functions": "tools",
    "function_call": "tool_choice",
    "n": None,
    "logprobs": "top_logprobs",
    "modalities": None,
    "audio": None,
    "prediction": None,
    "verbosity": "text.verbosity",
    "web_search_options": "tools",
}
"""Names that fields of chat completions have in this API; None for a field that this API lacks."""
MAX_OFFERED = 1024
"""A request has at most this many tools in all namespaces, of which `tool_choice` may allow as many as chat has."""
_UNSUPPORTED = {
    "truncation": "a conversation that does not fit is refused; send a shorter one",
    "background": "every request is answered at once; /v1/batches runs requests later",
    "conversation": "'previous_response_id' continues a conversation",
    "prompt": "prompts are not kept here; send 'instructions' and 'input'",
    "max_tool_calls": "the server's own limit of 32 calls applies",
}
_LOGPROBS = "message.output_text.logprobs"
_INCLUDED = (_LOGPROBS, "reasoning.encrypted_content", "message.input_image.image_url")
"""Values of `include` that cause no warning. Reasoning is always sent as plain text, even if
`reasoning.encrypted_content` is included."""


class TextFormat(RequestModel):
    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None

    @model_validator(mode="after")
    def _check_schema(self) -> Self:
        if self.schema_ is None and self.type == "json_schema":
            raise PydanticCustomError("schema", "'schema' is required where the type is 'json_schema'")
        return self


class TextConfig(RequestModel):
    format: Annotated[TextFormat, DEFINITIONS] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningConfig(RequestModel):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "auto", "on", "off"] | None = None
    summary: str | None = None


class ResponsesStreamOptions(RequestModel):
    include_obfuscation: bool | None = None


class ResponsesRequest(RequestModel):
    """A request to /v1/responses: OpenAI's fields and, beginning with `evidence`, ours."""

    model: str
    input: Annotated[
        Annotated[str, Tag("·string")]
        | Annotated[list[InputItem], FAIL_FAST, Field(max_length=MAX_MESSAGES), Tag("·list")],
        by_json_type("a string or a list of items"),
    ] = ""
    """Required. Its absence is checked after the check for `messages`, the name of this field in chat requests."""
    instructions: str | None = None
    """A system message of this request alone: the next request of the conversation does not have it."""
    previous_response_id: str | None = None
    """A stored response whose conversation this request continues."""
    store: bool | None = True
    """Keep the response for a while, for GET and `previous_response_id`."""
    stream: bool | None = False
    stream_options: ResponsesStreamOptions | None = None
    tools: Annotated[list[Tool], FAIL_FAST, Field(max_length=MAX_TOOLS), DEFINITIONS] | None = None
    tool_choice: Annotated[ResponsesToolChoice, DEFINITIONS] | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningConfig | None = None
    max_output_tokens: int | None = Field(default=None, ge=1, le=32000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    include: Annotated[list[str], FAIL_FAST, Field(max_length=32)] | None = None
    metadata: Metadata | None = None
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    service_tier: str | None = None
    safety_identifier: Identifier | None = None
    prompt_cache_key: Identifier | None = None
    user: Identifier | None = None
    conversation: None = None
    prompt: None = None
    max_tool_calls: None = None
    evidence: bool | None = False
    verbatim: bool | None = False
    guard_mode: GuardMode | None = "block"
    ocr: OcrFields | None = None

    @field_validator("truncation", "background", "conversation", "prompt", "max_tool_calls", mode="before")
    @classmethod
    def _check_supported(cls, value: Any, info: ValidationInfo) -> Any:
        if value in (None, False, "disabled"):
            return value
        raise PydanticCustomError(
            "unsupported", "Is not supported: {why}", {"why": _UNSUPPORTED[info.field_name or ""]}
        )

    @field_validator("input")
    @classmethod
    def _check_not_empty(cls, value: Any) -> Any:
        if not value:
            raise PydanticCustomError("input", "Input should not be empty")
        return value

    @property
    def items(self) -> list[InputItem]:
        if isinstance(self.input, str):
            return [MessageItem(role="user", content=self.input)]
        return self.input

    @property
    def offered_tools(self) -> dict[str, OfferedTool]:
        """The client's tools, by the names under which the LLM sees them."""
        return {one.name: one for one in offered_tools(self.tools or ())}

    @property
    def shows_reasoning(self) -> bool:
        return _effort(self) not in (None, "off", "none")


CHAT_FIELDS = (
    *(name for name in LLM_OPTIONS if name not in {*ResponsesRequest.model_fields, *_CHAT_NAMES}),
    *SCHEMA_FIELDS,
    *GRAMMAR_FIELDS,
)
"""Fields of chat requests that this API also takes, although OpenAI's Responses API lacks them."""


@dataclass(frozen=True, slots=True)
class ConvertedRequest:
    """A chat request, together with the client's fields from which its messages were made."""

    chat: ChatRequest
    places: Sequence[str]
    """Names of the client's fields, one for each message."""
    warnings: Sequence[str] = field(default_factory=tuple)

    @property
    def field_names(self) -> Iterator[tuple[str, str]]:
        """Names of the chat request's fields, each with the client's name, as `rename_fields` takes them."""
        return _field_names(self.places)

    def pointer(self, pointer: str) -> str:
        """Return the JSON pointer in the client's request that corresponds to a pointer in the chat request, such as
        `/messages/1/content`."""
        match pointer.split("/"):
            case ["", "messages", index, "content"] if int(index) < len(self.places):
                return "/" + self.places[int(index)].replace("[", "/").replace("].", "/")
        return pointer


def _field_names(places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of the chat request's fields with the client's. `places` has the client's name for each
    message."""
    for index, place in enumerate(places):
        yield f"messages[{index}].content", place
        yield f"messages[{index}]", place
    yield "'messages'", "'input'"
    yield "response_format.json_schema.schema", "text.format.schema"
    yield "response_format", "text.format"


def convert_request(
    request: ResponsesRequest,
    history: Sequence[Sequence[InputItem]] = (),
    has_task: Callable[[str], bool] = lambda _: True,
) -> ConvertedRequest:
    """Convert a request to a chat request. `history` has the items of earlier turns, the first turn first. `has_task`
    returns True if the full model may run a task. Raises BadRequest."""
    for name in _CHAT_NAMES.keys() & (request.model_extra or {}):
        hint = f": here it is '{_CHAT_NAMES[name]}'" if _CHAT_NAMES[name] else ""
        raise BadRequest(f"Field '{name}': is not supported by /v1/responses{hint}", param=name)
    if "input" not in request.model_fields_set:
        raise BadRequest("Field 'input': Field required", param="input")
    messages: list[chat.ChatMessage] = []
    places: list[str] = []
    if request.instructions:
        messages.append(chat.ChatMessage(role="system", content=request.instructions))
        places.append("instructions")
    warnings: dict[str, None] = {}
    earlier = (("previous_response_id", item) for item in chain.from_iterable(history))
    own = "input" if isinstance(request.input, str) else "input[{}].{}"
    now = ((own.format(index, _content_field(item)), item) for index, item in enumerate(request.items))
    _check_last(request.items)
    for place, item in chain(earlier, now):
        if isinstance(item, OtherItem):
            warnings[f"Items of the type '{item.type[:40]}' are ignored: the model does not see them."] = None
        elif (message := _to_message(messages, item)) is not None:
            messages.append(message)
            places.append(place)
    warnings |= dict.fromkeys(_find_ineffective(request, has_task))
    try:
        return ConvertedRequest(_chat(request, messages), places, list(warnings))
    except ValidationError as error:
        problem = first_problem(error)
        raise BadRequest(problem.message, param=problem.path or "input").renamed(_field_names(places)) from None


def _check_last(items: Sequence[InputItem]) -> None:
    """Raise BadRequest if an output of a hosted tool follows the last message or tool output. The LLM would have to
    answer such an output, but does not see it."""
    for index, item in reversed([*enumerate(items)]):
        if isinstance(item, OtherItem) and item.asks_for_an_answer:
            message = f"Items of the type '{item.type}' cannot be answered here: send 'function_call_output'"
            raise BadRequest(f"Field 'input[{index}]': {message}", param=f"input[{index}]")
        if isinstance(item, MessageItem | CallOutputItem):
            return


def _chat(request: ResponsesRequest, messages: Sequence[chat.ChatMessage]) -> ChatRequest:
    extra = request.model_extra or {}
    fields: dict[str, Any] = {name: extra[name] for name in CHAT_FIELDS if name in extra}
    if request.user is not None:
        fields["user"] = request.user
    if request.top_logprobs or _LOGPROBS in (request.include or ()):
        fields |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    tools, choice = _tools(request)
    return ChatRequest(
        model=request.model,
        messages=list(messages),
        stream=request.stream,
        response_format=_format(request),
        tools=tools or None,
        tool_choice=choice,
        parallel_tool_calls=request.parallel_tool_calls,
        reasoning_effort=_effort(request),
        max_completion_tokens=request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        metadata=request.metadata,
        evidence=request.evidence,
        verbatim=request.verbatim,
        guard_mode=request.guard_mode,
        ocr=request.ocr,
        **fields,
    )


def _content_field(item: InputItem) -> str:
    return "output" if isinstance(item, CallOutputItem) else "content"


def _to_message(messages: list[chat.ChatMessage], item: InputItem) -> chat.ChatMessage | None:
    """Return the message for `item`; None if the item was added to the last message, or is not shown to the LLM."""
    last = messages[-1] if messages and messages[-1].role == "assistant" else None
    match item:
        case MessageItem(role="assistant") if last is not None and last.content is None:
            # A text after calls belongs to the same message as the calls.
            last.content = _content(item.content)
        case MessageItem():
            return chat.ChatMessage(role=item.role, content=_content(item.content))
        case CallItem() | CustomCallItem():
            call = chat.ChatToolCall(
                id=item.call_id,
                function=chat.ChatFunctionCall(name=llm_name(item.name, item.namespace), arguments=_arguments(item)),
            )
            if last is None:
                return chat.ChatMessage(role="assistant", tool_calls=[call])
            if last.tool_calls is None:
                last.tool_calls = []
            last.tool_calls.append(call)
        case CallOutputItem():
            return chat.ChatMessage(role="tool", content=_content(item.output), tool_call_id=item.call_id)
        case _:
            pass
    return None


def _arguments(item: CallItem | CustomCallItem) -> str:
    return item.arguments if isinstance(item, CallItem) else to_json({CUSTOM_INPUT: item.input}).decode()


def _content(content: str | list[Any]) -> Any:
    if isinstance(content, str):
        return content
    return [_to_chat_part(part) for part in content]


def _to_chat_part(part: Any) -> Any:
    match part:
        case OutputTextPart():
            return TextPart(type="text", text=part.text)
        case RefusalPart():
            return TextPart(type="text", text=part.refusal)
        case _:
            return part


def _format(request: ResponsesRequest) -> chat.ResponseFormat | None:
    text_format = request.text.format if request.text else None
    if text_format is None:
        return None
    schema = None
    kind = text_format.type
    if kind == "json_schema" or (kind == "json_object" and text_format.schema_):
        kind = "json_schema"
        schema = chat.JsonSchema(name=text_format.name, schema=text_format.schema_ or {}, strict=text_format.strict)
    return chat.ResponseFormat(type=kind, json_schema=schema)


def _effort(request: ResponsesRequest) -> Any:
    """Return the reasoning effort as one of chat's values. A request for a summary implies that some reasoning is
    wanted."""
    reasoning = request.reasoning
    if reasoning is None:
        return None
    if reasoning.effort is None:
        return "auto" if reasoning.summary else None
    return {"xhigh": "high", "max": "high"}.get(reasoning.effort, reasoning.effort)


def _tools(request: ResponsesRequest) -> tuple[list[chat.ChatTool], Any]:
    tools = list(offered_tools(request.tools or ()))
    if len(tools) > MAX_OFFERED:
        message = f"Expected at most {MAX_OFFERED} tools in all namespaces together, not {len(tools)}"
        raise BadRequest(f"Field 'tools': {message}", param="tools")
    choice: Any = request.tool_choice
    match choice:
        case AllowedTools():
            known = _NamedTools(tools)
            named_tools = (named for named in choice.tools if isinstance(named, NamedTool))
            allowed = {one.name for named in named_tools for one in known.find(named)}
            tools = [one for one in tools if one.name in allowed]
            choice = choice.mode
        case NamedTool():
            name = _find_forced(choice, _NamedTools(tools))
            choice = chat.NamedToolChoice(type="function", function=chat.FunctionName(name=name))
        case _:
            pass
    return list(map(_to_chat_tool, tools)), choice


class _NamedTools:
    """The tools of a request by their names."""

    def __init__(self, tools: Sequence[OfferedTool]) -> None:
        self._by_name: dict[str, list[OfferedTool]] = {}
        """Tools by their name for the LLM."""
        self._by_own_name: dict[str, list[OfferedTool]] = {}
        """Tools by their name within their namespace."""
        for one in tools:
            self._by_name.setdefault(one.name, []).append(one)
            self._by_own_name.setdefault(one.tool.name, []).append(one)

    def find(self, named: NamedTool) -> Sequence[OfferedTool]:
        """Return the tools that `named` can refer to: the one whose name for the LLM it states or, for a name without
        its namespace, the tools of all namespaces that have it."""
        exact = self._by_name.get(llm_name(named.name, named.namespace), ())
        return exact or (self._by_own_name.get(named.name, ()) if named.namespace is None else ())


def _find_forced(named: NamedTool, tools: _NamedTools) -> str:
    """Return the name that the tool `named` has for the LLM. An unknown name is returned as it is. Raises BadRequest if
    several namespaces have a tool of this name."""
    names = [one.name for one in tools.find(named)]
    if len(names) > 1:
        message = f"Several tools have the name '{named.name}'; choose from: {', '.join(names)}"
        raise BadRequest(f"Field 'tool_choice': {message}", param="tool_choice")
    return names[0] if names else llm_name(named.name, named.namespace)


def _to_chat_tool(offered: OfferedTool) -> chat.ChatTool:
    tool = offered.tool
    if isinstance(tool, FunctionTool):
        function = chat.Function(
            name=offered.name, description=tool.description, parameters=tool.parameters, strict=tool.strict
        )
        return chat.ChatTool(type="function", function=function)
    sentences = [tool.description or ""]
    if tool.format and (grammar := tool.format.get("definition")):
        sentences.append(f"The input follows this grammar:\n{grammar}")
    parameters = {
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string"}},
        "required": [CUSTOM_INPUT],
        "additionalProperties": False,
    }
    function = chat.Function(name=offered.name, description="\n\n".join(filter(None, sentences)), parameters=parameters)
    return chat.ChatTool(type="function", function=function)


def _find_ineffective(request: ResponsesRequest, has_task: Callable[[str], bool]) -> Iterator[str]:
    for index, tool in enumerate(request.tools or ()):
        if not isinstance(tool, HostedTool):
            continue
        if tool.type in OPENAIS_TOOLS:
            yield f"Tool '{tool.type}' has no effect: this server does not have it."
        elif has_task(OWN_TOOLS[tool.type]):
            yield (
                f"Tool '{tool.type}': the model uses the server's own specialists where it needs them; the tool's "
                "parameters have no effect."
            )
        elif tool.type == "code_interpreter":
            message = f"'{tool.type}' is not supported here: this server runs no code (OPENFAZE_CODE_SANDBOX)"
            raise BadRequest(f"Field 'tools[{index}]': {message}", param=f"tools[{index}]")
        else:
            # The request is not refused, because Codex sends this tool with every request.
            yield f"Tool '{tool.type}' has no effect: this server has no web search (OPENFAZE_SEARCH_PROVIDER)."
    if request.text and request.text.verbosity in ("low", "high"):
        yield "Field 'text.verbosity' has no effect here: say in words how long the answer should be."
    for name in request.include or ():
        if name not in _INCLUDED:
            yield f"Field 'include': '{name[:60]}' has no effect."
