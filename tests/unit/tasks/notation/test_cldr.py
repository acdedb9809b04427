"""Names of months, weekdays, magnitudes and units in many languages."""

from tasks.notation.cldr import MAGNITUDES, MONTHS, WEEKDAYS, WORDS_IN_DAYS, folded, months_named, units_and_currencies
from tests.conftest import each_case


@each_case(
    ("name", "months"),
    [
        ("MÄRZ", (3,)),
        ("févr.", (2,)),
        ("fevr", (2,)),
        ("сентября", (9,)),
        ("Σεπτέμβριος", (9,)),
        ("במרץ", (3,)),
        ("มี.ค.", (3,)),
        ("ม.ค.", (1,)),
        ("listopada", (11, 10)),
        ("marching", ()),
        ("5", ()),
    ],
)
def test_a_month_is_known_by_its_names_in_all_languages(name: str, months: tuple[int, ...]) -> None:
    assert months_named(name) == months


@each_case(
    ("name", "weekday"),
    [("Do.", 4), ("středa", 3), ("lørdag", 6), ("木", 4), ("토요일", 6), ("الخميس", 4), ("segunda-feira", 1)],
)
def test_a_weekday_is_known_by_its_names_in_all_languages(name: str, weekday: int) -> None:
    assert WEEKDAYS.all[folded(name)][0] == weekday


def test_short_names_of_some_languages_are_words_of_others() -> None:
    assert {"pro", "on", "to", "la", "me"}.isdisjoint({*MONTHS.common, *WEEKDAYS.common})
    assert {"mar", "märz", "marz", "mart", "março"} <= MONTHS.common.keys()


def test_a_magnitude_means_the_same_anywhere() -> None:
    assert [MAGNITUDES.common[word][0] for word in ("mio", "tys", "만", "億", "billion")] == [
        10**6,
        1000,
        10**4,
        10**8,
        10**9,
    ]
    assert {"mil", "bill", "min", "t"}.isdisjoint(MAGNITUDES.common)


def test_words_in_days_and_units_are_those_of_their_languages() -> None:
    assert {"de", "den", "г", "tháng"} <= WORDS_IN_DAYS
    assert {"km/h", "stunden", "euro", "kc", "m3"} <= units_and_currencies()
