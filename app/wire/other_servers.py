"""Fields that other servers have in addition to OpenAI's: vLLM, SGLang, llama.cpp, Ollama, Together."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError, from_json

SAMPLING_FIELDS = (
    "top_k",
    "min_p",
    # vLLM and SGLang
    *("repetition_penalty", "length_penalty", "min_tokens", "stop_token_ids", "ignore_eos", "bad_words"),
    *("allowed_token_ids", "include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens"),
    # llama.cpp
    *("repeat_penalty", "repeat_last_n", "typical_p", "top_n_sigma", "min_keep", "samplers"),
    *("dynatemp_range", "dynatemp_exponent", "xtc_probability", "xtc_threshold"),
    *("mirostat", "mirostat_tau", "mirostat_eta"),
    *("dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers"),
)
"""Fields that change how an LLM chooses its tokens. An LLM's server takes or refuses them."""
SCHEMA_FIELDS = ("guided_json", "structured_outputs", "json_schema", "format")
"""Fields beside the messages with the schema of the answer: of vLLM before and since 0.12, of llama.cpp, and of
Ollama."""
GRAMMAR_FIELDS = ("guided_choice", "guided_regex", "guided_grammar", "grammar")
"""Fields beside the messages that constrain the answer by something other than a schema."""
_SCHEMA_WORDS = frozenset(("type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"))
"""A schema has one of these keywords, unless anything satisfies it."""


def standard_format(given: Any) -> Any:
    """Return a `response_format` as OpenAI has it. Others write the schema beside the type, whichever type it is, or
    put it in the place of the object with its name."""
    if not isinstance(given, dict):
        return given
    schema, form = given.get("schema"), given.get("json_schema")
    if given.get("type") in ("json_object", "json_schema") and isinstance(schema, dict) and schema and form is None:
        return _with_schema(schema, given)
    is_bare = isinstance(form, dict) and "schema" not in form and not form.keys().isdisjoint(_SCHEMA_WORDS)
    if given.get("type") == "json_schema" and isinstance(form, dict) and is_bare:
        return _with_schema({word: value for word, value in form.items() if word not in ("name", "strict")}, form)
    return given


def format_beside_messages(fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the meaning, as a `response_format`, of the field among `fields` that has the schema of the
    answer; None if there is none. Raises PydanticCustomError for a field that has something else."""
    for name in SCHEMA_FIELDS:
        value = fields.get(name)
        if name == "structured_outputs" and isinstance(value, dict):
            value = "json" if value.get("json_object") is True else value.get("json")
        if value in (None, ""):
            continue
        if value == "json":
            return name, {"type": "json_object"}
        schema = _decoded(value)
        if name == "format" and isinstance(value, str) and not isinstance(schema, dict):
            continue  # The name is a common word, and may mean anything elsewhere.
        if not isinstance(schema, dict):
            raise PydanticCustomError("schema", "Input should be a JSON schema", {"field": name})
        return name, _with_schema(schema, {})
    return None


def _with_schema(schema: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    named = {word: beside[word] for word in ("name", "strict") if word in beside}
    return {"type": "json_schema", "json_schema": {**named, "schema": schema}}


def _decoded(value: Any) -> Any:
    """Return the value of a JSON text, as vLLM takes schemas, too; any other value as it is."""
    try:
        return from_json(value) if isinstance(value, str) else value
    except ValueError:
        return None
