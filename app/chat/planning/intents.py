"""Determines what a message asks for, by the words of its instructions."""

import re
from dataclasses import dataclass
from typing import Self

from app.chat.planning.prose import Prose
from tasks.wording.named_languages import target_in

_LONGEST_TO_READ = 2000
"""A language is searched for in this many characters at the beginning of a text."""
_LEAST_POINTS = 5
"""A series can be forecast only if it has at least this many values."""
_SAMPLE = 4000
"""A series is searched for in this many characters at the beginning of a message."""
_PAST_YEAR = re.compile(r"(?:1(?<!\d1)\d{3}|2(?<!\d2)0[01]\d)(?!\d)")
"""Pattern of a year before 2020, whose events every model knows."""
_NUMBER = r"[-+]?\d++(?:\.\d++)?"
_ROWS = re.compile(rf"^[^\n,;\t|]{{4,40}}[,;\t|]\s*{_NUMBER}\s*(?:[,;\t|]|$)", re.MULTILINE)
_LIST = re.compile(rf"(?<![\d.])(?:{_NUMBER}(?:\s*+[,;]\s*+|\s++)){{{_LEAST_POINTS - 1}}}{_NUMBER}")


def target_language(text: str, *, of_translation: bool = False) -> str | None:
    """Return the English name of the target language in `text`, or None.

    If `text` is known to ask for a translation (`of_translation`), any language counts. Otherwise only a common
    language counts, and only if the text has its name and not its code.
    """
    found = target_in(text, words_at_end=False)
    if found is None or not (of_translation or (found.is_common and not found.is_code)):
        return None
    return found.name


def without_target(text: str) -> str:
    """Return `text` without the words that name a target language, such as `in French`. They are searched for only in
    its first _LONGEST_TO_READ characters."""
    found = target_in(text[:_LONGEST_TO_READ])
    return f"{text[: found.start]} {text[found.end :]}" if found else text


@dataclass(frozen=True, slots=True)
class Intents:
    """The things that a message asks for, by its words. The planner combines them with the available inputs."""

    translation: str | None
    """English name of the language into which the message asks to translate, or None."""
    reading_in: str | None
    """English name of the language in which the user wants the content of media, which may need a translation. None
    without media."""
    forecast: bool
    future: bool
    """True if the message names a horizon, such as `the next 5 days`. A link without further words then counts as the
    data of a forecast."""
    period: bool
    """True if the message asks about a future period. A table then counts as the data of a forecast."""
    series: bool
    """True if the message asks for a forecast and contains the numbers itself."""
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
    def of(cls, message: str, prose: Prose, *, of_media: bool) -> Self:
        about_doing = prose.mentions("about_doing")
        translates = prose.asks("translate") and not about_doing
        says = prose.asks("say_in")
        language = target_language(prose.text, of_translation=translates) if translates or says or of_media else None
        wanted = bool(language) and (translates or says)
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
            translation=language if wanted else None,
            reading_in=language if of_media and (wanted or not is_unclear) else None,
            forecast=forecast,
            future=prose.mentions("horizon"),
            period=prose.asks("horizon", "period") and not about_doing,
            series=forecast and _holds_series(message[:_SAMPLE]),
            detection=explicit or looks_for,
            explicit_detection=explicit,
            description=not explicit and prose.asks("shows"),
            interface=prose.asks("gui"),
            search=search,
            fresh=fresh,
            undecided=not (decided or prose.brings_text or prose.quotes or _PAST_YEAR.search(prose.text)),
            about_doing=about_doing,
        )


def _holds_series(text: str) -> bool:
    return _LIST.search(text) is not None or len(_ROWS.findall(text)) >= _LEAST_POINTS
