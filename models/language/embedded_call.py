"""From the text of a call decoded under its schema to the deltas of a tool call."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

from models.language.llm import Done, LlmEvent, TextDelta, ToolCallDelta

_HEAD = re.compile(r'\{"name": ("(?:[^"\\]|\\.)*"), "arguments": ')
"""The grammar fixes order and white space."""


class CallReader:
    """Reads one `{"name": …, "arguments": {…}}` as it comes; the last brace is not the arguments'."""

    def __init__(self) -> None:
        self._head = ""
        self._announced = False
        self._held = ""
        """The last character so far, while it may be the closing brace."""

    def read(self, event: LlmEvent) -> Iterator[LlmEvent]:
        match event:
            case TextDelta(text):
                yield from self._read_text(text)
            case Done("stop"):
                yield replace(event, finish_reason="tool_calls")
            case Done():
                # It ended before its last brace.
                if self._held:
                    yield ToolCallDelta(0, self._held)
                yield event
            case _:
                yield event

    def _read_text(self, text: str) -> Iterator[LlmEvent]:
        if not self._announced:
            self._head += text
            found = _HEAD.match(self._head)
            if found is None:
                return
            self._announced = True
            yield ToolCallDelta(0, id=f"call_{secrets.token_hex(12)}", name=json.loads(found[1]))
            text = self._head[found.end() :]
        text = self._held + text
        self._held = text[-1:]
        if len(text) > 1:
            yield ToolCallDelta(0, text[:-1])
