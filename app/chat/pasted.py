"""Finds the document that a user pasted into a message: what its markup or fence holds, or all but the sentences at its
ends that the model of wishes takes for instructions."""

import re
from typing import Final

from tasks.wording.message import split_message, without_enclosure
from tasks.wording.wishes import wish_model

_LONGEST_MESSAGE: Final = 16_000
"""Letters that make a text a document are looked for in this many characters."""
_LONGEST_SENTENCE: Final = 200
"""A sentence of instructions at an end of a message has at most this many characters."""
_MAX_INSTRUCTIONS: Final = 4
"""At most this many sentences, at either end of a text, are removed as instructions."""
_INSTRUCTIONS: Final = 800
"""The words around an enclosed document have at most this many characters."""
LEAST_PASTED: Final = 300
LEAST_LINES: Final = 3
"""A text in a message with at least this many characters, or at least this many lines, counts as the document that the
question is about."""
_FIRST: Final = re.compile(
    rf"\s*(?:\d{{1,2}}[.)]\s+)?\S.{{0,{_LONGEST_SENTENCE}}}?(?:[:：](?=\s)|[.!?](?=\s)|[。！？؟]|\n|\Z)"
)
"""Pattern of the first sentence."""
_CELLS: Final = re.compile(r"\t|\S\s{3,}\S|[|☐☒☑]")
"""Pattern of a line of cells or boxes, which is not a sentence."""
_LEAST_MATERIAL: Final = 0.4
"""A line that is material with at least this probability belongs to the document: to lose one is worse than to keep an
instruction."""
_ENDS: Final = re.compile(r"[.!?:]\s+|[。！？؟：\n]\s*")


def pasted_in(message: str) -> str | None:
    """Return the text pasted into a message, without the sentences before or after it that say what to do with it.

    Return None if the rest has neither a digit nor a capital letter after its first character. A letter of a script
    without capitals counts as a capital letter.
    """
    text = enclosure_in(message) or _without_instructions(message)
    says = (letter.isalnum() and not letter.islower() for letter in text.lstrip()[1:_LONGEST_MESSAGE])
    return text if any(says) else None


def brings_text(message: str) -> bool:
    """True if a message contains the text that it is about: one in an enclosure or of many characters, or lines of a
    document beside the question."""
    pasted = (pasted_in(message) or "").strip()
    if not pasted or len(pasted) >= LEAST_PASTED or enclosure_in(message) is not None:
        return bool(pasted)
    before, _, after = message.strip().partition(pasted)
    is_apart = len(pasted.split("\n")) >= LEAST_LINES or before.endswith("\n") or after.startswith("\n")
    lines = pasted.splitlines()[:LEAST_LINES]
    return is_apart and 2 * sum(map(_is_instruction, lines)) < len(lines)


def is_document(text: str) -> bool:
    """True if a pasted text is long enough, or has enough lines, to be a document and not a part of the question."""
    return len(text) >= LEAST_PASTED or len(text.split("\n")) >= LEAST_LINES


def enclosure_in(message: str) -> str | None:
    """Return the text in the fence or the markup around the document of a message; None if there is none. A pasted text
    may itself contain markup, so the words outside must be short, and instructions."""
    outside, inside = without_enclosure(message)
    if not inside or len(outside) > _INSTRUCTIONS:
        return None
    return inside if all(map(_is_instruction, filter(str.strip, outside.splitlines()))) else None


def _without_instructions(text: str) -> str:
    """Return `text` without the sentences at its ends that ask or instruct."""
    is_line = "\n" not in text.strip()
    for _ in range(_MAX_INSTRUCTIONS):
        head = _FIRST.match(text)
        if head is None or not _is_instruction(head[0]):
            break
        # Before a colon in a document may stand a label: "Return Policy: 30 days".
        if head[0][-1] in ":：" and not (is_line or _is_instruction(text.lstrip().split("\n", 1)[0])):
            break
        text = text[head.end() :].lstrip(" \t" if head[0][-1] != "\n" else "")
    for _ in range(_MAX_INSTRUCTIONS):
        tail = text[-2 * _LONGEST_SENTENCE :].rstrip()
        ends = [end.end() for end in _ENDS.finditer(tail)]
        last = tail[ends[-1] if ends else 0 :]
        if len(last) > _LONGEST_SENTENCE or not _is_instruction(last):
            break
        if tail[: -len(last)].rstrip()[-1:] in (":", "：") and not _is_instruction(tail.split("\n")[-1]):
            break
        text = text.rstrip()[: -len(last)]
    return text


def _is_instruction(sentence: str) -> bool:
    """True if a sentence asks or instructs, so that it does not belong to a document."""
    if _CELLS.search(sentence.strip()):
        return False
    return wish_model().probabilities(split_message(sentence[-_INSTRUCTIONS:]), ())["material"] < _LEAST_MATERIAL
