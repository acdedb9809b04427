"""HTML as Markdown."""

import base64

import pytest

from tasks.inputs.html_file import HtmlFile
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text import html_text
from tasks.markdown_text import plain_form
from tests.conftest import each_case
from tests.kit.papers.office_files import picture


def html_to_markdown(html: str) -> str:
    return plain_form(html_text.html_to_markdown(html))


def opened(html: bytes, charset: str | None = None) -> HtmlFile:
    return HtmlFile(Blob(html, "text/html", "a.html", "p", charset), MediaLimits())


@each_case(
    ("html", "text"),
    [
        ("<h2>Head <b>line</b></h2><p>One<br>two", "## Head line\n\nOne\ntwo"),
        ("<title>T</title><p>x", "# T\n\nx"),
        ("<p>snake_case * 5 [x] 1. y", "snake_case * 5 [x] 1. y"),
        ("m<sup>2</sup>, 10<sup>-3</sup>, 1<sup>st</sup>, H<sub>2</sub>O", "m^2, 10^-3, 1st, H2O"),
        ('<a href="https://a.b/c" title="t">link</a> <a href="#x">here</a>', "[link](https://a.b/c) here"),
        ('<a href="javascript:x()">press</a> <a href="/r">away</a>', "press away"),
        ("<pre>a  b\n  c</pre>", "```\na  b\n  c\n```"),
        ("<input type=checkbox checked>yes <input type=checkbox>no", "☒ yes ☐ no"),
        ("<blockquote>said</blockquote>", "> said"),
        ('<img src="https://a.b/c.png" alt="A [cat]">', "[Picture: A (cat)]"),
        ('<img src="c.png" alt="IMG_1234.png"><img src=d.png>', ""),
        ('<span style="display: table-cell">Name</span><span style="display:block">Total</span>', "Name\n\nTotal"),
        (
            "<style>.c{display:table-cell}</style><body><span class=c>Name</span><span class=c>Total</span>",
            "Name\n\nTotal",
        ),
        ("<ol><li><ol><li>deep</ol></ol>", "1. deep"),
    ],
)
def test_what_a_reader_sees_is_kept(html: str, text: str) -> None:
    assert html_to_markdown(html) == text


@pytest.mark.parametrize(
    "unseen",
    [
        "<script>alert(1)</script>",
        "<template><p>later</p></template>", "<p hidden>secret</p>",
        '<div style="color: red; display : none">secret <b>too</b></div>', '<p style="VISIBILITY:hidden">secret</p>',
        "<!-- secret -->", '<input type=hidden value="secret">', '<p style="font-size: 0">secret</p>',
        '<p style="font: 0/0 a"><b style="font-size: 10em">secret</b></p>',
        "<style>.s { font-size: 0 }</style><p class=s>secret</p>",
        "<style>@media screen { @layer a { .s { display: none } } }</style><p class=s>secret</p>",
        "<dialog>secret</dialog>", "<canvas>secret</canvas>",
        "<video>secret</video>", "<p popover>secret</p>", "<noembed>secret</noembed>",
    ],
)  # fmt: skip
def test_what_nobody_sees_is_left_out(unseen: str) -> None:
    assert html_to_markdown(f"<p>a longer text</p>{unseen}<p>b</p>") == "a longer text\n\nb"


def test_lists_are_nested_and_numbered() -> None:
    html = "<ul><li>a<ul><li>b<ol start=3><li>c<p>more</p><li>d</ol></li><li>e</ul></li><li>f</ul>"
    assert html_to_markdown(html) == "- a\n  - b\n    3. c\n\n       more\n    4. d\n  - e\n- f"


@each_case(
    ("html", "text"),
    [
        ("<ol><li>a<li value=50>b<li>c</ol>", "1. a\n50. b\n51. c"),
        ("<ol start=5><li>a<li>b</ol>", "5. a\n6. b"),
    ],
)
def test_items_have_the_numbers_that_browsers_show(html: str, text: str) -> None:
    assert html_to_markdown(html) == text


@each_case(
    ("rows", "text"),
    [
        ("<tr><th>a<th>b<th>c<tr><td colspan='2%'>1<td>2", ["| a | b | c |", "| 1 |  | 2 |"]),
        ("<tr><th>a<th>b<tr><td rowspan=0>1<td>2<tr><td>3", ["| a | b |", "| 1 | 2 |", "|  | 3 |"]),
        ("<tbody><tr><td rowspan=3>1<td>2<tbody><tr><td>3<td>4", ["| 1 | 2 |", "| 3 | 4 |"]),
        ("<tr><td>1<td>2<thead><tr><th>a<th>b", ["| a | b |", "| 1 | 2 |"]),
        ("<tfoot><tr><td>Sum<td>3<tbody><tr><td>a<td>1", ["| a | 1 |", "| Sum | 3 |"]),
    ],
)
def test_cells_are_placed_as_in_browsers(rows: str, text: list[str]) -> None:
    lines = html_to_markdown(f"<!doctype html><table>{rows}</table>").split("\n")
    assert [line for line in lines if "---" not in line] == text


def test_tables_keep_their_columns_under_merged_cells() -> None:
    html = """<table><caption>Cap</caption><thead><tr><th>a|b<th colspan=2>c</tr></thead>
        <tr><td rowspan=2>x<td>1<p>2</p><td>3</tr><tr><td>4<td>5</tr></table>"""
    assert html_to_markdown(html).splitlines() == [
        *("Cap", "", "| a\\|b | c |  |", "| --- | --- | --- |", "| x | 1 2 | 3 |", "|  | 4 | 5 |"),
    ]


@pytest.mark.parametrize(
    ("charset", "head"),
    [
        ("windows-1251", ""),
        (None, '<meta charset="windows-1251">'),
        (None, '<meta content="text/html; charset=cp1251">'),
    ],
)
def test_the_charset_is_the_declared_one(charset: str | None, head: str) -> None:
    html = f"<html><head>{head}</head><body><p>цена 5 €".encode("cp1251")
    assert opened(html, charset).text == "цена 5 €"


def test_a_picture_in_a_data_url_is_a_page() -> None:
    source = base64.b64encode(picture(60, 30).getvalue()).decode()
    page = opened(f'<p>above <img src="data:image/png;base64,{source}" alt="Map"> below'.encode())
    assert (page.kind, page.total, page.size(1)) == ("text", 1, (60, 30))
    assert plain_form(page.text or "") == "above [Picture: Map]  below"
    assert page.picture(1).shape == (30, 60, 3)


@each_case(
    ("style", "html", "texts"),
    [
        (".note { color: red; display: none }", "<p class=note>a</p><p>b</p>", "b"),
        ("/* .b { display: none } */ .a { display:none }", "<p class='a b'>a</p><p class=b>b</p>", "b"),
        ('.c:before { content: "{" } .a { display: none }', "<p class=a>a</p>b", "b"),
        (".a.c { display: none }", "<p class='c a'>a</p><p class=a>b</p>", "b"),
        (".a { display: none !important } .b { display: block }", "<p class='a b'>a</p><p class=b>b</p>", "b"),
        (".a { visibility: hidden }", "<p>b</p><p class=a>a</p>", "b"),
        (".a { visibility: hidden } .c { visibility: visible }", "<p>b</p><p class=a>a<i class=c>c</i></p>", "b c"),
    ],
)
def test_a_style_sheet_within_the_page_hides_elements(style: str, html: str, texts: str) -> None:
    assert html_to_markdown(f"<style>{style}</style>{html}").split() == texts.split()


@each_case(
    "html",
    [
        "<style>html, body, p { display: none }</style>", "<style>.a { visibility: hidden }</style>",
        "<style>.b .a { display: none }</style>", "<style>[class] { display: none } .b { display: block }</style>",
        "<style>.a:hover, .a:first-child { display: none }</style>",
        "<style>.a { display: none }</style><script></script>",
        "<style>.a { display: none } .a.active { display: block }</style>",
        "<style>.a { display: none } .open .a { display: block }</style>",
        "<style>.a { display: none } @media (min-width: 768px) { .b { display: block } }</style>",
        "<style>@media print { .a { display: none } }</style>", "<style media=print>.a { display: none }</style>",
        "<style type=text/x-template>.a { display: none }</style>",
        "<noscript><style>.a { display: none }</style></noscript>",
        "<template><style>.a { display: none }</style></template>", "<style>.a { display: none",
    ],
)  # fmt: skip
def test_what_a_style_sheet_may_show_is_kept(html: str) -> None:
    assert html_to_markdown(f"{html}</style><p class='a b'>Total</p>").strip() == "Total"


@each_case(
    "html",
    [
        "<s>80.00</s>",
        "<span style='text-decoration: line-through'>80.00</span>",
        "<style>.old { text-decoration-line: line-through }</style><span class=old>80.00</span>",
    ],
)
def test_text_that_is_struck_through_is_marked(html: str) -> None:
    assert html_to_markdown(f"<p>Price: {html} 60.00</p>") == "Price: ~~80.00~~ 60.00"
