"""The fields of written documents with their names and labels, and how well the model of labels knows them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.extraction.labels import LabelModel
from tasks.extraction.names import names_of
from training.extraction.written import WrittenDocument, WrittenLine, written_documents

MOST_TEXTS = 120
"""At most this many texts of a document are compared with a name when the model is tried."""
ONE_IN = 7
"""The model is tried on one in so many of the documents of unseen trades."""
_AROUND = " :·-–,;(.|"


class LabelledField(NamedTuple):
    """A field of a written document."""

    names: Sequence[str]
    descriptions: Sequence[str]
    label: str
    """The text before its value or above its column; empty if there is none."""


class LabelledDocument(NamedTuple):
    digest: int
    fields: Sequence[LabelledField]
    texts: Sequence[str]
    """The texts of its cells."""


def labelled(document: WrittenDocument) -> LabelledDocument:
    """Return the fields of a document with their names and labels."""
    labels = _labels(document.lines)
    fields = []
    for key, told in document.fields.items():
        names = [name.partition("|")[0] for name in told.names]
        descriptions = [text.strip() for name in told.names if (text := name.partition("|")[2])]
        paths = [tuple(part.strip() for part in name.replace("[]", "").split(".")) for name in names]
        phrases = [phrase for path in paths if (phrase := names_of(path, {}).phrase)]
        if phrases:
            fields.append(LabelledField(phrases, descriptions, labels.get(key, "")))
    texts = dict.fromkeys(text for line in document.lines for text in _texts(line) if text)
    return LabelledDocument(document.digest, fields, [*texts])


def _texts(line: WrittenLine) -> list[str]:
    return ["".join(piece.text for piece in cell).strip() for cell in line]


def _labels(lines: Sequence[WrittenLine]) -> dict[str, str]:
    """Return the first label of each key: the text before its value in the cell, the cell before it or, for a column,
    the cell of the header."""
    found: dict[str, str] = {}
    header: list[str] = []
    for line in lines:
        texts = _texts(line)
        left = ""
        for column, cell in enumerate(line):
            before = ""
            for piece in cell:
                if piece.key and not piece.continues:
                    above = header[column] if "[]" in piece.key and len(header) == len(line) else ""
                    label = above or before.strip(_AROUND) or ("" if "[]" in piece.key else left.strip(_AROUND))
                    if label:
                        found.setdefault(piece.key, label)
                before = "" if piece.key else before + piece.text
            left = "" if any(piece.key for piece in cell) else texts[column]
        if len(line) > 1 and not any(piece.key for cell in line for piece in cell):
            header = texts
    return found


def sampled() -> list[LabelledDocument]:
    """Return the documents on which the model is tried: some of unseen trades."""
    return [labelled(one) for one in written_documents() if one.is_of_unseen_trade and one.digest % ONE_IN == 0]


def share_nearest(model: LabelModel, documents: Sequence[LabelledDocument]) -> float:
    """Return the share of fields with a label whose label is nearer to a name than all other texts of the document."""
    found = [*_are_nearest(model, documents)]
    return sum(found) / len(found)


def _are_nearest(model: LabelModel, documents: Sequence[LabelledDocument]) -> Iterator[bool]:
    for document in documents:
        texts = model.vectors(document.texts[:MOST_TEXTS])
        for one in document.fields:
            if one.label:
                name, label = model.vectors([one.names[document.digest % len(one.names)], one.label])
                others = [text != one.label for text in document.texts[:MOST_TEXTS]]
                yield bool((texts[others] @ name < label @ name).all())
