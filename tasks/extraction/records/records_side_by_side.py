"""Finds records that stand side by side on a page: columns that are cards, and the columns of bands of rows."""

from collections.abc import Iterator, Sequence
from typing import Final

from tasks.extraction.line_pieces import PiecedLine
from tasks.extraction.passages import Passage
from tasks.extraction.records.runs import FAR, MAX_LINES, MAX_LINES_OF_RECORD, Run, cut_lines
from tasks.extraction.words_on_page import WordOnPage, rows_of, segments_of_row

SAME_TOP: Final = 2
"""The tops of cards in one row are less than this distance apart, in heights of a line."""
_Segment = list[WordOnPage]
"""Neighbouring words of a row without a wide gap between them."""


def cards(passage: Passage, columns: Sequence[Sequence[PiecedLine]]) -> Iterator[Run]:
    """Yield the columns of a page that stand side by side and begin at the same height, each of them as a record."""
    row: list[list[PiecedLine]] = []
    for lines in columns:
        is_card = 0 < len(lines) <= MAX_LINES_OF_RECORD
        is_beside = is_card and bool(row) and abs(lines[0].top - row[0][0].top) < SAME_TOP * lines[0].height
        if not is_beside:
            yield from _run_of_cards(passage, row)
            row = []
        if is_card:
            row.append(list(lines))
    yield from _run_of_cards(passage, row)


def _run_of_cards(passage: Passage, row: list[list[PiecedLine]]) -> Iterator[Run]:
    if len(row) > 1:
        yield Run(passage, row)


def bands(passage: Passage) -> Iterator[Run | None]:
    """Yield the runs of records in bands; None after each slice of work without a run. A band consists of rows whose
    segments are below each other, and each column of segments is a record."""
    band: list[Sequence[_Segment]] = []
    for row in rows_of(passage)[:MAX_LINES]:
        yield None
        segments = [list(segment) for segment in segments_of_row(row)]
        aligned = _aligned(segments, band) if band else None
        if aligned is not None:
            band.append(aligned)
            continue
        yield from _run_of_band(passage, band)
        band = [segments] if len(segments) > 1 else []
    yield None
    yield from _run_of_band(passage, band)


def _aligned(segments: Sequence[_Segment], band: Sequence[Sequence[_Segment]]) -> Sequence[_Segment] | None:
    """Return the segments of a row by the columns of a band, empty where a column has none. Return None if the row does
    not continue the band, because it is far below or because at least half of the columns have none."""
    bottom = max(word.box[3] for segment in band[-1] for word in segment)
    if segments[0][0].box[1] - bottom > FAR * segments[0][0].height:
        return None
    aligned: list[_Segment] = [[] for _ in band[0]]
    for segment in segments:
        column = next((index for index, top in enumerate(band[0]) if _is_below(segment, top)), None)
        if column is not None and not aligned[column]:
            aligned[column] = segment
    return aligned if 2 * sum(map(bool, aligned)) > len(aligned) else None


def _is_below(segment: _Segment, top: _Segment) -> bool:
    """True if a segment has nearly the left edge or the middle of the segment at the top of a column."""
    near = segment[0].height
    return abs(segment[0].box[0] - top[0].box[0]) < near or abs(_middle(segment) - _middle(top)) < near


def _middle(segment: _Segment) -> float:
    return (segment[0].box[0] + segment[-1].box[2]) / 2


def _run_of_band(passage: Passage, band: Sequence[Sequence[_Segment]]) -> Iterator[Run | None]:
    """Yield the columns of a band as records, with a slice of work for each line; nothing for a single row."""
    if len(band) < 2:
        return
    records: list[list[PiecedLine]] = []
    for column in zip(*band, strict=True):
        records.append((yield from cut_lines(passage, [*filter(None, column)])))  # noqa: PERF401 - a comprehension cannot yield
    yield Run(passage, records)
