"""What a message wants done, by its words alone: by what it asks for, apart from what it quotes, pastes and links
to."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import unquote, urlsplit

from tasks.inputs.media_types import TEXTS, media_type_named, media_type_of_file, sniff
from tasks.inputs.source import HEAD, Source, beginning, first_bytes, urls_in
from tasks.wording.named_languages import target_in
from tasks.wording.phrasebook import Phrasebook
from tasks.wording.phrases import compiled

_LONGEST_TO_READ = 2000
"""Characters of a text in which a language is looked for."""


def target_language(text: str, *, of_translation: bool = False) -> str | None:
    """The English name of the language that `text` wants something in: a common one, by a name, unless `text` is known
    to ask for a translation."""
    found = target_in(text, words_at_end=False)
    if found is None or not (of_translation or (found.is_common and not found.is_code)):
        return None
    return found.name


def without_target(text: str) -> str:
    """`text` without the language that its beginning wants something in: what is left is about the media themselves."""
    found = target_in(text[:_LONGEST_TO_READ])
    return f"{text[: found.start]} {text[found.end :]}" if found else text


WORDS: Final = Phrasebook(tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8")))
SUBJECTS: Final = WORDS.wholes
"""Regular expressions for `compiled`, by the subject that they find in a text."""

QUOTE = "❝"
"""Stands where something was quoted."""
_LINK = "\N{LINK SYMBOL}"
_LINKS = re.compile(rf"{_LINK}(\d+)")

# Bounds and possessive repeats: no text, however odd, makes any of these slow. What looks back does so behind the first
# letter, which `re` then finds without trying every place.
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{0,300}`", re.DOTALL)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+")
QUOTED = re.compile(
    r'"[^"\n]{0,300}"|“[^”\n]{0,300}”|„[^“”\n]{0,300}[“”]|«[^»\n]{0,300}»|「[^」\n]{0,300}」|『[^』\n]{0,300}』'
    r"|‘[^’\n]{0,300}’|'(?<!\w')[^'\n]{0,300}'(?!\w)"
)
_BLANKS = re.compile(r"[^\S\n]+")
_BEFORE_TEXT = re.compile(r"[:：]\s*|\n\s*\n")
_TAKES_TEXT = (
    r"^\W*say\b|\b(?:summari[sz]\w+|rewrite|rephrase|paraphrase"
    r"|proofread|correct|explain|extract|extrahier\w*|classify|detect the language|sort|fix|shorten|corrige\w*"
    r"|korrigier\w*|fasse)\b"
)
"""Asks for something to be done with a text, beside translating and forecasting."""
_SENTENCES = re.compile(r"[!?;\n。！？；؟]|\.(?:\s|$)|,\s*(?:but|aber|mais|pero|ma|mas|maar)\b")
_SEGMENTS = re.compile(r"[,，、:：]")
_LONGEST_MESSAGE = 16_000
"""Characters of a message that are looked at: what it pastes in between asks for nothing."""
_LONGEST_HEAD = 200
_OPENING = re.compile(r"```[^\n`]{0,30}\n|\"\"\"|<(\w{1,30})>")
"""Before a text that is set apart."""
_FIRST = re.compile(rf"\s*\S.{{0,{_LONGEST_HEAD}}}?(?:[:：](?=\s)|[.!?](?=\s)|[。！？؟]|\n|\Z)")
"""The first sentence."""
_ENDS = re.compile(r"[.!?:]\s+|[。！？؟：\n]\s*")
_FIGURES = re.compile(r"\d\D?\d")
_MOST_INSTRUCTIONS = 4
"""Sentences at either end of a text."""
_INSTRUCTIONS = 400
"""Characters at the beginning and at the end of a long message where its instructions stand."""


@dataclass(frozen=True, slots=True)
class Prose:
    text: str
    """The instructions: without code, quotations, addresses, and the text that they are about."""
    sentences: tuple[str, ...]
    brings_text: bool
    """The text that the message is about follows its instructions, after a colon or a blank line."""
    quotes: bool
    is_short: bool
    """The whole message is instructions, not somebody's article with an instruction before or after."""
    followed: frozenset[str]
    """The URLs that the message points to, and does not merely show or forbid."""
    said: Mapping[str, str]
    """What it may speak of, for `compiled`, by subjects. Only this is looked for."""

    @classmethod
    def of(cls, message: str) -> Self:
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[: _LONGEST_MESSAGE // 2]}\n{message[-_LONGEST_MESSAGE // 2 :]}"
        bare = CODE.sub(" ", message)
        links = urls_in(bare)
        # The longest first: a link may begin with another one.
        for number, link in sorted(enumerate(links), key=lambda numbered: -len(numbered[1])):
            bare = bare.replace(link, f" {_LINK}{number} ")
        if "@" in bare:
            bare = EMAIL.sub(" ", bare)
        bare, quotations = QUOTED.subn(_without_quotation, bare)
        if "  " in bare or not bare.replace("\n", " ").isprintable():
            bare = _BLANKS.sub(" ", bare)
        text, brings_text = _without_payload(bare)
        shown = set(_LINKS.findall(text))
        is_short = len(text) <= 2 * _INSTRUCTIONS
        if not is_short:
            text = f"{text[:_INSTRUCTIONS]}\n{text[-_INSTRUCTIONS:]}"
        sentences = tuple(filter(None, map(str.strip, _SENTENCES.split(text))))
        said = WORDS.said_in(text, *sentences)
        pointing = sentences if shown and "open" in said else ()
        denied = (sentence for sentence in pointing if any(_denials(sentence, said["open"])))
        followed = shown.difference(*map(_LINKS.findall, denied))
        return cls(
            text,
            sentences,
            brings_text=brings_text,
            quotes=quotations > 0,
            is_short=is_short,
            followed=frozenset(links[int(number)] for number in followed),
            said=said,
        )

    def asks(self, subject: str, *others: str, without: str | None = None) -> bool:
        """Tells whether a sentence speaks of `subject`, without denying it, of all `others`, and not of `without`. All
        are names in SUBJECTS."""
        if not self.said.keys() >= {subject, *others}:
            return False
        unwanted = self.said.get(without) if without else None
        return any(
            not all(denials)
            and all(compiled(self.said[other]).search(sentence) for other in others)
            and not (unwanted and compiled(unwanted).search(sentence))
            for sentence in self.sentences
            if (denials := _denials(sentence, self.said[subject]))
        )

    def frames(self, subject: str) -> bool:
        """Tells whether `subject` is in the first or last sentence of a long message, or anywhere in a short one."""
        outer = self.sentences if self.is_short else (*self.sentences[:1], *self.sentences[-1:])
        return subject in self.said and any(map(compiled(self.said[subject]).search, outer))

    def mentions(self, subject: str) -> bool:
        return subject in self.said and compiled(self.said[subject]).search(self.text) is not None


def _without_quotation(quoted: re.Match[str]) -> str:
    """A mark in its place, or the link that is all it holds."""
    content = quoted.group()[1:-1].strip()
    return f" {content} " if _LINKS.fullmatch(content) else f" {QUOTE} "


def _without_payload(bare: str) -> tuple[str, bool]:
    """The text up to the colon or blank line after which the user's own text follows, and whether one does."""
    for gap in _BEFORE_TEXT.finditer(bare[: 2 * _LONGEST_HEAD]):
        head, rest = bare[: gap.start()], bare[gap.end() :]
        if len(head) > _LONGEST_HEAD:
            break
        introduces = gap.group()[0] in ":：" and "\n" in gap.group()
        takes_text = introduces or compiled(_TAKES_TEXT).search(head) or WORDS.speaks_of(head, "translate", "forecast")
        if takes_text and _LINKS.sub("", rest).strip():
            return f"{head}:", True
    return bare, False


def pasted_in(message: str) -> str | None:
    """The text that a message brings along, without the sentences around it that say what to do with it; None where
    there is none but these, or one that has no figure and no name."""
    text = _set_apart(message)
    for _ in range(_MOST_INSTRUCTIONS):
        head = _FIRST.match(text)
        if head is None or not _is_instruction(head[0]):
            break
        text = text[head.end() :].lstrip(" \t" if head[0][-1] != "\n" else "")
    for _ in range(_MOST_INSTRUCTIONS):
        tail = text[-2 * _LONGEST_HEAD :].rstrip()
        ends = [end.end() for end in _ENDS.finditer(tail)]
        last = tail[ends[-1] if ends else 0 :]
        if len(last) > _LONGEST_HEAD or not _is_instruction(last):
            break
        text = text.rstrip()[: -len(last)]
    says = (letter.isalnum() and not letter.islower() for letter in text.lstrip()[1:_LONGEST_MESSAGE])
    return text if any(says) else None


def _set_apart(message: str) -> str:
    """The text between fences or tags, where little stands around it; else the whole."""
    if (opening := _OPENING.search(message, 0, 2 * _INSTRUCTIONS)) is None:
        return message
    end = message.rfind(f"</{opening[1]}>" if opening[1] else opening[0][:3])
    around = len(message) - (end - opening.end())
    return message[opening.end() : end] if opening.end() < end and around <= 2 * _INSTRUCTIONS else message


def _is_instruction(sentence: str) -> bool:
    """What has figures is a part of the text, unless it asks."""
    sentence = sentence.strip()
    return WORDS.speaks_of(sentence, "question", *(() if _FIGURES.search(sentence) else ("fill",)))


def _denials(sentence: str, pattern: str) -> list[bool]:
    """Tells, for each place where the sentence has `pattern`, whether the sentence denies it."""
    return [
        WORDS.speaks_of(_SEGMENTS.split(sentence[: found.start()])[-1], "not_before")
        or WORDS.speaks_of(_SEGMENTS.split(sentence[found.end() :])[0], "not_after")
        for found in compiled(pattern).finditer(sentence)
    ]


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
"""Types that begin like many others: the name says more than the bytes."""

_OF_FIELD: dict[str, Kind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
    "input_audio": "audio",
}

_OF_TYPE: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}


def kind_of(source: Source) -> Kind:
    """The kind that the bytes show, else the declared one, else that of the name, else that of the field."""
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
_PAST_YEAR = re.compile(r"(?:1(?<!\d1)\d{3}|2(?<!\d2)0[01]\d)(?!\d)")
"""A year whose events every model knows."""
_NUMBER = r"[-+]?\d++(?:\.\d++)?"
_ROWS = re.compile(rf"^[^\n,;\t|]{{4,40}}[,;\t|]\s*{_NUMBER}\s*(?:[,;\t|]|$)", re.MULTILINE)
_LIST = re.compile(rf"(?<![\d.])(?:{_NUMBER}(?:\s*+[,;]\s*+|\s++)){{{_LEAST_POINTS - 1}}}{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Wants:
    """The wishes in the words of a message. Which of them become steps depends on what there is to work on."""

    translation: str | None
    """The English name of the target language."""
    reading_in: str | None
    """The English name of a language that something is wanted in: of media, so a translation of what they say. None
    where there are no media."""
    forecast: bool
    future: bool
    """Names a horizon (`the next 5 days`): then a bare link is the data of a forecast."""
    period: bool
    """Asks about a time to come: a table has its forecast."""
    series: bool
    """A forecast is wanted, and the message itself holds the numbers."""
    detection: bool
    explicit_detection: bool
    """Detection in so many words, even beside words about a user interface."""
    description: bool
    """Asks openly what a picture shows."""
    interface: bool
    search: bool
    """A search in so many words, which counts beside media, too."""
    fresh: bool
    """Something that changes from day to day, which a model cannot know."""
    undecided: bool
    """No word says what to do: a router may."""
    about_doing: bool
    """Speaks of how something is done, at most about what a picture shows."""

    @classmethod
    def of(cls, message: str, prose: Prose, *, of_media: bool) -> Self:
        about_doing = prose.mentions("about_doing")
        translates = prose.asks("translate") and not about_doing
        says = prose.asks("say_in")
        language = target_language(prose.text, of_translation=translates) if translates or says or of_media else None
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
        forecast = prose.asks("forecast") and not about_doing
        decided = denies or wanted or search or fresh or explicit
        return cls(
            translation=language if wanted else None,
            reading_in=language if of_media and (wanted or not elsewhere) else None,
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
