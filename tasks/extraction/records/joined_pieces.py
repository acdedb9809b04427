"""Joins neighbouring pieces of a line that may be one text."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tasks.extraction.line_pieces import Piece, PiecedLine
from tasks.extraction.records.slots import PiecePlace, SlotCell


class Joining(NamedTuple):
    """A rule for the pieces that are joined."""

    name: str
    signs: tuple[str, ...] | None
    """Names of the signs that may be between joined pieces, of which only the first may have a label. None permits
    every sign and every label."""


JOININGS: Final = (
    Joining("phrase", ("",)),
    Joining("clause", ("", "comma", "open", "slash", "dash", "at", "close")),
    Joining("line", None),
)
"""Rules from the strictest one, by which only a space stands between two pieces, to the loosest."""


class JoinedPieces(NamedTuple):
    name: str
    """Name of the rule by which the pieces are joined."""
    indices: Sequence[int]
    """Indices of the pieces in their line."""


def joined_texts(pieces: Sequence[Piece], indices: Sequence[int]) -> Iterator[JoinedPieces]:
    """Yield the groups of neighbouring pieces of a line that may be one text. Only pieces at `indices` are joined."""
    for joining in JOININGS:
        for group in _groups(pieces, indices, joining):
            are_texts = [pieces[index].kind == "text" for index in group]
            if len(group) == 1 or not any(are_texts):
                continue
            yield JoinedPieces(joining.name, group)
            # A text often begins with a day or a period, which is a separate value.
            from_text = group[are_texts.index(True) :]
            if joining.signs is not None and 1 < len(from_text) < len(group):
                yield JoinedPieces(f"{joining.name} of text", from_text)


def _groups(pieces: Sequence[Piece], indices: Sequence[int], joining: Joining) -> Sequence[list[int]]:
    """Return the indices in groups of neighbours that a rule joins."""
    groups: list[list[int]] = []
    for index in indices:
        if groups and index == groups[-1][-1] + 1 and _is_joined(pieces[index], joining):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _is_joined(piece: Piece, joining: Joining) -> bool:
    """True if a rule joins a piece to the one before it."""
    return joining.signs is None or (piece.sign in joining.signs and not piece.label)


def join_pieces(line: PiecedLine, line_number: int, indices: Sequence[int]) -> SlotCell:
    """Return the text of neighbouring pieces, with the signs between them, as a cell."""
    pieces = [line.pieces[index] for index in indices]
    text = line.text[pieces[0].start : pieces[-1].end].replace("\t", " ")
    if text.count("(") > text.count(")"):
        text += ")"
    words = tuple(word for piece in pieces for word in piece.words)
    return SlotCell(text, words, frozenset(PiecePlace(line_number, index) for index in indices))
