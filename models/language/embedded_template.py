"""What a model's chat template can express, and which texts in it are markers rather than words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MARKER = re.compile(r"<\|?/?[A-Za-z_][\w-]*\|?>|\[/?[A-Z_]{3,}\]")
_ANY_CONTROL = re.compile(r"<(?=\|)")


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    calls_tools: bool
    """It shows tools to the model, and llama.cpp reads the model's calls."""
    can_think: bool
    """It can be told whether to reason first."""
    markers: re.Pattern[str]
    """The first character of anything that would end a message or begin another."""

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> "ChatTemplate":
        """From what llama.cpp tells at `/props`."""
        text, caps = props["chat_template"], props["chat_template_caps"]
        markers = {*_MARKER.findall(text), props["bos_token"], props["eos_token"]} - {""}
        literal = "|".join(f"{re.escape(marker[0])}(?={re.escape(marker[1:])})" for marker in sorted(markers))
        return cls(
            calls_tools=caps["supports_tools"] and caps["supports_tool_calls"],
            can_think="enable_thinking" in text,
            markers=re.compile(f"{_ANY_CONTROL.pattern}|{literal}" if literal else _ANY_CONTROL.pattern),
        )

    def inert(self, value: Any) -> Any:
        """`value` with the markers in its texts broken by a space: llama.cpp would read those of a document that
        quotes `<|im_end|>` like its own."""
        if isinstance(value, str):
            return self.markers.sub(lambda found: f"{found[0]} ", value)
        if isinstance(value, Mapping):
            return {key: self.inert(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.inert(item) for item in value]
        return value
