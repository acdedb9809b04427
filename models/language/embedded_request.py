"""A call in the form that llama.cpp takes, within what the model's template can say.

A forced tool call is decoded under a grammar of the call itself: llama.cpp enforces `tool_choice: required` for few
templates only. With `auto`, a template with tools gets them from llama.cpp; one without gets none and the model
answers in words: a model that was never taught calls chooses them no better than by chance.

JSON schemas as grammars of LLGuidance, the constrained decoder inside llama.cpp.

A schema that it cannot compile is ignored there without a word, and the model writes what it likes. So the schema
is relaxed first to what it can: the grammar takes every answer that a caller's short and closed reading of the schema
allows, and what it cannot express (`not`, `if`, `uniqueItems`, look-around …) is for the validator of the whole answer.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.language.embedded_server import ChatTemplate
from models.language.forced_call import call_schema, forced_functions, how_to_call
from models.language.llm import LlmCall

# Measured: LLGuidance compiles 60 levels and gives up at 80, takes 0.3 s for `maxItems` 10,000 and gives up at 100,000.
DEEPEST = 32
MOST_NODES = 10_000
MOST_REPEATS = 10_000
LONGEST_PATTERN = 500

_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "object", "array"})
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_BEYOND_REGULAR = re.compile(r"\(\?(?!:)|\\[1-9bBkGAZz]")
"""Look-around, inline flags, back-references, word boundaries."""

# Fixed separators keep small models from writing white space until their tokens run out.
_LAYOUT = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "coerce_one_of": True,
    "lenient": True,
}
ANY_OBJECT: Mapping[str, Any] = {"type": "object"}


def json_grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of the JSON that a decodable `schema` describes, on one line."""
    document = json.dumps({**schema, "x-guidance": _LAYOUT}, ensure_ascii=False)
    return f"%llguidance {{}}\nstart: %json {document}"


def decodable(schema: Mapping[str, Any], longest_string: int) -> dict[str, Any]:
    """`schema` in the keywords that decode well.

    Strings without a `maxLength` get `longest_string` characters, and objects that list properties are closed: valid
    answers all the same, and a small model comes to an end.
    """
    relaxed = _Relaxation(schema, longest_string).relax(schema, 0)
    return relaxed if isinstance(relaxed, dict) else dict(ANY_OBJECT)


class _Relaxation:
    def __init__(self, root: Mapping[str, Any], longest_string: int) -> None:
        self._root = root
        self._longest_string = longest_string
        self._nodes = 0
        # Closing the members of an intersection would leave nothing in it.
        self._closes = not _mentions_all_of(root)

    def relax(self, schema: object, depth: int) -> dict[str, Any] | bool:
        self._nodes += 1
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping) or depth > DEEPEST or self._nodes > MOST_NODES:
            return {}
        kept = {key: value for key, given in schema.items() if (value := self._keep(key, given, depth)) is not None}
        if kept.get("type") == "string" and not kept.keys() & {"maxLength", "pattern", "format", "enum", "const"}:
            kept["maxLength"] = max(self._longest_string, kept.get("minLength", 0))
        if self._closes and _lists_all_it_needs(kept):
            kept.setdefault("additionalProperties", False)
        return kept

    def _keep(self, key: str, given: Any, depth: int) -> Any:
        """The value to keep of a keyword, or None."""
        if key in _NAMED and isinstance(given, Mapping):
            return {name: self.relax(value, depth + 1) for name, value in given.items() if _compiles(key, name)}
        if key in _ALTERNATIVES or key == "prefixItems":
            return [self.relax(value, depth + 1) for value in given] if given and isinstance(given, list) else None
        if key in ("items", "additionalProperties"):
            return self.relax(given, depth + 1) if isinstance(given, Mapping | bool) else None
        return given if _is_understood(key, given, self._root) else None


def _is_understood(key: str, given: Any, root: Mapping[str, Any]) -> bool:
    match key:
        case "type":
            names = given if isinstance(given, list) else [given]
            return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)
        case "enum":
            return isinstance(given, list) and 0 < len(given) <= MOST_NODES
        case "const":
            return True
        case "required":
            return isinstance(given, list) and all(isinstance(name, str) for name in given)
        case "$ref":
            return isinstance(given, str) and _resolves(given, root)
        case "pattern":
            return isinstance(given, str) and _is_regular(given)
        case "format":
            return isinstance(given, str) and given in _FORMATS
        case _ if key in _COUNTS:
            return type(given) is int and 0 <= given <= MOST_REPEATS
        case _:
            return key in _NUMBERS and type(given) in (int, float)


def _lists_all_it_needs(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    if not properties or schema.keys() & {"patternProperties", "$ref", *_ALTERNATIVES}:
        return False
    return set(properties).issuperset(schema.get("required", ()))


def _mentions_all_of(schema: object) -> bool:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if "allOf" in node:
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _compiles(key: str, name: str) -> bool:
    return key != "patternProperties" or _is_regular(name)


def _is_regular(pattern: str) -> bool:
    if len(pattern) > LONGEST_PATTERN or _BEYOND_REGULAR.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        # What Python cannot read may still be a pattern elsewhere (`\p{L}`); the answer's validator knows.
        return False
    return True


def _resolves(reference: str, root: Mapping[str, Any]) -> bool:
    """Whether a JSON pointer into the same document leads to definitions, the only place it can be kept."""
    path = reference.removeprefix("#/").split("/")
    if not reference.startswith("#/") or len(path) != 2 or path[0] not in ("$defs", "definitions"):
        return reference == "#"
    definitions = root.get(path[0])
    name = path[1].replace("~1", "/").replace("~0", "~")
    return isinstance(definitions, Mapping) and name in definitions


_PASSED_ON = (
    "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty",
    "logprobs", "top_logprobs", "logit_bias", "seed",
)  # fmt: skip
_CALM = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}
"""Where the client says nothing: what SmolLM2's model card advises, and a penalty, for a small model at OpenAI's
temperature of 1 wanders off and repeats itself until its context is full."""
_LONGEST_NATIVE_SCHEMA = 10_000
"""Characters. Beside tools, llama.cpp's own grammars decode: they take seconds for an `enum` of thousands."""


@dataclass(frozen=True, slots=True)
class NativeRequest:
    body: Mapping[str, Any]
    loose_grammar: str = ""
    """The same kind of answer with any object in it, for when the grammar in `body` turns out not to compile."""
    is_call: bool = False
    """The answer is a call: `{"name": …, "arguments": …}`."""
    bound: int | None = None
    """The tokens that the answer may have where its caller has set no limit; None where one is set."""

    @property
    def is_json(self) -> bool:
        """A grammar makes the answer JSON from its first character on."""
        return "grammar" in self.body

    def encoded(self) -> bytes:
        return json.dumps(self.body).encode()

    def loosened(self) -> "NativeRequest":
        return replace(self, body={**self.body, "grammar": self.loose_grammar})


def native_request(call: LlmCall, template: ChatTemplate, longest_string: int, most_tokens: int) -> NativeRequest:
    """`longest_string` bounds strings of JSON, in characters; `most_tokens` an answer whose caller sets no limit."""
    request = _unbounded(call, template, longest_string)
    limit = call.options.get("max_completion_tokens") or call.options.get("max_tokens")
    body = {**request.body, "max_tokens": limit or most_tokens}
    return replace(request, body=body, bound=None if limit else most_tokens)


def _unbounded(call: LlmCall, template: ChatTemplate, longest_string: int) -> NativeRequest:
    body = {
        "stream": True,
        "stream_options": {"include_usage": True},
        # A sign of life for each batch of the prompt: where a cancelled call ends.
        "return_progress": True,
        "reasoning_format": "auto",
        **_options(call.options),
    }
    schema = _schema(call.response_format)
    if forced := forced_functions(call):
        messages = _plain_messages([*call.messages, how_to_call(forced)])
        body |= {
            "messages": template.inert(messages),
            "grammar": json_grammar(decodable(call_schema(forced), longest_string)),
        }
        anyhow = [{**function, "parameters": ANY_OBJECT} for function in forced]
        loose = json_grammar(decodable(call_schema(anyhow), longest_string))
        return NativeRequest(body | _thinking(template, thinks=False), loose, is_call=True)
    if template.calls_tools:
        body["messages"] = template.inert(_messages(call.messages))
        if call.tools and call.tool_choice != "none":
            body |= _native_tools(call, template, schema, longest_string)
            return NativeRequest(body | _thinking(template, thinks=call.thinks))
    else:
        body["messages"] = template.inert(_plain_messages(call.messages))
    if schema is None:
        return NativeRequest(body | _thinking(template, thinks=call.thinks))
    body["grammar"] = json_grammar(decodable(schema, longest_string))
    # The grammar holds from the first token on, which leaves no room for reasoning.
    return NativeRequest(body | _thinking(template, thinks=False), json_grammar(ANY_OBJECT))


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {**_CALM, **{name: options[name] for name in _PASSED_ON if options.get(name) is not None}}
    if stop := options.get("stop"):
        given["stop"] = [stop] if isinstance(stop, str) else stop
    if "seed" in given:
        given["seed"] %= 1 << 32
    if is_reproducible(options):
        # A prefix left by an earlier prompt changes how the rest is cut into batches, and so the last bits.
        given["cache_prompt"] = False
    return given


def is_reproducible(options: Mapping[str, Any]) -> bool:
    """Whether the same call must give the same answer each time: nothing in it is left to chance."""
    return options.get("seed") is not None or options.get("temperature") == 0


def _schema(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The schema to decode under; None for text."""
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            return schema
        case {"type": "json_schema" | "json_object"}:
            return ANY_OBJECT
        case _:
            return None


def _thinking(template: ChatTemplate, *, thinks: bool) -> dict[str, Any]:
    return {"chat_template_kwargs": {"enable_thinking": thinks}} if template.can_think else {}


def _native_tools(
    call: LlmCall, template: ChatTemplate, schema: Mapping[str, Any] | None, longest_string: int
) -> dict[str, Any]:
    given: dict[str, Any] = {"tools": template.inert(call.tools), "tool_choice": "auto"}
    if (parallel := call.options.get("parallel_tool_calls")) is not None:
        given["parallel_tool_calls"] = parallel
    if schema is not None:
        relaxed = decodable(schema, longest_string)
        if len(json.dumps(relaxed)) <= _LONGEST_NATIVE_SCHEMA:
            given["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": relaxed}}
    return given


def _messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With all instructions first, where every template takes them, and content as plain text."""
    instructions = [_text(m.get("content")) for m in messages if m["role"] in ("system", "developer")]
    turns = [
        {"role": m["role"], "content": _text(m.get("content"))}
        | {key: m[key] for key in ("tool_calls", "tool_call_id") if m.get(key)}
        for m in messages
        if m["role"] not in ("system", "developer")
    ]
    return [{"role": "system", "content": "\n\n".join(instructions)}, *turns] if instructions else turns


def _plain_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For templates that know words only: a result is told together with its call, in words.

    A turn that is nothing but calls is left out: shown one, a small model repeats it instead of answering.
    """
    calls = {call["id"]: call["function"] for m in messages for call in m.get("tool_calls") or ()}
    plain = []
    for message in _messages(messages):
        role, content = message["role"], message["content"]
        if role == "tool":
            called = calls.get(message.get("tool_call_id"), {"name": "the call"})
            content = f"Result of {called['name']}({called.get('arguments', '')}):\n{content}"
            plain.append({"role": "user", "content": content})
        elif content or not message.get("tool_calls"):
            plain.append({"role": role, "content": content})
    return plain


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if part.get("type") == "text")
