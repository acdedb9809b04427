"""The options of tasks: what words and given fields become, what a fault names, and what a language model reads."""

from datetime import date
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from models.vision.gui.elements import TYPES
from tasks.base import Specialist
from tasks.catalog import SPECIALISTS
from tasks.errors import InputError, InputTooLarge
from tasks.series.horizon import Horizon, period_named
from tasks.series.options import MAX_INLINE_CHARS
from tasks.wording.gui_elements import TYPE_WORDS, ElementType
from tasks.wording.search_query import Freshness, WebSearchOptions
from tests.conftest import each_case
from tests.kit.chats.requests import request_of

INTERNAL = {
    "ocr": {"is_for_llm"},
    "object_detection": {"names"},
    "speech_to_text": {"to_english"},
    "forecast": {"named_horizon", "words"},
}


def options(task: str, words: str, given: dict[str, Any] | None = None, *, has_sources: bool = True) -> dict[str, Any]:
    return dict(SPECIALISTS[task].options_of(words, given or {}, has_sources=has_sources))


@each_case(
    ("task", "words", "given", "expected"),
    [
        ("ocr", "page 3 with tables", {"pages": "4-"}, {"pages": "4-", "tables": True, "markdown": False}),
        ("ocr", "page 3 with tables", {"tables": False}, {"pages": "3", "tables": False}),
        ("ocr", "", {"pages": "odd"}, {"pages": "odd", "tables": False}),
        ("object_detection", "find the cats", {"labels": ["dog"]}, {"labels": ("dog",)}),
        ("object_detection", "find the cats", {"small": True}, {"labels": ("cats",), "small": True}),
        ("gui_detection", "the Save button below", {"text": "Cancel"}, {"text": "Cancel", "types": {"button"}}),
        ("speech_to_text", "by word", {"source_language": "Dutch"}, {"by_word": True, "source_language": "nl"}),
        ("scraper", "Read it", {"fields": ["author"]}, {"fields": ("author",)}),
        ("web_search", "tides", {"since": "2026-01-01"}, {"query": "tides", "since": date(2026, 1, 1)}),
        ("web_search", "", {"query": " tides "}, {"query": "tides", "site": None}),
        ("code_sandbox", "```python\nprint(1)\n```", {"code": "print(2)"}, {"code": "print(2)"}),
        ("forecast", "the next 3 weeks", {"plot": True}, {"plot": True, "horizon": None}),
    ],
)  # fmt: skip
def test_a_given_field_prevails_over_the_words(
    task: str, words: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert options(task, words, given).items() >= expected.items()


@pytest.mark.parametrize(
    ("words", "given", "text", "target"),
    [
        ("Translate to French: hello", {}, "hello", "fr"),
        ("Translate to French: hello", {"target_language": "German"}, "hello", "de"),
        ("Where is the harbour?", {"target_language": "German"}, "Where is the harbour?", "de"),
        ("Where is the harbour?", {"target_language": "de", "text": "hello"}, "hello", "de"),
    ],
)
def test_words_without_an_order_are_the_text_if_a_field_names_the_language(
    words: str, given: dict[str, Any], text: str, target: str
) -> None:
    found = options("translate", words, given, has_sources=False)
    assert (found["text"], found["target_language"]) == (text, target)


def test_words_without_an_order_are_no_text_beside_an_input() -> None:
    assert options("translate", "Translate it, please.", {"target_language": "German"})["text"] == ""


def test_words_that_lack_what_the_task_needs_are_an_error_if_no_field_says_it() -> None:
    with pytest.raises(InputError, match="knows no language"):
        options("translate", "Where is the harbour?")
    with pytest.raises(InputError, match="needs something to search for"):
        options("web_search", " ")


@each_case(
    ("task", "given", "field", "message"),
    [
        ("ocr", {"colour": "red"}, "colour", "Extra inputs are not permitted"),
        ("forecast", {"horizon": 0}, "horizon", "greater than or equal to 1"),
        ("forecast", {"horizon": 257}, "horizon", "less than or equal to 256"),
        ("forecast", {"unit": "fortnight"}, "unit", "'week'"),
        ("translate", {"target_language": "Martian"}, "target_language", "'Martian' is no known language"),
        ("translate", {"text": "hello"}, "target_language", "Field required"),
        ("speech_to_text", {"source_language": "Martian"}, "source_language", "'Martian' is no language"),
        ("speech_to_text", {"speakers": 21}, "speakers", "less than or equal to 20"),
        ("object_detection", {"labels": [""]}, "labels.0", "at least 1 character"),
        ("gui_detection", {"types": ["knob"]}, "types.0", "'button', 'input'"),
        ("web_search", {"site": "https://example.org"}, "site", "should match pattern"),
        ("code_sandbox", {"code": ""}, "code", "at least 1 character"),
    ],
)
def test_a_fault_names_the_field(task: str, given: dict[str, Any], field: str, message: str) -> None:
    for words in ("", "please"):
        with pytest.raises(ValidationError) as raised:
            options(task, words, {"query": "x", **given} if task == "web_search" else given)
        [fault] = raised.value.errors()
        assert ".".join(map(str, fault["loc"])) == field
        assert message in fault["msg"]


@each_case("specialist", SPECIALISTS.values())
def test_a_language_model_reads_every_public_field_and_no_internal_one(specialist: Specialist) -> None:
    properties = specialist.options.model_json_schema()["properties"]
    internal = INTERNAL.get(specialist.name, set())
    assert properties.keys() == specialist.options.model_fields.keys() - internal
    assert all(one["description"] for one in properties.values())
    assert specialist.tool.description.endswith(".")


def test_types_of_elements_are_those_of_the_engines() -> None:
    assert set(get_args(ElementType)) == set(TYPES)
    assert set(TYPES) >= TYPE_WORDS.keys()
    assert options("gui_detection", "the comment text area")["types"] == {"textarea"}


def test_a_horizon_in_a_field_prevails_over_one_in_words() -> None:
    words = "Forecast the next 3 days"
    assert request_of("forecast", words, horizon=2, unit="week").options.asked_horizon == Horizon(
        2, period_named("week")
    )
    assert request_of("forecast", words, horizon=2).options.asked_horizon == Horizon(2)
    assert request_of("forecast", words).options.asked_horizon.count == 3


def test_a_long_text_with_a_series_is_refused_even_if_fields_are_given() -> None:
    with pytest.raises(InputTooLarge, match=str(MAX_INLINE_CHARS)):
        options("forecast", "1," * MAX_INLINE_CHARS, {"horizon": 3}, has_sources=False)


def test_a_last_day_alone_restricts_a_search() -> None:
    today = date(2026, 7, 1)
    search = WebSearchOptions(query="tides", until=date(2020, 1, 31)).as_query(today)
    assert search.freshness == Freshness(date(1991, 8, 6), date(2020, 1, 31), today)
    assert WebSearchOptions(query="tides").as_query(today).freshness is None
