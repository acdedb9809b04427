"""Items that stand side by side: the products of a shop's page, the hours of a forecast."""

from typing import Any

from tests.unit.tasks.extraction.test_headed_rows import NUMBER, OR_NULL, TEXT, items_on

LEFTS = (0, 500, 1000)
PRODUCT: dict[str, Any] = {
    "name": TEXT, "brand": TEXT, "price": NUMBER, "oldPrice": OR_NULL, "rating": NUMBER, "reviewCount": NUMBER,
    "inStock": {"type": "boolean"},
}  # fmt: skip


def grid(*rows: tuple[str, ...], top: int = 0) -> list[tuple[int, int, str]]:
    return [
        (left, top + 30 * at, text)
        for at, row in enumerate(rows)
        for left, text in zip(LEFTS, row, strict=False)
        if text
    ]


def product(name: str, brand: str, price: float, old: float | None, rating: float, reviews: int, here: bool) -> Any:
    values = (name, brand, price, old, rating, reviews, here)
    return dict(zip(PRODUCT, values, strict=True))


CARDS = grid(
    ("OAKLEIGH", "BRAMM", "OAKLEIGH"),
    ("Tent for two persons", "Sleeping bag Frost", "Gas stove Pico"),
    ("★★★★☆ 4.5 (212)", "★★★★☆ 4.2 (87)", "★★★☆☆ 3.8 (45)"),
    ("149.90 € 189.90 €", "89.00 €", "34.95 €"),
    ("In stock", "In stock", "Sold out"),
)
TENT = product("Tent for two persons", "OAKLEIGH", 149.9, 189.9, 4.5, 212, True)
BAG = product("Sleeping bag Frost", "BRAMM", 89, None, 4.2, 87, True)
STOVE = product("Gas stove Pico", "OAKLEIGH", 34.95, None, 3.8, 45, False)


def test_each_column_of_a_shop_page_is_a_product() -> None:
    assert items_on(*CARDS, **PRODUCT) == [TENT, BAG, STOVE]


def test_rows_of_products_below_each_other_are_one_list() -> None:
    more = grid(
        ("LUCE", "BRAMM"),
        ("Head lamp 400", "Steel pots, 3 pieces"),
        ("★★★★☆ 4.1 (128)", "★★★★☆ 4.4 (63)"),
        ("27.99 €", "22.40 €"),
        ("In stock", "In stock"),
        top=600,
    )
    found = items_on(*CARDS, *more, **PRODUCT)
    assert [one["name"] for one in found][3:] == ["Head lamp 400", "Steel pots, 3 pieces"]


def test_filters_beside_the_products_are_no_products() -> None:
    beside = [(0, 0, "Filter"), (0, 60, "Price"), (0, 90, "20 to 150")]
    assert items_on(*beside, *((left + 400, top, text) for left, top, text in CARDS), **PRODUCT) == [TENT, BAG, STOVE]


def test_hours_above_degrees_and_percentages_are_a_forecast() -> None:
    lines = grid(("14:00", "15:00", "16:00"), ("18°", "19°", "17°"), ("10 %", "25 %", "60 %"))
    found = items_on(*lines, time=TEXT, temperature=NUMBER, precipitation=NUMBER)
    assert [one["time"] for one in found] == ["14:00", "15:00", "16:00"]
    assert [one["temperature"] for one in found] == [18, 19, 17]


DAY: dict[str, Any] = {"day": TEXT, "weather": TEXT, "low": NUMBER, "high": NUMBER}


def days_on(*lines: tuple[int, int, str]) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in items_on(*lines, **DAY)]


def test_days_side_by_side_have_their_weather_though_a_degree_sign_is_not_read() -> None:
    lines = grid(("Fri", "Sat", "Sun"), ("sunny", "cloudy", "rain"), ("6°", "9°", "8"), ("-1°", "-4 o", "2°"))
    shifted = [(left + 50 * text.endswith("°"), top, text) for left, top, text in lines]
    for own in (lines, shifted):
        assert days_on(*own) == [("Fri", "sunny", -1, 6), ("Sat", "cloudy", -4, 9), ("Sun", "rain", 2, 8)]


def test_the_weather_below_a_day_belongs_to_the_degrees_beside_both() -> None:
    days = (
        ("Today", "sunny", "23°", "9°"),
        ("Sunday", "light showers", "24°", "10°"),
        ("Monday", "rain", "19°", "-1°"),
    )
    lines = [
        line
        for at, (day, weather, high, low) in enumerate(days)
        for line in (
            (0, 100 * at, day),
            (800, 100 * at + 18, high),
            (1000, 100 * at + 18, low),
            (0, 100 * at + 36, weather),
        )
    ]
    assert days_on(*lines) == [
        ("Today", "sunny", 9, 23),
        ("Sunday", "light showers", 10, 24),
        ("Monday", "rain", -1, 19),
    ]


def test_a_number_in_the_column_of_degrees_lacks_its_sign() -> None:
    rows = (("Today", "rain", "6°", "12°"), ("Thu", "storm", "7°", "14°"), ("Fri", "snow", "1", "7°"))
    lines = [
        (left, 60 * at, text)
        for at, row in enumerate(rows)
        for left, text in zip((0, 300, 700, 1000), row, strict=True)
    ]
    assert days_on(*lines) == [("Today", "rain", 6, 12), ("Thu", "storm", 7, 14), ("Fri", "snow", 1, 7)]
