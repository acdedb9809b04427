"""Values of cards and forms with labels in small print, and characters in the cells of combs."""

from typing import Any

import numpy as np

from models.fair_executor import all_of
from models.vision.text import TextLine, Word
from tasks.extraction.candidates import find_candidates
from tasks.extraction.combs import join_combs
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tasks.extraction.small_print import CERTAIN, SmallPrint
from tasks.ocr_result import page_section, picture_result
from tasks.precontext import Entry
from tests.conftest import each_case
from tests.entries import text_line
from tests.filling import NUMBER, STRING, filled, read, shape_of, whole

SMALL, LARGE = 12, 20
DAY = {"type": "string", "format": "date"}
PERMIT = (
    ("AUFENTHALTSTITEL", 0, 0, 30),
    ("NAME, VORNAMEN / SURNAME, FORENAMES", 300, 60, SMALL),
    ("OKAFOR", 300, 78, LARGE),
    ("NGOZI AMARA", 300, 102, LARGE),
    ("GÜLTIG BIS / VALID UNTIL", 300, 140, SMALL),
    ("12.03.2031", 300, 158, LARGE),
    ("ART DES TITELS / TYPE OF PERMIT", 600, 140, SMALL),
    ("NIEDERLASSUNGSERLAUBNIS", 600, 158, LARGE),
    ("ORT UND DATUM DER AUSSTELLUNG / PLACE AND DATE OF ISSUE", 300, 196, SMALL),
    ("KASSEL 05.06.2021", 300, 214, LARGE),
)
CERTIFICATE = (
    ("Jörg Grünwald", 40, 100, LARGE),
    ("nom du participant", 30, 126, SMALL),
    ("Secourisme du travail", 40, 200, LARGE),
    ("intitulé du cours", 30, 226, SMALL),
    ("Claire Lefèvre", 40, 300, LARGE),
    ("nom du formateur", 30, 326, SMALL),
)
WAGES = (
    ("1 Wages, tips, other compensation", 0, 0, SMALL),
    ("52,806.06", 12, 34, LARGE),
    ("2 Federal income tax withheld", 350, 0, SMALL),
    ("3,187.20", 362, 34, LARGE),
    ("3 Social security wages", 0, 66, SMALL),
    ("52,806.06", 12, 100, LARGE),
    ("8 Allocated tips", 350, 66, SMALL),
    ("17 State income tax", 0, 140, SMALL),
    ("1,888.17", 12, 174, LARGE),
)
Texts = tuple[tuple[str, float, float, float], ...]


def page(texts: Texts) -> Entry:
    """A picture with the texts at their left, top and height."""
    return Entry("ocr", picture_result(page_section([text_line(*one) for one in texts], 1, 1500, 1000)))


@each_case(
    ("texts", "fields", "answer"),
    [
        (PERMIT, {"surname": STRING, "given_names": STRING}, {"surname": "OKAFOR", "given_names": "NGOZI AMARA"}),
        (PERMIT, {"valid_until": DAY, "permit_type": STRING},
         {"valid_until": "2031-03-12", "permit_type": "NIEDERLASSUNGSERLAUBNIS"}),
        (PERMIT, {"place_of_issue": STRING, "date_of_issue": DAY},
         {"place_of_issue": "KASSEL", "date_of_issue": "2021-06-05"}),
        (CERTIFICATE, {"participant": STRING, "cours": STRING, "formateur": STRING},
         {"participant": "Jörg Grünwald", "cours": "Secourisme du travail", "formateur": "Claire Lefèvre"}),
        (WAGES, {"federal_income_tax_withheld": NUMBER, "state_income_tax": NUMBER},
         {"federal_income_tax_withheld": 3187.2, "state_income_tax": 1888.17}),
    ],
)  # fmt: skip
async def test_labels_in_small_print_name_the_values_above_or_below_them(
    texts: Texts, fields: dict[str, Any], answer: dict[str, Any]
) -> None:
    assert await filled(read(page=page(texts)), **fields) == answer


async def test_an_empty_cell_answers_nothing() -> None:
    or_null = {"type": ["number", "null"]}
    assert await filled(read(page=page(WAGES)), allocated_tips=or_null) == {"allocated_tips": None}


@each_case(("logit", "is_settled"), [(CERTAIN - 1, True), (CERTAIN + 1, False)])
def test_an_empty_cell_does_not_decide_against_a_certain_place(logit: float, is_settled: bool) -> None:
    candidates = all_of(find_candidates(passages_of([page(WAGES)])))
    schema = {"type": "number"}
    field = field_text(schema, names_of(("allocated_tips",), schema))
    logits = np.zeros(len(candidates.spans) + 1, np.float32)
    logits[next(index for index, span in enumerate(candidates.spans) if span.text == "3,187.20")] = logit + 12
    logits[-1] = 12
    SmallPrint(candidates).prefer(logits, field)
    assert (logits[-1] > logits[:-1].max()) == is_settled


async def test_a_name_beside_a_first_name_is_the_last_name() -> None:
    found = await filled(read(page=page((("Nom : LEFÈVRE", 0, 0, 20), ("Prénom : Claire", 0, 40, 20)))),
                         nom=STRING, prenom=STRING)  # fmt: skip
    assert found == {"nom": "LEFÈVRE", "prenom": "Claire"}


@each_case(
    ("row", "words"),
    [
        ("O R T E G A   R U I Z", ("ORTEGA", "RUIZ")),
        ("0 K A F O R", ("OKAFOR",)),
        ("1 6 1 0 1 9 7 8", ("16101978",)),
        ("N G O ZI", ("NGOZI",)),
        ("Prénom I N ÈS", ("Prénom", "INÈS")),
        ("Code 6 2 9 8 0 Commune L E N S", ("Code", "62980", "Commune", "LENS")),
        ("A B C D", ("A", "B", "C", "D")),
        ("Is it a B or a C", ("Is", "it", "a", "B", "or", "a", "C")),
    ],
)
def test_characters_in_the_cells_of_a_comb_are_words(row: str, words: tuple[str, ...]) -> None:
    line = comb(row)
    assert join_combs(passages_of([line])[0].lines)[0].words == words


def comb(row: str) -> Entry:
    """A picture with a cell of 30 pixels for every second character of `row`."""
    words, at = [], 0
    for text in row.split(" "):
        if text:
            place = ((at, 0), (at + 30 * len(text), 0), (at + 30 * len(text), 24), (at, 24))
            words.append(Word(text, place, 1.0))
        at += 30 * max(len(text), 1) if text else 15
    whole = ((0, 0), (at, 0), (at, 24), (0, 24))
    return Entry("ocr", picture_result(page_section([TextLine(tuple(words), whole)], 1, 1500, 1000)))


async def test_eight_figures_of_a_comb_are_a_day() -> None:
    assert await filled(read(page=comb("1 6 1 0 1 9 7 8")), date_of_birth=DAY) == {"date_of_birth": "1978-10-16"}


TICKS = (
    ("Ja", 500, 0, LARGE), ("Nein", 600, 0, LARGE),
    ("Rauchen Sie?", 0, 40, LARGE), ("X", 500, 40, LARGE),
    ("Allergien bekannt?", 0, 80, LARGE), ("X", 610, 80, LARGE),
    ("Diabetes?", 0, 120, LARGE), ("X", 610, 120, LARGE),
)  # fmt: skip


async def test_a_cross_in_a_cell_chooses_the_option_in_the_header_of_its_column() -> None:
    yes_or_no = {"type": "boolean"}
    found = await whole(shape_of(raucher=yes_or_no, allergien=yes_or_no, diabetes=yes_or_no), read(page=page(TICKS)))
    assert found.values == {("raucher",): True, ("allergien",): False, ("diabetes",): False}


async def test_a_single_letter_is_not_its_own_neighbour() -> None:
    found = await filled(read(page=page((("Sex", 0, 0, LARGE), ("F", 100, 0, LARGE)))), sex=STRING)
    assert found == {"sex": "F"}
