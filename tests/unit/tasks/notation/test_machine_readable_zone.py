"""Machine-readable zones: the specimens of ICAO Doc 9303, as they are printed and as OCR misreads them."""

from collections.abc import Sequence
from datetime import date

import pytest

from tasks.notation.machine_readable_zone import MachineReadableZone, find_zones

TODAY = date(2026, 11, 23)
PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
VISA = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
SMALL = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


def zone_of(*lines: str) -> MachineReadableZone:
    [zone] = find_zones(lines, TODAY)
    return zone


@pytest.mark.parametrize(
    ("lines", "number", "birth", "expiry"),
    [
        (PASSPORT, "L898902C3", date(1974, 8, 12), date(2012, 4, 15)),
        (VISA, "L8988901C", date(1940, 9, 7), date(1996, 12, 10)),
        (SMALL, "D23145890", date(1974, 8, 12), date(2012, 4, 15)),
        (CARD, "D23145890", date(1974, 8, 12), date(2012, 4, 15)),
    ],
    ids=("passport", "visa", "small card", "card"),
)
def test_each_format_is_read(lines: Sequence[str], number: str, birth: date, expiry: date) -> None:
    zone = zone_of(*lines)
    assert (zone.surname, zone.given_names, zone.issuer, zone.sex) == ("ERIKSSON", "ANNA MARIA", "UTO", "F")
    assert (zone.number, zone.birth, zone.expiry) == (number, birth, expiry)


def test_the_zone_is_found_among_other_lines() -> None:
    zone = zone_of("PASSPORT", "ERIKSSON", *PASSPORT, "Signature")
    assert (zone.first, zone.lines, zone.number) == (2, 2, "L898902C3")


@pytest.mark.parametrize(
    "lines",
    [
        ("P<UT0ERIKSS0N<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UT07408122F1204159ZE184226B<<<<<10"),
        ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<", PASSPORT[1]),
        ("P<UTOERIKSSON«ANNA<MARIA<<<<<<<<<<<<<<<<<<<<<", PASSPORT[1]),
        (PASSPORT[0], "L898902C36UTO74O8122F12O4159ZE184226B<<<<<10"),
        (PASSPORT[0], "L8989O2C36UTO7408122F1204159ZE184226B<<<<<10"),
        ("P< UTO ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", PASSPORT[1]),
    ],
    ids=("letters for digits", "lost fillers", "other signs", "digits in days", "a digit in the number", "blanks"),
)
def test_misread_characters_are_repaired(lines: Sequence[str]) -> None:
    assert zone_of(*lines) == zone_of(*PASSPORT)


def test_what_its_check_digit_contradicts_is_left_out() -> None:
    zone = zone_of(PASSPORT[0], PASSPORT[1].replace("7408122", "7408132"))
    assert zone.birth is None
    assert (zone.number, zone.expiry) == ("L898902C3", date(2012, 4, 15))


def test_a_long_number_continues_behind_its_filler() -> None:
    zone = zone_of("I<UTOD23145890<7349<<<<<<<<<<<", *CARD[1:])
    assert zone.number == "D23145890734"


def test_nobody_is_born_after_today() -> None:
    assert zone_of(PASSPORT[0], PASSPORT[1].replace("7408122", "2701013")).birth == date(1927, 1, 1)


@pytest.mark.parametrize(
    "lines",
    [
        ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "THIS<IS<NO<ZONE<BUT<FORTY<FOUR<CAPITALS<LONG"),
        ("INVOICE NUMBER OF THE GOODS DELIVERED", "PLEASE PAY WITHIN THIRTY DAYS OF RECEIPT"),
        (PASSPORT[0],),
        (),
    ],
)
def test_other_capitals_are_no_zone(lines: Sequence[str]) -> None:
    assert not list(find_zones(lines, TODAY))


def test_many_lines_that_look_like_a_zone_are_searched_in_linear_time() -> None:
    assert not list(find_zones([PASSPORT[0]] * 200_000, TODAY))
