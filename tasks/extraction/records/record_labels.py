"""Finds labels of pieces in records: texts that most records have in common, and the header above the first record."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.concepts import PHRASES
from tasks.extraction.folding import folded_words
from tasks.extraction.line_pieces import PiecedLine
from tasks.extraction.records.line_keys import LineKey, SlotKey, keys_of_pieces
from tasks.extraction.records.runs import Run
from tasks.extraction.records.slots import Slot
from tasks.extraction.words_on_page import WordOnPage

CONSTANT: Final = 0.6
"""A text counts as a label if at least this share of the records have the text in the same slot. Labels count as
telling if at least this share of the records have, in the same line, a label that no other record has."""
MAX_WORDS_OF_LABEL: Final = 4
_SPACE: Final = re.compile(r"\s")
IS_LABEL: Final = "\x00"
"""Label of a text that is itself the label of another piece. No page contains this character."""


FEWEST_TELLING: Final = 3
"""Labels count as telling only if at least this many records have, in the same line, a label that no other record
has."""


def with_telling_labels_as_texts(run: Run) -> Run:
    """Return a run in which each telling label is a separate text. A label is telling if only one record has it, it is
    not the name of a concept, and most records have such a label in the same line, as in `Skarnholm: SW 12 m/s` above
    `Aldby: W 9 m/s`."""
    count = len(run.records)
    if count < FEWEST_TELLING:
        return run
    records_by_label: dict[tuple[str, ...], set[int]] = defaultdict(set)
    labels_by_line: dict[int, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for record_number, record in enumerate(run.records):
        for line_number, line in enumerate(record):
            for index, piece in enumerate(line.pieces):
                label = tuple(folded_words(piece.label)) if piece.label else ()
                if not label:
                    continue
                records_by_label[label].add(record_number)
                if index == 0:
                    labels_by_line[line_number][record_number] = label
    telling: set[tuple[int, int]] = set()
    for line_number, labels in labels_by_line.items():
        own = [number for number, label in labels.items() if len(records_by_label[label]) == 1 and label not in PHRASES]
        if len(own) >= max(FEWEST_TELLING, CONSTANT * count):
            telling |= {(number, line_number) for number in own}
    if not telling:
        return run
    records = [
        [_with_label_as_text(line) if (number, index) in telling else line for index, line in enumerate(record)]
        for number, record in enumerate(run.records)
    ]
    return replace(run, records=records)


def _with_label_as_text(line: PiecedLine) -> PiecedLine:
    """Return a line whose first piece has no label, but follows a text with the label's words."""
    first, *others = line.pieces
    start = line.text.rfind(first.label, 0, first.start)
    end = start + len(first.label)
    first_word, last_word = (len(_SPACE.findall(line.text[:position])) for position in (start, end))
    words = tuple(word.at for word in line.words[first_word : last_word + 1])
    label = first._replace(kind="text", text=first.label, words=words, label="", start=start, end=end)
    return line._replace(pieces=[label, first._replace(label="", sign="colon"), *others])


class PieceOfRun(NamedTuple):
    """The place of a piece in its run."""

    record: int
    line: int
    piece: int


def constant_labels(run: Run, line_keys: Sequence[Sequence[LineKey]]) -> Slices[Mapping[PieceOfRun, str]]:
    """Return the labels that pieces have from constant texts: a text that is the same in most records is the label of
    the piece after it. The text itself is marked with `IS_LABEL`."""
    labels: dict[PieceOfRun, str] = {}
    if len(run.records) < 2:
        return labels
    texts_by_slot = yield from _texts_by_slot(run, line_keys)
    for places_by_text in texts_by_slot.values():
        yield
        common = max(places_by_text, key=lambda text: (len(places_by_text[text]), text))
        places = places_by_text[common]
        if len(places) < max(2, CONSTANT * len(run.records)) or len(common.split()) > MAX_WORDS_OF_LABEL:
            continue
        for place in places:
            labelled = _labelled_piece(run, place)
            if labelled is not None:
                labels[labelled] = run.records[place.record][place.line].pieces[place.piece].text
                labels[place] = IS_LABEL
    return labels


def _texts_by_slot(
    run: Run, line_keys: Sequence[Sequence[LineKey]]
) -> Slices[Mapping[SlotKey, Mapping[str, Sequence[PieceOfRun]]]]:
    """Return the places of each text (in its folded form), by the key of the slot."""
    texts: dict[SlotKey, dict[str, list[PieceOfRun]]] = defaultdict(lambda: defaultdict(list))
    for record_number, (record, keys) in enumerate(zip(run.records, line_keys, strict=True)):
        for line_number, (line, line_key) in enumerate(zip(record, keys, strict=True)):
            yield
            for index, (piece, key) in enumerate(zip(line.pieces, keys_of_pieces(line_key, line), strict=True)):
                if piece.kind == "text":
                    place = PieceOfRun(record_number, line_number, index)
                    texts[key][" ".join(folded_words(piece.text))].append(place)
    return texts


def _labelled_piece(run: Run, place: PieceOfRun) -> PieceOfRun | None:
    """Return the piece that a text may label: the next one in the line or, if the text is the whole line, the first one
    in the next line."""
    record = run.records[place.record]
    pieces = record[place.line].pieces
    after = place.piece + 1
    if after < len(pieces) and pieces[after].sign in ("", "gap", "colon"):
        return place._replace(piece=after)
    below = place.line + 1
    if len(pieces) == 1 and below < len(record) and record[below].pieces:
        return PieceOfRun(place.record, below, 0)
    return None


def label_by_header(run: Run, slots: Sequence[Slot]) -> Slices[None]:
    """Give each slot without a label in the records' first lines the header's text above it as its label."""
    header = run.above
    if header is None or not _is_header(header):
        return
    heads = [(words[0].box[0], words[-1].box[2], text) for text, words in _segments(header)]
    boxes = {word.at: word.box for record in run.records for word in record[0].words}
    for slot in slots:
        yield
        cells = [cell for cell in slot.cells if cell is not None]
        edges = [
            (boxes[cell.words[0]][0], boxes[cell.words[-1]][2])
            for cell in cells
            if cell.words and cell.words[0] in boxes and cell.words[-1] in boxes
        ]
        if slot.label or not edges or 2 * len(edges) < len(cells):
            continue
        slot_left = sum(left for left, _ in edges) / len(edges)
        slot_right = sum(right for _, right in edges) / len(edges)
        overlaps = [(min(slot_right, right) - max(slot_left, left), text) for left, right, text in heads]
        overlap, text = max(overlaps, default=(0, ""))
        if overlap > 0:
            slot.label = text


def _is_header(line: PiecedLine) -> bool:
    """True if a line has only texts, with a wide gap between two of them."""
    return any(piece.sign == "gap" for piece in line.pieces) and all(piece.kind == "text" for piece in line.pieces)


def _segments(line: PiecedLine) -> Iterator[tuple[str, Sequence[WordOnPage]]]:
    """Yield the parts of a line between wide gaps, each with its words."""
    start = 0
    for text in line.text.split("\t"):
        end = start + text.count(" ") + 1
        yield text, line.words[start:end]
        start = end
