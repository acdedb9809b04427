"""Words of stretches that overlap, and words where somebody speaks."""

import itertools

from models.speech.transcriber import Word
from tasks.speech.stitching import fitted, joined, unheard


def words(*said: tuple[str, float, float]) -> list[Word]:
    return [Word(f" {text}", start, end, 0.9) for text, start, end in said]


def texts(found: list[Word]) -> str:
    return "".join(word.text for word in found).strip()


def test_a_word_that_both_stretches_heard_comes_once() -> None:
    before = words(("one", 8.0, 8.4), ("two", 8.5, 9.0), ("three", 9.9, 10.3), ("fo", 10.5, 11.0))
    after = words(("wo", 9.0, 9.1), ("three", 9.95, 10.35), ("four", 10.4, 10.9), ("five", 11.2, 11.6))
    assert texts(joined(before, after, 10.0)) == "one two three four five"


def test_without_a_word_in_common_each_stretch_has_its_side_of_the_cut() -> None:
    before = words(("one", 8.0, 8.4), ("too", 9.2, 9.6), ("free", 10.1, 10.5))
    after = words(("two", 9.2, 9.6), ("three", 10.1, 10.5), ("four", 11.0, 11.5))
    assert texts(joined(before, after, 10.0)) == "one too three four"


def test_a_word_said_twice_is_not_taken_for_one() -> None:
    before = words(("no", 9.2, 9.4), ("no", 9.8, 10.0))
    after = words(("no", 9.8, 10.0), ("no", 10.5, 10.7))
    assert texts(joined(before, after, 10.0)) == "no no no"


def test_a_stretch_with_nothing_in_it_takes_nothing_away() -> None:
    said = words(("one", 8.0, 8.4), ("two", 9.2, 9.6))
    assert joined(said, [], 10.0) == said


def test_a_word_does_not_last_through_the_pause_beside_it() -> None:
    found = fitted(words(("Americans", 1.8, 2.6), ("ask", 2.6, 3.9)), [(0.3, 2.2), (3.3, 4.4)])
    assert [(word.start, word.end) for word in found] == [(1.8, 2.2), (3.3, 3.9)]


def test_a_word_far_from_all_speech_was_made_up() -> None:
    assert texts(fitted(words(("yes", 1.0, 1.5), ("you", 6.0, 9.0)), [(0.9, 1.6)])) == "yes"


def test_words_are_in_order_and_take_time() -> None:
    found = fitted(words(("a", 1.0, 1.0), ("b", 1.0, 1.0), ("c", 0.9, 1.4)), [(0.5, 2.0)])
    assert all(word.start < word.end for word in found)
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))


def test_speech_without_words_is_found() -> None:
    speech = [(0.0, 4.0), (4.5, 9.0), (9.4, 12.0)]
    said = words(("one", 0.0, 2.0), ("two", 2.0, 4.0))
    assert unheard(said, speech, 1.5) == [(4.5, 12.0)]
    assert unheard([*said, *words(("three", 4.5, 12.0))], speech, 1.5) == []
    assert unheard([], [], 1.5) == []


def test_a_pause_between_words_is_not_unheard_speech() -> None:
    assert unheard(words(("one", 0.0, 2.0), ("two", 6.0, 8.0)), [(0.0, 2.1), (5.9, 8.0)], 1.5) == []
