"""What a message asks for, apart from what it quotes, pastes and links to."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tasks.inputs.source import urls_in
from tasks.wording.named_languages import target_in

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
