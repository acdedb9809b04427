"""The keys that a prompt names for the JSON that it asks for."""

import pytest

from app.chat.planning.named_keys import schema_of_named_keys


@pytest.mark.parametrize("gap", [" ", "\t", "keys "])
def test_a_prompt_of_gaps_is_searched_in_linear_time(gap: str) -> None:
    """Quadratic, these prompts would take many minutes, longer than a test may."""
    prompt = f"Extract the keys: {gap * 4000}x"
    for _ in range(250):
        schema_of_named_keys(prompt)


def test_words_of_courtesy_are_no_keys() -> None:
    schema = schema_of_named_keys("Give me JSON with the keys total and date, please.")
    assert schema is not None
    assert list(schema["properties"]) == ["total", "date"]
