"""A JSON text is valid if a parser says so."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tasks.json_tokens import JsonToken, decoded, encoded, is_json, parses_quickly, tokens

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def is_parsed(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_what_is_json_is_read_as_such(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert is_json(text) == isinstance(value, dict | list)
    read = [text[token.start : token.end] for token in tokens(text)]
    assert "".join(read) == json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)


@given(st.lists(st.sampled_from([*'[]{},:" \\', '"a"', "1", "-0.5e+3", "01", "null", "nul", "NaN", "\n", "\x01"])))
@example(["[", "1", ",", "]"])
@example(["{", '"a"', ":", "1", ",", "}"])
@example(["{", '"a"', "}"])
@example(["[", "]", "]"])
@example(["[", '"', "\\", '"', "]"])
def test_a_text_is_json_where_a_parser_says_so(parts: list[str]) -> None:
    text = "".join(parts)
    assert is_json(text) == is_parsed(text)


@given(st.text())
def test_strings_are_kept(text: str) -> None:
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        assert list(tokens(written)) == [JsonToken("string", 0, len(written))]
        assert json.dumps(decoded(written)) == json.dumps(text)
    assert json.loads(encoded(text)) == text


def test_half_of_a_pair_stays_escaped() -> None:
    assert encoded("é\ud83d") == '"\\u00e9\\ud83d"'


def test_names_are_told_from_strings() -> None:
    kinds = [token.kind for token in tokens('{"a": ["b", {"c": -1.5}], "d": null}') if token.kind != "sign"]
    assert kinds == ["name", "string", "name", "number", "name", "constant"]


def test_texts_of_few_values_parse_quickly() -> None:
    assert parses_quickly(json.dumps({"text": "long " * 200_000, "a": [1, 2]}))
    assert parses_quickly("[" + "1," * 19_998 + "1]")
    for item in ("1,", "[],", '{"a":1},', '"",'):
        assert not parses_quickly("[" + item * 20_000 + "1]")


def test_any_depth_is_read() -> None:
    assert is_json("[" * 100_000 + "]" * 100_000)
