"""What the codes on identity documents say, as lines with labels, and the fields that they fill."""

from datetime import date

import pytest

from tasks.extraction.coded_texts import coded_lines
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.filling import OR_NULL, filled, pasted
from tests.filling import read as of_page
from tests.unit.tasks.extraction.test_evidence import ocr

DAY = {"type": ["string", "null"], "format": "date"}
PASSPORT = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
BRITISH = """DRIVING LICENCE
1. MORGAN
2. SARAH MEREDYTH
3. 11.03.76 UNITED KINGDOM
4a. 19.01.13 4c. DVLA
4b. 18.01.23
5. MORGA753116SM9IJ 35
8. 122 BURNS CRESCENT
EDINBURGH
EH1 9GP
9. AM/A/B1/B"""
GERMAN = """FÜHRERSCHEIN
1.Muster
2. Erika
3. 12.08.83 Berlin
4a. 01.02.23
4b.
31.01.38
5. B072RRE2I55"""
CALIFORNIAN = """California DRIVER LICENSE
DL Y1234562
EXP 03/31/2029
LN GARCIA
FN JANE MARIE
2570 24TH STREET
DOB 03/31/1977
RSTR NONE
CLASS C END NONE
SEX F HAIR BRN EYES BRN
HGT 5'-05" WGT 125 lb
ISS 03/31/2024
DD 00/00/0000NNNAN"""
PENNSYLVANIAN = """DRIVER'S LICENSE
4d DLN: 99 999 999 DUPS: 000
3 DOB: 01/07/1973
4b EXP: 01/08/2026 4a ISS: 01/07/2022
1 SAMPLE
2 ANDREW JASON
8 123 MAIN STREET
HARRISBURG, PA 17101-0000
15 SEX: M 18 EYES: BRO
9 CLASS: C
5 DD: 1234567890123456"""


def coded(text: str) -> dict[str, str]:
    lines = [SourceLine(tuple(line.split()), f"/lines/{at}", {}) for at, line in enumerate(text.splitlines())]
    said = (" ".join(code.line.words) for code in coded_lines(lines, date(2026, 11, 23)))
    return dict(line.split(": ", 1) for line in said)


def test_the_numbers_of_european_licences_name_what_follows_them() -> None:
    assert coded(BRITISH) == {
        "Surname": "MORGAN",
        "Given names": "SARAH MEREDYTH",
        "Place of birth": "UNITED KINGDOM",
        "Date of birth": "11.03.76",
        "Date of issue": "19.01.13",
        "Issuing authority": "DVLA",
        "Date of expiry": "18.01.23",
        "Licence number": "MORGA753116SM9IJ 35",
        "Address": "122 BURNS CRESCENT EDINBURGH EH1 9GP",
        "Licence class": "AM/A/B1/B",
        "Name": "SARAH MEREDYTH MORGAN",
    }


def test_a_code_may_touch_its_value_or_stand_above_it() -> None:
    said = coded(GERMAN)
    assert (said["Surname"], said["Date of expiry"]) == ("Muster", "31.01.38")


def test_the_letters_of_american_licences_name_what_follows_them() -> None:
    said = coded(CALIFORNIAN)
    assert (said["Licence number"], said["Name"]) == ("Y1234562", "JANE MARIE GARCIA")
    assert (said["Date of birth"], said["Date of expiry"], said["Date of issue"]) == (
        "03/31/1977",
        "03/31/2029",
        "03/31/2024",
    )
    assert (said["Licence class"], said["Sex"], said["Eye colour"], said["Height"]) == ("C", "F", "BRN", "5'-05\"")


def test_on_american_licences_the_number_has_the_code_4d() -> None:
    said = coded(PENNSYLVANIAN)
    assert said["Licence number"] == "99 999 999"
    assert said["Name"] == "ANDREW JASON SAMPLE"
    assert said["Address"] == "123 MAIN STREET HARRISBURG, PA 17101-0000"


@pytest.mark.parametrize(
    "text",
    [
        "1. Apples 2 kg\n2. Pears\n3. Plums\n5. Cherries\n8. Figs",
        "Step 4a. Loosen the screws\n5. Remove the lid\n1. Done",
        "EXP 03/2027\nSEX F\nCLASS C",
        "",
    ],
    ids=("a list", "a manual", "too few letters", "nothing"),
)
def test_numbered_texts_are_no_licences(text: str) -> None:
    assert not coded(text)


def test_a_coded_line_has_the_places_of_its_words() -> None:
    page = ocr("1. MORGAN", "2. SARAH", "3. 11.03.76", "4a. 19.01.13", "4b. 18.01.23", "5. MORGA753116SM9IJ")
    [lines, _] = map(list, page.result.passages())
    surname = coded_lines(lines)[0].line
    assert surname.pointer == "/sections/0/lines/0"
    assert surname.words == ("Surname:", "MORGAN")
    assert surname.bounds == lines[0].bounds


async def test_a_zone_decides_over_misread_print() -> None:
    page = ocr("Surname", "ERIKSS0N", "Given names", "ANNA MARIA", "Passport No.", "L898902G3", *PASSPORT)
    assert await filled(
        of_page(page=page), surname=OR_NULL, passport_number=OR_NULL, birth_date=DAY, expiry_date=DAY, sex=OR_NULL
    ) == {
        "surname": "ERIKSSON",
        "passport_number": "L898902C3",
        "birth_date": "1974-08-12",
        "expiry_date": "2012-04-15",
        "sex": "F",
    }


async def test_print_with_the_meaning_of_a_code_is_copied_as_printed() -> None:
    page = ocr("Date of birth", "12 AUG 1974", *PASSPORT)
    assert (await filled(of_page(page=page), date_of_birth=OR_NULL))["date_of_birth"] == "12 AUG 1974"


async def test_the_fields_of_a_licence_are_filled_by_its_numbers() -> None:
    assert await filled(
        pasted(f"Extract the fields.\n\n{BRITISH}"),
        last_name=OR_NULL, first_names=OR_NULL, licence_number=OR_NULL, date_of_birth=DAY, valid_until=DAY,
        place_of_birth=OR_NULL,
    ) == {
        "last_name": "MORGAN",
        "first_names": "SARAH MEREDYTH",
        "licence_number": "MORGA753116SM9IJ 35",
        "date_of_birth": "1976-03-11",
        "valid_until": "2023-01-18",
        "place_of_birth": "UNITED KINGDOM",
    }  # fmt: skip


@each_case(
    "printed",
    [
        ["1.LINDQVIST", "2.ANNA", "3.27.06.96 KASSEL", "4a.26.09.16 4c.DVLA", "4b.25.11.35", "5.C7748682"],
        ["1. LINDQVIST", "2. ANNA", "3. 27.06.96 KASSEL", "4 a. 26.09.16 4 c. DVLA", "4 b. 25.11.35", "5. C7748682"],
        ["1. LINDQVIST", "2. ANNA", "3. 27.06.96 KASSEL", "4à. 26.09.16 4ç. DVLA", "46. 25.11.35", "5. C7748682"],
        ["1, LINDQVIST", "2, ANNA", "3, 27.06.96 KASSEL", "4a, 26.09.16 4c, DVLA", "4b, 25.11.35", "5, C7748682"],
        ["1 LINDQVIST", "2 ANNA", "3 27.06.96 KASSEL", "4a 26.09.16 4c DVLA", "4b 25.11.35", "5 C7748682"],
        ["l. LINDQVIST", "Z. ANNA", "3. 27.06.96 KASSEL", "4a. 26.09.16", "4c. DVLA", "4b. 25.11.35", "S. C7748682"],
        ["1LINDQVIST", "2ANNA", "3.27.06.96KASSEL", "4a26.09.16", "4cDVLA", "4b25.11.35", "5C7748682"],
    ],
)  # fmt: skip
def test_the_numbers_of_a_licence_are_known_as_ocr_reads_small_print(printed: list[str]) -> None:
    assert coded("\n".join(printed)) == {
        "Surname": "LINDQVIST",
        "Given names": "ANNA",
        "Date of birth": "27.06.96",
        "Place of birth": "KASSEL",
        "Date of issue": "26.09.16",
        "Issuing authority": "DVLA",
        "Date of expiry": "25.11.35",
        "Licence number": "C7748682",
        "Name": "ANNA LINDQVIST",
    }


def test_a_numbered_list_is_not_a_licence() -> None:
    assert coded("1 Flour\n2 Sugar\n3 27.06.2026 baking day\n4a Oven\n5 Plates\n6 Cups") == {}
