"""Turns an LLM call into a request to llama.cpp. A schema is reduced to what llama.cpp's grammars can express."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from models.language.embedded_server import ChatTemplate
from models.language.forced_call import call_instructions, call_schema, forced_functions
from models.language.llm import LlmCall
from models.language.schema_grammar import ANY_OBJECT, decodable, json_grammar

_FORWARDED_OPTIONS = (
    "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty",
    "logprobs", "top_logprobs", "logit_bias", "seed",
)  # fmt: skip

_DEFAULT_OPTIONS = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}
"""Default options of a call. The first two values are from SmolLM2's model card; the penalty is openfaze's own. At
OpenAI's default temperature of 1, a small model loses its subject and repeats itself until its context is full."""

_LONGEST_NATIVE_SCHEMA = 10_000
"""A call with tools and a larger schema than this, in characters of JSON, is answered without the schema. With tools,
llama.cpp builds the grammar itself, which takes seconds for an `enum` of thousands of values."""


@dataclass(frozen=True, slots=True)
class NativeRequest:
    body: Mapping[str, Any]
    loose_grammar: str = ""
    """Grammar that permits any object where the grammar in `body` demands one of a certain shape. It is used if the
    grammar in `body` does not compile."""
    is_call: bool = False
    """True if the answer is a call: `{"name": …, "arguments": …}`."""
    bound: int | None = None
    """Limit on the answer's tokens that openfaze set because the caller set none; None if the caller set a limit."""

    @property
    def is_json(self) -> bool:
        """True if a grammar makes the answer JSON from its first character."""
        return "grammar" in self.body

    def encoded(self) -> bytes:
        return json.dumps(self.body).encode()

    def loosened(self) -> "NativeRequest":
        return replace(self, body={**self.body, "grammar": self.loose_grammar})


def native_request(call: LlmCall, template: ChatTemplate, longest_string: int, most_tokens: int) -> NativeRequest:
    """Return the request for `call`. `longest_string` bounds strings of JSON, in characters; `most_tokens` bounds an
    answer whose caller sets no limit."""
    request = _without_token_bound(call, template, longest_string)
    limit = call.options.get("max_completion_tokens") or call.options.get("max_tokens")
    body = {**request.body, "max_tokens": limit or most_tokens}
    return replace(request, body=body, bound=None if limit else most_tokens)


def count_characters(call: LlmCall, template: ChatTemplate) -> int:
    """Return the number of characters of everything that `call` writes into its prompt: texts, calls with their names,
    arguments and ids, and functions. A schema is not counted: it is in the prompt only beside tools, and has at most
    _LONGEST_NATIVE_SCHEMA characters there. The time grows with the number of texts, not with their length."""
    functions = forced_functions(call) or (call.tools if _shows_tools(call, template) else ())
    return sum(map(_length, _written(call.messages))) + _length(functions)


def _written(messages: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    for message in messages:
        content = message.get("content") or ""
        yield content if isinstance(content, str) else [part.get("text", "") for part in content]
        yield message.get("tool_calls")
        yield message.get("tool_call_id")


def _length(value: Any) -> int:
    """Return the number of characters of all texts and names in `value`."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(name) + _length(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    return 0


def _without_token_bound(call: LlmCall, template: ChatTemplate, longest_string: int) -> NativeRequest:
    body = {
        "stream": True,
        "stream_options": {"include_usage": True},
        # This option makes llama.cpp report after each batch of the prompt. A cancelled call can end at such a report.
        "return_progress": True,
        "reasoning_format": "auto",
        **_options(call.options),
    }
    schema = _schema(call.response_format)
    if forced := forced_functions(call):
        messages = _plain_messages([*call.messages, call_instructions(forced)])
        body |= {
            "messages": template.with_broken_markers(messages),
            "grammar": json_grammar(decodable(call_schema(forced), longest_string)),
        }
        anyhow = [{**function, "parameters": ANY_OBJECT} for function in forced]
        loose = json_grammar(decodable(call_schema(anyhow), longest_string))
        return NativeRequest(body | _thinking_switch(template, thinks=False), loose, is_call=True)
    if template.calls_tools:
        body["messages"] = template.with_broken_markers(_messages(call.messages))
        if _shows_tools(call, template):
            body |= _native_tools(call, template, schema, longest_string)
            return NativeRequest(body | _thinking_switch(template, thinks=call.thinks, options=call.options))
    else:
        body["messages"] = template.with_broken_markers(_plain_messages(call.messages))
    if schema is None:
        return NativeRequest(body | _thinking_switch(template, thinks=call.thinks, options=call.options))
    body["grammar"] = json_grammar(decodable(schema, longest_string))
    # The grammar already applies to the first token, which leaves no room for reasoning.
    return NativeRequest(body | _thinking_switch(template, thinks=False), json_grammar(ANY_OBJECT))


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        **_DEFAULT_OPTIONS,
        **{name: options[name] for name in _FORWARDED_OPTIONS if options.get(name) is not None},
    }
    if stop := options.get("stop"):
        given["stop"] = [stop] if isinstance(stop, str) else stop
    if "seed" in given:
        given["seed"] %= 1 << 32
    if is_reproducible(options):
        # If the beginning of a prompt were cached, its other tokens would be divided into different batches, which
        # changes the last bits of the results.
        given["cache_prompt"] = False
    return given


def is_reproducible(options: Mapping[str, Any]) -> bool:
    """True if the same call must give the same answer each time, because its options exclude randomness."""
    return options.get("seed") is not None or options.get("temperature") == 0


def _schema(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the schema to decode under; None for an answer in plain text."""
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            return schema
        case {"type": "json_schema" | "json_object"}:
            return ANY_OBJECT
        case _:
            return None


def _thinking_switch(
    template: ChatTemplate, *, thinks: bool, options: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the arguments of the chat template: the client's, and the switch for reasoning if the template has one."""
    given = options.get("chat_template_kwargs") or {}
    arguments = {"enable_thinking": thinks, **given} if template.can_think else dict(given)
    return {"chat_template_kwargs": arguments} if arguments else {}


def _shows_tools(call: LlmCall, template: ChatTemplate) -> bool:
    return template.calls_tools and bool(call.tools) and call.tool_choice != "none"


def _native_tools(
    call: LlmCall, template: ChatTemplate, schema: Mapping[str, Any] | None, longest_string: int
) -> dict[str, Any]:
    given: dict[str, Any] = {"tools": template.with_broken_markers(call.tools), "tool_choice": "auto"}
    if (parallel := call.options.get("parallel_tool_calls")) is not None:
        given["parallel_tool_calls"] = parallel
    if schema is not None:
        relaxed = decodable(schema, longest_string)
        if len(json.dumps(relaxed)) <= _LONGEST_NATIVE_SCHEMA:
            given["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": relaxed}}
    return given


def _messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `messages` with all instructions first, which every template accepts, and with contents as plain text."""
    instructions = [_text(m.get("content")) for m in messages if m["role"] in ("system", "developer")]
    turns = [
        {"role": m["role"], "content": _text(m.get("content"))}
        | {key: m[key] for key in ("tool_calls", "tool_call_id") if m.get(key)}
        for m in messages
        if m["role"] not in ("system", "developer")
    ]
    return [{"role": "system", "content": "\n\n".join(instructions)}, *turns] if instructions else turns


def _plain_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `messages` for a template that supports only text. The first result of a call becomes a user's message
    that also states the call. Further results of the same call do not repeat it, so that the texts are never longer
    than those of `messages`.

    A turn that consists only of calls is left out, because a small model would repeat it instead of answering.
    """
    calls: dict[str, str] = {}
    plain = []
    for message in _messages(messages):
        role, content = message["role"], message["content"]
        for call in message.get("tool_calls", ()):
            function = call["function"]
            calls[call["id"]] = f"{function['name']}({function.get('arguments', '')})"
        if role == "tool":
            called = calls.pop(message.get("tool_call_id", ""), "the call")
            plain.append({"role": "user", "content": f"Result of {called}:\n{content}"})
        elif content or not message.get("tool_calls"):
            plain.append({"role": role, "content": content})
    return plain


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if part.get("type") == "text")
