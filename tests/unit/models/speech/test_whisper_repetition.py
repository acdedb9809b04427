"""Texts that go round in circles."""

import pytest

from models.speech.whisper import is_made_up, without_loops


def kept(text: str) -> str:
    words = text.split()
    return " ".join(words[index] for index in without_loops(words))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm not sure. I'm not sure. I'm not sure.", "I'm not sure."),
        ("so I see, I see I see it", "so I see, it"),
        ("ha ha ha ha ha", "ha"),
        ("one two three", "one two three"),
        ("the horse, the horse", "the horse, the horse"),
        ("", ""),
        ("well a b c a b c a b c done", "well a b c done"),
    ],
)
def test_a_phrase_that_comes_three_times_in_a_row_is_kept_once(text: str, expected: str) -> None:
    assert kept(text) == expected


def test_a_loop_of_likely_words_that_take_their_time_was_said() -> None:
    assert not is_made_up([0.95, 0.9], [0.3, 0.2, 0.3])
    assert is_made_up([0.4, 0.6], [0.3, 0.2, 0.3])
    assert is_made_up([0.95, 0.9], [0.3, 0.0, 0.0])
