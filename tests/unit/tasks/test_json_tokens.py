"""Tokens of JSON texts."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.json_tokens import decoded, encoded, is_json, parses_quickly, tokens

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_tokens_are_the_strings_and_numbers_of_the_value(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert is_json(text) == isinstance(value, dict | list)
    kinds = [(token.kind, text[token.start : token.end]) for token in tokens(text) if token.kind != "sign"]
    assert [(kind, decoded(part) if kind != "number" else part) for kind, part in kinds] == list(parts_of(value))


def parts_of(value: Any) -> Any:
    match value:
        case dict():
            for name, member in value.items():
                yield "name", name
                yield from parts_of(member)
        case list():
            for item in value:
                yield from parts_of(item)
        case str():
            yield "string", value
        case int() | float() if not isinstance(value, bool) and value == value and abs(value) != float("inf"):
            yield "number", json.dumps(value)


@given(st.text())
def test_a_string_is_kept_by_encoding_and_decoding(text: str) -> None:
    assert json.loads(encoded(text)) == decoded(encoded(text)) == text


def test_half_of_a_pair_stays_escaped() -> None:
    assert encoded("é\ud83d") == '"\\u00e9\\ud83d"'


def test_broken_and_too_deep_texts_are_not_json() -> None:
    assert not any(map(is_json, ("[1,]", '{"a"}', "[", "[]]", "3", '"a"', "[" * 100_000 + "]" * 100_000)))


def test_texts_of_few_values_parse_quickly() -> None:
    assert parses_quickly(json.dumps({"text": "long " * 200_000, "a": [1, 2]}))
    for item in ("1,", "[],", '{"a":1},', '"",'):
        assert not parses_quickly("[" + item * 20_000 + "1]")
