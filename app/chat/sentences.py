"""Sentences of answers that no LLM writes, in the language of the question."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tasks.wording.message_language import language_of


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences and phrases of an answer in one language, with placeholders for `name`, `percent`, `page` and
    `search`."""

    passages: str
    """First line of an answer that quotes passages."""
    missing: str
    uncertain: str
    page: str
    unanswered: str
    """Says that no LLM here can answer, and which settings help."""
    search: str
    """End of `unanswered` if no web search is set up either."""
    about: str
    """Answer that says what this server can do."""
    welcome: str
    """Reply to thanks."""


SENTENCES: Final[Mapping[str, Sentences]] = {
    language: Sentences(**row)
    for language, row in tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8")).items()
}
"""Sentences by the tag of their language."""


def sentences_for(question: str) -> Sentences:
    return SENTENCES[language_of(question)]


def unanswered(question: str, *, can_search: bool) -> str:
    """Return the sentence that no LLM here can answer a question, in the question's language."""
    sentences = sentences_for(question)
    return sentences.unanswered.format(search="" if can_search else sentences.search)
