"""Parses a translation request: the language that it names and the text to translate."""

# ruff: noqa: E501 - one language per line

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tasks.errors import InputError
from tasks.json_tokens import parses_quickly
from tasks.wording.named_languages import LanguageMention, named, source_in, target_in, unknown_in, without_source
from tasks.wording.phrases import PHRASES

LONGEST_INSTRUCTION = 400
"""The instruction of a message is searched for in this many characters at its beginning or end."""
LONGEST_QUOTATION = 100_000
"""A longer text is translated with the signs of quotation around it."""
_LONGEST_JSON = 1_000_000
_MAX_CLAUSES = 12
"""At most this many clauses are examined at a message's beginning, and this many at its end."""
_VERB = re.compile(PHRASES["translation"]["verb"], re.IGNORECASE)
_NOTHING = re.compile(
    rf"[\W_]*(?:(?:{PHRASES['translation']['only_points']})(?:\W+|\Z))*+"
    r"(?:[请請]?[将將把]?(?:以下|下面|下列|这段|這段|这|這|此)?(?:的)?(?:内容|內容|文本|文字|文章|句子|话|段落)?|"
    r"(?:次|以下|この)の?(?:文章?|テキスト|文)?(?:を|は)?)?[\W_]*\Z",
    re.IGNORECASE,
)
"""Words that only point to the text."""
_POLITE = re.compile(
    r"(?:[\s,.!?;。！？、]|please|pls|thanks?|thank you|bitte|danke|por favor|s['’]il (?:vous|te) plaît|per "
    r"favore|alsjeblieft|пожалуйста|for me|now|language|version|translation|übersetzung|して?(?:ください)?|"
    r"翻訳して(?:ください)?|に|へ|请|언어로)*",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(
    r"[:：][ \t]*(?:\r?\n(?:[ \t]*\r?\n)?)?|[ \t]*\r?\n(?:[ \t]*\r?\n)?|(?<=[.!?])[ \t]+|(?<=[。！？])[ \t]*"
)
_ASIDE = re.compile(
    r"(?:please |and |but |also )*(?:keep|preserve|retain|maintain|do not|don['’]t|only|just|return|output|reply|respond|"
    r"answer|use|make sure|leave|no explanations?|without|be|behalte|gib|nur|antworte|garde|conserve|ne |no |non |mantén|"
    r"devuelve|mantieni)[^.!?:\n]{0,160}(?:[.!:]\s*|\s*\n\s*)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:here(?:'s| is) the |the |source |input |original )?(?:text|input|sentence|texte|texto|testo|tekst|content|source|原文|文本)"
    r"[\"']?[ \t]*[:=：][ \t]*\n?",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r'"""(?P<triple>.*?)"""|```\w*\n(?P<fenced>.*?)\n?```|"(?P<plain>[^"]+)"|“(?P<curly>[^“”]+)”|„(?P<low>[^„“”]+)[“”]|'
    r"«(?P<angle>[^«»]+)»|「(?P<corner>[^「」]+)」|『(?P<white>[^『』]+)』|‘(?P<single>[^‘’]+)’|(?<!\w)'(?P<straight>(?:[^'\n]|(?<=\w)'(?=\w))+)'(?!\w)|"
    r"<text>(?P<tagged>(?:(?!<text>).)*?)</text>",
    re.DOTALL,
)
"""Pattern of a quotation that contains no other of its kind, so that a run of opening signs is read once and not once
for each sign."""
_LEAD = re.compile(
    r"\s*(?:what(?:['’]s|\s+(?:does|do|is))|how (?:do|would|can) (?:you|i|we|one)|was|wie|que|qué|cosa|[请請]?[将將把])\s*",
    re.IGNORECASE,
)
_BEFORE_OBJECT = re.compile(
    r"\s*(?:translation|version|übersetzung|traduction|traducción)?\s*(?:of|for|von|de|di)\s+", re.IGNORECASE
)
_PARTICLES = "をは,:：-–—"
"""Particles and signs between a text and the name of its language."""


@dataclass(frozen=True, slots=True)
class TranslationOrder:
    target: str
    """Language tag (models/translation/languages.py)."""
    source: str | None
    """Language tag; None if the language is to be detected."""
    text: str
    """Text to translate, unchanged; empty if the message holds none."""


@dataclass(frozen=True, slots=True)
class _Split:
    """A message split into its instruction and the rest."""

    instruction: str
    gap: str
    rest: str


def parse_order(message: str) -> TranslationOrder:
    """Parse a message. Raises InputError if it names no language or an unknown one."""
    if order := _parse_json(message):
        return order
    for split in _split_instruction(message):
        target = _target_of_instruction(split.instruction)
        if target:
            return TranslationOrder(target.tag, source_in(split.instruction, target), _text_following(split, target))
    if order := _parse_trailing(message):
        return order
    whole = message[:LONGEST_INSTRUCTION] if len(message) > LONGEST_INSTRUCTION else message
    target = target_in(_mask_quotations(whole))
    if target is not None and len(message) <= LONGEST_INSTRUCTION:
        return TranslationOrder(target.tag, source_in(whole, target), _text_inside(message, target))
    raise InputError(_describe_missing_language(whole))


def _describe_missing_language(instruction: str) -> str:
    example = "name it in the text, as in 'Translate the following into French: …'"
    unknown = unknown_in(_mask_quotations(instruction))
    if unknown and _VERB.search(instruction):
        return f"task 'translate' knows no language '{unknown}': give an English name or an ISO 639 code; {example}"
    return f"task 'translate' needs the language to translate into: {example}"


def _mask_quotations(text: str) -> str:
    """Blank out the quotations in `text`, keeping its length."""
    return _QUOTED.sub(lambda quoted: "❝" * len(quoted.group()), text)


def _split_instruction(message: str) -> Iterator[_Split]:
    """Yield each split at the end of a clause near the message's beginning, if there is text to translate after it."""
    head = _mask_quotations(message[:LONGEST_INSTRUCTION])
    if target_in(head) is None:
        return
    for gap in islice(_BOUNDARY.finditer(head), _MAX_CLAUSES):
        rest = message[gap.end() :]
        if rest.strip() and not _POLITE.fullmatch(rest[:LONGEST_INSTRUCTION]):
            yield _Split(message[: gap.start()], gap.group(), rest)


def _target_of_instruction(instruction: str) -> LanguageMention | None:
    """Return the target language of an instruction, which begins with the language or has a verb such as
    "translate"."""
    masked = _mask_quotations(instruction)
    target = target_in(masked)
    if target and (_VERB.search(masked) or not any(map(str.isalnum, masked[: target.start]))):
        return target
    return None


def _text_following(split: _Split, target: LanguageMention) -> str:
    quoted = _longest_quotation(split.instruction, target)
    colon = split.gap[:1] in {":", "："}
    if quoted and not colon and "\n" not in split.gap:
        return quoted
    rest = split.rest
    if not colon:
        rest = _without_asides(rest)
    rest = _LABEL.sub("", rest, count=1) if _LABEL.match(rest) else rest
    quotation = rest.strip()
    if "\n" not in split.gap and len(quotation) <= LONGEST_QUOTATION and (whole := _QUOTED.fullmatch(quotation)):
        return _quotation_text(whole)
    return rest


def _without_asides(rest: str) -> str:
    """Remove "Keep the formatting." and the like, if a colon or the end of a line separates them from the text."""
    place = 0
    while place < LONGEST_INSTRUCTION and (aside := _ASIDE.match(rest, place)):
        place = aside.end()
        if aside.group().rstrip(" \t")[-1] in ":\n":
            text = rest[place:]
            return text.lstrip("\r\n") if text.strip() else rest
    return rest


def _parse_trailing(message: str) -> TranslationOrder | None:
    """Parse an instruction after the text: `Hello.\\n\\nTranslate the above into French.`"""
    end = message.rstrip()
    tail = _mask_quotations(end[-LONGEST_INSTRUCTION:])
    if target_in(tail) is None:
        return None
    for gap in [*_BOUNDARY.finditer(tail)][: -_MAX_CLAUSES - 1 : -1]:
        place = len(end) - len(tail) + gap.end()
        instruction, text = end[place:], end[: place - len(gap.group())]
        target = _target_of_instruction(instruction)
        if (
            target
            and _VERB.search(instruction)
            and any(map(str.isalpha, text))
            and not _text_inside(instruction, target)
        ):
            text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
            return TranslationOrder(target.tag, source_in(instruction, target), text)
    return None


def _text_inside(instruction: str, target: LanguageMention) -> str:
    """Return the text within the instruction: in quotes, before the language, or after it."""
    if quoted := _longest_quotation(instruction, target):
        return quoted
    text_before, rest = instruction[: target.start], instruction[target.end :]
    verb = _VERB.search(text_before)
    parts = [text_before[verb.end() :], text_before[: verb.start()]] if verb else [text_before]
    for part in parts:
        text = without_source(_LABEL.sub("", part, count=1)).rstrip().rstrip(_PARTICLES).rstrip()
        text = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
        if not _NOTHING.fullmatch(text):
            return text.strip()
    rest = _BEFORE_OBJECT.sub("", rest, count=1) if _BEFORE_OBJECT.match(rest) else rest
    if polite := _POLITE.match(rest):
        rest = rest[polite.end() :]
    return "" if _VERB.match(rest) or _NOTHING.fullmatch(rest) else rest.strip()


def _longest_quotation(instruction: str, target: LanguageMention) -> str:
    """Return the longest quotation before or after the language."""
    found = [
        quote for quote in _QUOTED.finditer(instruction) if quote.end() <= target.start or quote.start() >= target.end
    ]
    return max(map(_quotation_text, found), key=len, default="")


def _quotation_text(quoted: re.Match[str]) -> str:
    text = next(content for content in quoted.groups() if content is not None)
    return text.strip() if quoted["angle"] else text


def _parse_json(message: str) -> TranslationOrder | None:
    """Parse `{"text": …, "to": …}`."""
    if not message.lstrip().startswith("{") or len(message) > _LONGEST_JSON or not parses_quickly(message):
        return None
    try:
        given = json.loads(message)
    except (ValueError, RecursionError):
        return None
    target = _first_text(given, "target_language", "target_lang", "target", "to", "language")
    text = _first_text(given, "text", "q", "input", "content")
    if target is None or text is None:
        return None
    source = _first_text(given, "source_language", "source_lang", "source", "from")
    tag = named(target)
    if tag is None:
        raise InputError(f"task 'translate' knows no language '{target[:40]}'")
    return TranslationOrder(tag, named(source) if source else None, text)


def _first_text(given: Mapping[str, Any], *names: str) -> str | None:
    return next((given[name] for name in names if isinstance(given.get(name), str)), None)
