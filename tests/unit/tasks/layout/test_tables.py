"""Tables and Markdown of pages. How well it does on many is measured by `eval.tables`; here a few of those."""

import io
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from eval.tables import KINDS, cells_of, made, picture_of, right_cells, source_of, tables_in, told
from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from tasks.inputs.loader import MediaLoader
from tasks.layout.markdown import blocks_of, text_of
from tasks.layout.tables import tables_on
from tasks.ocr import OcrTask
from tasks.ocr_result import page_section, picture_result
from tasks.redaction import Redactor
from tasks.wording.page_range import OcrOptions, parse_ocr
from tests.kit.chats.entries import text_line
from tests.kit.chats.requests import request_of

DOCUMENTS = made(2 * len(KINDS))


def no_reader() -> Any:
    raise AssertionError("a text layer is read without an engine")


def markdown_of(*lines: tuple[str, float, float, float]) -> str:
    return text_of(blocks_of([text_line(*line) for line in lines], []))


@pytest.mark.deep
@pytest.mark.parametrize("kind", KINDS)
async def test_tables_of_pdfs_are_told_cell_by_cell(kind: str, loader: MediaLoader) -> None:
    for document in DOCUMENTS:
        if document.kind == kind:
            result = await told(OcrTask(no_reader, loader), document.pdf, "application/pdf")
            found = [cells_of(table) for table in tables_in(result)]
            right, total = right_cells(found, document.tables, exactly=True)
            assert right >= 0.95 * total
            assert sum(map(len, found)) == total


@pytest.mark.deep
async def test_tables_of_pictures_are_told_where_they_are_turned_a_little(loader: MediaLoader) -> None:
    engine = PP_OCR_V6_SMALL.build(EngineConfig())
    spans = next(document for document in DOCUMENTS if document.kind == "spans")
    spans.rotation = 2.5
    try:
        result = await told(OcrTask(lambda: engine.service, loader), picture_of(spans), "image/jpeg")
    finally:
        for part in engine.parts:
            await part.close()
    assert list(result) == ["extracted_text", "sections", "width", "height", "tables", "markdown"]
    [table] = result["tables"]
    right, total = right_cells([cells_of(table)], spans.tables, exactly=False)
    assert right >= 0.85 * total
    corners = table["bounds"]
    assert corners["top_right"]["y"] < corners["top_left"]["y"], "it rises to the right, as the picture does"
    assert table["markdown"] in result["markdown"]


async def test_a_table_that_goes_on_on_the_next_page_is_one_on_its_first(loader: MediaLoader) -> None:
    document = next(document for document in DOCUMENTS if document.kind == "joined")
    result = await told(OcrTask(no_reader, loader), document.pdf, "application/pdf")
    first, second = result["sections"]
    [table] = first["tables"]
    assert second["tables"] == []
    assert table["page"] == 1
    pages = [cell.get("page", 1) for row in table["rows"] for cell in row]
    assert pages == sorted(pages)
    assert set(pages) == {1, 2}
    assert "|" not in second["markdown"]


async def test_asked_for_tables_are_there_even_where_none_is(loader: MediaLoader) -> None:
    task = OcrTask(no_reader, loader)
    text = source_of(b"only words", "text/plain")
    assert (await task.run(request_of("ocr", "With tables, as Markdown", (text,)))).data == {
        "extracted_text": "only words",
        "sections": [],
        "width": None,
        "height": None,
        "tables": [],
        "markdown": "only words",
    }
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(60, 700, "Only words on a page")
    canvas.save()
    [section] = (await task.run(request_of("ocr", "tables", (source_of(file.getvalue(), "application/pdf"),)))).data[
        "sections"
    ]
    assert section["tables"] == []
    assert "markdown" not in section


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Read this.", OcrOptions()),
        ("Extract the tables", OcrOptions(tables=True)),
        ("Alle Tabellen, bitte", OcrOptions(tables=True)),
        ("Return it as Markdown.", OcrOptions(markdown=True)),
        ("keep the layout", OcrOptions(markdown=True)),
        ("as markdown, with the tables", OcrOptions(tables=True, markdown=True)),
        ("Read the text without tables", OcrOptions()),
        ("Do not extract the tables", OcrOptions()),
        ("https://example.org/tables/layout.pdf", OcrOptions()),
        ("my-tables.csv and notes.md", OcrOptions()),
        ("our timetable and the tablet", OcrOptions()),
    ],
)
def test_words_ask_for_tables_and_markdown(text: str, options: OcrOptions) -> None:
    assert parse_ocr(text) == options


def test_large_lines_are_headings_and_lines_that_are_full_are_a_paragraph() -> None:
    page = markdown_of(
        ("Annual Report", 60, 20, 44),
        ("This paragraph goes on over several lines of the page, and", 60, 100, 20),
        ("each of them is full but for the last one, which ends the para-", 60, 126, 20),
        ("graph early.", 60, 152, 20),
        ("Outlook for Spring", 60, 220, 30),
        ("A new one begins here, after its heading.", 60, 280, 20),
    )
    assert page == (
        "# Annual Report\n\nThis paragraph goes on over several lines of the page, and each of them is full but for "
        "the last one, which ends the para-graph early.\n\n## Outlook for Spring\n\nA new one begins here, after its "
        "heading."
    )


def test_lists_are_lists_within_lists() -> None:
    page = markdown_of(
        ("• Bread", 60, 20, 20),
        ("– brown", 100, 46, 20),
        ("– white", 100, 72, 20),
        ("• Milk", 60, 98, 20),
        ("1. First", 60, 200, 20),
        ("2) Second", 60, 226, 20),
    )
    assert page == "- Bread\n   - brown\n   - white\n- Milk\n\n1. First\n2. Second"


def test_what_means_something_in_markdown_is_escaped() -> None:
    rows = [["a|b", "c"], ["d", "e"], ["f", "g"]]
    lines = [
        text_line(text, 60 + 300 * place, 20 + 30 * row)
        for row, one in enumerate(rows)
        for place, text in enumerate(one)
    ]
    ruled = [((50.0, 15.0 + 30 * row), (700.0, 15.0 + 30 * row)) for row in range(4)]
    ruled += [((x, 15.0), (x, 105.0)) for x in (50.0, 350.0, 700.0)]
    tables = tables_on(lines, ruled)
    assert text_of(blocks_of(lines, tables)) == "| a\\|b | c |\n| --- | --- |\n| d | e |\n| f | g |"
    assert markdown_of(("# no heading", 60, 20, 20)) == "\\# no heading"


def test_the_markdown_of_what_is_redacted_is_redacted_too() -> None:
    read = [text_line("Write to anna@example.com today", 40, 40)]
    section = page_section(read, 1, 900, 200)
    result = picture_result(section).with_layout(OcrOptions(tables=True, markdown=True))
    redacted = result.mapped(Redactor())
    assert "anna@" not in redacted.data["markdown"]
    assert "[EMAIL" in redacted.data["markdown"]
    assert "anna@" not in "\n".join(piece.text for piece in redacted.pieces())
