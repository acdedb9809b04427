"""What a message wants done, by its words alone."""

import re
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from app.chat.planning.prose import Prose, target_language
from tasks.inputs.media_types import TEXTS, media_type_named, media_type_of_file
from tasks.inputs.sniff import sniff
from tasks.inputs.source import HEAD, Source, beginning, first_bytes

Kind = Literal["image", "audio", "video", "document", "table", "page"]
"""A `video` may have sound; `document` is whatever can be read as text; a `page` is to be scraped."""

_TABLES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/json",
        media_type_named("xlsx"),
    }
)
_CONTAINERS = frozenset({"application/zip", "application/gzip", "application/x-ole-storage", "application/xml"})
"""What begins like many other types: the name says more."""

_OF_FIELD: dict[str, Kind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
    "input_audio": "audio",
}

_OF_TYPE: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}


def kind_of(source: Source) -> Kind:
    """What the bytes show, else what is declared, else what the name says, else what the field is for."""
    media_type = _media_type(source)
    if source.is_linked and (media_type is None or media_type == "text/html"):
        return "page"
    if media_type is None:
        return _OF_FIELD.get(source.origin.field, "document")
    if media_type in _TABLES:
        return "table"
    return _OF_TYPE.get(media_type.partition("/")[0], "document")


def _media_type(source: Source) -> str | None:
    if source.url is not None:
        names = (unquote(urlsplit(source.url).path), source.filename)
        return media_type_named(source.format) or next(filter(None, map(media_type_of_file, names)), None)
    payload = beginning(source.payload or "", HEAD)
    declared = None
    if payload[:5].lower() == "data:":
        head, _, payload = payload[5:].partition(",")
        declared = media_type_named(head)
        if ";base64" not in head.lower():
            payload = ""
    named = declared or media_type_named(source.format) or media_type_of_file(source.filename)
    shown = sniff(first_bytes(payload), text=named in TEXTS)
    return named or shown if shown in _CONTAINERS else shown or named


_LEAST_POINTS = 5
"""The shortest series that can be forecast."""
_SAMPLE = 4000
_PAST_YEAR = re.compile(r"(?<!\d)(?:1\d{3}|20[01]\d)(?!\d)")
"""What happened then is in every model."""
_NUMBER = r"[-+]?\d++(?:\.\d++)?"
_ROWS = re.compile(rf"^[^\n,;\t|]{{4,40}}[,;\t|]\s*{_NUMBER}\s*(?:[,;\t|]|$)", re.MULTILINE)
_LIST = re.compile(rf"(?<![\d.])(?:{_NUMBER}(?:\s*+[,;]\s*+|\s++)){{{_LEAST_POINTS - 1}}}{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Wants:
    """What the words ask for; which of it becomes a step depends on what there is to work on."""

    translation: str | None
    """The English name of the target language."""
    reading_in: str | None
    """The English name of a language that something is wanted in: of media, so a translation of what they say."""
    forecast: bool
    future: bool
    """Names a horizon (`the next 5 days`): then a bare link is the data of a forecast."""
    period: bool
    """Asks about a time to come: a table has its forecast."""
    series: bool
    """The message itself holds the numbers to forecast."""
    detection: bool
    explicit_detection: bool
    """Detection in so many words, even beside words about a user interface."""
    interface: bool
    search: bool
    """In so many words: also beside media."""
    fresh: bool
    """Something that changes from day to day, which a model cannot know."""
    undecided: bool
    """No word says what to do: a router may."""
    about_doing: bool
    """Speaks of how something is done, at most about what a picture shows."""

    @classmethod
    def of(cls, message: str, prose: Prose) -> Self:
        about_doing = prose.mentions("about_doing")
        translates = prose.asks("translate") and not about_doing
        says = prose.asks("say_in")
        language = target_language(prose.text, of_translation=translates)
        wanted = bool(language) and (translates or says)
        denies_translation = prose.mentions("translate") and not translates
        elsewhere = denies_translation or about_doing or not prose.is_short or prose.mentions("write")
        explicit = prose.asks("detect")
        looks_for = prose.asks("look_for", without="written")
        search = prose.asks("search") and prose.frames("search") and not about_doing
        changing = prose.asks("changing", "fresh") or prose.asks("costs", "fresh") or prose.asks("changes_always")
        on_a_day = prose.mentions("day") and prose.mentions("question")
        changing |= on_a_day and not prose.mentions("first_person")
        denies = prose.mentions("search") and not prose.asks("search")
        fresh = prose.is_short and changing and not (about_doing or denies or prose.mentions("own_words"))
        decided = denies or wanted or search or fresh or explicit
        return cls(
            translation=language if wanted else None,
            reading_in=language if wanted or not elsewhere else None,
            forecast=prose.asks("forecast") and not about_doing,
            future=prose.mentions("horizon"),
            period=prose.asks("horizon", "period") and not about_doing,
            series=bool(_LIST.search(message[:_SAMPLE])) or len(_ROWS.findall(message[:_SAMPLE])) >= _LEAST_POINTS,
            detection=explicit or looks_for,
            explicit_detection=explicit,
            interface=prose.asks("gui"),
            search=search,
            fresh=fresh,
            undecided=not (decided or prose.brings_text or prose.quotes or _PAST_YEAR.search(prose.text)),
            about_doing=about_doing,
        )
