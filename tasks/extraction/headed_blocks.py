"""Reads items that are blocks of lines: a heading in capitals, values with labels, and a text: `READING  Grade: B`, and
below it a remark.

School reports have such blocks, one for each subject, and so have weather reports, one for each area or day.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, is_plain_text, likeness_by_words
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_of, segments_of_row, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST: Final = 2
"""A list has at least this many blocks, and a block at least this many of heading, labelled values and text."""
MAX_BLOCKS: Final = 200
MAX_LABELS: Final = 12
"""At most this many labels are read in a block. Other labels are part of the text before them."""
LONGEST_ROW: Final = 400
"""A row of a block has at most this many characters."""
MAX_ROWS: Final = 12
"""A block has at most this many rows below its heading."""
LONGEST_HEADING: Final = 60
SHORTEST_HEADING: Final = 3
"""A heading has at most LONGEST_HEADING characters, and at least SHORTEST_HEADING letters."""
ENDING_GAP: Final = 0.9
"""A block ends where the gap to the next row is wider than this, in heights of a line."""
LEAST_SHARE: Final = 0.5
"""A list is filled from blocks only if they have this share of its fields."""

_LABEL = re.compile(r"(?:^|(?<=[.;] )|(?<=\s\s))(?P<label>[^\W\d_][^:.;\n]{0,30}?) ?: (?=\S)")
_AROUND: Final = " \n.;,"


class _Value(NamedTuple):
    label: str
    cell: ReadCell


@dataclass(slots=True)
class _Block:
    heading: ReadCell
    rows: list[tuple[str, ReadCell]] = field(default_factory=list)
    """Each row's text, in which two spaces stand for a wide gap, with its cell."""

    def labels(self) -> set[str]:
        return {one["label"] for text, _ in self.rows for one in _LABEL.finditer(text)}

    def values(self, known: Container[str]) -> tuple[list[_Value], ReadCell]:
        """Return the values with `known` labels, and the text without such a label."""
        found: list[_Value] = []
        texts: list[tuple[str, ReadCell]] = []
        for text, cell in self.rows:
            labels = [one for one in _LABEL.finditer(text) if one["label"] in known][: MAX_LABELS - len(found)]
            lead = text[: labels[0].start()] if labels else text
            if lead.strip(_AROUND):
                texts.append((lead.strip(), cell))
            for index, one in enumerate(labels):
                end = labels[index + 1].start() if index + 1 < len(labels) else len(text)
                value = text[one.end() : end].strip(_AROUND)
                found.append(_Value(one["label"], cell._replace(text=value, source=value)))
        whole = " ".join(" ".join(text.split()) for text, _ in texts)
        return found, texts[0][1]._replace(text=whole, source=whole) if texts else NO_CELL


def headed_blocks(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield, for each list, a table for each run of blocks whose labels name its fields, and None after each slice of
    work."""
    blocks: list[_Block] = []
    for one in _blocks(passage):
        yield None
        if one is not None:
            blocks.append(one)
    if len(blocks) < FEWEST:
        return
    counts: Counter[str] = Counter()
    for block in blocks:
        yield None
        counts.update(block.labels())
    # What only one block has before a colon is part of its text.
    known = {label for label, count in counts.items() if count >= FEWEST}
    read = []
    for block in blocks:
        yield None
        read.append((block, *block.values(known)))
    for fields in lists:
        run: list[tuple[_Block, list[_Value], ReadCell]] = []
        named: dict[str, bool] = {}
        for own in [*read, None]:
            yield None
            for value in own[1] if own is not None else ():
                if value.label not in named and len(named) < MAX_LABELS * FEWEST:
                    yield None
                    named[value.label] = _names_a_field(value.label, fields)
            if own is not None and any(named.get(value.label) for value in own[1]):
                run.append(own)
                continue
            if len(run) >= FEWEST and (table := _table(run, fields)) is not None:
                yield table
            run = []


def _names_a_field(label: str, fields: Sequence[WantedField]) -> bool:
    return any(likeness_by_words(one.names, label) >= LEAST_LIKENESS for one in fields)


def _table(run: Sequence[tuple[_Block, Sequence[_Value], ReadCell]], fields: Sequence[WantedField]) -> ReadTable | None:
    """Return the table of a run of blocks; None if it has too few of the list's fields."""
    labels = list(dict.fromkeys(value.label for _, values, _ in run for value in values))[:MAX_LABELS]
    likeness = [[likeness_by_words(one.names, label) for label in labels] for one in fields]
    left = [one for one, own in zip(fields, likeness, strict=True) if max(own) < LEAST_LIKENESS]
    heading = next((one for one in left if _may_be_heading(one)), None)
    texts = [one for one in left if one is not heading and is_plain_text(one)]
    remark = texts[0] if len(texts) == 1 and any(text.text for _, _, text in run) else None
    named = len(fields) - len(left) + (heading is not None) + (remark is not None)
    if named < FEWEST or named < LEAST_SHARE * len(fields):
        return None
    ends = [" ".join(one.names.own[0]) if one is not None else "" for one in (heading, remark)]
    header = [ReadCell(text) for text in (ends[0], *labels, ends[1])]
    rows = [header]
    for block, values, text in run:
        by_label = {value.label: value.cell for value in reversed(values)}
        rows.append([block.heading, *(by_label.get(label, NO_CELL) for label in labels), text if remark else NO_CELL])
    return ReadTable(rows, is_exact=False, is_whole=True)


def _may_be_heading(field: WantedField) -> bool:
    return is_plain_text(field) or wants_iso(field.schema) or "enum" in field.schema or types_of(field.schema) == set()


def _blocks(passage: Passage) -> Iterator[_Block | None]:
    """Yield the blocks of a page, and None after each row."""
    block: _Block | None = None
    bottom, count = 0, 0
    for row in rows_of(passage):
        yield None
        text = _text_with_gaps(passage, row)
        top, height = min(word.box[1] for word in row), max(word.height for word in row)
        heading, rest = _heading_and_rest(text) if len(text) <= LONGEST_ROW else ("", "")
        if heading or len(text) > LONGEST_ROW or (block is not None and top - bottom > ENDING_GAP * height):
            if block is not None:
                yield block
            block = None
            count += 1
            if count > MAX_BLOCKS:
                return
        if heading:
            cell = cell_of(passage, row)
            block = _Block(cell._replace(text=heading, source=heading), [(rest, cell)] if rest else [])
        elif block is not None and len(block.rows) < MAX_ROWS:
            block.rows.append((text, cell_of(passage, row)))
        bottom = max(word.box[3] for word in row)
    if block is not None:
        yield block


def _heading_and_rest(text: str) -> tuple[str, str]:
    """Return the heading at the beginning of a row, and the rest of the row; two empty texts if it has no heading."""
    first, _, rest = text.partition("  ")
    if ":" in first:
        first, _, rest = text.partition(":")
    heading = first.strip()
    is_heading = heading.isupper() and len(heading) <= LONGEST_HEADING
    is_heading = is_heading and sum(map(str.isalpha, heading)) >= SHORTEST_HEADING
    return (heading, rest.strip()) if is_heading else ("", "")


def _text_with_gaps(passage: Passage, row: Sequence[WordOnPage]) -> str:
    return "  ".join(text_of(passage, segment) for segment in segments_of_row(row))
