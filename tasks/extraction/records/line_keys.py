"""Makes keys by which the lines and the pieces of one record correspond to those of the other records of a run."""

from collections import Counter
from collections.abc import Sequence

from tasks.extraction.folding import folded_words
from tasks.extraction.line_pieces import Piece, PiecedLine

LineKey = tuple[object, ...]
SlotKey = tuple[object, ...]


def keys_of_lines(record: Sequence[PiecedLine]) -> list[LineKey]:
    """Return a key for each line of a record. The key of each line except the first depends on the line's shape."""
    left = min(line.left for line in record)
    counts: Counter[LineKey] = Counter()
    keys: list[LineKey] = [("first",)]
    for line in record[1:]:
        shape = _shape_of(line, left)
        counts[shape] += 1
        keys.append((*shape, counts[shape]))
    return keys


def _shape_of(line: PiecedLine, left: int) -> LineKey:
    """Return the label at the beginning of a line. Without a label, return the beginning of the line (a mark, or the
    kind of its first piece), and whether the line is indented. `left` is the left edge of the record."""
    first = line.pieces[0] if line.pieces else None
    if first and first.label:
        return ("label", *folded_words(first.label))
    is_indented = line.left - left > line.height
    if line.mark:
        return ("mark", is_indented)
    return (first.kind if first else "", is_indented)


def keys_of_pieces(line_key: LineKey, line: PiecedLine) -> list[SlotKey]:
    """Return a key for each piece of a line: its kind, its label, and its number among the line's pieces of this kind
    with this label."""
    counts: Counter[SlotKey] = Counter()
    keys: list[SlotKey] = []
    for piece in line.pieces:
        key = (line_key, kind_of_piece(piece), *folded_words(piece.label))
        counts[key] += 1
        keys.append((*key, counts[key]))
    return keys


def kind_of_piece(piece: Piece) -> str:
    """Return the kind of a piece; `text()` for a text in brackets."""
    return "text()" if piece.kind == "text" and piece.in_brackets else piece.kind
