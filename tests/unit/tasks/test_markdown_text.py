"""Markdown made from files renders as the files read, without live markup."""

import html
from collections.abc import Sequence
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tasks.inputs.document import Document
from tasks.inputs.pages import DocumentContents
from tasks.inputs.source import Blob
from tasks.inputs.text.html_text import html_to_markdown
from tasks.inputs.text.text_file import mark, without_marks
from tasks.layout.markdown import blocks_of, text_of
from tasks.markdown_text import escape_line, link, markdown_form, plain_form
from tasks.ocr_result import document_result
from tests.conftest import each_case
from tests.kit.chats.entries import text_line
from tests.kit.papers.office_files import document, opened, workbook

_RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_LIVE = ["a", "img", "script", "b", "em", "strong", "code", "s", "hr", "blockquote", "pre"]

_PIECES = st.sampled_from(
    [
        *"*_`~<>[]()!#&|:;=+-.\\\n 1",
        *("amp;", "#60;", "lt", "<b>", "<script>", "javascript:alert(1)", "](", "]: /a", "---", "===", "~~~", "```"),
        *("# ", "- ", "1. ", "> ", "word", "snake_case", "https://a.b", "<!--", "C:\\x", "| a |", ":-|-", "![", "é"),
    ]
)
_TEXTS = st.lists(_PIECES, min_size=1, max_size=8).map("".join)
_NODES = st.lists(_TEXTS, min_size=1, max_size=4)


def _rendered(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(_RENDERER.render(markdown), "lxml")


def _letters(text: str) -> str:
    """Return the text without white space, which Markdown may fold."""
    return "".join(text.split())


def _assert_reads(markdown: str, expected: str) -> None:
    rendered = _rendered(markdown)
    assert _letters(rendered.get_text()) == _letters(expected), markdown
    assert rendered.find(_LIVE) is None, markdown


def _spans(nodes: Sequence[str]) -> str:
    return "".join(f"<b>{html.escape(node)}</b>" if at % 2 else html.escape(node) for at, node in enumerate(nodes))


@pytest.mark.deep
@pytest.mark.parametrize(
    "template",
    [
        "<p>{}</p>",
        "<div>{}</div><div>and</div>",
        "<ul><li>{}</li><li>x</li></ul>",
        "<h2>{}</h2>",
        "<p><code>{}</code></p>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>{}</td></tr></table>",
    ],
)
@settings(max_examples=150, deadline=None)
@given(nodes=_NODES)
@example(nodes=["[x]", "(javascript:alert(1))"])
@example(nodes=["1", ". no list"])
@example(nodes=["a | b\n:-|-\n1 | 2"])
@example(nodes=["C #"])
def test_html_reads_as_it_did(template: str, nodes: list[str]) -> None:
    page = template.format(_spans(nodes))
    markdown = markdown_form(html_to_markdown(page))
    _assert_reads(markdown, BeautifulSoup(page, "lxml").get_text())


@settings(max_examples=200, deadline=None)
@given(text=_TEXTS)
@example(text="_ _ _")
@example(text="-- -")
@example(text="a | b :-|-")
def test_the_line_of_a_page_reads_as_it_did(text: str) -> None:
    if words := " ".join(text.split()):
        markdown = text_of(blocks_of([text_line(words, 10, 10)], []))
        rendered = _rendered(markdown)
        # What looks like a list is one; its items' signs are not text.
        if rendered.find(["ul", "ol"]) is None:
            assert _letters(rendered.get_text()) == _letters(words), markdown
        assert rendered.find(_LIVE) is None, markdown


_NASTY = ["See [terms](javascript:alert(1))", "Press <b>here</b>", "# no heading", "*x* _y_ `z` a|b", "1. no list"]


@each_case(
    ("data", "expected"),
    [
        (document(lambda word: [word.add_paragraph(text) for text in _NASTY]), "".join(_NASTY)),
        (workbook(lambda book: [book.worksheets[0].append([text]) for text in _NASTY]), "Sheet" + "".join(_NASTY)),
        (
            workbook(lambda book: [book.worksheets[0].append([text, "2"]) for text in _NASTY]),
            "Sheet" + "".join(f"{text}2" for text in _NASTY),
        ),
    ],
)
def test_an_office_file_reads_as_it_did(data: bytes, expected: str) -> None:
    _assert_reads(markdown_form(opened(data).text or ""), expected)


@pytest.mark.parametrize(
    "address",
    ["https://a.b/c_(d)?e=1&amp=2&lt;x", "https://a.b/<i>`\\x", "https://a.b/x)[y](javascript:z", "mailto:a@b.c"],
)
def test_a_link_leads_where_it_did(address: str) -> None:
    anchor = _rendered(markdown_form(link(escape_line("[a] *b*"), address))).a
    assert anchor is not None
    assert anchor.get_text() == "[a] *b*"
    assert unquote(str(anchor["href"])) == address


def test_the_text_of_a_picture_is_no_markup() -> None:
    marked, places = without_marks(f"Before\n\n{mark(1)}\n\nAfter")
    document = Document(
        Blob(b"", "text/html", "a.html", "p"),
        DocumentContents("text", 1, marked, places=places),
        None,
        None,  # type: ignore[arg-type]
    )
    text = document.text_with({1: "# <b>Sale</b>\n| 1 | *2*"})
    assert plain_form(text) == "Before\n\n# <b>Sale</b>\n| 1 | *2*\n\nAfter"
    _assert_reads(markdown_form(text), "Before # <b>Sale</b> | 1 | *2* After")


def test_the_text_stays_as_it_reads_and_its_markdown_is_escaped() -> None:
    result = document_result([html_to_markdown("<p>&lt;jo@example.com&gt; costs *5*</p>")], [], 0)
    assert result.text() == "<jo@example.com> costs *5*"
    assert [line.text for line in result.pieces()] == ["\\<jo@example.com> costs \\*5\\*"]
    assert [" ".join(line.words) for lines in result.passages() for line in lines] == ["<jo@example.com> costs *5*"]
