"""Fields of registration certificates of vehicles, by the codes of Directive 1999/37/EC."""

from tasks.extraction.passages import passages_of
from tasks.extraction.vehicle_codes import vehicle_lines
from tests.filling import NUMBER, STRING, filled, read
from tests.unit.tasks.extraction.test_evidence import ocr

DAY = {"type": "string", "format": "date"}
ROWS = (
    ("A", "AU-421-YB"),
    ("B", "05.10.2017"),
    ("C.1.1", "BERGSTRÖM"),
    ("C.1.2", "HÅKAN"),
    ("D.1", "VOLKSWAGEN"),
    ("D.3", "GOLF"),
    ("P.2", "110"),
    ("P.3", "BENZIN"),
    ("E", "WVWZZZ46M80602335"),
)


async def test_the_codes_of_a_registration_certificate_name_what_stands_beside_them() -> None:
    found = await filled(
        read(page=ocr(*ROWS)), license_plate=STRING, first_registration=DAY, surname=STRING, make=STRING, model=STRING,
        power_kw=NUMBER, fuel=STRING, vin=STRING,
    )  # fmt: skip
    assert found == {
        "license_plate": "AU-421-YB",
        "first_registration": "2017-10-05",
        "surname": "BERGSTRÖM",
        "make": "VOLKSWAGEN",
        "model": "GOLF",
        "power_kw": 110,
        "fuel": "BENZIN",
        "vin": "WVWZZZ46M80602335",
    }


def test_letters_without_a_vehicle_identification_number_are_not_codes() -> None:
    lines = passages_of([ocr(*[row for row in ROWS if row[0] != "E"])])[0].lines
    assert vehicle_lines(lines) == []
