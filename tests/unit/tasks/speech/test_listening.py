"""Words of stretches that overlap, and words where somebody speaks."""

import itertools

import pytest

from models.speech.transcriber import SpokenWord
from tasks.speech.listening import find_missed_speech, fit_to_speech, join_split_words, joined, without_neighbours


def words(*said: tuple[str, float, float]) -> list[SpokenWord]:
    return [SpokenWord(f" {text}", start, end, 0.9) for text, start, end in said]


def texts(found: list[SpokenWord]) -> str:
    return "".join(word.text for word in found).strip()


def test_a_word_that_both_stretches_heard_comes_once() -> None:
    before = words(("one", 8.0, 8.4), ("two", 8.5, 9.0), ("three", 9.9, 10.3), ("fo", 10.5, 11.0))
    after = words(("wo", 9.0, 9.1), ("three", 9.95, 10.35), ("four", 10.4, 10.9), ("five", 11.2, 11.6))
    assert texts(joined(before, after, 10.0)) == "one two three four five"


def test_without_a_word_in_common_each_stretch_has_its_side_of_the_cut() -> None:
    before = words(("one", 8.0, 8.4), ("too", 9.2, 9.6), ("free", 10.1, 10.5))
    after = words(("two", 9.2, 9.6), ("three", 10.1, 10.5), ("four", 11.0, 11.5))
    assert texts(joined(before, after, 10.0)) == "one too three four"


def test_a_word_does_not_last_through_the_pause_beside_it() -> None:
    found = fit_to_speech(words(("Americans", 1.8, 2.6), ("ask", 2.6, 3.9)), [(0.3, 2.2), (3.3, 4.4)])
    assert [(word.start, word.end) for word in found] == [(1.8, 2.2), (3.3, 3.9)]


def test_a_word_far_from_all_speech_was_made_up() -> None:
    assert texts(fit_to_speech(words(("yes", 1.0, 1.5), ("you", 6.0, 9.0)), [(0.9, 1.6)])) == "yes"


def test_words_are_in_order_and_take_time() -> None:
    found = fit_to_speech(words(("a", 1.0, 1.0), ("b", 1.0, 1.0), ("c", 0.9, 1.4)), [(0.5, 2.0)])
    assert all(word.start < word.end for word in found)
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))


def test_the_first_word_does_not_take_the_place_of_what_was_left_out_before_it() -> None:
    found = fit_to_speech(words(("Yes,", 0.7, 3.8), ("that", 4.3, 4.5)), [(1.1, 1.8), (3.6, 4.0), (4.3, 5.0)])
    assert [(word.start, word.end) for word in found] == [(3.6, 3.8), (4.3, 4.5)]
    cut = fit_to_speech(words(("Yes.", 0.7, 3.62), ("That", 4.3, 4.5)), [(1.1, 1.8), (3.6, 4.0), (4.3, 5.0)])
    assert [(word.start, word.end) for word in cut] == [(1.1, 1.8), (4.3, 4.5)]


def test_speech_without_words_is_doubtful() -> None:
    speech = [(0.0, 1.6), (2.5, 5.0), (5.4, 8.0)]
    said = words(("everybody", 0.0, 0.8), ("came", 0.9, 1.6))
    assert find_missed_speech(said, speech, 0.5) == [(2.5, 8.0)]
    assert find_missed_speech([*said, *words(("then", 2.5, 3.0), ("left", 7.4, 8.0))], speech, 0.5) == [(3.0, 7.4)]
    assert find_missed_speech(said, [(0.0, 1.6), (2.5, 2.9)], 0.5) == []
    assert find_missed_speech([], [], 0.5) == []


def test_a_second_hearing_does_not_repeat_the_words_beside_it() -> None:
    said = words(("no", 0.0, 0.4), ("other", 3.0, 3.4))
    found = words(("no", 0.5, 0.7), ("the", 1.0, 1.3), ("other", 2.7, 2.9))
    assert texts(without_neighbours(found, said, (0.4, 3.0))) == "the"
    assert texts(without_neighbours(found, words(("no", 0.0, 0.1)), (0.7, 3.0))) == "no the other"


def test_what_is_written_without_a_space_is_one_word() -> None:
    pieces = [
        SpokenWord(" is", 0.0, 0.4, 0.9, (1,)),
        SpokenWord(" K", 0.5, 0.7, 0.8, (2,)),
        SpokenWord("-O", 0.9, 1.2, 0.5, (3, 4)),
        SpokenWord(" then", 1.3, 1.6, 0.9, (5,)),
    ]
    found = join_split_words(pieces)
    assert [(word.text, word.start, word.end, word.tokens) for word in found] == [
        (" is", 0.0, 0.4, (1,)),
        (" K-O", 0.5, 1.2, (2, 3, 4)),
        (" then", 1.3, 1.6, (5,)),
    ]
    assert found[1].probability == pytest.approx(0.6)
