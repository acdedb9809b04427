"""What is taken out of a page: its main text in many layouts, and nothing that nobody sees."""

import re

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.scrape.parsing import Link, ParsedPage
from tests.conftest import each_case
from tests.kit.internet.web_pages import LAYOUTS, WebPage, document, extract_page, word_f1

URL = "https://h.example/folder/page"
PROSE = "<p>The ferry leaves at eight, and the harbour master waves from the pier every morning.</p>" * 6


def read(page: WebPage) -> ParsedPage:
    return extract_page(page.html, URL, page.content_type.partition("charset=")[2] or None)


def extract(body: str, head: str = "") -> ParsedPage:
    return extract_page(document("Title", body, head=head).encode(), URL, "utf-8")


LARGE = {"ten_megabytes"}


@pytest.mark.parametrize(
    "names", [LAYOUTS.keys() - LARGE, pytest.param(LARGE, marks=pytest.mark.deep)], ids=["small", "large"]
)
def test_the_main_text_of_a_layout_is_found(names: set[str]) -> None:
    for page in (LAYOUTS[name]() for name in sorted(names)):
        found = read(page)
        assert word_f1(page.main, found.text) > 0.9, page.name
        assert word_f1(page.main, re.sub(r"\]\([^)]*\)", "]", found.markdown)) > 0.9, page.name


@each_case(
    "hidden",
    [
        '<div style="DISPLAY : none !important">X-ORDER</div>',
        '<div aria-hidden="TRUE">X-ORDER</div>',
        '<span class="sr-only">X-ORDER</span>',
        "<dialog>X-ORDER</dialog>",
        '<input type="hidden" value="X-ORDER">',
        '<iframe srcdoc="X-ORDER">X-ORDER</iframe>',
        '<img src="a.png" alt="X-ORDER">',
        '<div class="by-class">X-ORDER</div>',
    ],
)
def test_what_is_hidden_is_left_out(hidden: str) -> None:
    style = "<style>/* .a{} */ .seen, .by-class { display:none }</style>"
    page = extract(f"<article><h1>Title</h1>{PROSE}{hidden}{PROSE}</article>", style)
    assert "ORDER" not in page.text + page.markdown
    assert "harbour master" in page.text


@pytest.mark.parametrize(
    "shown",
    [
        '<div aria-hidden="false">SEEN</div>',
        "<details><summary>More</summary>SEEN</details>",
    ],
)
def test_what_is_shown_is_kept(shown: str) -> None:
    assert "SEEN" in extract(f"<main><h1>Title</h1>{PROSE}{shown}</main>").text


def test_cells_that_a_style_makes_are_set_apart() -> None:
    rows = "<p><span class=c>Name</span><span class=c>Total</span><span>s</span></p>"
    page = extract(f"<main>{rows}</main>", "<style>.c { display: table-cell }</style>")
    assert page.text == "Name\nTotal\ns"


def test_tables_are_kept_in_markdown() -> None:
    table = "<table><tr><th>Port</th><th>Depth</th></tr><tr><td>Vigo</td><td>14 m</td></tr></table>"
    page = extract(f"<article><h1>Title</h1>{PROSE}{table}{PROSE}</article>")
    assert re.search(r"\| Port \| Depth \|\s*\n\|[- |]+\|\s*\n\| Vigo \| 14 m \|", page.markdown)
    assert "Port | Depth\nVigo | 14 m" in page.text


def test_links_are_absolute_and_each_there_once() -> None:
    body = """<nav><a href="/a?x=1#part">First</a></nav><a href="../b"> Second
    link </a><a href="/a?x=1">Again</a><a href="#here">Here</a><a href="mailto:a@b.c">Mail</a>
    <a href="javascript:alert(1)">No</a><a href="http://[broken">No</a><a href="page">Self</a>
    <a href="//other.example/c"><img alt="A picture" src="c.png"></a><a href="/d" hidden>Hidden</a>"""
    assert extract(body).links == [
        Link("First", "https://h.example/a?x=1"),
        Link("Second link", "https://h.example/b"),
        Link("A picture", "https://other.example/c"),
    ]


def test_title_and_description_come_from_the_head() -> None:
    page = extract("<h1>Other</h1>", '<meta name="Description" content=" What it\n is ">')
    assert (page.title, page.description) == ("Title | Example", "What it is")


def test_the_language_is_that_of_the_words_not_of_the_template() -> None:
    german = "<p>Der Stadtrat beschloss am Montag, die alte hölzerne Brücke über den Fluss zu erneuern.</p>" * 4
    assert extract(f"<article>{german}</article>").language == "de"


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"<",
        b"<table><td>",
        b"<p>" * 5000,
        b"&#x0;&#xD800;",
    ],
)
def test_html_that_is_hardly_any_is_read(html: bytes) -> None:
    assert extract_page(html, URL, None).metadata == {}


def test_deep_nesting_is_read_and_does_not_recurse() -> None:
    html = b"<div>" * 1000 + b"deep down" + b"</div>" * 1000
    assert extract_page(html, URL, None).text == "deep down"


def test_binary_data_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        extract_page(bytes(range(256)) * 10, URL, None)
    assert caught.value.code == "unsupported_media_type"


def test_a_page_of_too_many_tags_is_refused() -> None:
    with pytest.raises(InputTooLarge, match="200000 tags"):
        extract_page(b"<b>" * 200_001, URL, None)


def test_characters_that_xml_forbids_break_no_page() -> None:
    for forbidden in ("\ufffe", "&#xffff;", "&#1;"):
        link = f'<p>See <a href="/a{forbidden}b">the harb{forbidden}our</a> &amp{forbidden}; &amp;amp;.</p>'
        found = extract(f"{PROSE}{link}{'<div>' * 200}deep{forbidden}er{'</div>' * 200}")
        assert "harbour master" in found.text
        assert not {"\ufffe", "\uffff", "\x01"} & set(found.text + found.markdown + found.links[0].url)
