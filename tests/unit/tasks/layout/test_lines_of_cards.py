"""Lines of identity cards, business cards and forms: what stands in one of its own, and in which order."""

from collections.abc import AsyncIterator

import pytest

from eval.lines import embedded_reader
from models.vision.ppocr.reader import PpOcrReader
from tasks.layout.lines import in_reading_order
from tests.conftest import each_case
from tests.kit.papers.drawn_cards import KINDS, cards, perfect_lines, right_in_order
from tests.unit.tasks.layout.test_lines import line, read


@pytest.fixture(scope="module")
async def reader() -> AsyncIterator[PpOcrReader]:
    async with embedded_reader() as reader:
        yield reader


@pytest.mark.deep
def test_lines_of_cards_and_forms_are_right_and_in_order() -> None:
    right = total = 0
    for _, (page, truth) in cards():
        right += right_in_order([one.text for one in in_reading_order(perfect_lines(page))], truth)
        total += len(truth)
    assert right / total > 0.98


@pytest.mark.parametrize(
    "kind", [*(pytest.param(kind, marks=pytest.mark.deep) for kind in ("licence", "invoice")), "member_card"]
)
async def test_lines_that_the_engine_reads_are_right_and_in_order(reader: PpOcrReader, kind: str) -> None:
    page, truth = KINDS[kind](2)
    lines = [one.text for one in in_reading_order(await reader.read(page.pixels))]
    assert right_in_order(lines, truth) >= len(truth) - 1


@each_case("gap", [20, 120, 400])
def test_what_is_set_in_another_size_is_a_line_of_its_own(gap: int) -> None:
    state = line("California", 40, 30, height=44)
    assert read([state, line("DRIVER LICENSE", state.quad[1][0] + gap, 46)]) == ["California", "DRIVER LICENSE"]


@each_case("label", ["TOTAL", "Amount due:"])
def test_a_large_amount_stays_on_the_line_of_its_label(label: str) -> None:
    rows = [line("COFFEE", 40, 40), line("3.00", 400, 40), line(label, 40, 92), line("RM 3.00", 380, 80, height=40)]
    assert read(rows) == ["COFFEE 3.00", f"{label} RM 3.00"]


def test_a_name_in_large_type_comes_before_the_small_lines_beside_it() -> None:
    small = ["Ada Lovelace", "Engineer", "555 1234"]
    beside = [line(text, 500, 30 + 28 * k) for k, text in enumerate(small)]
    assert read([line("Acme Tools", 40, 42, height=46), *beside]) == ["Acme Tools", *small]


def test_fields_beside_each_other_are_lines_of_their_own() -> None:
    rows = [("Member: Ada Lovelace", "Plan: PPO 500"), ("Number: 99812", "Group: 17"), ("From :", "To :")]
    lines = [line(text, 40 + 400 * n, 40 + 36 * k) for k, row in enumerate(rows) for n, text in enumerate(row)]
    assert read(lines) == [text for row in rows for text in row]


def test_a_label_a_colon_and_a_value_that_stand_apart_are_one_field() -> None:
    lines = [line("Doc No.", 40, 40), line(": CS00067741", 200, 40), line("Date: 14/03/2018", 480, 40)]
    assert read(lines) == ["Doc No. : CS00067741", "Date: 14/03/2018"]


def test_addresses_with_headings_are_read_one_after_the_other() -> None:
    blocks = [("Bill to:", "Ada Lovelace", "12 Main Street"), ("Ship to:", "Grace Okafor", "4 Elm Road")]
    lines = [line(text, 40 + 400 * n, 40 + 30 * k) for n, block in enumerate(blocks) for k, text in enumerate(block)]
    assert read(lines) == [text for block in blocks for text in block]


def test_a_list_of_amounts_below_headings_stays_in_rows() -> None:
    rows = [("Article:", "Price:"), ("Coffee", "3.00"), ("Tea", "2.50")]
    lines = [line(text, 40 + 400 * n, 40 + 30 * k) for k, row in enumerate(rows) for n, text in enumerate(row)]
    assert read(lines)[-2:] == ["Coffee 3.00", "Tea 2.50"]


def test_values_follow_the_small_labels_above_them() -> None:
    labels = [line(text, x, 40, height=14) for text, x in (("Nationality", 40), ("Place of birth", 400))]
    values = [line(text, x, 60, height=26) for text, x in (("British", 40), ("London", 400))]
    assert read([*labels, *values]) == ["Nationality", "British", "Place of birth", "London"]


def test_texts_far_apart_are_two_lines_where_nothing_else_makes_a_table() -> None:
    fields = ["DL I1234568", "LN LOVELACE", "FN ADA", "12 MAIN STREET"]
    lines = [line(text, 40, 40 + 32 * k) for k, text in enumerate(fields)]
    assert read([*lines, line("CLASS C", 460, 72)]) == [*fields[:2], "CLASS C", *fields[2:]]
