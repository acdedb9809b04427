"""Separates the instructions of a message from its quotations, pasted texts and links."""

import re
import tomllib
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Final, Self

from tasks.inputs.source import urls_in
from tasks.wording.phrases import Phrasebook, compiled

WORDS: Final = Phrasebook(tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8")))
SUBJECTS: Final = WORDS.wholes
"""Regular expressions for `compiled`, by the subject that they find in a text."""
QUOTE = "❝"
"""Mark that replaces a quotation."""
_LINK = "\N{LINK SYMBOL}"
_LINKS = re.compile(rf"{_LINK}(\d+)")
# Bounds and possessive repeats keep every pattern fast on any text. Look-behinds follow the first character of their
# pattern, so that `re` finds this character without trying every position.
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
"""Pattern of requests to process a text, in addition to requests for translations and forecasts."""
_LANGUAGES_FOLLOW = r"\b(?:languages?|sprachen?|langues?|idiomas?|lingue|línguas|talen)$"
_SENTENCES = re.compile(r"[!?;\n。！？；؟]|\.(?:\s|$)|,\s*(?:but|aber|mais|pero|ma|mas|maar)\b")
_SEGMENTS = re.compile(r"[,，、:：]")
_LONGEST_MESSAGE = 16_000
"""At most this many characters of a message are searched, half of them at each end. The middle counts as pasted
text."""
_LONGEST_HEAD = 200
_OPENING = re.compile(r"```[^\n`]{0,30}\n|\"\"\"|<(\w{1,30})>")
"""Pattern of an opening fence or tag before a text."""
_HTML_NAMES = (
    "a abbr b big blockquote body br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 head hr html i img "
    "ins kbd li mark ol p pre q s samp script small span strike strong style sub sup table tbody td tfoot th thead "
    "title tr tt u ul var"
)
HTML = frozenset(_HTML_NAMES.split())
"""Names of HTML's elements that mark up a pasted text and never enclose it. Other elements, such as `data` and
`article`, have names that people also give to a document."""
_NUMBERING = re.compile(r"^\W*(?:\d{1,2}[.)]\s+)?")
_STANDARD = re.compile(r"\bISO[ -]?\d{3,5}(?:-\d)?\b")
_COLON = re.compile(r"[:：=]\s*")
_FIGURE = re.compile(r"\d")
_SENTENCE_ENDS = (".", "!", "?", ":", "…")
_AMOUNT = re.compile(r"\d[.,]\d\d(?!\d)|[€$£] ?\d|\d ?[€$£]")
"""Pattern of a figure that is a value of the document even within a sentence."""
_FIRST = re.compile(rf"\s*(?:\d{{1,2}}[.)]\s+)?\S.{{0,{_LONGEST_HEAD}}}?(?:[:：](?=\s)|[.!?](?=\s)|[。！？؟]|\n|\Z)")
"""Pattern of the first sentence."""
_ENDS = re.compile(r"[.!?:]\s+|[。！？؟：\n]\s*")
_FIGURES = re.compile(r"\d\D?\d")
_MAX_INSTRUCTIONS = 4
"""At most this many sentences, at either end of a text, are removed as instructions."""
_ORDERS = ("search", "forecast", "open")
"""Subjects of sentences beside a document by which the user orders more than to read it."""
LEAST_PASTED = 300
LEAST_LINES = 3
"""A text in a message with at least this many characters, or at least this many lines, counts as the document that the
question is about."""
LEAST_FIGURES = 2
_INSTRUCTIONS = 400
"""The instructions of a long message are looked for only in this many characters at its beginning, and as many at its
end."""


@dataclass(frozen=True, slots=True)
class Prose:
    """The instructions in a message, without the material that they are about."""

    text: str
    """The instructions, without code, quotations, addresses and the text that they are about."""
    sentences: tuple[str, ...]
    brings_text: bool
    """True if the message contains the text that it is about, after a colon or a blank line."""
    quotes: bool
    is_short: bool
    """True if the instructions are short. A long text is rather an article with an instruction before or after it, so
    only its ends are kept."""
    followed: frozenset[str]
    """URLs that the message asks to open. URLs that it only mentions, or forbids to open, are left out."""

    @classmethod
    def of(cls, message: str, *, is_instruction: bool = False) -> Self:
        """Return the instructions of a message. If `is_instruction` is true, it brings no text, even after a colon."""
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[: _LONGEST_MESSAGE // 2]}\n{message[-_LONGEST_MESSAGE // 2 :]}"
        bare = CODE.sub(" ", message.replace(_LINK, " "))
        links = urls_in(bare)
        # A link may begin with another link, so the longest is replaced first.
        for number, link in sorted(enumerate(links), key=lambda numbered: -len(numbered[1])):
            bare = bare.replace(link, f" {_LINK}{number} ")
        if "@" in bare:
            bare = EMAIL.sub(" ", bare)
        bare, quotations = QUOTED.subn(_without_quotation, bare)
        if "  " in bare or not bare.replace("\n", " ").isprintable():
            bare = _BLANKS.sub(" ", bare)
        text, brings_text = (bare, False) if is_instruction else _without_payload(bare)
        shown = set(_LINKS.findall(text))
        is_short = len(text) <= 2 * _INSTRUCTIONS
        if not is_short:
            text = f"{text[:_INSTRUCTIONS]}\n{text[-_INSTRUCTIONS:]}"
        sentences = tuple(filter(None, map(str.strip, _SENTENCES.split(text))))
        denied = (sentence for sentence in (sentences if shown else ()) if any(_denials(sentence, SUBJECTS["open"])))
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
        """True if a sentence mentions `subject` without denying it, and all `others`, but not `without`.

        All arguments are names in SUBJECTS.
        """
        unwanted = SUBJECTS[without] if without else None
        return any(
            not all(denials)
            and all(compiled(SUBJECTS[other]).search(sentence) for other in others)
            and not (unwanted and compiled(unwanted).search(sentence))
            for sentence in self.sentences
            if (denials := _denials(sentence, SUBJECTS[subject]))
        )

    def mentions_at_edge(self, subject: str) -> bool:
        """True if `subject` is in the first or last sentence of a long message, or anywhere in a short message."""
        outer = self.sentences if self.is_short else (*self.sentences[:1], *self.sentences[-1:])
        return any(map(compiled(SUBJECTS[subject]).search, outer))

    def mentions(self, subject: str) -> bool:
        return compiled(SUBJECTS[subject]).search(self.text) is not None


def _without_quotation(quoted: re.Match[str]) -> str:
    """Return the mark for a quotation, or the quotation's content if it is only a link."""
    content = quoted.group()[1:-1].strip()
    return f" {content} " if _LINKS.fullmatch(content) else f" {QUOTE} "


def _without_payload(bare: str) -> tuple[str, bool]:
    """Return the text up to the colon or blank line before the user's own text, and True if such a text follows."""
    for gap in _BEFORE_TEXT.finditer(bare[: 2 * _LONGEST_HEAD]):
        head, rest = bare[: gap.start()], bare[gap.end() :]
        if len(head) > _LONGEST_HEAD:
            break
        if compiled(_LANGUAGES_FOLLOW).search(head):
            continue
        introduces = gap.group()[0] in ":：" and "\n" in gap.group()
        takes_text = introduces or compiled(_TAKES_TEXT).search(head) or WORDS.speaks_of(head, "translate", "forecast")
        if takes_text and _LINKS.sub("", rest).strip():
            return f"{head}:", True
    return bare, False


def pasted_in(message: str) -> str | None:
    """Return the text pasted into a message, without the sentences before or after it that say what to do with it.

    Return None if the rest has neither a digit nor a capital letter after its first character. A letter of a script
    without capitals counts as a capital letter.
    """
    text = _without_instructions(enclosure_in(message) or message)
    says = (letter.isalnum() and not letter.islower() for letter in text.lstrip()[1:_LONGEST_MESSAGE])
    return text if any(says) else None


def brings_text(message: str) -> bool:
    """True if a message contains the text that it is about: one in an enclosure or of many characters, or lines with
    figures beside the question."""
    pasted = (pasted_in(message) or "").strip()
    if not pasted or len(pasted) >= LEAST_PASTED or enclosure_in(message) is not None:
        return bool(pasted)
    before, _, after = message.strip().partition(pasted)
    is_apart = len(pasted.split("\n")) >= LEAST_LINES or before.endswith("\n") or after.startswith("\n")
    return is_apart and any(_FIGURES.search(line) and _has_values(line) for line in pasted.splitlines())


def words_beside_document(message: str) -> str:
    """Return what a message says outside the document pasted into it; the whole message if it has none.

    The user does not wish what the document says. The message's own words stand outside an enclosure, or are
    sentences at the ends that instruct, ask, or order a search. A document has figures; rules for the answer and lines
    of links hardly have any.
    """
    pasted = enclosure_in(message) or _without_instructions(message, *_ORDERS)
    text = pasted[:_LONGEST_MESSAGE]
    for link in sorted(urls_in(text), key=len, reverse=True):
        text = text.replace(link, " ")
    lines = "\n".join(line for line in _STANDARD.sub("", text).splitlines() if line.strip())
    if not is_document(lines) or sum(1 for _ in islice(_FIGURES.finditer(lines), LEAST_FIGURES)) < LEAST_FIGURES:
        return message
    before, _, after = message.partition(pasted)
    return f"{before}\n\n{after}".strip()


def is_document(text: str) -> bool:
    """True if a pasted text is long enough, or has enough lines, to be a document and not a part of the question."""
    return len(text) >= LEAST_PASTED or len(text.split("\n")) >= LEAST_LINES


def _without_instructions(text: str, *subjects: str) -> str:
    """Return `text` without the sentences at its ends that ask or instruct, or that mention one of `subjects`."""
    for _ in range(_MAX_INSTRUCTIONS):
        head = _FIRST.match(text)
        if head is None or not _is_instruction(head[0], *subjects):
            break
        text = text[head.end() :].lstrip(" \t" if head[0][-1] != "\n" else "")
    for _ in range(_MAX_INSTRUCTIONS):
        tail = text[-2 * _LONGEST_HEAD :].rstrip()
        ends = [end.end() for end in _ENDS.finditer(tail)]
        last = tail[ends[-1] if ends else 0 :]
        if len(last) > _LONGEST_HEAD or not _is_instruction(last, *subjects):
            break
        text = text.rstrip()[: -len(last)]
    return text


def enclosure_in(message: str) -> str | None:
    """Return the text in the fence or the pair of tags around the document of a message; None if there is none.

    A pasted text may itself contain tags. Therefore an enclosure counts only if the text outside it is short and has no
    values of its own, and HTML's elements never count.
    """
    reach = 2 * _INSTRUCTIONS
    for opening in _OPENING.finditer(message, 0, reach):
        if (opening[1] or "").lower() in HTML:
            continue
        closing = f"</{opening[1]}>" if opening[1] else opening[0][:3]
        end = message.rfind(closing, max(opening.end(), len(message) - reach))
        text = message[opening.end() : end]
        if end < 0 or opening.end() + len(message) - end > reach or not text.strip():
            continue
        outside = f"{message[: opening.start()]}\n{message[end + len(closing) :]}"
        if not any(_has_values(_NUMBERING.sub("", line)) for line in outside.splitlines()):
            return text
    return None


def _has_values(line: str) -> bool:
    """True if a line outside an enclosure has a figure or a labelled value, and does not only ask or instruct."""
    # A sentence may have a figure that is not from the document: `Return the total (number, 2 decimals).`
    figure = _AMOUNT if line.rstrip().endswith(_SENTENCE_ENDS) else _FIGURE
    sentences = _ENDS.split(_STANDARD.sub("", line))
    if any(figure.search(sentence) and not _is_instruction(sentence) for sentence in sentences):
        return True
    parts = _COLON.split(line)
    return any(
        # A text that begins with a small letter describes a field. Instructions do not count as values either.
        value[:1].isalnum()
        and not value[:1].islower()
        and not _is_instruction(f"{label}:")
        and not _is_instruction(value)
        for label, value in pairwise(parts)
    )


def _is_instruction(sentence: str, *subjects: str) -> bool:
    """True if a sentence asks or instructs, or mentions one of `subjects`. A sentence with digits belongs to the text
    unless it is a question or mentions one of `subjects`."""
    sentence = sentence.strip()
    return WORDS.speaks_of(sentence, "question", *subjects, *(() if _FIGURES.search(sentence) else ("fill",)))


def _denials(sentence: str, pattern: str) -> list[bool]:
    """Return, for each match of `pattern` in the sentence, True if the sentence denies it."""
    return [
        WORDS.speaks_of(_SEGMENTS.split(sentence[: found.start()])[-1], "not_before")
        or WORDS.speaks_of(_SEGMENTS.split(sentence[found.end() :])[0], "not_after")
        for found in compiled(pattern).finditer(sentence)
    ]
