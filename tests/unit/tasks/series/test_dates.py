"""What single cells say: numbers and dates of many countries."""

import datetime as dt

import pytest

from tasks.notation.cells import decimal_comma, moment, moments, number, since_1970
from tests.conftest import each_case


@each_case(
    ("cell", "comma", "expected"),
    [
        ("1,234.5", False, 1234.5),
        ("1.234,5", True, 1234.5),
        ("12,5", True, 12.5),
        ("$1,200", False, 1200.0),
        ("(42)", False, -42.0),
        ("45%", False, 45.0),
        (".5", False, 0.5),
    ],
)
def test_a_number_is_read_in_the_notation_of_its_table(cell: str, comma: bool, expected: float) -> None:
    assert number(cell, comma=comma) == expected


@each_case(
    ("cells", "likely", "expected"),
    [
        (["1,234", "5,678"], False, False),
        (["1,234", "5,678"], True, True),
        (["1,234", "12,5"], False, True),
        (["0,125"], False, True),
        (["1.234,5"], False, True),
        (["1.234.567"], False, True),
    ],
)
def test_the_decimal_sign_is_told_by_the_cell_that_leaves_no_choice(
    cells: list[str], likely: bool, expected: bool
) -> None:
    assert decimal_comma(cells, likely=likely) is expected


@each_case(
    ("cell", "expected"),
    [
        ("2024-01-31", "2024-01-31 00:00"),
        ("2024-01-31T13:45:10.123", "2024-01-31 13:45:10"),
        ("2024-01-31 1:45 PM", "2024-01-31 13:45"),
        ("20240131", "2024-01-31 00:00"),
        ("2024-01", "2024-01-01 00:00"),
        ("Q3 2024", "2024-07-01 00:00"),
        ("2024-W05", "2024-01-29 00:00"),
        ("Jan 2024", "2024-01-01 00:00"),
        ("Jan-24", "2024-01-01 00:00"),
        ("Jan 3, 2024", "2024-01-03 00:00"),
        ("3. März 2024", "2024-03-03 00:00"),
        ("Wed, 3 Jan 2024", "2024-01-03 00:00"),
        ("01/02/2024", "2024-01-02 00:00"),
    ],
)
def test_a_date_is_read_as_people_write_it(cell: str, expected: str) -> None:
    found = moment(cell)
    assert found is not None
    assert found[0] == dt.datetime.fromisoformat(expected)


def days(cells: list[str]) -> list[str]:
    return [f"{time:%m-%d}" for time in moments(cells) if time]


def test_a_day_above_twelve_tells_the_order_of_the_whole_column() -> None:
    assert days(["01/02/2024", "13/02/2024"]) == ["02-01", "02-13"]
    assert days(["01/02/2024", "01/13/2024"]) == ["01-02", "01-13"]


def test_an_order_in_which_time_runs_evenly_is_preferred() -> None:
    assert days(["01/02/2024", "02/02/2024", "03/02/2024", "04/02/2024"]) == ["02-01", "02-02", "02-03", "02-04"]
    assert days(["02/01/2024", "02/02/2024", "02/03/2024", "02/04/2024"]) == ["02-01", "02-02", "02-03", "02-04"]


@each_case(
    ("form", "count"),
    [("{}/1/2024", 12), ("{:02}/01/2024", 12), ("1/{}/2024", 12), ("01.{:02}.2024", 12), ("1.{}.2024", 6)],
)
def test_first_days_of_months_are_not_days_of_january(form: str, count: int) -> None:
    cells = [form.format(month) for month in range(1, count + 1)]
    months = [f"{month:02}-01" for month in range(1, count + 1)]
    assert days(cells) == months
    assert days(cells[::-1]) == months[::-1]


def test_times_of_one_zone_stay_local_and_of_several_become_utc() -> None:
    assert moments(["2024-01-01T12:00+01:00", "2024-01-02T12:00+01:00"])[0] == dt.datetime(2024, 1, 1, 12)
    assert moments(["2024-03-30T12:00+01:00", "2024-03-31T12:00+02:00"]) == [
        dt.datetime(2024, 3, 30, 11),
        dt.datetime(2024, 3, 31, 10),
    ]


def test_seconds_and_milliseconds_since_1970_are_dates() -> None:
    assert since_1970(1_704_067_200) == since_1970(1_704_067_200_000) == dt.datetime(2024, 1, 1)
    assert since_1970(12) is None


@pytest.mark.parametrize(("cell", "value"), [("½", 0.5), ("1½", 1.5), ("-2 ¼", -2.25), ("3 1/4", 3.25)])
def test_a_cell_may_have_a_fraction(cell: str, value: float) -> None:
    assert number(cell, comma=True) == value
