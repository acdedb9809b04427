"""What a message asks for, apart from what it quotes, pastes and links to."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from models.translation.languages import (
    CODES_THAT_ARE_WORDS,
    LANGUAGES,
    NAMES_THAT_ARE_WORDS,
    STEMS,
    TAG_OF_CODE,
    TAG_OF_NAME,
    either,
    tag_of_name,
)
from tasks.inputs.source import urls_in

_NAME = either(STEMS)
# Before a name: the prepositions of direction and their articles. After it: "translation", に and へ.
_BEFORE = (
    r"\b(?:into|to|in|as|ins|auf|nach|zu|en|vers|al|a|all'|para|pro|ao|em|naar|на|в|до|по-)\s*"
    r"(?:(?:the|das|l'|le|la|el|o|het|brazilian|british|american|simplified|traditional)\s*)?"
)
_TARGET = re.compile(
    rf"{_BEFORE}(?P<into>{_NAME})"
    rf"|(?:[成为為到至]|إلى|الى|ل|بال)\s*(?:اللغة\s+)?(?P<adjacent>{_NAME})"
    rf"|(?P<with>{_NAME})(?:\w{{0,2}}\s+(?:translation|version|übersetzung|fassung)|\s*(?:に|へ|翻译|翻譯))",
    re.IGNORECASE,
)
_WORDS = either(CODES_THAT_ARE_WORDS | {"am", "be", "el", "he", "hi", "id", "is", "it", "la", "my", "no", "so"})
"""Codes that mean a language only before a colon or with a region: `to it: hello`, `to it-IT`."""
_OF_TRANSLATION = re.compile(
    rf"(?:\b(?:into|to|nach|vers|al|a|para|naar|на)\s+|[成为為到至]\s*)"
    rf"(?:(?P<name>{either(frozenset(TAG_OF_NAME))})(?!\w)"
    rf"|(?!{_WORDS}\b(?!\s*[:：]|[-_]))"
    rf"(?P<code>{either(frozenset(TAG_OF_CODE))})(?:[-_][a-z]{{2,4}})?(?=\s*(?:[:：.,!?)\n]|$)))",
    re.IGNORECASE,
)


def target_language(text: str) -> str | None:
    """The English name of the common language that `text` wants something in, by any of its names."""
    found = _TARGET.search(text)
    tag = tag_of_name(next(name for name in found.groups() if name)) if found else None
    return LANGUAGES[tag].name if tag else None


def without_target(text: str) -> str:
    """`text` without the language that it wants something in: what is left of it is about the media themselves."""
    return _TARGET.sub(" ", text)


def target_of_translation(text: str) -> str | None:
    """The same of a text that is known to ask for a translation: by the name of any language, or an ISO 639 code at the
    end of a clause (`to zh`). Many of these are words, too."""
    for found in _OF_TRANSLATION.finditer(text):
        if found["code"]:
            return LANGUAGES[TAG_OF_CODE[found["code"].lower()]].name
        if found["name"] not in NAMES_THAT_ARE_WORDS and (tag := tag_of_name(found["name"])):
            return LANGUAGES[tag].name
    return None


SUBJECTS: Final = {
    subject: re.compile("|".join(phrases), re.IGNORECASE)
    for subject, phrases in tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8")).items()
}
"""How each subject is spoken of."""

QUOTE = "❝"
"""Stands where something was quoted."""
_LINK = "\N{LINK SYMBOL}"
_LINKS = re.compile(rf"{_LINK}(\d+)")

# Bounds and possessive repeats: no text, however odd, makes any of these slow.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{0,300}`", re.DOTALL)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+")
_QUOTED = re.compile(
    r'"[^"\n]{0,300}"|“[^”\n]{0,300}”|„[^“”\n]{0,300}[“”]|«[^»\n]{0,300}»|「[^」\n]{0,300}」|『[^』\n]{0,300}』'
    r"|‘[^’\n]{0,300}’|(?<!\w)'[^'\n]{0,300}'(?!\w)"
)
_BLANKS = re.compile(r"[^\S\n]+")
_BEFORE_TEXT = re.compile(r"[:：]\s*|\n\s*\n")
_TAKES_TEXT = re.compile(
    rf"{SUBJECTS['translate'].pattern}|{SUBJECTS['forecast'].pattern}|^\W*say\b|\b(?:summari[sz]\w+|rewrite|rephrase|paraphrase"
    r"|proofread|correct|explain|classify|detect the language|sort|fix|shorten|corrige\w*|korrigier\w*|fasse)\b",
    re.IGNORECASE,
)
"""Asks for something to be done with a text."""
_SENTENCES = re.compile(r"[!?;\n。！？；؟]|\.(?:\s|$)|,\s*(?:but|aber|mais|pero|ma|mas|maar)\b")
_SEGMENTS = re.compile(r"[,，、:：]")
_LONGEST_MESSAGE = 16_000
"""Characters of a message that are looked at: what it pastes in between asks for nothing."""
_LONGEST_HEAD = 200
_INSTRUCTIONS = 400
"""Characters at the beginning and at the end of a long message where its instructions stand."""


@dataclass(frozen=True, slots=True)
class Prose:
    text: str
    """The instructions: without code, quotations, addresses, and the text that they are about."""
    sentences: tuple[str, ...]
    brings_text: bool
    """Whether the text that the message is about follows its instructions, after a colon or a blank line."""
    quotes: bool
    is_short: bool
    """Whether all of it is instructions, not somebody's article with an instruction before or after."""
    followed: frozenset[str]
    """The URLs that the message points to, and does not merely show or forbid."""

    @classmethod
    def of(cls, message: str) -> Self:
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[: _LONGEST_MESSAGE // 2]}\n{message[-_LONGEST_MESSAGE // 2 :]}"
        bare = _CODE.sub(" ", message)
        links = urls_in(bare)
        # The longest first: a link may begin with another one.
        for number, link in sorted(enumerate(links), key=lambda numbered: -len(numbered[1])):
            bare = bare.replace(link, f" {_LINK}{number} ")
        bare, quotations = _QUOTED.subn(_without_quotation, _EMAIL.sub(" ", bare))
        bare = _BLANKS.sub(" ", bare)
        text, brings_text = _without_payload(bare)
        shown = set(_LINKS.findall(text))
        is_short = len(text) <= 2 * _INSTRUCTIONS
        if not is_short:
            text = f"{text[:_INSTRUCTIONS]}\n{text[-_INSTRUCTIONS:]}"
        sentences = tuple(filter(None, map(str.strip, _SENTENCES.split(text))))
        denied = (sentence for sentence in sentences if any(_denials(sentence, "open")))
        followed = shown.difference(*map(_LINKS.findall, denied))
        return cls(
            text,
            sentences,
            brings_text=brings_text,
            quotes=quotations > 0,
            is_short=is_short,
            followed=frozenset(links[int(number)] for number in followed),
        )

    def asks(self, subject: str, *others: str, without: str | None = None) -> bool:
        """Whether a sentence speaks of `subject` (of SUBJECTS, as all here), which it does not deny, of all `others`,
        and not of `without`."""
        return any(
            not all(denials)
            and all(SUBJECTS[other].search(sentence) for other in others)
            and not (without and SUBJECTS[without].search(sentence))
            for sentence in self.sentences
            if (denials := _denials(sentence, subject))
        )

    def frames(self, subject: str) -> bool:
        """Whether `subject` is in the first or last sentence of a long message, or anywhere in a short one."""
        outer = self.sentences if self.is_short else (*self.sentences[:1], *self.sentences[-1:])
        return any(map(SUBJECTS[subject].search, outer))

    def mentions(self, subject: str) -> bool:
        return SUBJECTS[subject].search(self.text) is not None


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
        if _LINKS.sub("", rest).strip() and (introduces or _TAKES_TEXT.search(head)):
            return f"{head}:", True
    return bare, False


def _denials(sentence: str, subject: str) -> list[bool]:
    """Whether the sentence denies it, of each place in which it speaks of `subject`."""
    return [
        bool(
            SUBJECTS["not_before"].search(_SEGMENTS.split(sentence[: found.start()])[-1])
            or SUBJECTS["not_after"].search(_SEGMENTS.split(sentence[found.end() :])[0])
        )
        for found in SUBJECTS[subject].finditer(sentence)
    ]
