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


def test_a_numbered_medicine_has_names_of_fields_in_french_and_its_duration_after_qsp() -> None:
    text = """1. NORVASTIL 10 mg, comprimé
1 comprimé le soir
qsp 2 mois
2. Crème au calendol 2 %, tube 50 g
1 application 3 fois par jour
5 jours
"""
    columns = {"ligne": COUNT_OR_NULL, "nom": TEXT, "dosage": TEXT, "posologie": TEXT, "duree": OR_NULL}
    assert medicines(text, **columns) == [
        (1, "NORVASTIL", "10 mg", "1 comprimé le soir", "2 mois"),
        (2, "Crème au calendol", "2 %", "1 application 3 fois par jour", "5 jours"),
    ]


def test_a_medicine_behind_a_dash_may_be_in_small_letters_and_its_form_is_no_part_of_its_name() -> None:
    text = """- diclofenol zetpil 50 mg, zo nodig max 3 dd
- oxynase neusdruppels 0,05%, 3 dd 1 dr
"""
    form = {"type": "string", "enum": ["tablet", "zetpil", "neusdruppels"]}
    assert medicines(text, middel=TEXT, toedieningsvorm=form, sterkte=TEXT, dosering=TEXT) == [
        ("diclofenol", "zetpil", "50 mg", "zo nodig max 3 dd"),
        ("oxynase", "neusdruppels", "0,05%", "3 dd 1 dr"),
    ]


def test_directions_go_on_in_the_next_line_and_end_before_their_duration() -> None:
    text = """Cefalexin 250 mg capsules
Take ONE capsule twice a day, in the morning and
with the evening meal for 10 days
Supply: 20 (twenty)
Insulin glargine 100 units/mL pen
Inject 14 units at night
Supply: 5 pens
"""
    columns = {
        "drug": TEXT,
        "strength": TEXT,
        "directions": {"type": "string", "description": "without the duration"},
        "durationDays": COUNT_OR_NULL,
        "quantity": COUNT_OR_NULL,
    }
    assert medicines(text, **columns) == [
        ("Cefalexin", "250 mg", "Take ONE capsule twice a day, in the morning and with the evening meal", 10, 20),
        ("Insulin glargine", "100 units/mL", "Inject 14 units at night", None, 5),
    ]


def test_a_dose_is_the_strength_beside_a_field_of_how_it_is_taken() -> None:
    text = """Losartan 50 mg
1 comprimé le soir
Pendant 2 mois
Crotamiton 10 %
1 application 2 fois par jour
Pendant 8 jours
"""
    columns = {"medicament": TEXT, "dosage": TEXT, "posologie": TEXT, "duree": TEXT}
    assert medicines(text, **columns) == [
        ("Losartan", "50 mg", "1 comprimé le soir", "2 mois"),
        ("Crotamiton", "10 %", "1 application 2 fois par jour", "8 jours"),
    ]


def test_a_number_is_a_supply_only_with_a_figure() -> None:
    text = """Paracetamol 500 mg tablets
   No more than 8 a day
Ibuprofen 400 mg tablets
   No. 20
"""
    assert medicines(text, **ITEM) == [
        ("Paracetamol", "500 mg", "tablets", None, "No more than 8 a day"),
        ("Ibuprofen", "400 mg", "tablets", 20, None),
    ]


def test_the_amount_taken_at_once_and_how_often_it_is_taken_are_two_columns() -> None:
    text = """1. Cefalexin 250 mg caps – 1 cap four times daily for 7 days – Qty 28
2. Bumetanide 1 mg tabs – 2 tabs every morning – Qty 56
3. Salbutamol 100 mcg inhaler – 2 puffs when required – Qty 1
"""
    columns = {
        "drug": TEXT,
        "strength": TEXT,
        "form": TEXT,
        "dose": TEXT,
        "frequency": TEXT,
        "duration": OR_NULL,
        "quantity": {"type": "integer"},
    }
    assert medicines(text, **columns) == [
        ("Cefalexin", "250 mg", "caps", "1 cap", "four times daily", "7 days", 28),
        ("Bumetanide", "1 mg", "tabs", "2 tabs", "every morning", None, 56),
        ("Salbutamol", "100 mcg", "inhaler", "2 puffs", "when required", None, 1),
    ]


def test_a_name_has_its_strength_if_the_description_asks_for_it_and_a_number_counts_a_medicine_without_one() -> None:
    text = """1) BUDESOL 200 μg/dose, suspension pour inhalation
   2 bouffées matin et soir, pendant 3 mois
2) CEFAROL 125 mg/5 ml, poudre pour sirop
   1 dose 2 fois par jour, pendant 8 jours
3) NASALINE
   lavage de nez au coucher
"""
    columns = {
        "numero": {"type": "integer"},
        "medicament": {"type": "string", "description": "nom et dosage, sans la forme"},
        "forme": OR_NULL,
        "posologie": TEXT,
        "duree": OR_NULL,
    }
    assert medicines(text, **columns) == [
        (1, "BUDESOL 200 μg/dose", "suspension pour inhalation", "2 bouffées matin et soir", "3 mois"),
        (2, "CEFAROL 125 mg/5 ml", "poudre pour sirop", "1 dose 2 fois par jour", "8 jours"),
        (3, "NASALINE", None, "lavage de nez au coucher", None),
    ]


def test_a_medicine_may_have_several_marks_before_it() -> None:
    assert medicines(ENGLISH.replace("1) Ramipril", "1) Rp. - Ramipril"), **ITEM) == medicines(ENGLISH, **ITEM)
