"""How figures and dates are read, and which figures are no numbers."""

from datetime import date
from decimal import Decimal

import pytest

from tasks.notation.dates import find_days, parse_day
from tasks.notation.numbers import find_numbers, parse_number, parse_quantity
from tests.conftest import each_case


@each_case(
    ("text", "readings"),
    [
        ("9", ["9"]),
        ("9.00", ["9"]),
        (".50", ["0.5"]),
        ("37½", ["37.5"]),
        ("2 1/2 in", ["2.5"]),
        ("12½ %", ["12.5", "0.125"]),
        ("2 1/3", ["2.333333"]),
        ("1,200¼", ["1200.25"]),
        ("RM 9.00", ["9"]),
        ("RM9.00", ["9"]),
        ("9,50 €", ["9.5"]),
        ("$1,234.50", ["1234.5"]),
        ("1.234,50", ["1234.5"]),
        ("1'234.50", ["1234.5"]),
        ("1 234,50 EUR", ["1234.5"]),
        ("1,234,567", ["1234567"]),
        ("₹1,61,573.82", ["161573.82"]),
        ("12,34,56,789.00", ["123456789"]),
        ("5,10,100", []),
        ("1.234", ["1.234", "1234"]),
        ("١٬٢٣٤٫٥٠", ["1234.5"]),
        ("١٬٢٣٤", ["1234"]),
        ("١٢٫٥", ["12.5"]),
        ("١٫٢٣٤", ["1.234"]),
        ("-٣٫٥", ["-3.5"]),
        ("٫٥", ["0.5"]),
        ("١٥٪", ["15", "0.15"]),
        ("1٬234٫50 AED", ["1234.5"]),
        ("١٬٢٣", []),
        ("١٫٢٫٣", []),
        ("١٫٢٬٣٤٥", []),
        ("0.125", ["0.125"]),
        ("1234.567", ["1234.567"]),
        ("-5.59", ["-5.59"]),
        ("−5", ["-5"]),
        ("-RM 0.02", ["-0.02"]),
        ("(12.50)", ["-12.5"]),
        ("312,40-", ["-312.4"]),
        ("kr. 18,00−", ["-18"]),
        ("1\u202f234,56\u202f€", ["1234.56"]),
        ("2\xa0400,00", ["2400"]),
        ("(5.2%)", ["-5.2", "-0.052"]),
        ("10.00%", ["10", "0.1"]),
        ("1.5L", ["1.5"]),
        ("12.50RM", ["12.5"]),
        ("R$391,00", ["391"]),
        ("HK$5", ["5"]),
        ("Kč120", ["120"]),
        ("Fr.9.50", ["9.5"]),
        ("0531", ["531"]),
        ("1.2.3", []),
        ("1,23,4", []),
    ],
)
def test_a_number_has_all_the_readings_that_its_notation_allows(text: str, readings: list[str]) -> None:
    number = parse_number(text)
    assert number is not None
    assert number.readings == {Decimal(reading) for reading in readings}


@each_case(
    ("text", "readings"),
    [
        ("+1,75", ["1.75"]),
        ("+38.400,00", ["38400"]),
        ("△230", ["-230"]),
        ("▲4,970", ["-4.97", "-4970"]),
        ("▲3.5%", None),
        ("39:-", ["39"]),
        ("21 600:-", ["21600"]),
        ("₹13,500/-", ["13500"]),
        ("22,50 -/-", ["-22.5"]),
        ("%20", ["20", "0.2"]),
        ("5,00,000", ["500000"]),
        ("3,000만원", ["30000", "30000000"]),
        ("126 hours", ["126"]),
        ("15,3 km/h", ["15.3"]),
        ("2,20 kr./kWh", ["2.2"]),
        ("1,5 Mio. €", ["1500000"]),
        ("36.9℃", ["36.9"]),
        ("58,4 m2", ["58.4"]),
        ("9.000 Euro", ["9", "9000"]),
        ("+4917012345", None),
        ("+49 170 1234567", None),
        ("12-3456", None),
        ("6 coralistas", None),
        ("10 km 5", None),
    ],
)
def test_a_quantity_is_a_number_with_a_unit_of_any_language(text: str, readings: list[str] | None) -> None:
    number = parse_quantity(text)
    assert (number and number.readings) == (readings and {Decimal(reading) for reading in readings})


def test_a_number_with_a_long_unit_is_only_a_quantity() -> None:
    assert parse_number("126 hours") is None


@each_case(
    ("text", "last"),
    [
        ("Teaching 8.4 (8.1)", "8.1"),
        ("Ground rent £1,200 (1,100.50)", "1100.5"),
        ("die Kaution (25,00 EUR) wird", "25"),
        ("em março (701,20), resta", "701.2"),
        ("READY FOR PICKUP (2)", "2"),
        ("Résultat\t(385)", "-385"),
        ("Loss (2,000.00)", "-2000"),
        ("Discount\t(15,00 €)", "-15"),
        ("(41.07)", "-41.07"),
    ],
)
def test_brackets_are_a_minus_around_an_amount_that_is_no_aside(text: str, last: str) -> None:
    *_, number = find_numbers(text)
    assert number.readings == {Decimal(last)}


@each_case(
    ("text", "amounts"),
    [
        ("12,00- 15,00 EUR", ["12", "15"]),
        ("RM 12.00- RM 15.00", ["12", "15"]),
        ("56,00- EUR", ["-56"]),
        ("312,40-\nSaldo", ["-312.4"]),
        ("Price 12.50-\nper piece", ["12.5"]),
        ("VAT (10.00 %)", ["10"]),
        ("I.V.A. (10,00 %)", ["10"]),
        ("17,3 m³ (82 %)", ["17.3", "82"]),
    ],
)
def test_a_minus_behind_an_amount_and_brackets_around_it_may_say_something_else(text: str, amounts: list[str]) -> None:
    found = list(find_numbers(text))
    assert len(found) == len(amounts)
    for number, amount in zip(found, amounts, strict=True):
        assert Decimal(amount) in number.readings


@each_case(
    ("text", "values"),
    [
        ("Salario: 24.000 - 27.500 €", [24000, 27500]),
        ("Gehalt: 3.200 € – 3.800 € im Monat", [3200, 3800]),
        ("12 - 14 °C", [12, 14]),
        ("7 -12", [7, -12]),
        ("100.00    - 250.00", [100, -250]),
        ("Total - 753.60", [753.6]),
        ("Total amount – EUR 1,234.50", [1234.5]),
        ("- 753.60 Total", [-753.6]),
        ("Total: - 753.60", [-753.6]),
        ("Total -753.60", [-753.6]),
        ("Total\t- 753.60", [-753.6]),
        ("- 3 rooms\n- 12,50 Postage\n- 7\n", [3, -12.5, -7]),
    ],
)
def test_a_dash_is_a_minus_only_where_a_line_or_a_cell_begins(text: str, values: list[float]) -> None:
    found = [number for number in find_numbers(text) if number.readings]
    assert [float(max(number.readings, key=abs)) for number in found] == values


@each_case(
    ("text", "values"),
    [
        ("1250E-2", ["12.5"]),
        ("p < 1e-05.", ["0.00001"]),
        ("3,2e−08", ["0.000000032"]),
        ("2.10E+06 cells", ["2100000"]),
        ("EUR 1.234E+05", ["123400"]),
        ("-1e-3", ["-0.001"]),
        ('"x",1e-05,"y"', ["0.00001"]),
        ("12E4567, 2E3, 12E-4567, 12E+4567, 1e-400, A1E-5, 12E-3A, 1E-5-3", []),
    ],
)
def test_a_number_in_scientific_notation_is_read_as_a_whole(text: str, values: list[str]) -> None:
    assert [number.readings for number in find_numbers(text)] == [{Decimal(value)} for value in values]


@each_case(
    ("text", "value"),
    [
        ("within thirty (30) days", 30),
        ("mit vierzig (40) Tagen", 40),
        ("two thousand pounds (£2,000) as damages", 2_000),
        ("seventy-five thousand pounds (£75,000), without prejudice", 75_000),
        ("Seats (3) 14", 3),
        ("Loss (2,000) 14", -2_000),
    ],
)
def test_brackets_around_figures_that_repeat_a_word_are_no_sign(text: str, value: int) -> None:
    number = next(find_numbers(text))
    assert Decimal(value) in number.readings
    assert all((one < 0) == (value < 0) for one in number.readings)


@each_case(
    "text",
    ["AB1234", "TD01167104", "789417-W", "07-3507405", "35.5X25.5CM", "20:13", "3/4", "#12", "9.00TOTAL", "x_9", "A9"],
)
def test_a_piece_of_a_code_is_no_number(text: str) -> None:
    assert not list(find_numbers(text))


def test_numbers_in_a_line_stay_apart() -> None:
    found = [number.digits for number in find_numbers("1 PC * 9.000 0.00 9.00 TOTAL:5.00 No.53")]
    assert found == ["1", "9.000", "0.00", "9.00", "5.00", "53"]


def test_a_sign_belongs_to_a_number_and_a_dash_between_words_does_not() -> None:
    assert [number.digits for number in find_numbers("off -5 a-5")] == ["-5", "5"]


@each_case(
    "text",
    [
        "2018-12-25", "25 12 2018", "25122018", "2018/12/25",
        "2018.12.25", "25/12/2018", "12/25/2018", "25-12-2018", "25 Dec 2018",
        "25-Dec-18", "25th of December 2018", "25. Dezember 2018", "25 de diciembre de 2018", "25 décembre 2018",
        "Dec 25, 2018", "December 25th, 2018", "2018年12月25日", "20181225", "25 grudnia 2018", "25. desember 2018",
    ],
)  # fmt: skip
def test_a_day_is_read_in_any_notation(text: str) -> None:
    day = parse_day(text)
    assert day is not None
    assert day.readings == (date(2018, 12, 25),)


@each_case(
    "text",
    [
        "1er mars 2024", "1ᵉʳ mars 2024", "1º de marzo de 2024", "1.º de março de 2024", "1° marzo 2024",
        "1e maart 2024", "1:a mars 2024", "1 marzo del 2024", "1 (uno) marzo 2024", "1st day of March, 2024",
        "1. päivänä maaliskuuta 2024",
        "1. března 2024", "1.III.2024", "1 III 2024", "1of March 2024", "March 1,2024", "Mar 1 '24",
    ],
)  # fmt: skip
def test_a_day_is_read_with_the_ordinals_and_months_of_many_languages(text: str) -> None:
    day = parse_day(text)
    assert day is not None
    assert day.readings == (date(2024, 3, 1),)


def test_a_day_may_have_a_box_for_each_figure() -> None:
    [day] = find_days("Born on 1 7 0 4 2 0 1 8 in Lyon")
    assert day.readings == (date(2018, 4, 17),)
    assert not list(find_days("Phone 0 6 9 8 1 2 4 4 0 5"))


def test_an_ambiguous_day_has_its_likeliest_reading_first() -> None:
    day = parse_day("12-01-19")
    assert day is not None
    assert day.readings == (date(2019, 1, 12), date(2019, 12, 1), date(2012, 1, 19))


@pytest.mark.parametrize(
    "text", ["Friday 22 June 2012", "Fri, 22 Jun 2012", "jeudi 22 juin 2012", "vr. 22-06-2012 14:05"]
)
def test_the_day_of_the_week_may_stand_before(text: str) -> None:
    day = parse_day(text)
    assert day is not None
    assert day.readings[0] == date(2012, 6, 22)


@each_case(
    "text",
    [
        "1.2.3",
        "19.00 19.00",
        "31/02/2018",
        "12 people 2018",
        "2018",
        "192.168.10.12",
        "3 x 2018",
        "12 V 2000 mAh",
        "Heft 3/4 2019",
        "Set 2,1000 pcs",
        "1 (one) set 24 pieces",
    ],
)
def test_other_figures_are_no_day(text: str) -> None:
    assert not list(find_days(text))


@each_case(
    ("text", "value", "printed"),
    [
        ("３．５０ EUR", "3.50", "３．５０"),
        ("－７５３．６０", "-753.60", "－７５３．６０"),
        ("1.234,- €", "1234", "1.234,-"),
        ("1.234,-- EUR", "1234", "1.234,--"),
        ("CHF 5.—", "5", "CHF 5.—"),
        ("$1.5M", "1500000", "$1.5M"),
        ("EUR 1,5 Mio.", "1500000", "EUR 1,5 Mio"),
        ("2 million people", "2000000", "2 million"),
        ("12k EUR", "12000", "12k EUR"),
        ("12 k€", "12000", "12 k"),
        ("£2bn.", "2000000000", "£2bn"),
        ("3万円", "30000", "3万"),
        ("5k", "5", "5"),
        ("5 m €12", "5", "5"),
        ("3 mm", "3", "3"),
        ("5 Mill Lane", "5", "5"),
        ("magic_function(3)", "3", "3"),
        ("item(2)", "2", "2"),
        ("Total(12.00)", "-12.00", "(12.00"),
    ],
)
def test_words_and_dashes_after_digits_and_full_width_are_read(text: str, value: str, printed: str) -> None:
    found = next(find_numbers(text))
    assert (found.readings, text[found.start : found.end]) == ({Decimal(value)}, printed)


def test_digits_around_a_magnitude_are_no_number_by_themselves() -> None:
    assert [*find_numbers("3万5000円")] == []


def test_a_number_with_a_magnitude_is_found_by_its_digits_too() -> None:
    [found] = find_numbers("2,5 Mio. EUR")
    assert found.all_readings == {Decimal("2.5"), Decimal(2_500_000)}
    assert not found.is_plain
