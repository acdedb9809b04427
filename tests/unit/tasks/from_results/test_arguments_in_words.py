"""Arguments of a call in a sentence of the user's."""

from typing import Any

import pytest

from app.chat.inputs import entry_of_user_texts
from app.wire.request import ChatRequest
from tasks.extraction.copied_fields import CopiedFields
from tasks.from_results.arguments_in_words import with_arguments

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
        "hi",
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


def test_numbers_that_are_as_many_as_their_parameters_stand_in_their_order() -> None:
    improbable: dict[tuple[str | int, ...], Any] = {("a",): 5, ("b",): 5}
    assert arguments("Add 3 and 5", improbable, a=NUMBER, b=NUMBER) == {"a": 3, "b": 5}
    assert arguments("Add 3, 4 and 5", improbable, a=NUMBER, b=NUMBER) == {}


@pytest.mark.parametrize("text", ["A room for 2 guests for 3 nights in Rome", "nights: 3, guests: 2"])
def test_a_number_belongs_to_the_word_of_its_parameter(text: str) -> None:
    assert arguments(text, guests=NUMBER, nights={"type": ["integer", "null"]}) == {"guests": 2, "nights": 3}
