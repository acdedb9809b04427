"""Days in texts."""

from datetime import date

from tasks.notation.cldr import MONTHS, month_named
from tasks.notation.dates import day_of_week_near, days_without_year, find_days, find_lone_days, parse_day
from tests.conftest import each_case


@each_case(
    ("text", "known_day", "day"),
    [
        ("Fri 9", date(2026, 10, 7), date(2026, 10, 9)),
        ("Fri 9", date(2026, 10, 12), date(2026, 10, 9)),
        ("Sat 9", date(2026, 10, 7), None),
        ("Fri 31", date(9999, 12, 31), date(9999, 12, 31)),
        ("Mon 1", date(1, 1, 2), date(1, 1, 1)),
        ("Rain 9", date(2026, 10, 7), None),
        ("Friday", date(2026, 10, 7), date(2026, 10, 9)),
        ("domingo", date(2026, 10, 7), date(2026, 10, 4)),
        ("Wed", date(2026, 10, 7), date(2026, 10, 7)),
        ("Saturday", date(1, 1, 1), None),
        ("Sunday", date(9999, 12, 31), None),
    ],
)
def test_a_day_without_a_month_is_the_nearest_with_its_day_of_the_week(
    text: str, known_day: date, day: date | None
) -> None:
    assert day_of_week_near(text, known_day) == day


@each_case(
    ("text", "days"),
    [
        ("Sent on 12 May 2025; reply by 3 June, at the latest 4. Juli.", [date(2025, 6, 3), date(2025, 7, 4)]),
        ("Rechnung vom 20.12.2025, zahlbar bis 10.01. ohne Abzug", []),
        ("Rechnung vom 20.12.2025, zahlbar bis 10.01., ohne Abzug", [date(2026, 1, 10)]),
        ("12 May 2025: version 1.2.3, 5 marchers, 3.4.5", []),
        ("Reply by 3 June", []),
        ("Seen 3 May 2025. Pain 8 out of 10, 3 may be less", []),
        ("Visto 3 mai 2025, 8 out", [date(2025, 10, 8)]),
    ],
)
def test_a_day_without_a_year_is_near_the_other_days_of_its_text(text: str, days: list[date]) -> None:
    known = list(find_days(text))
    assert [day.readings[0] for day in find_lone_days(text, known)] == days


@each_case(
    ("text", "day"),
    [
        ("Fattura n. 17 del 23/01/2026", date(2026, 1, 23)),
        ("Ricevuta 4 del 23.01.2026", date(2026, 1, 23)),
        ("17ª giornata, 23/01/2026", date(2026, 1, 23)),
        ("12 de mayo de 23", date(2023, 5, 12)),
        ("3 May 23", date(2023, 5, 3)),
    ],
)
def test_a_number_and_a_word_before_a_day_are_no_part_of_it(text: str, day: date) -> None:
    assert [one.readings[0] for one in find_days(text)] == [day]


@each_case(
    "text",
    [
        "5 марта 2026 г.",
        "5 Μαρτίου 2026",
        "٥ مارس ٢٠٢٦",
        "5 במרץ 2026",
        "5 มีนาคม 2569",
        "५ मार्च २०२६",
        "5 березня 2026",
        "5 ožujka 2026",
        "2026. március 5.",
        "2026 March 5",
        "2026년 3월 5일",
        "ngày 5 tháng 3 năm 2026",
        "令和8年3月5日",
        "民國115年3月5日",
        "2026-03-05T23:50:00Z",
        "2026年3月5日(木)",
        "2026. 03. 05.",
        "2026 m. kovo 5 d.",
        "5-III-2026",
        "5.iii.2026",
        "5 MAR/MARS 2026",
        "5/3-2026",
        "2026-MAR-05",
    ],
)
def test_a_day_is_read_in_other_scripts_and_eras(text: str) -> None:
    assert [one.readings for one in find_days(text)] == [(date(2026, 3, 5),)]


@each_case(
    ("text", "day"),
    [
        ("平成元年1月8日", date(1989, 1, 8)),
        ("５．３．２０２６", date(2026, 3, 5)),
        ("2026 Budget 12 May 2025", date(2025, 5, 12)),
        ("Total 2026 Marches 12 May 2025", date(2025, 5, 12)),
    ],
)
def test_eras_and_numbers_before_a_day_are_told_apart(text: str, day: date) -> None:
    assert [one.readings[0] for one in find_days(text)] == [day]


@each_case(
    "text",
    [
        "Do., 5. März 2026",
        "čtvrtek 5. března 2026",
        "torsdag den 5. marts 2026",
        "5 Mart 2026 Perşembe",
        "الخميس 5 مارس 2026",
        "5 марта 2026 г.",
        "5 marca 2026 r.",
        "10 am on 5 March 2026",
        "Thu 5 Mar 2026, 9.30 am",
        "05 Mar 2026 21:40",
        "5. března 2026, 16 h",
        "2026-03-05 14:05+02:00",
    ],
)
def test_weekdays_words_and_times_may_stand_beside_a_day(text: str) -> None:
    day = parse_day(text)
    assert day is not None
    assert day.readings == (date(2026, 3, 5),)


@each_case(
    "text",
    [
        "Invoice 5 March 2026",
        "12-3456",
        "1.2.3",
        "+49 170 123 4567",
        "0170 12 03 2026 5",
        "nr 4471/XI/25",
        "(£25, MAY 2009)",
        "maintenance 03/2025",
        "11 Nov 0830",
        "Heft 3/4 2019",
    ],
)
def test_a_text_with_anything_else_is_no_day(text: str) -> None:
    assert parse_day(text) is None


@each_case(
    ("text", "start", "end"),
    [("Paid 3 May 23:15", 0, 0), ("3 pieces 24 May 2024", 9, 20), ("vr 28 februari 20.15", 0, 0)],
)
def test_a_time_and_a_count_are_no_part_of_a_day(text: str, start: int, end: int) -> None:
    assert [(day.start, day.end) for day in find_days(text)] == ([(start, end)] if end else [])


@each_case(
    ("text", "day"),
    [
        ("10月8日(木)", date(2026, 10, 8)),
        ("3월 20일", date(2026, 3, 20)),
        ("Freitag, den 6.3.", date(2026, 3, 6)),
        ("pe 6.3. klo 19.00", date(2026, 3, 6)),
        ("sobota 6. února", date(2026, 2, 6)),
        ("Fri 6 Mar 16:30", date(2026, 3, 6)),
        ("KW 11/24", None),
        ("week of 10 March", None),
        ("2026. 6.", None),
    ],
)
def test_a_day_without_a_year_is_read_alone_in_its_text(text: str, day: date | None) -> None:
    assert days_without_year([text], [date(2026, 5, 1)]) == [day]


def test_a_month_of_two_languages_has_both_readings() -> None:
    [day] = find_days("8 listopada 2025")
    assert day.readings == (date(2025, 11, 8), date(2025, 10, 8))


def test_a_version_is_no_day_of_an_era() -> None:
    assert [*find_days("Release R8.3.5 of 2026")] == []


def test_each_month_has_names_of_its_own() -> None:
    assert len(MONTHS.all) > 700
    assert {month_named(name) for name in ("ledna", "января", "มกราคม", "يناير")} == {1}
    assert month_named("lipstick") == 0
