"""Page hints in the user's words."""

import pytest

from tasks.errors import InputError
from tasks.page_range import requested_pages

TOTAL = 12


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("Read page 3", [3]),
        ("What does PAGE 3 say?", [3]),
        ("page 3's total, please.", [3]),
        ("page 1 of 12", [1]),
        ("page no. 7", [7]),
        ("page number 7", [7]),
        ("page #7", [7]),
        ("page two", [2]),
        ("see p. 7 for details", [7]),
        ("p.7", [7]),
        ("pages 2-4", [2, 3, 4]),
        ("pages 2 - 4", [2, 3, 4]),
        ("pp. 2–4", [2, 3, 4]),
        ("pages 2 to 4", [2, 3, 4]),
        ("pages 4 through 2", [2, 3, 4]),
        ("from page 2 to page 4", [2, 3, 4]),
        ("pages 1, 3 and 5", [1, 3, 5]),
        ("pages 1, 3, and 5", [1, 3, 5]),
        ("pages: 1,3,5", [1, 3, 5]),
        ("pages 1-3, 5 & 7-8", [1, 2, 3, 5, 7, 8]),
        ("pages 5, 3, 5", [3, 5]),
        ("page 2 and page 9", [2, 9]),
        ("page 2 and 9", [2, 9]),
        ("On page 3, 2024 comes first.", [3]),
        ("the first page", [1]),
        ("the last page only", [12]),
        ("the second-to-last page", [11]),
        ("the second to last page", [11]),
        ("the 2nd page", [2]),
        ("the third page", [3]),
        ("the first and last page", [1, 12]),
        ("the first and the last pages", [1, 12]),
        ("the 1st, 3rd and last page", [1, 3, 12]),
        ("first two pages", [1, 2]),
        ("first 3 pages", [1, 2, 3]),
        ("the last 2 pages", [11, 12]),
        ("the first 50 pages", list(range(1, 13))),
        ("the last 50 pages", list(range(1, 13))),
        ("Lies Seite 3", [3]),
        ("Seiten 2 bis 4", [2, 3, 4]),
        ("Seiten 2 und 4", [2, 4]),
        ("die letzte Seite", [12]),
        ("die ersten zwei Seiten", [1, 2]),
        ("la página 3", [3]),
        ("páginas 2 a 4", [2, 3, 4]),
        ("las dos últimas páginas", [11, 12]),
        ("pages 2 à 4", [2, 3, 4]),
        ("les pages 2 et 4", [2, 4]),
        ("la dernière page", [12]),
        ("pagina 5", [5]),
        ("pagine 2 e 4", [2, 4]),
        ("all pages except page 3", [1, 2, *range(4, 13)]),
        ("all pages except 3 and 5", [1, 2, 4, *range(6, 13)]),
        ("everything but the first page", list(range(2, 13))),
        ("pages 1-5 without page 2", [1, 3, 4, 5]),
        ("Skip the last two pages", list(range(1, 11))),
    ],
)
def test_a_hint_selects_pages(text: str, pages: list[int]) -> None:
    assert requested_pages(text, TOTAL) == pages


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Extract all text",
        "Write a one-page summary",
        "Describe the page layout",
        "an invoice on page-sized paper 2",
        "homepage 3",
        "the web page 2024 edition",
        "https://example.com/page/3",
        "https://example.com/?page=3",
        "https://example.com/page-3",
        "as on every page 3 columns",
        "a page 3.5 inches wide",
        "the page 3-column layout",
        "these 3 pages",
        "the first pages",
        "the front page of 3 newspapers",
        "5 p.m. 7 people",
        "shop. 7 items",
        "first two paragraphs",
        "the last page-turner",
        "pagination 3",
        "keep the page numbers",
    ],
)
def test_other_words_about_pages_select_nothing(text: str) -> None:
    assert requested_pages(text, TOTAL) is None


@pytest.mark.parametrize(
    ("text", "page"),
    [("page 13", 13), ("page 0", 0), ("pages 2-40", 40), ("the 20th page", 20), ("all but page 99", 99)],
)
def test_a_page_that_is_not_there_is_an_error_naming_it_and_the_total(text: str, page: int) -> None:
    with pytest.raises(InputError, match=rf"^page {page} was asked for, but the document has 12 pages$"):
        requested_pages(text, TOTAL)


def test_the_message_counts_one_page_right() -> None:
    with pytest.raises(InputError, match=r"has 1 page$"):
        requested_pages("page 2", 1)


def test_the_penultimate_page_of_one_is_an_error() -> None:
    with pytest.raises(InputError, match="page 0 "):
        requested_pages("the penultimate page", 1)


def test_a_number_of_any_length_is_no_trouble() -> None:
    with pytest.raises(InputError):
        requested_pages("page 999999999", TOTAL)
    assert requested_pages("page " + "9" * 10_000, TOTAL) is None


def test_a_single_page_of_thousands_is_found() -> None:
    assert requested_pages("page 4321", 5000) == [4321]
