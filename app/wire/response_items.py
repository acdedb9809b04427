"""Items of /v1/responses and the tools of a request, in the form in which clients send them and this server stores
them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, RootModel, Tag

from app.wire.request import (
    FAIL_FAST,
    MAX_TOOLS,
    ContentPart,
    Identifier,
    RefusalPart,
    RequestModel,
    ToolName,
    by_json_type,
)

_CalledName = Annotated[str, Field(max_length=255)]
"""Name of a called tool, or its namespace. For the LLM, both together are one `Identifier` (`llm_name`)."""
OWN_TOOLS = {
    "web_search": "web_search",
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "code_interpreter": "code_sandbox",
}
"""Tasks of this server, by the types of the corresponding hosted tools of OpenAI. The full model runs these tasks when
it needs them."""
OPENAIS_TOOLS = (
    "apply_patch", "computer", "computer_use_preview", "file_search", "image_generation", "local_shell", "mcp", "shell",
    "tool_search",
)  # fmt: skip
"""Types of OpenAI's hosted tools that this server does not have. Codex offers some of them with every request."""
OPENAIS_ITEMS = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "compaction_trigger",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
"""Types of items of OpenAI's hosted tools. A conversation that began at OpenAI may contain such items."""
_ITEMS = {
    "message": "·message",
    "function_call": "·call",
    "custom_tool_call": "·custom",
    "function_call_output": "·output",
    "custom_tool_call_output": "·output",
    "reasoning": "·reasoning",
    "item_reference": "·reference",
}
_TOOLS = {
    "function": "·function",
    "custom": "·custom",
    "namespace": "·namespace",
    **dict.fromkeys((*OWN_TOOLS, *OPENAIS_TOOLS), "·hosted"),
}


class OutputTextPart(RequestModel):
    type: Literal["output_text"]
    text: str


def _part_of(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else getattr(part, "type", None)
    return f"·{kind}" if kind in ("output_text", "refusal") else "·part"


ItemPart = Annotated[
    Annotated[OutputTextPart, Tag("·output_text")]
    | Annotated[RefusalPart, Tag("·refusal")]
    | Annotated[ContentPart, Tag("·part")],
    Discriminator(_part_of),
]
ItemContent = Annotated[
    Annotated[str, Tag("·string")] | Annotated[list[ItemPart], FAIL_FAST, Tag("·list")],
    by_json_type("a string or a list of content parts"),
]


class KeptItem(RequestModel):
    """Base of items that are stored with their response. One that comes without an id is given one."""

    id: Identifier | None = None


class MessageItem(KeptItem):
    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: ItemContent


class CallItem(KeptItem):
    type: Literal["function_call"]
    call_id: Identifier
    name: _CalledName
    namespace: _CalledName | None = None
    arguments: str


class CustomCallItem(KeptItem):
    type: Literal["custom_tool_call"]
    call_id: Identifier
    name: _CalledName
    namespace: _CalledName | None = None
    input: str


class CallOutputItem(KeptItem):
    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: Identifier
    output: ItemContent


class ReasoningItem(KeptItem):
    """A reasoning item, which is accepted and not shown to the LLM."""

    type: Literal["reasoning"]


class ReferenceItem(RequestModel):
    """A reference to an item of a stored response."""

    type: Literal["item_reference"] = "item_reference"
    id: str


class OtherItem(KeptItem):
    """An item of one of OpenAI's hosted tools. The LLM does not see it."""

    type: str

    @property
    def asks_for_an_answer(self) -> bool:
        """True if the item is the output of a hosted tool."""
        return self.type.endswith(("_output", "_response"))


def _item_kind(item: Any) -> str | None:
    """Return the tag of an item by its type. An item without a type is a message if it has a role, and otherwise a
    reference if it has an id."""
    fields = item if isinstance(item, dict) else getattr(item, "__dict__", {})
    kind = fields.get("type")
    if kind is None:
        return "·message" if "role" in fields else "·reference" if "id" in fields else None
    return _ITEMS.get(kind, "·other" if kind in OPENAIS_ITEMS else None) if isinstance(kind, str) else None


InputItem = Annotated[
    Annotated[MessageItem, Tag("·message")]
    | Annotated[CallItem, Tag("·call")]
    | Annotated[CustomCallItem, Tag("·custom")]
    | Annotated[CallOutputItem, Tag("·output")]
    | Annotated[ReasoningItem, Tag("·reasoning")]
    | Annotated[ReferenceItem, Tag("·reference")]
    | Annotated[OtherItem, Tag("·other")],
    Discriminator(
        _item_kind,
        custom_error_type="item",
        custom_error_message=f"Input should be an object with a 'role', or with a 'type' of: {', '.join(_ITEMS)}",
    ),
]


class FunctionTool(RequestModel):
    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class CustomTool(RequestModel):
    """A function whose one argument is a text."""

    type: Literal["custom"]
    name: ToolName
    description: str | None = None
    format: dict[str, Any] | None = None


class NamespaceTool(RequestModel):
    """Functions and custom tools under a common name, such as Codex's tools of an MCP server."""

    type: Literal["namespace"]
    name: ToolName
    description: str = ""
    tools: Annotated[
        list[Annotated[FunctionTool | CustomTool, Field(discriminator="type")]],
        FAIL_FAST,
        Field(max_length=MAX_TOOLS),
    ]


class HostedTool(RequestModel):
    """A tool of OpenAI's, whose type is in OWN_TOOLS or OPENAIS_TOOLS."""

    type: str


_TOOL_MESSAGE = f"Only tools of these types are supported: function, custom, namespace, {', '.join(OWN_TOOLS)}"


def _tool_kind(tool: Any) -> str | None:
    kind = tool.get("type") if isinstance(tool, dict) else getattr(tool, "type", None)
    return _TOOLS.get(kind) if isinstance(kind, str) else None


Tool = Annotated[
    Annotated[FunctionTool, Tag("·function")]
    | Annotated[CustomTool, Tag("·custom")]
    | Annotated[NamespaceTool, Tag("·namespace")]
    | Annotated[HostedTool, Tag("·hosted")],
    Discriminator(
        _tool_kind,
        custom_error_type="tool",
        custom_error_message=_TOOL_MESSAGE,
    ),
]


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool of the client in the form in which it is offered to the LLM."""

    tool: FunctionTool | CustomTool
    namespace: str | None = None

    @property
    def name(self) -> str:
        return llm_name(self.tool.name, self.namespace)


def llm_name(name: str, namespace: str | None) -> str:
    """Return the name that a tool has for the LLM, which knows no namespaces."""
    return f"{namespace}__{name}" if namespace else name


def offered_tools(tools: Iterable[Tool]) -> Iterator[OfferedTool]:
    """Yield the tools that the client runs itself."""
    for tool in tools:
        match tool:
            case NamespaceTool():
                yield from (OfferedTool(one, tool.name) for one in tool.tools)
            case FunctionTool() | CustomTool():
                yield OfferedTool(tool)
            case _:
                pass


class NamedTool(RequestModel):
    type: Literal["function", "custom"]
    name: str
    """Name of the tool, either within its namespace or, as for the LLM, with its namespace (`llm_name`)."""
    namespace: str | None = None


AllowedTool = Annotated[
    Annotated[NamedTool, Tag("·function")]
    | Annotated[NamedTool, Tag("·custom")]
    | Annotated[HostedTool, Tag("·hosted")],
    Discriminator(_tool_kind, custom_error_type="tool", custom_error_message=_TOOL_MESSAGE),
]


class AllowedTools(RequestModel):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[AllowedTool], FAIL_FAST, Field(max_length=MAX_TOOLS)]


def _choice_kind(choice: Any) -> str | None:
    if isinstance(choice, str):
        return "·string"
    kind = choice.get("type") if isinstance(choice, dict) else getattr(choice, "type", None)
    return "·allowed" if kind == "allowed_tools" else "·named" if kind in ("function", "custom") else None


ResponsesToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("·string")]
    | Annotated[NamedTool, Tag("·named")]
    | Annotated[AllowedTools, Tag("·allowed")],
    Discriminator(
        _choice_kind,
        custom_error_type="tool_choice",
        custom_error_message="Input should be 'auto', 'none', 'required' or an object with a 'type' of: "
        "function, custom, allowed_tools",
    ),
]


class StoredItems(RootModel[list[InputItem]]):
    model_config = ConfigDict(strict=True)


def kept_items(items: Iterable[InputItem], number: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a request in their stored form.

    `number` is the id of the response without `resp_`. An item for which the client sent no id gets an id that contains
    `number`. If the content of a message is a text, it becomes a list of one content part.
    """
    for index, item in enumerate(items):
        kept: dict[str, Any] = item.model_dump(exclude_unset=True, by_alias=True, warnings=False)
        kind = kept.setdefault("type", item.type)
        prefix = "msg" if kind == "message" else "item"
        kept["id"] = kept.get("id") or f"{prefix}_{number}i{index:04x}"
        if isinstance(item, MessageItem):
            kept.setdefault("status", "completed")
            if isinstance(item.content, str):
                part = "output_text" if item.role == "assistant" else "input_text"
                kept["content"] = [{"type": part, "text": item.content}]
                if item.role == "assistant":
                    kept["content"][0]["annotations"] = []
        yield kept
