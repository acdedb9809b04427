"""The keys that a prompt names for the JSON that it asks for."""

import time

import pytest

from app.chat.planning.named_keys import schema_of_named_keys


@pytest.mark.parametrize("gap", [" ", "\t", "keys "])
def test_a_prompt_of_gaps_is_searched_in_linear_time(gap: str) -> None:
    """Quadratic, a prompt of four times as many characters would take 16 times as long."""

    def processor_time(characters: int) -> float:
        prompt = f"Extract the keys: {gap * (characters // len(gap))}x"
        times = []
        for _ in range(5):
            start = time.thread_time()
            for _ in range(4):
                schema_of_named_keys(prompt)
            times.append(time.thread_time() - start)
        return min(times)

    assert processor_time(3_900) < 10 * processor_time(975)


def test_words_of_courtesy_are_no_keys() -> None:
    schema = schema_of_named_keys("Give me JSON with the keys total and date, please.")
    assert schema is not None
    assert list(schema["properties"]) == ["total", "date"]
