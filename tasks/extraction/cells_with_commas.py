"""Prefers a cell that has a comma over the text before the comma: in the row `| Patient | ROMERO VIDAL, INMACULADA |`
of a form, the cell is the patient's name.

In a line of running text, the comma after a name usually ends the name, and the network has learnt this. What ends a
value in a form is the edge of its cell.
"""

from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, cells_of, without_signs
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.wholes import whole_of

CUT_FROM_CELL: Final = 5.0
"""Penalty on the logit of the text before the comma of a cell."""


class _CellWithComma(NamedTuple):
    text: str
    wholes: list[int]
    parts: list[int]
    """Indices of the spans with all of the cell, and of those with a text before its comma."""


class CellsWithCommas:
    """The cells with a comma in the rows of all tables, and the spans in them. They have to be read (`read`) before a
    field is compared.

    A cell with several commas may be a list or an address, and figures after a comma are a value of their own, such as
    a postcode or a size. These cells are left out.
    """

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._cells: list[_CellWithComma] = []

    def read(self) -> Slices[None]:
        by_first_word: dict[tuple[int, int], _CellWithComma] = {}
        for index, segment in enumerate(self._candidates.segments):
            if index % SPANS_AT_ONCE == 0:
                yield
            if "," not in segment.text:
                continue
            texts = [segment.passage.words[word] for word in segment.words]
            for start, end in cells_of(texts):
                text = " ".join(texts[start:end])
                _, comma, after = text.partition(",")
                if comma and after.strip() and not any(one == "," or one.isdigit() for one in after):
                    by_first_word[id(segment.passage), segment.words[start]] = _CellWithComma(
                        without_signs(text), [], []
                    )
        for index, span in enumerate(self._candidates.spans if by_first_word else ()):
            if index % SPANS_AT_ONCE == 0:
                yield
            first = next((word for word in span.words if span.passage.words[word] != "|"), -1)
            cell = by_first_word.get((id(span.passage), first))
            if cell is not None and span.text == cell.text:
                cell.wholes.append(index)
            elif cell is not None and span.text and cell.text.partition(",")[0].startswith(span.text):
                cell.parts.append(index)
        self._cells = [cell for cell in by_first_word.values() if cell.wholes and cell.parts]

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Give each cell at least the logit of the text before its comma, and lower the logits of this text. A field
        for a part of a name or an address, or for anything but a text, is left as it is."""
        if not field.is_plain_text or whole_of(field) is not None:
            return
        for cell in self._cells:
            logits[cell.wholes] = logits[[*cell.wholes, *cell.parts]].max()
            logits[cell.parts] -= CUT_FROM_CELL
