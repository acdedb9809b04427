"""What a message asks for, apart from what it quotes, pastes and links to."""

import re
from dataclasses import dataclass
from typing import Self

from app.chat.planning import words
from tasks.inputs.source import urls_in

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
    rf"{words.TRANSLATE.pattern}|{words.FORECAST.pattern}|^\W*say\b|\b(?:summari[sz]\w+|rewrite|rephrase|paraphrase"
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
        denied = (sentence for sentence in sentences if _denies(sentence, words.OPEN))
        followed = shown.difference(*map(_LINKS.findall, denied))
        return cls(
            text,
            sentences,
            brings_text=brings_text,
            quotes=quotations > 0,
            is_short=is_short,
            followed=frozenset(links[int(number)] for number in followed),
        )

    def asks(self, subject: words.Pattern, *others: words.Pattern, without: words.Pattern | None = None) -> bool:
        """Whether a sentence speaks of `subject`, which it does not deny, of all `others`, and not of `without`."""
        return any(
            _affirms(sentence, subject)
            and all(other.search(sentence) for other in others)
            and not (without and without.search(sentence))
            for sentence in self.sentences
        )

    def frames(self, subject: words.Pattern) -> bool:
        """Whether `subject` is in the first or last sentence of a long message, or anywhere in a short one."""
        outer = self.sentences if self.is_short else (*self.sentences[:1], *self.sentences[-1:])
        return any(subject.search(sentence) for sentence in outer)

    def mentions(self, subject: words.Pattern) -> bool:
        return subject.search(self.text) is not None


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


def _affirms(sentence: str, subject: words.Pattern) -> bool:
    return any(not _is_denied(sentence, found) for found in subject.finditer(sentence))


def _denies(sentence: str, subject: words.Pattern) -> bool:
    return any(_is_denied(sentence, found) for found in subject.finditer(sentence))


def _is_denied(sentence: str, found: re.Match[str]) -> bool:
    before = _SEGMENTS.split(sentence[: found.start()])[-1]
    after = _SEGMENTS.split(sentence[found.end() :])[0]
    return bool(words.NOT_BEFORE.search(before) or words.NOT_AFTER.search(after))
