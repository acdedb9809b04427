"""Data of one person, which are no answers for fields of another."""

from collections.abc import Mapping
from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.people import wanted_people
from tests.conftest import each_case
from tests.filling import filled, read
from tests.unit.tasks.extraction.reading import DAY, TEXT, read_field
from tests.unit.tasks.extraction.test_evidence import ocr

SCHOOL = """Oakfield Primary School - Admission form
Child's details
Name: Mia Hartley
Date of birth: 14/05/2017
Place of birth: Leeds
Parent details
Father: Tom Hartley
Mother: Jane Hartley"""
ANMELDUNG = """Grundschule Am Berg - Anmeldung
Kind: Lena Vogt
Geburtsdatum: 03.02.2018
Geburtsort: Kassel
Vater: Uwe Vogt
Mutter: Sabine Vogt"""
INSCRIPTION = """École du Parc - Inscription
Nom de l'enfant : Chloé Martin
Date de naissance : 12/09/2016
Père : Marc Martin
Mère : Julie Martin"""
MATRICULA = """Colegio San Juan - Matrícula
Alumno: Pablo Ruiz Gil
Fecha de nacimiento: 07/11/2015
Padre: Luis Ruiz
Madre: Ana Gil"""
LOAN = """Loan agreement
Borrower: Carla Stein
Address: 12 Hill Road, York
Email: carla@stein.example
Occupation: nurse"""
REGISTRATION = """Registration
Applicant
Name: Carla Stein
Date of birth: 02/05/1980
Emergency contact
Name: Peter Stein
Spouse
Name: Hugo Stein
Date of birth: 13/05/1979"""


@each_case(
    ("text", "name", "schema"),
    [
        (SCHOOL, "mother_birth_date", DAY),
        (SCHOOL, "fatherBirthDate", DAY),
        (ANMELDUNG, "geburtsdatum_vater", DAY),
        (INSCRIPTION, "date_naissance_pere", DAY),
        (MATRICULA, "fecha_nacimiento_padre", DAY),
    ],
)
async def test_a_day_in_a_part_about_somebody_else_is_no_value(text: str, name: str, schema: Mapping[str, Any]) -> None:
    assert (await read_field(text, name, schema)).value is None


@each_case(
    ("text", "name"),
    [
        (SCHOOL, "father_birth_place"),
        (ANMELDUNG, "geburtsort_mutter"),
        (LOAN, "guarantor_address"),
        (LOAN, "guarantor_email"),
        (LOAN, "spouse_occupation"),
        (LOAN, "witness_name"),
    ],
)
async def test_a_value_is_not_sure_if_nothing_names_the_person_of_the_field(text: str, name: str) -> None:
    assert (await read_field(text, name, TEXT)).probability <= DOUBTFUL


@each_case(
    ("text", "name", "schema", "value", "is_sure"),
    [
        (SCHOOL, "child_birth_date", DAY, "2017-05-14", True),
        (ANMELDUNG, "geburtsdatum_kind", DAY, "2018-02-03", True),
        (ANMELDUNG, "name_vater", TEXT, "Uwe Vogt", False),
        (REGISTRATION, "spouse_birth_date", DAY, "1979-05-13", False),
        (REGISTRATION, "applicant_birth_date", DAY, "1980-05-02", False),
        ("Name: Ana Diaz\nSpouse's date of birth: 13/01/1979", "spouse_birth_date", DAY, "1979-01-13", True),
        ("Mother's maiden name: Ruiz", "mother_maiden_name", TEXT, "Ruiz", True),
    ],
)
async def test_a_label_or_a_heading_names_the_person_of_the_field(
    text: str, name: str, schema: Mapping[str, Any], value: str, is_sure: bool
) -> None:
    found = await read_field(text, name, schema)
    assert found.value == value
    assert found.probability >= 0.9 or not is_sure


@each_case(
    ("path", "people"),
    [
        (("father_name",), {"father"}),
        (("geburtsdatum_kind",), {"child"}),
        (("father", "birth_date"), {"father"}),
        (("document_kind",), set()),
        (("mother_tongue",), set()),
        (("parent_company",), set()),
        (("pais",), set()),
    ],
)
def test_the_name_of_a_field_or_of_its_object_names_a_person(path: tuple[str, ...], people: set[str]) -> None:
    assert {side.name for side in wanted_people(field_text(TEXT, names_of(path, TEXT)))} == people


@each_case(
    "text",
    [
        "PERMIT\n1. Surname: Hart\n2. Nationality: British\n12. Spouse: name Ann Hart\n13. Date of birth: 4 June 1982",
        "FORM\n1. Name: Tom Hart\n2. Date of birth:\n12. Name of spouse: Ann Hart\n13. Date of birth: 4 June 1982",
        "FORM\n1. Name    Tom Hart\n2. Address    3 Mill Road\n12. Spouse's name    Ann Hart\n"
        "13. Date of birth    4 June 1982",
        "FORM\n1. Full name\nTom Hart\n12. Spouse's full name\nAnn Hart\n13. Date of birth\n4 June 1982",
        "ANTRAG\n1. Name: Hart\n2. Vorname: Tom\n12. Ehegatte: Ann Hart\n13. Date of birth: 04.06.1982",
    ],
)
async def test_data_of_a_second_person_are_doubtful_for_a_field_that_names_nobody(text: str) -> None:
    assert (await read_field(text, "birth_date", DAY)).probability <= DOUBTFUL
    found = await read_field(text, "spouse_birth_date", DAY)
    assert found.value == "1982-06-04"
    assert found.probability > 0.75


async def test_data_of_the_person_of_a_form_are_preferred() -> None:
    text = "FORM\n1. Name: Tom Hart\n2. Born: 12 May 1980\n12. Spouse: Ann Hart\n13. Date of birth: 4 June 1982"
    assert (await read_field(text, "date_of_birth", DAY)).value == "1980-05-12"


@each_case(
    "text",
    [
        "Witness statement\nName: Tom Hart\nDate of birth: 12 May 1980",
        "Emergency contact card\nName: Tom Hart\nDate of birth: 12 May 1980",
    ],
)
async def test_a_form_may_be_about_the_person_in_its_title(text: str) -> None:
    found = await read_field(text, "birth_date", DAY)
    assert found.value == "1980-05-12"
    assert found.probability > DOUBTFUL


@each_case(("firm",), [("Morel & Fils",), ("Adler & Sohn",), ("contact@morel-fils.example",)])
async def test_the_name_of_a_firm_is_no_heading_about_children(firm: str) -> None:
    page = ocr(firm, "Plomberie", ("Facture", "12"), "Facturé à", "Dana Frost", "8 rue du Moulin", "69073 Lyon")
    assert await filled(read(page=page), client_nom={"type": ["string", "null"]}) == {"client_nom": "Dana Frost"}
