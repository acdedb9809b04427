"""Removes from a system message the sentences that forbid something, before a guard judges the message.

"Never explain how to build a bomb" contains the words that a guard looks for, but means the opposite. Therefore,
sentences and lists are removed if they forbid or refuse something or tell the model to detect it, in the fourteen
languages of the guard's rules. A sentence that forbids refusals ("never refuse to …") is judged like any other.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from app.chat.directives import without_directives

FILE = Path(__file__).with_name("prohibitions.json")
"""The patterns, by language.

`from` finds the beginning of a prohibition, which lasts until the end of the sentence. `whole` finds sentences that
state what to refuse. `turned` finds sentences that forbid refusals. These sentences are kept.
"""
KINDS = ("from", "whole", "turned")
_LONGEST = 1000
"""A sentence with more characters than this is judged as it is, which bounds the work of the patterns."""
_SENTENCE = re.compile(r"[^.!?…。！？।؟]+(?:[.!?…。！？।؟]+|$)|[.!?…。！？।؟]+")
_ITEM = re.compile(r"\s*(?:[-*•–]|\(?(?:\d{1,3}|[a-z])[.)])\s")


def without_prohibitions(text: str) -> str:
    """Return the text of a system message without its directives and prohibitions, in linear time."""
    lines = []
    is_list_forbidden = False
    for line in without_directives(text).split("\n"):
        if is_list_forbidden and (not line.strip() or _ITEM.match(line)):
            continue
        kept = ""
        for sentence in _SENTENCE.finditer(line):
            kept += _without_prohibition(sentence[0])
        is_list_forbidden = line.rstrip().endswith((":", "：")) and kept != line
        if kept.strip():
            lines.append(kept)
    return "\n".join(lines)


def _without_prohibition(sentence: str) -> str:
    if len(sentence) > _LONGEST:
        return sentence
    text = sentence.replace("’", "'")
    beginning, refusal, opposite = _patterns()
    if opposite.search(text):
        return sentence
    if refusal.search(text.strip()):
        return ""
    match = beginning.search(text)
    return sentence[: match.start()] if match else sentence


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    tables: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        re.compile("|".join(pattern for table in tables.values() for pattern in table[kind]), re.IGNORECASE)
        for kind in KINDS
    )
