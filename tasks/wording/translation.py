"""The options of the `translate` task, and how words become them: the languages that they name and the text."""

# ruff: noqa: E501 - one language per line

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from tasks.errors import InputError
from tasks.inputs.source import urls_in
from tasks.json_tokens import parses_quickly
from tasks.wording.message import split_message
from tasks.wording.named_languages import LanguageMention, source_in, tag_of_text, target_in
from tasks.wording.options import TaskOptions
from tasks.wording.order_parts import part_tagger
from tasks.wording.wishes import LIKELY, Label, wish_model

LONGEST_INSTRUCTION = 400
"""The instruction of a message is searched for in this many characters at its beginning or end."""
LONGEST_QUOTATION = 100_000
"""A longer text is translated with the signs of quotation around it."""
_LONGEST_JSON = 1_000_000
_MAX_CLAUSES = 12
"""At most this many clauses are examined at a message's beginning, and this many at its end."""
_BOUNDARY = re.compile(
    r"[:：][ \t]*(?:\r?\n(?:[ \t]*\r?\n)?)?|[ \t]*\r?\n(?:[ \t]*\r?\n)?|(?<=[.!?])[ \t]+|(?<=[。！？])[ \t]*"
)
_LABEL = re.compile(
    r"(?:(?:please )?translate|(?:here(?:'s| is) the |the |source |input |original )?(?:text|input|sentence|texte|texto|testo|tekst|content|source|原文|文本))"
    r"[\"']?[ \t]*[:=：][ \t]*\n?",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r'(?P<list>\[\s*(?:"(?:[^"\\]|\\.)*+"\s*(?:,\s*|(?=\])))++\])|'
    r'"""(?P<triple>.*?)"""|```\w*\n(?P<fenced>.*?)\n?```|"(?P<plain>[^"]+)"|“(?P<curly>[^“”]+)”|„(?P<low>[^„“”]+)[“”]|'
    r"«(?P<angle>[^«»]+)»|「(?P<corner>[^「」]+)」|『(?P<white>[^『』]+)』|‘(?P<single>[^‘’]+)’|(?<!\w)'(?P<straight>(?:[^'\n]|(?<=\w)'(?=\w))+)'(?!\w)|"
    r"<text>(?P<tagged>(?:(?!<text>).)*?)</text>",
    re.DOTALL,
)
"""Pattern of a JSON list of texts, or of a quotation that contains no other of its kind, so that a run of opening signs is read once and not once
for each sign."""
_QUESTION_MARKS = " ?？؟"
_DASH = r"[ \t]*[—–][ \t]*|[ \t]+-[ \t]+"
_FIRST_CLAUSE = re.compile(rf"{_BOUNDARY.pattern}|{_DASH}")
_LAST_CLAUSE = re.compile(
    rf"{_DASH}|[ \t]*[(\[]|[ \t]+(?=[-=]{{1,2}}>|→)|[ \t]*[,，、\n]\s*|(?<=[.!?])[ \t]+|(?<=[。！？])[ \t]*"
)


_NO_LANGUAGE = (
    "task 'translate' knows no language that the text names to translate into: name one in English or by its ISO 639 "
    "code, as in 'Translate the following into French: …'"
)


def _tag_of(language: object) -> object:
    if not isinstance(language, str) or (tag := tag_of_text(language)) is not None:
        return tag if isinstance(language, str) else language
    raise ValueError(f"'{language[:40]}' is no known language: give an English name or an ISO 639 code")


Language = Annotated[str, StringConstraints(min_length=2, max_length=60), BeforeValidator(_tag_of)]
"""Tag of a language (models/translation/languages.py). A name or a code becomes one."""


class TranslateOptions(TaskOptions):
    text: str | tuple[str, ...] = ""
    """The text to translate, or a list of texts. Give this or an input."""
    target_language: Language
    """English name or ISO 639 code of a language, such as German or de."""
    more_languages: tuple[Language, ...] = ()
    """Further languages to translate into."""
    source_language: Language | None = None
    """Language of the text, by English name or ISO 639 code. Default: recognised automatically."""

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target_language, *self.more_languages)

    def of_texts(self, texts: Sequence[str]) -> "TranslateOptions":
        """Return the options for a text that consists of `texts`."""
        return self.model_copy(update={"text": "\n\n".join(text for text in texts if text)})


def parse_translation(words: str, has_sources: bool = False) -> TranslateOptions:
    """Return the translation that a message asks for. If there are inputs and the message has no text but their
    addresses, the inputs are translated. Raises InputError if it names no language or an unknown one."""
    options = parse_order(words)
    is_of_inputs = has_sources and isinstance(options.text, str) and _is_only_links(options.text)
    return options.model_copy(update={"text": ""}) if is_of_inputs else options


def _is_only_links(text: str) -> bool:
    for url in urls_in(text):
        text = text.replace(url, "")
    return not any(map(str.isalnum, text))


@dataclass(frozen=True, slots=True)
class _Split:
    """A message split into its instruction and the rest."""

    instruction: str
    gap: str
    rest: str
    is_before: bool
    """True if the rest follows the instruction."""


def parse_order(message: str) -> TranslateOptions:
    """Return the translation that a message orders, with its text unchanged, and JSON if it is a list of texts; empty if
    the message holds none. Raises InputError if it names no language or an unknown one."""
    if order := _parse_json(message):
        return order
    if split := _likeliest_split(message):
        return _order_of(*split)
    whole = message[:LONGEST_INSTRUCTION] if len(message) > LONGEST_INSTRUCTION else message
    target = target_in(_mask_quotations(whole))
    if target is not None and len(message) <= LONGEST_INSTRUCTION:
        return _options(target, message, _text_inside(message, target))
    raise InputError(_NO_LANGUAGE)


def _likeliest_split(message: str) -> tuple[LanguageMention, _Split] | None:
    """Return the first split whose instruction names a language and wishes a translation, or else the first one at
    whose colon or line's end a text begins."""
    named = []
    for split in _splits(message):
        target = target_in(_mask_quotations(split.instruction))
        if target is None or not (split.is_before or any(map(str.isalpha, split.rest))):
            continue
        if _wishes(split.instruction, "translate"):
            return target, split
        named.append((target, split))
    return next((one for one in named if one[1].is_before and one[1].gap.strip(" ")), None)


def _wishes(clause: str, *labels: Label) -> bool:
    """True if a clause has any of these wishes."""
    probabilities = wish_model().probabilities(split_message(clause), ())
    return any(probabilities[label] >= LIKELY for label in labels)


def _mask_quotations(text: str) -> str:
    """Blank out the quotations in `text`, keeping its length."""
    return _QUOTED.sub(lambda quoted: "❝" * len(quoted.group()), text)


def _splits(message: str) -> Iterator[_Split]:
    """Yield the splits at the ends of clauses near the message's beginning, then near its end."""
    head = _mask_quotations(message[:LONGEST_INSTRUCTION])
    for gap in islice(_FIRST_CLAUSE.finditer(head), _MAX_CLAUSES):
        rest = message[gap.end() :]
        is_text = gap.group()[:1] in {":", "："} or not _wishes(rest[:LONGEST_INSTRUCTION], "thanks", "manner")
        if rest.strip() and is_text:
            yield _Split(message[: gap.start()], gap.group(), rest, is_before=True)
    end = message.rstrip()
    tail = _mask_quotations(end[-LONGEST_INSTRUCTION:])
    for gap in [*_LAST_CLAUSE.finditer(tail)][: -_MAX_CLAUSES - 1 : -1]:
        place = len(end) - len(tail) + gap.end()
        # A clause that a colon ends leads to a text, and follows none.
        if place < len(end) and not any(colon in end[place:-1] for colon in ":："):
            yield _Split(end[place:], gap.group(), end[: place - len(gap.group())], is_before=False)


def _order_of(target: LanguageMention, split: _Split) -> TranslateOptions:
    if split.is_before:
        text = _text_following(split, target)
    elif quoted := _longest_quotation(split.instruction, target):
        text = quoted
    elif len(split.rest) <= LONGEST_QUOTATION and (whole := _QUOTED.fullmatch(split.rest)):
        text = _quotation_text(whole)
    else:
        text = _LABEL.sub("", split.rest, count=1) if _LABEL.match(split.rest) else split.rest
    return _options(target, split.instruction, text)


def _options(target: LanguageMention, instruction: str, text: str) -> TranslateOptions:
    return TranslateOptions(
        text=text,
        target_language=target.tags[0],
        more_languages=target.tags[1:],
        source_language=source_in(instruction, target),
    )


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
    start = 0
    for gap in _FIRST_CLAUSE.finditer(rest, 0, LONGEST_INSTRUCTION):
        if not _wishes(rest[start : gap.start()], "manner", "thanks"):
            break
        if gap.group().strip(" \t") and rest[gap.end() :].strip():
            return rest[gap.end() :]
        start = gap.end()
    return rest


def _text_inside(instruction: str, target: LanguageMention) -> str:
    """Return the text within the instruction: in quotes, or else as the tagger of parts finds it."""
    if quoted := _longest_quotation(instruction, target):
        return quoted
    text = part_tagger().text_of(instruction, "text")
    # The question at whose end the text is has the question mark.
    return text.rstrip(_QUESTION_MARKS) if instruction.endswith(text) else text


def _longest_quotation(instruction: str, target: LanguageMention) -> str:
    """Return the longest quotation before or after the language."""
    found = [
        quote for quote in _QUOTED.finditer(instruction) if quote.end() <= target.start or quote.start() >= target.end
    ]
    return max(map(_quotation_text, found), key=len, default="")


def _quotation_text(quoted: re.Match[str]) -> str:
    text = next(content for content in quoted.groups() if content is not None)
    return text.strip() if quoted["angle"] else text


def _parse_json(message: str) -> TranslateOptions | None:
    """Return the options that a message gives as JSON, or None if it is another message."""
    if not message.lstrip().startswith("{") or len(message) > _LONGEST_JSON or not parses_quickly(message):
        return None
    try:
        return TranslateOptions.of_caller(json.loads(message))
    except (ValueError, RecursionError, TypeError):
        return None


def listed_texts(text: str) -> list[str] | None:
    """Return the texts of a JSON list of texts, perhaps in a code block, or None for any other text."""
    if len(text) <= LONGEST_QUOTATION and (whole := _QUOTED.fullmatch(text.strip())):
        text = _quotation_text(whole)
    if not text.lstrip().startswith("[") or len(text) > _LONGEST_JSON or not parses_quickly(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    are_texts = isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
    return value if are_texts else None
