"""Forces a tool call by asking for the call as JSON under a schema, for LLMs that ignore `tool_choice`.

A server may accept `tool_choice` and silently ignore it: llama.cpp does for a model whose template does not support
tools, Ollama for all models. Nearly all servers observe a schema.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.language.llm import Done, LlmBroke, LlmCall, LlmEvent, TextDelta, ToolCallDelta

_NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}
_OPTIONS_OF_CALLS = frozenset({"parallel_tool_calls", "stop"})
_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKENS = (r"\{", '"name"', ":", _STRING, ",", '"arguments"', ":", r"(?=\S)")
_START = tuple(re.compile(rf"\s*{token}", re.S) for token in _TOKENS)
"""Tokens at the beginning of a call, up to its arguments. Grammars fix the order of the two members; few fix the white
space between tokens."""
_NAME_AT = 3
"""Place of the function's name among these tokens."""
_LONGEST_TOKEN = 1024
"""An answer with more characters than this without the next of these tokens is not a call. A name has at most 64
characters, or six times as many if each is escaped."""


def forced_functions(call: LlmCall) -> Sequence[Mapping[str, Any]]:
    """Return the functions of which one must be called; empty if the call may be answered with text."""
    functions = [tool["function"] for tool in call.tools]
    match call.tool_choice:
        case "required":
            return functions
        case {"function": {"name": name}}:
            return [function for function in functions if function["name"] == name]
        case _:
            return []


def call_schema(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON schema of a call of one of `functions`, with the name before the arguments."""
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"const": function["name"]},
                "arguments": function.get("parameters") or _NO_PARAMETERS,
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for function in functions
    ]
    # References to definitions count from the root of the schema, so the definitions of every tool are moved there.
    root: dict[str, Any] = {"anyOf": calls}
    for function in functions:
        parameters = function.get("parameters") or {}
        for place in ("$defs", "definitions"):
            if isinstance(definitions := parameters.get(place), Mapping):
                root[place] = {**root.get(place, {}), **definitions}
    return root


def call_instructions(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
    text = (
        "Answer with a call of one of these functions, as JSON with its name and its arguments. "
        f"Take the arguments from the conversation.\n{shown}"
    )
    return {"role": "system", "content": text}


def with_forced_tools_only(call: LlmCall) -> LlmCall:
    """Return the call with only the functions that it must choose from, because llama.cpp treats a `tool_choice` that
    names a function as `auto`."""
    forced = forced_functions(call)
    return replace(call, tools=[tool for tool in call.tools if tool["function"] in forced])


def with_call_schema(call: LlmCall) -> LlmCall:
    """Return the call with a JSON schema in place of its tools. `CallReader` reads its answer."""
    functions = forced_functions(call)
    form = {"name": "call", "schema": call_schema(functions), "strict": False}
    options = {name: value for name, value in call.options.items() if name not in _OPTIONS_OF_CALLS}
    return replace(
        call,
        messages=[*call.messages, call_instructions(functions)],
        tools=(),
        tool_choice=None,
        response_format={"type": "json_schema", "json_schema": form},
        options=options,
    )


class CallReader:
    """Reads one streamed `{"name": …, "arguments": {…}}`. The last brace is not part of the arguments."""

    def __init__(self) -> None:
        self._tokens_read = 0
        """Number of tokens of _START that were read."""
        self._token = ""
        """Beginning of the next token."""
        self._name = ""
        """The function's name, as a string of JSON."""
        self._announced = False
        self._is_refused = False
        self._held: list[str] = []
        """End of the arguments so far: white space and at most one brace, held back because this brace may be the
        closing brace of the call."""

    def read(self, event: LlmEvent) -> Iterator[LlmEvent]:
        """Yield the events of the call. Raises LlmBroke if an answer that was not cut is not a call."""
        match event:
            case TextDelta(is_refusal=True):
                self._is_refused = True
                yield event
            case TextDelta(text):
                yield from self._read_text(text)
            case Done("stop") if not self._is_refused:
                if not self._announced:
                    raise _no_call()
                yield replace(event, finish_reason="tool_calls")
            case Done():
                # The answer was cut before its last brace.
                if self._held:
                    yield ToolCallDelta(0, "".join(self._held))
                yield event
            case _:
                yield event

    def _read_text(self, text: str) -> Iterator[LlmEvent]:
        if not self._announced:
            text = self._read_start(text)
            if self._tokens_read < len(_START):
                return
            self._announced = True
            yield ToolCallDelta(0, id=f"call_{secrets.token_hex(12)}", name=_decoded(self._name))
        if not text.strip():
            # White space is only collected, because joining what is held for each piece would take quadratic time.
            self._held.append(text)
            return
        text = "".join([*self._held, text])
        safe_text = text.rstrip().removesuffix("}").rstrip()
        self._held = [text[len(safe_text) :]]
        if safe_text:
            yield ToolCallDelta(0, safe_text)

    def _read_start(self, text: str) -> str:
        """Read tokens of the beginning, and return the text behind them. The time is linear in the number of
        characters, regardless of the size of the pieces."""
        if len(self._token) > _LONGEST_TOKEN:
            return ""
        text = (self._token + text).lstrip()
        position = 0
        while self._tokens_read < len(_START):
            found = _START[self._tokens_read].match(text, position)
            if found is None:
                self._token = text[position:].lstrip()
                return ""
            if self._tokens_read == _NAME_AT:
                self._name = found[0]
            self._tokens_read += 1
            position = found.end()
        return text[position:]


def _decoded(name: str) -> str:
    """Return the text of a string of JSON. Raises LlmBroke if it has an escape that JSON does not know."""
    try:
        return str(json.loads(name, strict=False))
    except ValueError:
        raise _no_call() from None


def _no_call() -> LlmBroke:
    return LlmBroke("The LLM did not make the call that was required.", reason="no call")
