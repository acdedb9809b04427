"""Which JSON a model's text is taken for, and when it is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.schema.checker import SchemaChecker
from tasks.schema.json_answer import AnswerInvalid, parse_answer, whole_members
from tests.conftest import each_case

TOTAL = SchemaChecker({"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]})


def reason(text: str, schema: SchemaChecker | None = None) -> str:
    with pytest.raises(AnswerInvalid) as caught:
        parse_answer(text, schema)
    assert len(str(caught.value)) < 400
    return str(caught.value)


@each_case(
    "text",
    [
        '{"total": 9.00}',
        ' \ufeff\n{"total": 9.00}\n',
        '```json\n{"total": 9.00}\n```',
        '```\n{"total": 9.00}\n```',
        'Here it is:\n```json\n{"total": 9.00}\n```\nAnything else?',
        'The receipt says {"total": 9.00}. Hope that helps!',
        'As [the receipt] and {you} say: {"total": 9.00}',
        '{"total": 9.00}<|im_end|>',
        '{"total": 9.00}\n\n{"total": 9.00}',
        'See [1]: {"total": 9.00}',
    ],
)
def test_the_json_is_found_bare_and_as_written(text: str) -> None:
    answer = parse_answer(text, TOTAL)
    assert answer.value == {"total": 9.0}
    assert answer.text == '{"total": 9.00}'


@each_case(
    ("text", "words"),
    [
        ("", "empty"),
        ("I cannot see a receipt.", "not valid JSON"),
        ('{"total": 9', "breaks off"),
        ('{"items": [{"total": 1}, {"total":', "breaks off"),
        ('{"note": "never', "breaks off within a string"),
        ("{'total': 9}", "not valid JSON"),
        ('{"total": 9,}', "not valid JSON"),
        ('Either {"total": 9,} or {"total": 8}', "not valid JSON"),
        ('{"items": [{"total": 1}, oops]}', "not valid JSON"),
        ('{"total": 1, "total": 2}', "the key 'total' appears twice"),
        ('{"total": NaN}', "NaN is not JSON"),
        ('{"total": -Infinity}', "Infinity is not JSON"),
        ('{"total": 1e999}', "too large"),
        ('{"total": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"name": "\\ud83d"}', "half of a surrogate pair"),
        ("[" * 100_000, "breaks off"),
        ('{"a":' * 65 + "1" + "}" * 65, "more than 64 levels"),
        ("[" * 100_000 + "]" * 100_000, "not valid JSON"),
        ("{" * 100_000, "breaks off"),
        ("x" * 1_000_001, "longer than"),
    ],
)
def test_what_is_not_one_whole_json_value_is_told_in_words(text: str, words: str) -> None:
    assert words in reason(text)


def test_an_answer_that_does_not_fit_says_why() -> None:
    assert reason('{"total": "abc"}', TOTAL) == "The JSON does not fit: at /total: 'abc' is not of type 'number'."


@each_case(
    ("text", "whole"),
    [
        ('{"a": 1, "b": [2, {"c": 3}, {"c": 4', {"a": 1, "b": [2, {"c": 3}, {}]}),
        ('Here: {"a": "x", "b": "half of', {"a": "x"}),
        ('{"a": 12', {}),
        ('{"a": tru', {}),
        ('{"a": true, "b"', {"a": True}),
        ('{"a": true, "b": ', {"a": True}),
        ('{"a": "ends in \\', {}),
        ('{"a": {"b": [[1, 2], [3', {"a": {"b": [[1, 2], []]}}),
        ('{"a": 1} and {"b": 2', {"a": 1}),
        ('{"a": 1, "a": 2, "b', {"a": 2}),
        ('{"a": ]', None),
        ("no JSON", None),
        ("", None),
    ],
)
def test_of_json_that_was_cut_off_whole_members_are_left(text: str, whole: Any) -> None:
    assert whole_members(text) == whole


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=12,
)


def is_within(part: Any, whole: Any) -> bool:
    """Whether `whole` is `part`, or has more at the ends of its objects and lists."""
    match part, whole:
        case dict(), dict():
            return all(key in whole and is_within(value, whole[key]) for key, value in part.items())
        case list(), list():
            return len(part) <= len(whole) and all(map(is_within, part, whole))
        case _:
            return type(part) is type(whole) and bool(part == whole)


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.booleans(), st.data())
def test_wherever_json_is_cut_nothing_is_left_that_it_does_not_say(
    value: Any, ascii_: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_)
    assert whole_members(text) == value
    cut = text[: data.draw(st.integers(1, len(text)))]
    assert is_within(whole_members(cut), value)
