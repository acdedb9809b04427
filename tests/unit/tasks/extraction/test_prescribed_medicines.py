"""Medicines of a prescription, one a line."""

from typing import Any

from tests.lists_in_text import OR_NULL, TEXT, list_in

COUNT_OR_NULL = {"type": ["integer", "null"]}
ITEM = {"name": TEXT, "strength": OR_NULL, "form": OR_NULL, "quantity": COUNT_OR_NULL, "dosage": OR_NULL}
ENGLISH = """Rp.
1) Ramipril 5 mg tablets, 100 pcs (N3)   S: 1-0-1
2) Pantoprazole 20 mg, 56 pcs   S: 1-0-0 before breakfast
3) Ibuprofen 400 mg, 20 pcs   S: as needed, max. 3 per day
"""
FRENCH = """Dr Odile Brunel

Amoxicilline 500 mg, gélules
   1 gélule matin, midi et soir pendant 7 jours
Paracétamol 1 g, comprimés, qté 16
   au besoin, 4 par jour au plus
"""


def medicines(text: str, **columns: Any) -> Any:
    return [tuple(one.values()) for one in list_in(text, "medications", **columns)]


def test_a_line_has_the_strength_the_form_the_quantity_and_the_dosage() -> None:
    assert medicines(ENGLISH, **ITEM) == [
        ("Ramipril", "5 mg", "tablets", 100, "1-0-1"),
        ("Pantoprazole", "20 mg", None, 56, "1-0-0 before breakfast"),
        ("Ibuprofen", "400 mg", None, 20, "as needed, max. 3 per day"),
    ]


def test_the_line_below_a_medicine_says_how_it_is_taken() -> None:
    assert medicines(FRENCH, **ITEM) == [
        ("Amoxicilline", "500 mg", "gélules", None, "1 gélule matin, midi et soir pendant 7 jours"),
        ("Paracétamol", "1 g", "comprimés", 16, "au besoin, 4 par jour au plus"),
    ]
