"""What stands in a text and fits a field: values that may be chosen from, so that none has to be invented."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from app.chat.evidence.claims import Asked, Claims
from app.chat.evidence.concepts import may_be_same
from app.chat.evidence.labels import Names
from app.chat.evidence.pairs import Pair
from app.chat.evidence.passages import Passage, fold
from app.chat.evidence.quantities import Day, Number
from app.chat.schema.safe_keywords import matcher

MOST_CANDIDATES = 64
"""More than these is no choice: the field is not about something that stands there."""
MOST_SEEN = 2_000
"""Places in the texts that are looked at for one field: it is about a page, not a library."""
MOST_SPANS = 20_000
"""Runs of words that are tried on a pattern."""
LONGEST_SPAN = 6
"""Words."""

Fits = Callable[[Any], bool]

_CLOCK = re.compile(r"\b\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\b\.?)?", re.IGNORECASE)
_FORMATS = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    "uri": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>()]{1,2000}", re.IGNORECASE),
    "time": _CLOCK,
}
_AROUND = ".,;:()[]{}\"'“”‘’|*#"
_ISO = re.compile(r"\bISO\b|YYYY-MM-DD", re.IGNORECASE)


class Texts:
    """What was read, and its labels."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._claims = Claims(passages)

    @property
    def any(self) -> bool:
        """Whether anything was read."""
        return bool(self._passages)

    def candidates(self, schema: Mapping[str, Any], names: Names, fits: Fits) -> list[Any] | None:
        """Values that `fits` accepts and that the texts say; those beside the field's own label, if there are any.

        None where the field is of no kind that can be looked for; empty where it is, and nothing fits.
        """
        if "enum" in schema:
            return self._of_enum(schema["enum"], fits)
        types = _types(schema)
        if types not in ({"string"}, {"number"}, {"integer"}) or schema.get("format") == "date-time":
            return None
        asked = Asked("" if "string" in types else 0, names)
        field = _Field(asked, schema, "string" not in types)
        own = _chosen(
            (value for passage, pair in self._claims.own_pairs(asked) for value in field.beside(passage, pair)), fits
        )
        if own:
            return own
        if asked.is_labelled and fits(None) and any(passage.name == "ocr" for passage in self._passages):
            return []
        ways = list(self._anywhere(field))
        found = next(filter(None, (_chosen(way, fits) for way in ways)), [])
        return found if ways and len(found) <= MOST_CANDIDATES else None

    def _of_enum(self, values: Sequence[Any], fits: Fits) -> list[Any] | None:
        """Values with figures are those of things; a word may be a judgement, whose word need not stand there."""
        said = [value for value in values if value is not None]
        is_of_things = all(isinstance(value, str) and any(map(str.isdigit, value)) for value in said)
        if not said or len(said) > MOST_CANDIDATES or not is_of_things:
            return None
        return [
            value for value in said if fits(value) and any(_says(passage, value) for passage in self._passages)
        ] or None

    def _anywhere(self, field: "_Field") -> Iterator[Iterator[Any]]:
        """Ways to look for the field where no label of its own stands, the best first."""
        match field.kind:
            case "date":
                yield (
                    value
                    for passage in self._passages
                    for day in passage.days
                    if not passage.text[max(0, day.start - 1) : day.start].isalpha()
                    for value in field.dates(passage, day)
                )
            case "time":
                yield (found[0] for passage in self._passages for found in _CLOCK.finditer(passage.text))
            case "amount" if field.asked.is_quantity:
                yield (
                    value
                    for passage, number in self._unclaimed(field.asked)
                    for value in field.amounts(passage, number)
                )
        if (form := _FORMATS.get(str(field.schema.get("format")))) is not None:
            yield (found[0] for passage in self._passages for found in form.finditer(passage.text))
        if "pattern" in field.schema:
            fits = matcher(field.schema["pattern"])
            yield (span for span in self._spans if fits(span))

    def _unclaimed(self, asked: Asked) -> Iterator[tuple[Passage, Number]]:
        """Numbers that stand beside no label of something else."""
        for passage in self._passages:
            pair_of = self._claims.layout(passage).pair_of
            for number in passage.numbers:
                words = passage.words_between(number.start, number.end)
                pair = next((pair_of[word] for word in words if word in pair_of), None)
                if pair is None or not pair.concepts or may_be_same(pair.concepts, asked.concepts):
                    yield passage, number

    @cached_property
    def _spans(self) -> list[str]:
        return list(dict.fromkeys(self._runs()))

    def _runs(self) -> Iterator[str]:
        """Runs of words with a figure in them: what has none is anybody's prose."""
        left = MOST_SPANS
        for passage in self._passages:
            for line in passage.lines:
                words = list(map(_without_label, line.words))
                for first in range(len(words)):
                    for last in range(first + 1, min(len(words), first + LONGEST_SPAN) + 1):
                        left -= 1
                        if left < 0:
                            return
                        span = " ".join(words[first:last])
                        if any(map(str.isdigit, span)):
                            yield from (span, span.strip(_AROUND))


@dataclass(frozen=True, slots=True)
class _Field:
    asked: Asked
    schema: Mapping[str, Any]
    is_number: bool

    @property
    def kind(self) -> Literal["amount", "date", "time", "words"]:
        if self.is_number or self.asked.is_quantity:
            return "amount"
        if self.schema.get("format") == "date" or (self.asked.concepts and "date" in self.asked.kinds):
            return "date"
        return "time" if self.asked.concepts and "time" in self.asked.kinds else "words"

    def beside(self, passage: Passage, pair: Pair) -> Iterator[Any]:
        """What stands beside a label."""
        text = _without_label(" ".join([passage.words[word] for word in pair.values]))
        match self.kind:
            case "amount":
                number = next((passage.number_at[word] for word in pair.values if word in passage.number_at), None)
                if number is not None:
                    yield from self.amounts(passage, number)
            case "date":
                day = next((passage.day_at[word] for word in pair.values if word in passage.day_at), None)
                if day is not None:
                    yield from self.dates(passage, day)
            case "time":
                yield from (found[0] for found in _CLOCK.finditer(text))
            case "words":
                yield text.strip(_AROUND)

    def amounts(self, passage: Passage, number: Number) -> Iterator[Any]:
        """A text's without the currency, unless its pattern may want that."""
        if not self.is_number:
            yield number.digits
            if "pattern" in self.schema:
                yield passage.text[number.start : number.end].strip()
            return
        for reading in sorted(number.readings):
            if reading == reading.to_integral_value() and not set(".,") & set(number.digits):
                yield int(reading)
            else:
                yield float(reading)

    def dates(self, passage: Passage, day: Day) -> Iterator[str]:
        """As it is written, and as ISO 8601 has it where the field may want that."""
        wants_iso = self.schema.get("format") == "date" or _ISO.search(str(self.schema.get("description", "")))
        if not wants_iso:
            yield passage.text[day.start : day.end]
        if wants_iso or "pattern" in self.schema:
            yield day.readings[0].isoformat()


def _types(schema: Mapping[str, Any]) -> set[str]:
    """But for null."""
    given = schema.get("type")
    return {name for name in ([given] if isinstance(given, str) else given or ()) if name != "null"}


def _chosen(values: Iterable[Any], fits: Fits) -> list[Any]:
    """Each once, those that fit; one more than may be chosen from where there are more."""
    tried: dict[Any, bool] = {}
    left = MOST_CANDIDATES
    for value in islice(values, MOST_SEEN):
        if value not in tried:
            tried[value] = fits(value)
            left -= tried[value]
            if left < 0:
                break
    return [value for value, does_fit in tried.items() if does_fit]


def _says(passage: Passage, value: str) -> bool:
    return next(passage.tokens.occurrences("".join(fold(value)), passage.tokens.stream, 1), None) is not None


def _without_label(text: str) -> str:
    """`Date:25/12/2018` → `25/12/2018`."""
    head, colon, tail = text.partition(":")
    return tail.strip() if colon and head.isalpha() and not tail.startswith("//") else text
