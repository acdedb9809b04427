"""Words and signs of choices in the languages that documents are read in."""

from typing import Any

import pytest

from tasks.extraction import yes_and_no
from tasks.extraction.yes_and_no import EMPTY, LONGEST_CHOICE, TICKED, EnumValues, answer_of, most_harmless, words_of
from tests.conftest import each_case


@pytest.mark.parametrize("text", ["Yes.", "JA", "oui", "Sí", "sì", "Sim", "tak", "ya", "true", "✓", "x", *TICKED])
def test_a_cell_that_says_yes_is_true(text: str) -> None:
    assert answer_of(text) is True


@pytest.mark.parametrize("text", ["No", "nein", "NON", "Não", "nee", "nie", "Nej", "tidak", "false", "✗", *EMPTY])
def test_a_cell_that_says_no_is_false(text: str) -> None:
    assert answer_of(text) is False


@pytest.mark.parametrize("text", ["", "-", "perhaps", "yes or no", "12.50"])
def test_any_other_cell_says_neither(text: str) -> None:
    assert answer_of(text) is None


@each_case(
    ("text", "values", "choice"),
    [
        ("Bank transfer", ["card", "bank_transfer"], "bank_transfer"),
        ("PRÉLÈVEMENT", ["prelevement", "cheque"], "prelevement"),
        ("Überweisung", ["card", "transfer"], "transfer"),
        ("männlich", ["M", "F"], "M"),
        ("Nein", ["Yes", "No"], "No"),
        ("carte", ["card", "credit card"], "card"),
        ("Visa Mastercard", ["card", "cash"], None),
        ("", ["card", "cash"], None),
    ],
)
def test_a_printed_choice_is_the_value_that_means_the_same(text: str, values: list[Any], choice: Any) -> None:
    assert EnumValues(values).meant_by(text) == choice


def test_the_most_harmless_choice_claims_nothing() -> None:
    assert most_harmless(["approved", "other", "unknown"]) == "unknown"
    assert most_harmless(["approved", "refused"]) == "approved"


def test_the_values_of_an_enum_are_read_once_and_not_for_each_text(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(yes_and_no, "words_of", lambda text: read.append(text) or words_of(text))
    choices = EnumValues(["bank transfer", "card"])
    read.clear()
    assert [choices.meant_by(text) for text in ("Card", "BANK-TRANSFER", "cheque")] == ["card", "bank transfer", None]
    assert read == ["Card", "BANK-TRANSFER", "cheque"]


def test_a_value_of_an_enum_that_is_a_long_text_is_not_compared() -> None:
    choices = EnumValues(["a " * (LONGEST_CHOICE // 2), "a " * LONGEST_CHOICE])
    assert choices.values == ["a " * (LONGEST_CHOICE // 2)]
    assert choices.meant_by("a " * (LONGEST_CHOICE // 2)) == "a " * (LONGEST_CHOICE // 2)
    assert choices.meant_by("a " * LONGEST_CHOICE) is None
