"""Reading order, on the boxes of drawn pages and on hand-made arrangements."""

import math
import random
from collections.abc import Callable

import pytest

from models.vision.text import Point, Quad, TextLine, Word
from tasks.layout.lines import in_reading_order
from tests.conftest import each_case
from tests.kit.papers import pages
from tests.kit.papers.drawn_cards import perfect_lines
from tests.kit.waits.turns import calls_of

HEIGHT = 20
CHARACTER = 9


def line(text: str, left: float, top: float, *, height: float = HEIGHT) -> TextLine:
    """`text` set with characters of one width, as a detector would box it."""
    scale = CHARACTER * height / HEIGHT
    words, x = [], left
    for word in text.split():
        right = x + scale * len(word)
        words.append(Word(word, ((x, top), (right, top), (right, top + height), (x, top + height)), 0.9))
        x = right + scale
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


def column(text: list[str], left: float, top: float, *, pitch: float = 28, **kwargs: float) -> list[TextLine]:
    return [line(row, left, top + number * pitch, **kwargs) for number, row in enumerate(text)]


def prose(seed: int, lines: int, characters: int = 40) -> list[str]:
    """`lines` lines of running text, each about `characters` long."""
    words = iter(pages.prose(seed, lines * characters))
    text = []
    for _ in range(lines):
        row = next(words)
        while len(row) < characters - 5:
            row += " " + next(words)
        text.append(row)
    return text


def rotated(lines: list[TextLine], degrees: float, centre: Point = (500, 400)) -> list[TextLine]:
    """Turned clockwise about `centre`."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def move(point: Point) -> Point:
        x, y = point[0] - centre[0], point[1] - centre[1]
        return centre[0] + x * c - y * s, centre[1] + x * s + y * c

    def turn(quad: Quad) -> Quad:
        a, b, c, d = (move(corner) for corner in quad)
        return a, b, c, d

    return [
        TextLine(tuple(Word(w.text, turn(w.quad), w.confidence) for w in one.words), turn(one.quad)) for one in lines
    ]


def read(lines: list[TextLine]) -> list[str]:
    """The text in reading order, whatever the order in which the lines were found."""
    readings = set()
    for seed in range(3):
        shuffled = random.Random(seed).sample(lines, len(lines))
        readings.add(tuple(one.text for one in in_reading_order(shuffled)))
    assert len(readings) == 1
    return list(readings.pop())


def run_together(left: list[TextLine], right: list[TextLine]) -> list[TextLine]:
    """Lines as a detector finds them that does not see the gutter."""
    return [
        TextLine(a.words + b.words, (a.quad[0], b.quad[1], b.quad[2], a.quad[3]))
        for a, b in zip(left, right, strict=True)
    ]


def words(lines: list[str]) -> list[str]:
    return " ".join(lines).split()


@pytest.mark.deep
@each_case("heading", ["", "On the keeping of bees", "Bees"])
@each_case("seed", range(4))
def test_two_columns_on_one_grid_are_read_one_after_the_other(seed: int, heading: str) -> None:
    page = pages.two_column_page(seed=seed, heading=heading)
    assert "\n".join(read(perfect_lines(page))) == page.text


@pytest.mark.parametrize("columns", [2, 3, 4, 6])
def test_a_table_is_read_row_by_row(columns: int) -> None:
    page = pages.table_page(columns=columns, seed=columns)
    rows = read(perfect_lines(page))
    assert words(rows) == page.text.split()
    assert len(rows) == len(page.lines) / columns


@pytest.mark.deep
@pytest.mark.parametrize("degrees", [-8, -3, 1, 3, 8])
def test_a_skewed_page_reads_like_a_straight_one(degrees: float) -> None:
    for page in (pages.two_column_page(seed=5, heading="A heading"), pages.table_page(seed=2)):
        assert words(read(perfect_lines(pages.skewed(page, degrees)))) == page.text.split()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_reads_like_an_upright_one(degrees: int) -> None:
    for page in (pages.two_column_page(seed=6), pages.table_page(seed=3), pages.paragraph_page()):
        assert words(read(perfect_lines(pages.turned(page, degrees)))) == page.text.split()


def test_columns_whose_lines_are_not_level_are_read_one_after_the_other() -> None:
    left, right = ["Opening hours", "Monday", "Sunday", "Closed in May"], prose(1, 4)
    assert read([*column(left, 40, 100), *column(right, 320, 113)]) == [*left, *right]


SHORT_TEXTS = (
    ["LANDLORD", "Harbour Lettings Ltd, 4 Quay Street,", "Bristol BS1 4DB", "", "TENANT", "Ms Oyelaran, 17 Mill Lane,"],
    [
        "RENT",
        "A rent of 950 a month, payable",
        "on the first day",
        "",
        "DEPOSIT",
        "1,315 held by a scheme",
        "",
        "TERM",
        "Six months, to begin",
    ],
)
MORE = (
    ["Bath BA2 3AB", "", "PREMISES", "Flat 1, 22 Corn Street, Bristol,", "on the first floor", "with a garden"],
    ["from 1 February 2025", "", "NOTICE", "Two months on either side"],
)


def spaced(rows: list[str], left: float) -> list[TextLine]:
    return [line(row, left, 28 * number) for number, row in enumerate(rows) if row]


def test_columns_of_short_paragraphs_are_read_one_after_the_other() -> None:
    left, right = (first + more for first, more in zip(SHORT_TEXTS, MORE, strict=True))
    assert read(spaced(left, 0) + spaced(right, 500)) == [row for row in left + right if row]


def test_rows_of_a_table_whose_cells_are_paragraphs_are_kept_together() -> None:
    rows = [
        ("Name of the item", "What it is made of"),
        ("", ""),
        ("A pair of clogs", "Birch wood and"),
        ("", "some leather"),
    ]
    rows += [
        ("", ""),
        ("A pair of socks", "Wool of merino sheep"),
        ("", ""),
        ("A long woollen scarf", "Wool and silk,"),
    ]
    rows += [("for the cold winter", "dyed by hand"), ("", ""), ("A hat of straw", "Rye straw only")]
    found = read(spaced([one for one, _ in rows], 0) + spaced([one for _, one in rows], 500))
    assert found == [" ".join(filter(None, row)) for row in rows if any(row)]


def test_a_title_over_two_columns_comes_first_and_a_note_below_them_last() -> None:
    title, note = (
        "An account of the weather in the northern provinces",
        "Corresponding author: see the last page of this issue",
    )
    left, right = prose(1, 8), prose(2, 8)
    lines = [
        line(title, 160, 20, height=30),
        *column(left, 40, 100),
        *column(right, 460, 100),
        line(note, 180, 400),
    ]
    assert read(lines) == [title, *left, *right, note]


def test_lines_that_a_detector_ran_together_hide_no_columns() -> None:
    left, right = prose(1, 11), prose(2, 11)
    both = f"{left[5]} {right[5]}"
    lines = [
        *column(left[:5], 40, 40, pitch=22),
        *column(right[:5], 460, 51, pitch=22),
        line(both, 40, 40 + 5 * 22),
        *column(left[6:], 40, 40 + 6 * 22, pitch=22),
        *column(right[6:], 460, 51 + 6 * 22, pitch=22),
    ]
    assert read(lines) == [*left[:5], *right[:5], both, *left[6:], *right[6:]]


def test_columns_whose_gutter_no_detector_saw_are_read_one_after_the_other() -> None:
    left, right = prose(1, 12), prose(2, 12)
    start = 40 + CHARACTER * max(len(row) for row in left) + 14
    lines = run_together(column(left, 40, 40), column(right, start, 40))
    for found_lines in (lines, rotated(lines, 2), rotated(lines, 90)):
        assert read(found_lines) == [*left, *right]


def test_wide_spaces_in_justified_lines_are_no_gutter() -> None:
    lines = []
    for number, row in enumerate(prose(4, 20, 40)):
        spread = [line(word, 0, 40 + 28 * number) for word in row.split()]
        space = (500 - sum(one.quad[1][0] for one in spread)) / (len(spread) - 1)
        x = 40.0
        for place, one in enumerate(spread):
            spread[place] = pushed(one, x, 0)
            x += one.quad[1][0] + space
        first, last = spread[0].quad, spread[-1].quad
        lines.append(TextLine(tuple(one.words[0] for one in spread), (first[0], last[1], last[2], first[3])))
    assert in_reading_order(lines) == lines


def test_a_sidebar_is_read_apart_from_the_text_beside_it() -> None:
    sidebar = ["Contents", "Honey", "Wax", "Smoke", "Winter", "Index"]
    text = prose(3, 12, 60)
    lines = [*column(sidebar, 40, 60, pitch=45), *column(text, 220, 50)]
    assert read(lines) == [*sidebar, *text]


def test_the_parts_of_a_receipt_row_become_one_line() -> None:
    rows = [
        ("SPRITE 1.5L", "2", "6.40"),
        ("BREAD", "1", "2.60"),
        ("TOTAL", "", "9.00"),
        ("CASH", "", "10.00"),
    ]
    lines = [line("CORNER SHOP", 130, 20, height=30), line("THANK YOU", 150, 240)]
    for number, (item, quantity, price) in enumerate(rows):
        top = 80 + 34 * number
        lines += [line(item, 20, top), line(price, 400 - CHARACTER * len(price), top + 3, height=18)]
        lines += [line(quantity, 260, top - 2)] if quantity else []
    assert read(lines) == [
        "CORNER SHOP",
        "SPRITE 1.5L 2 6.40",
        "BREAD 1 2.60",
        "TOTAL 9.00",
        "CASH 10.00",
        "THANK YOU",
    ]


def test_labels_and_values_of_a_form_are_read_together() -> None:
    rows = [("Name", "Ada Lovelace"), ("Born", "10 December 1815"), ("Profession", "Mathematician")]
    lines = [line(cell, 40 + 200 * n, 50 + 34 * k) for k, row in enumerate(rows) for n, cell in enumerate(row)]
    assert read(lines) == [" ".join(row) for row in rows]


def test_a_chat_keeps_its_sequence() -> None:
    said = ["Are you there?", "Yes, since nine", "Good, wait for me", "At the gate?", "By the tree"]
    lines = [line(text, 40 if n % 2 == 0 else 500, 40 + 50 * n) for n, text in enumerate(said)]
    assert read(lines) == said


def test_rows_of_a_bent_page_hold_together() -> None:
    # A sheet that droops to the right: each cell stands 6 pixels lower than the one before.
    rows = [[f"{row}{cell} cell" for cell in "abcde"] for row in range(1, 6)]
    lines = [line(cell, 40 + 130 * n, 50 + 36 * k + 6 * n) for k, row in enumerate(rows) for n, cell in enumerate(row)]
    assert read(lines) == [" ".join(row) for row in rows]


def test_a_box_that_reaches_far_below_its_letters_stays_in_its_row() -> None:
    header = [line("Write", 60, 65, height=18), line("Fish", 280, 65, height=18), deeper(line("Top", 700, 66), 16)]
    assert read([*header, line("Rock word 33442.15", 60, 117)]) == ["Write Fish Top", "Rock word 33442.15"]


def test_text_printed_twice_over_itself_is_not_one_row() -> None:
    lines = [line("PLEASE COME AGAIN", 40, 50), line("FLEASE COME AOAIN", 44, 54)]
    assert read(lines) == ["PLEASE COME AGAIN", "FLEASE COME AOAIN"]


def test_a_margin_note_that_runs_upwards_follows_the_page() -> None:
    text = prose(1, 10)
    note = rotated([line("arXiv:2601.01234 [cs.CV]", 0, 0)], -90, (0, 0))
    note = [pushed(one, 10, 300) for one in note]
    assert read([*note, *column(text, 60, 40)]) == [*text, "arXiv:2601.01234 [cs.CV]"]


def deeper(one: TextLine, by: float) -> TextLine:
    """A line whose box reaches further down."""

    def stretched(quad: Quad) -> Quad:
        a, b, (right, bottom), (left, _) = quad
        return a, b, (right, bottom + by), (left, bottom + by)

    return TextLine(tuple(Word(w.text, stretched(w.quad), w.confidence) for w in one.words), stretched(one.quad))


def pushed(one: TextLine, dx: float, dy: float) -> TextLine:
    def push(quad: Quad) -> Quad:
        a, b, c, d = ((x + dx, y + dy) for x, y in quad)
        return a, b, c, d

    return TextLine(tuple(Word(w.text, push(w.quad), w.confidence) for w in one.words), push(one.quad))


def test_a_joined_line_covers_its_parts() -> None:
    (joined,) = in_reading_order([line("9.00", 300, 48), line("TOTAL", 40, 50)])
    assert joined.quad == ((40, 48), (336, 48), (336, 70), (40, 70))


def row_of(count: int) -> list[TextLine]:
    return [line("ab", 30 * number, 100) for number in range(count)]


def column_of(count: int) -> list[TextLine]:
    return [line("ab", 40, 28 * number) for number in range(count)]


def grid_of(count: int) -> list[TextLine]:
    return [line("ab", 40 * (number % 20), 28 * (number // 20)) for number in range(count)]


def stairs_of(count: int) -> list[TextLine]:
    return [line("ab", 40 * number, 28 * number) for number in range(count)]


def gentle_stairs_of(count: int) -> list[TextLine]:
    return [line("ab", 40 * number, 12 * number) for number in range(count)]


def nested_columns_of(count: int) -> list[TextLine]:
    """Beside each line a heading over all that follows, half a line off."""
    depth = count // 2
    marks = [line("mark", 100 * number, 60 * number + 10) for number in range(depth)]
    headings = [
        pushed(line("w" * 12 * (depth - number), 0, 0), 100 * number + 60, 60 * number) for number in range(depth)
    ]
    return [*marks, *headings]


def gaps_of(count: int) -> list[TextLine]:
    cells = [line("ab", 40 * number, 0) for number in range(count // 10)]
    one = TextLine(tuple(cell.words[0] for cell in cells), (cells[0].quad[0], *cells[-1].quad[1:3], cells[0].quad[3]))
    return [pushed(one, 0, 28 * number) for number in range(10)]


@pytest.mark.parametrize(
    "shape",
    [
        *(column_of, grid_of, gaps_of),
        *(
            pytest.param(one, marks=pytest.mark.deep)
            for one in (row_of, stairs_of, gentle_stairs_of, nested_columns_of)
        ),
    ],
)
def test_work_grows_with_the_page_and_not_with_its_square(shape: Callable[[int], list[TextLine]]) -> None:
    small, large = shape(1000), shape(2000)
    assert calls_of(lambda: in_reading_order(large)) < 2.6 * calls_of(lambda: in_reading_order(small))
