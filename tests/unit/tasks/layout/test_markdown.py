"""The Markdown of a page renders as the page reads, without live markup."""

import re

import pytest
from markdown_it import MarkdownIt

from models.vision.text import Quad, Word
from tasks.layout.cells import Cell, Table
from tasks.layout.markdown import blocks_of, gfm, text_of
from tests.kit.chats.entries import text_line

_RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TEXTS = [
    "Press <b>here</b> or <script>alert(1)</script> now",
    "See [the terms](https://example.com/a) and ![seal](x.png)",
    "[note]: https://example.com/b",
    "# no heading",
    "> no quote",
    "Use `rm -rf` with *care* and **force**, __always__ and _never_",
    "my_file_name.txt costs 3 * 4 = 12 * 1, ~~not~~ 13",
    "Fish &amp; chips &#60; 5 & 6 <https://example.com>",
    "C:\\Users\\new \\[a\\] \\*b\\* ends with \\",
    "===",
    "---",
    "~~~",
]


def _rendered(markdown: str) -> str:
    """Return the rendered text without the elements of paragraphs and tables; other elements are left in."""
    html = re.sub(r"</?(?:p|br /|table|thead|tbody|tr|th|td)>", " ", _RENDERER.render(markdown))
    return " ".join(html.split())


def _escaped(text: str) -> str:
    """Return the text as HTML shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@pytest.mark.parametrize("text", _TEXTS)
def test_a_line_of_a_page_renders_as_it_reads(text: str) -> None:
    markdown = text_of(blocks_of([text_line(text, 10, 10)], []))
    assert _rendered(markdown) == _escaped(text)


@pytest.mark.parametrize("text", _TEXTS)
def test_a_cell_of_a_table_renders_as_it_reads(text: str) -> None:
    quad: Quad = ((0, 0), (9, 0), (9, 9), (0, 9))
    cells = [Cell(0, column, 1, 1, quad, [Word(word, quad, 0.9)]) for column, word in enumerate(("a | b", text))]
    markdown = "\n".join(gfm(Table(quad, 1, 2, cells, frozenset())))
    assert _rendered(markdown) == f"a | b {_escaped(text)}"
