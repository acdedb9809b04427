"""Arguments of a call in a sentence of the user's."""

from typing import Any

import pytest

from app.chat.inputs import entry_of_user_texts
from app.wire.request import ChatRequest
from tasks.extraction import passages
from tasks.extraction.arguments_in_words import with_arguments
from tasks.extraction.copied_fields import CopiedFields
from tasks.notation.numbers import Number

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def arguments(said: str, improbable: dict[tuple[str | int, ...], Any] | None = None, **fields: Any) -> dict[str, Any]:
    entry = entry_of_user_texts(
        ChatRequest.model_validate({"model": "auto", "messages": [{"role": "user", "content": said}]})
    )
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    copied = with_arguments(schema, CopiedFields({}, improbable=improbable or {}), entry)
    assert all(one.entry is entry and 0.5 < one.probability < 1 for one in copied.decided.values())
    return {str(path[0]): value for path, value in copied.values.items()}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("What's the weather in Paris?", "city", "Paris"),
        ("What is my horoscope? I am an Aquarius.", "sign", "Aquarius"),
        ("What is the weather like in New York today?", "location", "New York"),
        ("Wie ist das Wetter in München?", "city", "München"),
        ("Quel temps fait-il à Lyon demain ?", "ville", "Lyon"),
        ("weather in new york", "city", "new york"),
        ("Search for red shoes under 50 euros.", "query", "red shoes under 50 euros"),
        ("Who is the CEO of Apple?", "company", "Apple"),
        ("Turn off the light in the kitchen, please.", "room", "kitchen"),
        ('Create a list called "Monday chores".', "name", "Monday chores"),
        ("Berlin", "city", "Berlin"),
        ("Is it going to rain in May in London?", "city", "London"),
        ("Translate good morning into French.", "target_language", "French"),
        ("Mail anna@example.com saying I'll be late.", "body", "I'll be late"),
        ("Send it to anna@example.com saying thanks.", "to", "anna@example.com"),
    ],
)
def test_only_the_words_that_fit_the_parameter_are_taken(text: str, name: str, value: str) -> None:
    assert arguments(text, **{name: STRING}) == {name: value}


@pytest.mark.parametrize(
    "text",
    [
        "Tell me about the weather.",
        "What is the weather like today?",
        "hi",
        "Thanks a lot.",
        "Thanks",
        "Wie wird das Wetter am Montag?",
    ],
)
def test_a_sentence_without_such_words_has_no_argument(text: str) -> None:
    assert arguments(text, city=STRING) == {}


def test_each_parameter_has_words_of_its_own() -> None:
    assert arguments("Fly from Berlin to Rome.", origin=STRING, destination=STRING) == {
        "origin": "Berlin",
        "destination": "Rome",
    }
    assert arguments("Play Bohemian Rhapsody by Queen", title=STRING, artist=STRING) == {
        "title": "Bohemian Rhapsody",
        "artist": "Queen",
    }


def test_a_name_is_no_time() -> None:
    assert arguments("Remind me to call Anna tomorrow", time=STRING) == {}


def test_numbers_that_are_as_many_as_their_parameters_stand_in_their_order() -> None:
    improbable: dict[tuple[str | int, ...], Any] = {("a",): 5, ("b",): 5}
    assert arguments("Add 3 and 5", improbable, a=NUMBER, b=NUMBER) == {"a": 3, "b": 5}
    assert arguments("Add 3, 4 and 5", improbable, a=NUMBER, b=NUMBER) == {}


@pytest.mark.parametrize("text", ["A room for 2 guests for 3 nights in Rome", "nights: 3, guests: 2"])
def test_a_number_belongs_to_the_word_of_its_parameter(text: str) -> None:
    assert arguments(text, guests=NUMBER, nights={"type": ["integer", "null"]}) == {"guests": 2, "nights": 3}


def test_an_argument_that_the_schema_does_not_allow_is_none() -> None:
    assert arguments("What's the weather in Paris?", city={**STRING, "minLength": 10}) == {}


@pytest.mark.parametrize("word", ["a", "a-", "1,"])
def test_a_word_of_any_length_is_a_document_and_not_searched(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def find(text: str) -> list[Number]:
        searched.append(len(text))
        return []

    monkeypatch.setattr(passages, "find_numbers", find)
    assert arguments(f"Book {word * 10_000}", {("total",): None}, total=NUMBER) == {}
    assert not searched
    arguments("Book 4 seats", {("total",): None}, total=NUMBER)
    assert searched == [12]


@pytest.mark.parametrize("sign", [".", ":"])
def test_a_word_may_have_thousands_of_signs(sign: str) -> None:
    """With a search at each sign, for each parameter, this would take longer than a test may."""
    found = arguments(f"Send it in {sign * 9_900}A", **{f"city_{index}": STRING for index in range(300)})
    assert set(found.values()) == {"A"}


@pytest.mark.parametrize(
    ("text", "city"), [('Meet me in Paris." Bring Anna', "Paris"), ("Meet me in (New York!) Bring Anna", "New York")]
)
def test_a_sentence_ends_before_closing_quotes_and_brackets(text: str, city: str) -> None:
    assert arguments(text, city=STRING)["city"] == city
