"""Which pieces of a text have most to do with a question."""

from app.chat.relevance import with_neighbours, word_overlap, words


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


def test_without_overlap_all_is_nothing() -> None:
    assert word_overlap("summarise", ["a b", "c"]) == [0, 0]
    assert word_overlap("", ["a"]) == [0]
    assert word_overlap("a", []) == []


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("合計はABCいくら") == ["合", "計", "は", "abc", "い", "く", "ら"]
    assert best("合計はいくらですか", "店名 東京書店", "合計 900円", "日付") == 1


def test_neighbours_share_in_a_score() -> None:
    assert with_neighbours([0, 10, 0, 0]) == [3, 10, 3, 0]
