"""Finds the document that a user pasted into a message."""

import re
from itertools import pairwise

from tasks.wording.message import HTML, split_message
from tasks.wording.wishes import LIKELY, wish_model

_LONGEST_MESSAGE = 16_000
"""At most this many characters of a message are searched, half of them at each end. The middle counts as pasted
text."""
_LONGEST_HEAD = 200
_OPENING = re.compile(r"```[^\n`]{0,30}\n|\"\"\"|<(\w{1,30})>")
"""Pattern of an opening fence or tag before a text."""
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
_MARKUP = ("<", "```", '"""')
"""Beginnings of lines that are no sentences."""
_MAX_INSTRUCTIONS = 4
"""At most this many sentences, at either end of a text, are removed as instructions."""
LEAST_PASTED = 300
LEAST_LINES = 3
"""A text in a message with at least this many characters, or at least this many lines, counts as the document that the
question is about."""
_INSTRUCTIONS = 400
"""The instructions of a long message are looked for only in this many characters at its beginning, and as many at its
end."""


def pasted_in(message: str) -> str | None:
    """Return the text pasted into a message: the one in an enclosure, or else the message without the sentences before
    or after the text that say what to do with it.

    Return None if the rest has neither a digit nor a capital letter after its first character. A letter of a script
    without capitals counts as a capital letter.
    """
    text = enclosure_in(message) or _without_instructions(message)
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


def is_document(text: str) -> bool:
    """True if a pasted text is long enough, or has enough lines, to be a document and not a part of the question."""
    return len(text) >= LEAST_PASTED or len(text.split("\n")) >= LEAST_LINES


def _without_instructions(text: str) -> str:
    """Return `text` without the sentences at its ends that ask or instruct."""
    for _ in range(_MAX_INSTRUCTIONS):
        head = _FIRST.match(text)
        if head is None or not _is_instruction(head[0]):
            break
        text = text[head.end() :].lstrip(" \t" if head[0][-1] != "\n" else "")
    for _ in range(_MAX_INSTRUCTIONS):
        tail = text[-2 * _LONGEST_HEAD :].rstrip()
        ends = [end.end() for end in _ENDS.finditer(tail)]
        last = tail[ends[-1] if ends else 0 :]
        if len(last) > _LONGEST_HEAD or not _is_instruction(last):
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


def _is_instruction(sentence: str) -> bool:
    """True if a sentence asks or instructs, and is no part of a document."""
    sentence = sentence.strip()
    if sentence.startswith(_MARKUP):
        return False
    return wish_model().probabilities(split_message(sentence), ())["material"] < LIKELY
