"""Determines what a message asks for, by the words of its instructions: its wish, and the tasks that it needs."""

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
from models.translation.languages import base_of, name_of
from tasks.wording.named_languages import target_in
from tasks.wording.phrases import compiled
from tasks.wording.translation import TranslationOrder, wished_translation

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


_LONGEST_TO_READ = 2000
"""A language is searched for in this many characters at the beginning of a text."""


def target_languages(text: str, *, of_translation: bool = False) -> tuple[str, ...]:
    """Return the English names of the target languages in `text`.

    If `text` is known to ask for a translation (`of_translation`), any language counts. Otherwise only a common
    language counts, and only if the text has its name and not its code.
    """
    found = target_in(text, words_at_end=False)
    if found is None or not (of_translation or (found.is_common and not found.is_code)):
        return ()
    return tuple(name_of(base_of(tag)) for tag in found.tags)


def without_target(text: str) -> str:
    """Return `text` without the words that name a target language, such as `in French`. They are searched for only in
    its first _LONGEST_TO_READ characters."""
    found = target_in(text[:_LONGEST_TO_READ])
    return f"{text[: found.start]} {text[found.end :]}" if found else text


@dataclass(frozen=True, slots=True)
class Intents:
    """The things that a message asks for, by its words. The planner combines them with the available inputs."""

    translation: bool
    """True if the message asks to translate a text, and names a language."""
    order: TranslationOrder | None
    """The order of the message's translation, if a clause of its own asks for it: "…, in Spanish please"."""
    reading_in: tuple[str, ...]
    """English names of the languages in which the user wants the content of media, which may need a translation; empty
    without media."""
    forecast: bool
    future: bool
    """True if the message names a horizon, such as `the next 5 days`. A link without further words then counts as the
    data of a forecast."""
    period: bool
    """True if the message asks about a future period. A table then counts as the data of a forecast."""
    detection: bool
    explicit_detection: bool
    """True if detection is requested explicitly, even if the message also mentions a user interface."""
    description: bool
    """True for an open question about the content of a picture."""
    interface: bool
    search: bool
    """True if a search is requested explicitly. Such a search counts even if there are media."""
    fresh: bool
    """True if the subject changes from day to day, so that a model cannot know it."""
    undecided: bool
    """True if no word determines a task, so that a router may guess one."""

    @classmethod
    def of(cls, message: str, prose: Prose, words: str, *, of_media: bool) -> Self:
        """Determine the intents of `message`, whose instructions are `prose`. `words` are the message without a
        document, which may itself speak of translations."""
        about_doing = prose.mentions("about_doing")
        translates = prose.asks("translate") and not about_doing and WORDS.speaks_of(words, "translate")
        says = prose.asks("say_in")
        order = _wished_order(message, prose)
        is_named = translates or says or of_media
        languages = target_languages(prose.text, of_translation=translates) if is_named else ()
        wanted = (bool(languages) and (translates or says)) or order is not None
        denies_translation = prose.mentions("translate") and not translates
        # In a message of one of these kinds, a language that is named need not be the language of the answer.
        is_unclear = denies_translation or about_doing or not prose.is_short or prose.mentions("write")
        explicit = prose.asks("detect")
        looks_for = prose.asks("look_for", without="written")
        search = prose.asks("search") and prose.mentions_at_edge("search") and not about_doing
        changing = prose.asks("changing", "fresh") or prose.asks("costs", "fresh") or prose.asks("changes_always")
        on_a_day = prose.mentions("day") and prose.mentions("question")
        changing |= on_a_day and not prose.mentions("first_person")
        denies = prose.mentions("search") and not prose.asks("search")
        fresh = prose.is_short and changing and not (about_doing or denies or prose.mentions("own_words"))
        forecast = prose.asks("forecast") and not about_doing
        decided = denies or wanted or search or fresh or explicit
        return cls(
            translation=wanted,
            order=order,
            reading_in=languages if of_media and (wanted or not is_unclear) else (),
            forecast=forecast,
            future=prose.mentions("horizon"),
            period=prose.asks("horizon", "period") and not about_doing,
            detection=explicit or looks_for,
            explicit_detection=explicit,
            description=not explicit and prose.asks("shows"),
            interface=prose.asks("gui"),
            search=search,
            fresh=fresh,
            undecided=not (decided or prose.brings_text or prose.quotes),
        )


def _wished_order(message: str, prose: Prose) -> TranslationOrder | None:
    """Return the order of a translation that a clause of its own asks for, unless the message rather asks for an answer
    in that language: "Write a poem. In Spanish, please."."""
    order = wished_translation(message)
    if order is None or order.is_certain or prose.asks("translate"):
        return order
    is_fresh = prose.asks("changing", "fresh") or prose.asks("search")
    asks_prose = Wish.of(order.text, of_input=True).kind in ("prose", "summary")
    asks_more = asks_prose or is_order(order.text) or (is_fresh and is_question(order.text))
    return None if asks_more else order
