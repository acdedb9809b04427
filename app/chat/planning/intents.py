"""Determines what a message asks for, by the words of its instructions."""

import re
from dataclasses import dataclass
from typing import Self

from app.chat.planning.prose import WORDS, Prose
from app.chat.planning.questions import is_order, is_question
from app.chat.planning.wishes import Wish
from models.translation.languages import base_of, name_of
from tasks.wording.named_languages import target_in
from tasks.wording.translation import TranslationOrder, wished_translation

_LONGEST_TO_READ = 2000
"""A language is searched for in this many characters at the beginning of a text."""
_PAST_YEAR = re.compile(r"(?:1(?<!\d1)\d{3}|2(?<!\d2)0[01]\d)(?!\d)")
"""Pattern of a year before 2020, whose events every model knows."""


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
    about_doing: bool
    """True if the message asks how to do something. In this case, a router may guess a task only for pictures."""

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
            undecided=not (decided or prose.brings_text or prose.quotes or _PAST_YEAR.search(prose.text)),
            about_doing=about_doing,
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
