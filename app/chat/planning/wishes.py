"""Determines what a message wishes, where no language model can find it out."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from app.chat.planning.prose import SUBJECTS, WORDS, Prose, is_document, pasted_in
from app.chat.planning.questions import (
    asks_for_prose,
    clauses_of,
    is_greeting,
    is_order,
    is_question,
    is_searchable,
    sentences_of,
)
from tasks.wording.phrases import compiled

_TABLE: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("wishes.toml").read_text("utf-8"))
_PATTERNS: Final = {name: row if isinstance(row, str) else "|".join(row) for name, row in _TABLE.items()}

_ENCLOSURE: Final = re.compile(r"```\w*|<[^<>]*>|-{4,}")
"""Signs around a document, which are left when it is taken out of the message."""
_LONGEST_END: Final = 600
"""A wish is looked for in this many characters at each end of a message."""
_MOST_SENTENCES: Final = 3

Kind = Literal["reading", "summary", "prose", "greeting", "fact", "other"]
"""Kind of a wish. A `reading` is the whole text of an input and nothing else. A `fact` may be searched for on the web;
`other` is what nothing here tells, about an input or the world."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The wish of a message."""

    kind: Kind = "other"
    question: str = ""
    """The words that ask, without sentences that only greet or say how to answer."""
    reads: bool = False
    """True if the message asks for the text of an input, perhaps among other things."""
    is_bare: bool = False
    """True if a single word or number should be the answer."""
    most_sentences: int = _MOST_SENTENCES
    """A summary has at most this many sentences."""

    @classmethod
    def of(cls, message: str, *, of_input: bool) -> Self:
        """Return the wish of a message. `of_input` is True if it comes with an input, or with an earlier document."""
        pasted = pasted_in(message) or ""
        if is_document(pasted.strip()):
            message, of_input = _ENCLOSURE.sub("\n", message.replace(pasted, "\n", 1)), True
        if len(message) > 2 * _LONGEST_END:
            message = f"{message[:_LONGEST_END]}\n{message[-_LONGEST_END:]}"
        sentences = [_without_frame(sentence) for sentence in sentences_of(message)]
        asking = [one for one in sentences if one and not (is_greeting(one) or _says(one, "how_to_answer"))]
        # A greeting beside an input asks for what is in it, as an input without a word does.
        question = " ".join(asking or ([] if of_input and all(map(is_greeting, sentences)) else sentences))
        prose = Prose.of(question)
        # Sentences that only tell something do not belong to the question.
        question = " ".join(one for one in asking if is_question(one) or is_order(one)) or question
        reads = of_input and (not prose.text.strip() or any(map(_reads_out, sentences_of(prose.text))))
        return cls(
            _kind(prose, asking, reads=reads, of_input=of_input or prose.brings_text),
            question,
            reads=reads,
            is_bare=_says(message, "bare"),
            most_sentences=_most_sentences(message),
        )


def _kind(prose: Prose, asking: Sequence[str], *, reads: bool, of_input: bool) -> Kind:
    writes = asks_for_prose(prose.text)
    if of_input and (_says(prose.text, "summary") or (writes and _says(prose.text, "factual"))):
        return "summary"
    if reads and not any(map(_asks_more, sentences_of(prose.text))):
        return "reading"
    if writes and not _says(prose.text, "factual"):
        return "prose"
    if not of_input and all(map(is_greeting, asking)):
        return "greeting"
    return "fact" if not of_input and is_searchable(" ".join(asking)) else "other"


def _most_sentences(message: str) -> int:
    counts = (rf"\b(?:{number})[ -](?:\w+ )?(?:{_PATTERNS['sentences']})" for number in _TABLE["numbers"])
    return next((number for number, form in enumerate(counts, 1) if compiled(form).search(message)), _MOST_SENTENCES)


def _says(text: str, subject: str) -> bool:
    return compiled(_PATTERNS[subject]).search(text) is not None


def _without_frame(sentence: str) -> str:
    """Return a sentence without words around the question in it: `Answer in one word: …`, `… Short answer:`."""
    return compiled(_PATTERNS["trail"]).sub("", compiled(_PATTERNS["lead"]).sub("", sentence)).strip()


def _reads_out(sentence: str) -> bool:
    """True if a sentence asks for a whole text, and not for a detail in it: "Extract the total."."""
    order = compiled(SUBJECTS["read_out"]).search(sentence)
    if order is None or WORDS.speaks_of(sentence[: order.start()], "not_before"):
        return False
    details = compiled(SUBJECTS["all_that_is_written"]).sub(" ", sentence)
    return compiled(SUBJECTS["written"]).search(details) is None


def _asks_more(sentence: str) -> bool:
    """True if a sentence has a clause that asks for something else than a text."""
    is_asked = is_question(sentence)
    return any(
        ((is_asked and is_question(clause)) or is_order(clause)) and not WORDS.speaks_of(clause, "read_out")
        for clause in clauses_of(sentence)
    )
