"""Finds the fields that a request asks to be filled. The request names these fields by a schema, by a function that
must be called, or by the keys of an object in the prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.chat.inputs import texts_of
from app.chat.pasted import pasted_in
from app.chat.planning.background import BackgroundPrompt
from app.chat.planning.described_json import (
    described_schema,
    schema_in,
    schema_like,
    schema_of_named_keys,
    without_description,
)
from app.chat.planning.orders import asks_for_json, asks_only_for_json, described_form
from app.chat.shape import Shape
from app.wire.request import ChatRequest, ChatTool, NamedToolChoice, ResponseFormat

CALL = "/tool_calls/0/function/arguments"
"""JSON pointer of the arguments of the only call in an answer."""
MAX_INSTRUCTIONS = 16
"""At most this many messages are searched for the names of keys."""
NO_KEYS = (
    "No keys were found in the prompt, so the object is empty: name them, as in 'JSON with the keys a, b and c', or "
    "send a json_schema."
)


@dataclass(frozen=True, slots=True)
class RequestedFields:
    """The fields that a request asks to be filled."""

    shape: Shape
    function: str | None = None
    """Name of the function that must be called with the fields; None if the fields are the answer's text."""
    warning: str | None = None
    is_described: bool = False
    """True if only the prompt describes the fields, so that those that nothing answers may be null."""

    @property
    def root(self) -> str:
        """JSON pointer of the filled object in the answer's message, for evidence; empty if the object is the text
        itself."""
        return CALL if self.function else ""


def forced_tools(request: ChatRequest) -> Sequence[ChatTool]:
    """Return the tools of which the LLM must call one; empty if the request requires no call."""
    tools = request.tools or []
    if isinstance(choice := request.tool_choice, NamedToolChoice):
        return [tool for tool in tools if tool.function.name == choice.function.name][:1]
    return tools if choice == "required" else []


def fields_of_tool(request: ChatRequest, tool: ChatTool) -> RequestedFields:
    """Return the arguments of a tool as fields. Raises InputError if its parameters are not a schema."""
    index = (request.tools or []).index(tool)
    schema = tool.function.parameters or {"type": "object", "properties": {}}
    return RequestedFields(Shape.of_schema(schema, f"tools[{index}].function.parameters"), tool.function.name)


def fields_of_format(request: ChatRequest, form: ResponseFormat) -> RequestedFields | None:
    """Return the fields of a `response_format`, or None for plain text.

    Raises InputError for a schema that no answer can satisfy.
    """
    shape = Shape.of(form)
    if shape is None or shape.schema is not None:
        return None if shape is None else RequestedFields(shape)
    instructions = [*texts_of(request, "user")[-1:], *texts_of(request, "system", "developer")][:MAX_INSTRUCTIONS]
    schema = next(filter(None, map(described_schema, instructions)), None)
    if schema is None:
        orders = (text.replace(pasted_in(without_description(text)) or "\n", "\n") for text in instructions)
        schema = next(filter(None, map(schema_of_named_keys, orders)), None)
    if schema is None:
        return RequestedFields(Shape.of_schema({"type": "object", "properties": {}}, "messages"), warning=NO_KEYS)
    return RequestedFields(Shape.of_schema(schema, "messages"), is_described=True)


def fields_of_prompt(
    request: ChatRequest, background: BackgroundPrompt | None, *, names_values: bool = False
) -> RequestedFields | None:
    """Return the fields of the JSON that a prompt without `response_format` wants as its answer: those of the form that
    it shows, or with `names_values` those that it names. Return None if there are none. Raises InputError."""
    user = "".join(texts_of(request, "user")[-1:])
    # An example of JSON may itself look like the beginning of a document. A system message may describe JSON for some
    # of its answers, unless it permits nothing else.
    system = filter(asks_only_for_json, texts_of(request, "system", "developer"))
    prompts = [background.orders] if background else [user.replace(pasted_in(user) or "\n", "\n"), user, *system]
    form = next(filter(None, map(described_form, prompts)), None)
    schema = (schema_in(form) or schema_like(form)) if isinstance(form, dict) else None
    if background and schema is None and asks_for_json(background.orders):
        schema = {"type": "array"} if form else schema_of_named_keys(background.orders)
    if schema is None and form is None and background is None and names_values and asks_for_json(prompts[0]):
        named = schema_of_named_keys(prompts[0])
        return RequestedFields(Shape.of_schema(named, "messages"), is_described=True) if named else None
    return RequestedFields(Shape.of_schema(schema, "messages")) if schema else None
