"""Fields that a request asks for, found by the structure of a page alone."""

from collections.abc import Sequence

import pytest

from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.scrape.matching import RecordMatch
from tasks.scrape.page_file import read_bytes
from tasks.scraper import fields_asked
from tests.conftest import each_case
from tests.kit.internet.web_pages import LAYOUTS, document


def match(html: bytes, fields: Sequence[str]) -> RecordMatch | None:
    blob = Blob(html, "text/html", None, "p", "utf-8")
    return read_bytes(blob, MediaLimits(), "https://h.example/", fields).match


def rows(html: bytes, *fields: str) -> list[dict[str, object]]:
    found = match(html, fields)
    assert found is not None
    assert not found.missing
    return [dict(row) for row in found.rows]


@each_case(
    ("text", "fields"),
    [
        ("Extract post titles and points from https://a.example/", ("title", "points")),
        (
            "extract all product names, prices and the number of reviews from https://a.example",
            ("name", "price", "reviews"),
        ),
        ("List the titles, dates and venues of the events on https://a.example", ("title", "date", "venue")),
        ("Scrape author names and product names from https://a.example", ("author_name", "product_name")),
        ("https://a.example fields: title, url", ("title", "url")),
        ("Scrape this page: https://a.example", ()),
        ("What does https://a.example say about the price?", ()),
    ],
)
def test_the_fields_of_a_request_are_understood(text: str, fields: tuple[str, ...]) -> None:
    assert fields_asked(text) == fields


def test_stories_of_a_link_list() -> None:
    found = rows(LAYOUTS["link_list"]().html, "title", "points", "author", "comments", "url", "rank")
    assert len(found) == 25
    assert found[1]["rank"] == 2
    assert found[0]["url"] == "https://s0.example/"
    assert isinstance(found[0]["points"], int)
    main = LAYOUTS["link_list"]().main.splitlines()
    assert main[0] == f"1. {found[0]['title']} {found[0]['points']} points {found[0]['author']} 3 hours ago " + (
        f"{found[0]['comments']} comments"
    )


def test_products_of_a_shop() -> None:
    found = rows(LAYOUTS["shop_list"]().html, "name", "price", "reviews", "image")
    assert len(found) == 18
    assert found[3]["image"] == "https://h.example/i/3.jpg"
    assert all(f"{row['name']} {row['price']} {row['reviews']} reviews" in LAYOUTS["shop_list"]().main for row in found)


def test_rows_of_a_table_by_their_heads() -> None:
    found = rows(LAYOUTS["data_table"]().html, "player", "games", "share")
    assert len(found) == 30
    assert " ".join(map(str, found[7].values())) in LAYOUTS["data_table"]().main


@pytest.mark.parametrize(
    ("layout", "fields", "count"),
    [
        ("calendar_of_events", ("title", "date", "venue"), 14),
        ("glossary", ("term", "definition"), 10),
    ],
)
def test_records_of_other_layouts(layout: str, fields: tuple[str, ...], count: int) -> None:
    found = rows(LAYOUTS[layout]().html, *fields)
    assert len(found) == count
    assert len({tuple(row.values()) for row in found}) == count


def test_labels_name_what_follows_them() -> None:
    item = "<li><b>Place:</b> Vigo<br>Depth: {} m</li>"
    html = document("T", f"<main><ul>{''.join(item.format(n) for n in range(5))}</ul></main>").encode()
    assert rows(html, "place", "depth")[2] == {"place": "Vigo", "depth": "2 m"}


def test_a_field_that_the_page_does_not_have_is_missing() -> None:
    found = match(LAYOUTS["shop_list"]().html, ("name", "altitude"))
    assert found is not None
    assert found.missing == {"altitude"}
    assert found.rows[0]["altitude"] is None


LAMPS = "".join(f"<tr><td>Lamp {n}</td><td>{n}.50 EUR</td><td>{n + 3}</td></tr>" for n in range(1, 4))
HEAD = "<tr><th>Name</th><th>Price</th><th>Stock</th></tr>"


@pytest.mark.parametrize(
    "table",
    [
        HEAD + LAMPS,
        f"<thead>{HEAD.replace('th>', 'td>')}</thead><tbody>{LAMPS}</tbody>",
        f"<tr><th colspan=3>Spring</th></tr>{HEAD}{LAMPS}",
        HEAD.replace("th>", "td>") + LAMPS,
    ],
)
def test_the_head_of_a_table_names_its_columns_and_is_no_record(table: str) -> None:
    found = rows(document("T", f"<main><table>{table}</table></main>").encode(), "name", "price", "stock")
    assert found == [{"name": f"Lamp {n}", "price": f"{n}.50 EUR", "stock": str(n + 3)} for n in range(1, 4)]
