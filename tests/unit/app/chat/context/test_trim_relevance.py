"""Which pieces of a text have most to do with a question."""

from collections.abc import Sequence

from app.chat.context import trim
from app.chat.context.trim import MAX_QUESTION_WORDS, question_words, words


def word_overlap(question: str, pieces: Sequence[str]) -> list[float]:
    return trim.word_overlap(question, pieces)


def best(question: str, *pieces: str) -> int:
    scores = word_overlap(question, pieces)
    return scores.index(max(scores))


def test_rare_words_count_more_than_common_ones() -> None:
    assert (
        best("what is the warranty of the lamp", "the lamp is on the table", "the warranty ends", "the lamp is new")
        == 1
    )


def test_case_and_a_plural_do_not_matter() -> None:
    assert best("Which WARRANTIES, lamps?", "chairs", "One lamp", "tables") == 1


def test_a_short_piece_is_more_to_the_point_than_a_long_one() -> None:
    assert best("total", "the total of many other words that say little", "total 9") == 1


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("合計はABCいくら") == ["合", "計", "は", "abc", "い", "く", "ら"]
    assert best("合計はいくらですか", "店名 東京書店", "合計 900円", "日付") == 1


def test_a_question_counts_by_the_words_of_its_ends_however_long_it_is() -> None:
    question = " ".join(f"w{number}" for number in range(100_000)) + " where is the warranty"
    asked = question_words(question)
    assert len(asked) == MAX_QUESTION_WORDS
    assert {"w0", "warranty"} <= set(asked)
    assert best(question, "w50000", "the warranty") == 1
