"""Sentences in the language of the question."""

import string

import pytest

from app.chat.sentences import SENTENCES, sentences_for, unanswered
from tasks.wording.message_language import language_classifier

PLACEHOLDERS = {
    "missing": {"name"},
    "uncertain": {"percent"},
    "page": {"page"},
    "unanswered": {"search"},
    "passages": set(),
    "search": set(),
    "about": set(),
    "welcome": set(),
}


def test_each_language_of_messages_has_sentences() -> None:
    assert SENTENCES.keys() == set(language_classifier().languages)


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_sentence_has_its_placeholders_in_each_language(name: str) -> None:
    for language, sentences in SENTENCES.items():
        found = {field for _, field, _, _ in string.Formatter().parse(getattr(sentences, name)) if field}
        assert found == PLACEHOLDERS[name], language


def test_sentences_are_in_the_language_of_the_question() -> None:
    assert sentences_for("Wie hoch ist die Summe?").page == "Seite {page}"
    assert sentences_for("Apakah jumlahnya?").page == "halaman {page}"


def test_the_setting_of_a_web_search_is_named_where_there_is_none() -> None:
    alone, both = (unanswered("Who wrote Faust?", can_search=can_search) for can_search in (True, False))
    assert "OPENFAZE_SEARCH_URL" not in alone
    assert both == alone[:-1] + SENTENCES["en"].search + "."
