"""Defines the slots of records. A slot consists of the pieces at the same place of all records, such as the dates at
the beginning of each record."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from tasks.extraction.folding import folded_words
from tasks.notation.cells import is_missing

SINGLE_KINDS: Final = frozenset(
    ("date", "time", "money", "measure", "number", "period", "score", "email", "phone", "code")
)
"""Kinds of slots of which a record seldom has two."""
TEXT_KINDS: Final = frozenset(("text", "text()"))
"""Kinds of slots with texts of any form: `text()` stands for texts in brackets."""
NUMBER_OF_SECTION: Final = -1
"""Number that stands for the line with the heading above a record."""
NUMBER_OF_MARK: Final = -1
"""Number that stands for the bullet or number at the beginning of a line."""
MAX_WORDS_OF_NAME: Final = 3
"""Largest number of words of a text that may be a name."""
NO_PIECES: Final[frozenset["PiecePlace"]] = frozenset()
_LEGAL_FORM = re.compile(
    r"(?<![^\W_])(?:GmbH|mbH|AG|KG|OHG|UG|e\.?K|e\.?V|eG|Ltd|Limited|LLP|LLC|Inc|PLC|plc|Corp|Co|S\.?A\.?S?|S\.?L\.?U?"
    r"|SARL|EURL|S\.?r\.?l|S\.?p\.?A|Lda|B\.?V|N\.?V|sp\. ?z ?o\. ?o|AB|A/S|AS|Oy)(?![^\W_])\.?|&|^Fa\. |^Firma "
)
_PLACE_OF_WORK = re.compile(
    r"(?-i:(?<![^\W_])(?:TU|FH|TH|HTW|HTWK|ETH|RWTH|KIT|MIT|Uni)(?![^\W_]))|sixth form"
    r"|universi[td]|uniwersytet|politechni|politecnic|hogeschool|högskola|hochschule|(?:real|haupt|grund|berufs|fach)schule|gymnasium|school|college|lycée|liceo"
    r"|istituto|instituto|institut|escola|szkoła|hospital|klinik|academy|akademi",
    re.IGNORECASE,
)


class PiecePlace(NamedTuple):
    """The place of a piece in its record."""

    line: int
    """Number of the line in the record, from 0; `NUMBER_OF_SECTION` for the heading above it."""
    piece: int
    """Number of the piece in the line, from 0; `NUMBER_OF_MARK` for the bullet or number at the beginning."""


class SlotCell(NamedTuple):
    """The text that one record has in a slot."""

    text: str
    words: tuple[int, ...]
    """Indices of the text's words in the passage."""
    pieces: frozenset[PiecePlace]


class SlotTexts:
    """The texts of a slot, in the order of the records; empty for a record without a text."""

    def __init__(self, by_record: Sequence[str]) -> None:
        self.by_record = by_record

    @cached_property
    def is_missing(self) -> Sequence[bool]:
        """True for each record without a value, in order."""
        return [*map(is_missing, self.by_record)]

    @cached_property
    def is_empty(self) -> bool:
        """True if no record has a value."""
        return all(map(is_missing, self.by_record))

    @cached_property
    def is_constant(self) -> bool:
        """True if all records that have a text have the same one."""
        present = filter(None, self.by_record)
        first = next(present, None)
        return first is not None and all(text == first or folded_words(text) == folded_words(first) for text in present)

    @cached_property
    def chars(self) -> int:
        """Number of characters of all texts."""
        return sum(map(len, self.by_record))


@dataclass
class Slot:
    """The pieces at one place of all records."""

    kind: str
    """Kind of the pieces; with the name of the part, such as `period.first`, if the slot has only a part of each."""
    cells: list[SlotCell | None]
    """The cell of each record, or None for a record that has nothing in the slot."""
    label: str
    order: float
    """Place of the slot among the slots of a record; smaller numbers come first."""
    sign: str = ""
    """Name of the sign between the slot and the piece before it."""
    unit: str = ""
    """Unit that the slot's figures have in common; empty if the slot is defined by a place in the records."""
    is_joined: bool = False
    """True if the slot joins several pieces of each record."""
    is_rest_of_record: bool = False
    """True if the slot has all lines of each record except the first line."""

    @cached_property
    def pieces(self) -> Sequence[frozenset[PiecePlace]]:
        """The pieces that each record has in the slot."""
        return [cell.pieces if cell is not None else NO_PIECES for cell in self.cells]

    @cached_property
    def coverage(self) -> float:
        """Share of the records that have something in the slot."""
        return self.count_of_cells / len(self.cells)

    @cached_property
    def count_of_cells(self) -> int:
        """Number of records that have something in the slot."""
        return sum([cell is not None for cell in self.cells])

    @cached_property
    def texts_or_none(self) -> Sequence[str | None]:
        """The text of each record, or None for a record without a text."""
        return [(cell.text or None) if cell else None for cell in self.cells]

    @cached_property
    def texts(self) -> SlotTexts:
        return SlotTexts([cell.text if cell else "" for cell in self.cells])

    @cached_property
    def texts_in_one_line(self) -> SlotTexts:
        """The texts with a space in place of each line break."""
        if not any("\n" in text for text in self.texts.by_record):
            return self.texts
        return SlotTexts([text.replace("\n", " ") for text in self.texts.by_record])

    @cached_property
    def share_of_organisations(self) -> float:
        """Share of the texts that name an organisation."""
        texts = [*filter(None, self.texts.by_record)]
        return sum(map(_is_organisation, texts)) / len(texts) if texts else 0.0

    @cached_property
    def share_of_names(self) -> float:
        """Share of the texts that may be names: they are short, have no digits and begin with a capital letter."""
        texts = [*filter(None, self.texts.by_record)]
        return sum(map(_may_be_name, texts)) / len(texts) if texts else 0.0


@lru_cache(maxsize=4096)
def _is_organisation(text: str) -> bool:
    return _LEGAL_FORM.search(text) is not None or _PLACE_OF_WORK.search(text) is not None


def _may_be_name(text: str) -> bool:
    return text.count(" ") < MAX_WORDS_OF_NAME and text[:1].isupper() and not any(map(str.isdigit, text))
