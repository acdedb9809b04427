"""Cells with a comma, in the rows of forms."""

from typing import Any

import numpy as np

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.cells_with_commas import CellsWithCommas
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tests.conftest import each_case
from tests.filling import OR_NULL, filled, pasted

FORM = "| Date | 09/07/2025 | {label} | {cell} |\n| --- | --- | --- | --- |\n| Silo | Argentan 2 | Produit | Blé |\n"


@each_case(
    ("label", "cell", "field"),
    [
        ("Adhérent", "EARL LEROUX, DIDIER ET FILS", "adherent"),
        ("Client", "EARL LEROUX, DIDIER ET FILS", "client"),
        ("Paciente:", "ROMERO VIDAL, INMACULADA", "paciente"),
        ("Patient", "García Lorenzo, María", "patient"),
    ],
)
async def test_a_name_with_a_comma_in_a_cell_is_the_cell(label: str, cell: str, field: str) -> None:
    found = await filled(pasted(FORM.format(label=label, cell=cell)), **{field: OR_NULL})
    assert found == {field: cell}


@each_case(
    ("name", "schema", "is_whole"),
    [
        ("paciente", {"type": "string"}, True),
        ("apellidos", {"type": "string"}, False),
        ("sex", {"enum": ["F", "M"]}, False),
        ("born", {"type": "string", "format": "date"}, False),
    ],
)
def test_a_field_for_a_part_or_for_no_text_is_left_as_it_is(
    name: str, schema: dict[str, Any], *, is_whole: bool
) -> None:
    document = pasted(FORM.format(label="Paciente:", cell="ROMERO VIDAL, INMACULADA")).document
    assert document is not None
    candidates = all_of(find_candidates(all_of(passages_to_search([document]))))
    cells = CellsWithCommas(candidates)
    all_of(cells.read())
    logits = np.array([float(span.text == "ROMERO VIDAL") for span in candidates.spans] + [0.0], np.float32)
    cells.prefer(logits, field_text(schema, names_of((name,), schema)))
    best = max(range(len(candidates.spans)), key=lambda index: logits[index])
    assert candidates.spans[best].text == ("ROMERO VIDAL, INMACULADA" if is_whole else "ROMERO VIDAL")


async def test_figures_after_a_comma_are_no_part_of_a_name() -> None:
    text = FORM.format(label="Client", cell="Leroux Frères, 12 rue Haute")
    assert await filled(pasted(text), client=OR_NULL) == {"client": "Leroux Frères"}
