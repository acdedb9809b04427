"""Printed words beside the words of a field's name."""

from tasks.extraction.likeness import SAME_NAME, likeness_by_words
from tasks.extraction.names import names_of
from tasks.extraction.word_likeness import SYNONYM, word_likeness
from tests.conftest import each_case


@each_case(
    ("printed", "word", "likeness"),
    [
        ("total", "total", 1.0),
        ("totals", "total", 1.0),
        ("t0tal", "total", 1.0),
        ("qty", "quantity", SYNONYM),
        ("date", "total", 0.0),
        ("nets", "net", 0.0),
    ],
)
def test_a_word_is_itself_longer_misread_or_a_synonym(printed: str, word: str, likeness: float) -> None:
    assert word_likeness(printed, word) == likeness


def test_a_label_counts_by_its_words_also_where_one_is_misread() -> None:
    names = names_of(("machine_runtime",), {})
    assert likeness_by_words(names, "machine runtime") == SAME_NAME
    assert likeness_by_words(names, "Hours of machlne runtime") == likeness_by_words(names, "Hours of machine runtime")
    assert likeness_by_words(names, "operator") == 0.0
