"""Page hints in the user's words."""

import pytest
from pydantic import ValidationError

from tasks.errors import InputError
from tasks.wording.page_range import OcrOptions, pages_in, selected_pages
from tests.conftest import each_case

TOTAL = 12


@each_case(
    ("text", "pages"),
    [
        ("Read page 3", [3]),
        ("page 1 of 12", [1]),
        ("page #7", [7]),
        ("page two", [2]),
        ("see p. 7 for details", [7]),
        ("pages 2-4", [2, 3, 4]),
        ("pp. 2–4", [2, 3, 4]),
        ("pages 4 through 2", [2, 3, 4]),
        ("from page 2 to page 4", [2, 3, 4]),
        ("pages 1, 3 and 5", [1, 3, 5]),
        ("pages 1, 3, and 5", [1, 3, 5]),
        ("pages 1-3, 5 & 7-8", [1, 2, 3, 5, 7, 8]),
        ("page 2 and page 9", [2, 9]),
        ("On page 3, 2024 comes first.", [3]),
        ("the last page only", [12]),
        ("the second to last page", [11]),
        ("the 2nd page", [2]),
        ("the first and the last pages", [1, 12]),
        ("the 1st, 3rd and last page", [1, 3, 12]),
        ("first two pages", [1, 2]),
        ("the last 2 pages", [11, 12]),
        ("the last 50 pages", list(range(1, 13))),
        ("Seiten 2 bis 4", [2, 3, 4]),
        ("die letzte Seite", [12]),
        ("páginas 2 a 4", [2, 3, 4]),
        ("las dos últimas páginas", [11, 12]),
        ("pages 2 à 4", [2, 3, 4]),
        ("la dernière page", [12]),
        ("pagina 5", [5]),
        ("all pages except 3 and 5", [1, 2, 4, *range(6, 13)]),
        ("everything but the first page", list(range(2, 13))),
        ("Skip the last two pages", list(range(1, 11))),
        ("don't read page 2", [1, *range(3, 13)]),
        ("do not read pages 2-11", [1, 12]),
        ("not page 2 but page 3", [3]),
        ("Don't read anything but page 3", [3]),
        ("from page 3 to the end", list(range(3, 13))),
        ("pages 1, 3 and 11 to the end", [1, 3, 11, 12]),
        ("all pages except from page 3 to the end", [1, 2]),
        ("from page 10 on", [10, 11, 12]),
        ("starting at page 10", [10, 11, 12]),
        ("pages 8-end", [8, 9, 10, 11, 12]),
        ("the table from page 3", [3]),
        ("from page 3 on the left", [3]),
        ("between pages 2 and 5", [2, 3, 4, 5]),
        ("up to page 3", [1, 2, 3]),
        ("up to and including page 3", [1, 2, 3]),
        ("go through page 3", [3]),
        ("first through third page", [1, 2, 3]),
        ("the third to last page", [10]),
        ("pg. 3", [3]),
        ("S. 10 ff.", [10, 11, 12]),
        ("die zweite Seite", [2]),
        ("die 1. bis 3. Seite", [1, 2, 3]),
        ("die vorletzte Seite", [11]),
        ("ab Seite 10", [10, 11, 12]),
        ("Seiten 10 bis zum Ende", [10, 11, 12]),
        ("la deuxième page", [2]),
        ("à partir de la page 10", [10, 11, 12]),
        ("de la page 10 à la fin", [10, 11, 12]),
        ("desde la página 10 hasta el final", [10, 11, 12]),
        ("da pagina 10 in poi", [10, 11, 12]),
    ],
)
def test_a_hint_selects_pages(text: str, pages: list[int]) -> None:
    assert selected_pages(pages_in(text), TOTAL) == pages


@each_case(
    "text",
    [
        "",
        "Extract all text",
        "an invoice on page-sized paper 2",
        "https://example.com/?page=3",
        "as on every page 3 columns",
        "a page 3.5 inches wide",
        "the page 3-column layout",
        "the first pages",
        "5 p.m. 7 people",
        "the last page-turner",
        "every second page",
        "1. Read it 2. Page layout",
    ],
)
def test_other_words_about_pages_select_nothing(text: str) -> None:
    assert selected_pages(pages_in(text), TOTAL) is None


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("page 13", 13),
        ("pages 2-40", 40),
        ("all but page 99", 99),
    ],
)
def test_a_page_that_is_not_there_is_an_error_naming_it_and_the_total(text: str, page: int) -> None:
    with pytest.raises(InputError, match=rf"^page {page} was asked for, but the document has 12 pages$"):
        selected_pages(pages_in(text), TOTAL)


@each_case(
    ("text", "short"),
    [
        ("page 3", "3"),
        ("from page 3 to the end", "3-"),
        ("the last two pages", "last 2"),
        ("the first and the last page", "1, -1"),
        ("the second-to-last page", "-2"),
        ("not page 1", "not 1"),
    ],
)
def test_words_become_the_short_form(text: str, short: str) -> None:
    assert pages_in(text) == short
    assert OcrOptions(pages=short).pages == short


@each_case(
    ("short", "pages"),
    [
        ("", None),
        ("5", [5]),
        ("4-2", [2, 3, 4]),
        ("2 – 4", [2, 3, 4]),
        ("10-", [10, 11, 12]),
        ("-1", [12]),
        ("-3--1", [10, 11, 12]),
        ("last 2", [11, 12]),
        ("first 50", list(range(1, 13))),
        ("not odd", [2, 4, 6, 8, 10, 12]),
        ("1-5, not 2, not even", [1, 3, 5]),
        ("not 1-12", []),
    ],
)
def test_the_short_form_selects_pages(short: str, pages: list[int] | None) -> None:
    assert selected_pages(OcrOptions(pages=short).pages, TOTAL) == pages


@each_case("short", ["x", "3;4", "page 3", "1..3", "1, , 2", "first", "last two", "not", "1234567890", "3 4"])
def test_another_form_of_pages_is_refused_with_the_forms_that_there_are(short: str) -> None:
    with pytest.raises(ValidationError, match=r"names no pages: write 3, 2-5, 4- \(to the end\)") as raised:
        OcrOptions(pages=short)
    assert raised.value.errors()[0]["loc"] == ("pages",)


def test_the_number_of_pages_is_checked_before_they_are_listed() -> None:
    def check(number: int) -> None:
        raise InputError(f"{number} pages")

    with pytest.raises(InputError, match=r"^999999 pages$"):
        selected_pages("not 1", 1_000_000, check)
