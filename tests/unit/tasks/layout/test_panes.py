"""Panes: parts of a page side by side that are different things."""

from dataclasses import replace

from models.vision.text import TextLine
from tasks.layout.lines import in_reading_order, line_of
from tests.unit.tasks.layout.test_lines import column, line

LETTERHEAD = ["Northgate Mutual", "12 Harbour Lane", "Skelborough", "Account no. 30077194", "Sort code 20-44-16"]
DETAILS = ["Lost your card?", "Call us day and night", "Rates are changing", "See our web site"]
BOOKINGS = [
    ("02 Sep", "Card payment", "46.20"),
    ("03 Sep", "Direct debit", "148.00"),
    ("05 Sep", "Faster payment", "60.00"),
    ("09 Sep", "Standing order", "725.00"),
    ("15 Sep", "Cash withdrawal", "100.00"),
    ("19 Sep", "Bank credit", "33.25"),
]


def table(left: float, top: float, pitch: float) -> list[TextLine]:
    return [
        line(text, left + at, top + pitch * number)
        for number, row in enumerate([("Date", "Description", "Amount"), *BOOKINGS])
        for at, text in zip((0, 110, 320), row, strict=True)
    ]


ROWS = ["Date Description Amount", *(" ".join(row) for row in BOOKINGS)]


def flattened(one: TextLine) -> TextLine:
    """Return a line whose letters have no height, as a PDF may have them."""
    top = one.words[0].quad[0][1]
    words = [replace(word, quad=tuple((x, top) for x, _ in word.quad)) for word in one.words]
    return line_of(words)


def read(lines: list[TextLine], *rulings: tuple[float, float, float]) -> list[str]:
    return [one.text for one in in_reading_order(lines, rulings=[((start, y), (end, y)) for start, end, y in rulings])]


def test_a_box_beside_a_table_is_read_apart_from_it() -> None:
    box = [*LETTERHEAD, *DETAILS]
    title, foot = "Your Everyday Account", "Deposits with us are protected up to the limit of the scheme"
    lines = [line(title, 200, 40), *column(box, 40, 100), *table(420, 109, 37), line(foot, 180, 400)]
    assert read(lines) == [title, *box, *ROWS, foot]


def test_an_address_beside_the_data_of_a_letter_is_read_apart_from_them() -> None:
    data = [("Invoice", "RK-26-00418"), ("Day", "21.09.2026"), ("Customer", "31877"), ("Contact", "T. Aschauer")]
    lines = column(LETTERHEAD, 40, 100, pitch=26)
    lines += [
        line(text, left, 106 + 35 * number)
        for number, row in enumerate(data)
        for left, text in zip((500, 640), row, strict=True)
    ]
    assert read(lines) == [*LETTERHEAD, *(" ".join(row) for row in data)]


def test_sides_whose_rows_are_level_stay_one_table() -> None:
    names = [f"Participant number {number}" for number in "ABCDEFG"]
    lines = [*column(names, 40, 100, pitch=37), *table(420, 102, 37)]
    assert read(lines) == [" ".join(row) for row in zip(names, ROWS, strict=True)]


def test_a_table_below_two_panes_is_read_across() -> None:
    data = ["Edited in September", "Mrs Rosner, room 17", "Telephone on request", "Office hours on Monday"]
    names = [f"Article number {number}" for number in "ABCDEFG"]
    lines = [*column(LETTERHEAD[:4], 40, 100, pitch=28), *column(data, 500, 108, pitch=33)]
    lines += [*column(names, 40, 262, pitch=28), *table(420, 262, 28)]
    rows = [" ".join(row) for row in zip(names, ROWS, strict=True)]
    assert read(lines) == [*LETTERHEAD[:4], *data, *rows]


def test_rulings_that_cross_a_gutter_end_the_panes_and_those_beside_it_part_them() -> None:
    one = [
        "Place of delivery",
        "PPE 590 0000 4177 33",
        "Mill Street 17, Stara",
        "Group G11, contract",
        "Meter 30417708",
    ]
    other = ["Readings", "March by our staff", "September by you", "used since then", "No further days"]
    tops = (100, 128, 156, 184, 212), (100, 128, 167, 194, 212)
    lines = [
        line(text, left, top)
        for texts, left, own in zip((one, other), (40, 420), tops, strict=True)
        for text, top in zip(texts, own, strict=True)
    ]
    assert read(lines) != [*one, *other]
    assert read(lines, (40, 380, 124), (420, 760, 124)) == [*one, *other]
    assert read(lines, *((40, 760, y) for y in (124, 152, 180, 208)))[:2] == [one[0], other[0]]


def test_lines_without_height_are_read() -> None:
    flat = [flattened(one) for one in [*column(LETTERHEAD, 40, 100), *table(420, 109, 37)]]
    assert len(read(flat)) == len(flat)
