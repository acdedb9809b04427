"""Phrases of words, and the chunks that a client gets."""

import pytest

from models.speech.transcriber import SpokenWord
from tasks.speech.phrases import Phrase, phrases
from tasks.speech_to_text import chunks_of, speech_result


def spoken(text: str, start: float = 0.0, each: float = 0.4, gap: float = 0.05) -> list[SpokenWord]:
    """One word after the other; `|` is a pause of a second."""
    words, at = [], start
    for word in text.split():
        if word == "|":
            at += 1.0
            continue
        words.append(SpokenWord(f" {word}", at, at + each, 0.9))
        at += each + gap
    return words


def texts(found: list[Phrase]) -> list[str]:
    return ["".join(word.text for word in phrase.words).strip() for phrase in found]


def test_a_phrase_ends_with_a_sentence() -> None:
    assert texts(phrases(spoken("It rains. Take a coat! Why? Because."))) == [
        "It rains.",
        "Take a coat!",
        "Why?",
        "Because.",
    ]


@pytest.mark.parametrize("text", ["Mr. Smith and Dr. No", "at 9.30 or so", "e.g. this one"])
def test_an_abbreviation_is_no_end(text: str) -> None:
    assert texts(phrases(spoken(text))) == [text]


def test_no_phrase_is_longer_than_six_seconds() -> None:
    found = phrases(spoken(" ".join(f"word{number}" for number in range(200)), each=0.3))
    assert all(phrase.words[-1].end - phrase.words[0].start <= 6.0 for phrase in found)
    assert [word for phrase in found for word in phrase.words] == spoken(
        " ".join(f"word{number}" for number in range(200)), each=0.3
    )


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    text = "when the children came home from school, they were tired and very hungry after all"
    assert texts(phrases(spoken(text)))[0] == "when the children came home from school,"


def test_a_word_too_short_to_read_joins_its_neighbour() -> None:
    words = [*spoken("That is so."), SpokenWord(" I.", 1.4, 1.5, 0.9)]
    assert texts(phrases(words)) == ["That is so. I."]


def test_a_phrase_is_one_speakers() -> None:
    found = phrases(spoken("how are you fine thanks"), ["A", "A", "A", "B", "B"])
    assert [(phrase.speaker, text) for phrase, text in zip(found, texts(found), strict=True)] == [
        ("A", "how are you"),
        ("B", "fine thanks"),
    ]


def test_chunks_of_a_script_without_spaces_are_joined_by_nothing() -> None:
    words = [SpokenWord("你", 0.0, 0.3, 0.9), SpokenWord("好。", 0.3, 0.6, 0.9), SpokenWord("再见。", 2.0, 2.5, 0.9)]
    result = speech_result(chunks_of(phrases(words)), "zh").data
    assert [chunk["text"] for chunk in result["chunks"]] == ["你好。", "再见。"]
    assert result["text"] == "你好。再见。"


def test_times_have_two_decimals_at_most_and_go_forward() -> None:
    words = [SpokenWord(" a", 1.00001, 1.00002, 0.9), SpokenWord(" b", 1.23456, 1.9, 0.9)]
    chunks = chunks_of([Phrase([word]) for word in words])
    assert [chunk["timestamp"] for chunk in chunks] == [(1.0, 1.01), (1.23, 1.9)]


def test_a_short_phrase_lasts_as_long_as_it_may() -> None:
    alone = chunks_of([Phrase([SpokenWord(" Yes.", 1.0, 1.1, 0.9)])], 0.3)
    followed = chunks_of(
        [Phrase([SpokenWord(" Yes.", 1.0, 1.1, 0.9)]), Phrase([SpokenWord(" No.", 1.2, 1.9, 0.9)])], 0.3
    )
    assert alone[0]["timestamp"] == (1.0, 1.3)
    assert followed[0]["timestamp"] == (1.0, 1.2)
