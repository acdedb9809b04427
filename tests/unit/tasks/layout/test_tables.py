"""Tables and Markdown of pages. How well it does on many is measured by `eval.tables`; here a few of those."""

import io
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from eval.tables import KINDS, cells_of, made, picture_of, right_cells, source_of, tables_in, told
from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from models.vision.text import TextLine
from tasks.base import TaskRequest
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.layout.cells import CellDraft, TableDraft, placed_words
from tasks.layout.markdown import blocks_of, text_of
from tasks.layout.rulings import MAX_RULINGS, strokes_of
from tasks.layout.tables import _connected_groups, _split_open_cells, tables_on
from tasks.ocr import OcrTask
from tasks.ocr_result import document_result, page_section, picture_result
from tasks.redaction import Redactor
from tasks.wording.page_range import Form, requested_form
from tests.entries import text_line

DOCUMENTS = made(2 * len(KINDS))


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


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


async def test_without_the_wish_nothing_is_added(loader: MediaLoader) -> None:
    source = source_of(DOCUMENTS[0].pdf, "application/pdf")
    result = (await OcrTask(no_reader, loader).run(TaskRequest("Read it.", (source,)))).data
    assert list(result) == ["extracted_text", "sections", "width", "height", "total_pages"]
    assert list(result["sections"][0]) == ["text", "lines", "page", "width", "height"]


async def test_asked_for_tables_are_there_even_where_none_is(loader: MediaLoader) -> None:
    task = OcrTask(no_reader, loader)
    text = source_of(b"only words", "text/plain")
    assert (await task.run(TaskRequest("With tables, as Markdown", (text,)))).data == {
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
    [section] = (await task.run(TaskRequest("tables", (source_of(file.getvalue(), "application/pdf"),)))).data[
        "sections"
    ]
    assert section["tables"] == []
    assert "markdown" not in section


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Read this.", Form()),
        ("Extract the tables", Form(tables=True)),
        ("Alle Tabellen, bitte", Form(tables=True)),
        ("Return it as Markdown.", Form(markdown=True)),
        ("keep the layout", Form(markdown=True)),
        ("as markdown, with the tables", Form(tables=True, markdown=True)),
        ("Read the text without tables", Form()),
        ("Do not extract the tables", Form()),
        ("https://example.org/tables/layout.pdf", Form()),
        ("my-tables.csv and notes.md", Form()),
        ("our timetable and the tablet", Form()),
    ],
)
def test_words_ask_for_tables_and_markdown(text: str, form: Form) -> None:
    assert requested_form(text) == form


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


def test_lines_that_end_early_stay_lines() -> None:
    assert markdown_of(("ACME Ltd", 60, 20, 20), ("5 Main Street", 60, 46, 20), ("Dublin", 60, 72, 20)) == (
        "ACME Ltd  \n5 Main Street  \nDublin"
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


def test_names_of_rows_in_a_column_without_rulings_are_cells_of_their_rows() -> None:
    names = ("", "Rain", "Wind", "Sun")
    lines = [text_line(name, 60, 20 + 40 * row) for row, name in enumerate(names) if name]
    lines += [text_line(f"{row}{place}", 240 + 100 * place, 20 + 40 * row) for row in range(4) for place in (0, 1)]
    ruled = [((200.0 if 0 < row < 4 else 50.0, 10.0 + 40 * row), (400.0, 10.0 + 40 * row)) for row in range(5)]
    ruled += [((x, 10.0), (x, 170.0)) for x in (50.0, 200.0, 300.0, 400.0)]
    [table] = tables_on(lines, ruled)
    assert [(cell.row, cell.row_span) for cell in table.cells if cell.column == 0] == [(row, 1) for row in range(4)]
    assert [cell.text for cell in table.cells if cell.column == 0] == [*names]


def test_a_line_over_the_edge_of_its_cell_is_not_lost() -> None:
    names = ("Names of rows", "Rain", "Wind", "Sun")
    pieces = placed_words([text_line(name, 60, 20 + 40 * row) for row, name in enumerate(names)], 0)
    open_cell = CellDraft(1, 0, row_span=3, pieces=pieces)
    table = _split_open_cells(TableDraft([50, 200], [10, 50, 90, 130, 170], [open_cell]), 16)
    assert sum(len(cell.pieces) for cell in table.cells) == len(pieces)


def test_a_paragraph_beside_several_rows_is_one_cell() -> None:
    lines = [text_line(text, 60, 20 + 26 * at) for at, text in enumerate(("Colours of", "caps that we", "still have"))]
    lines += [text_line(f"{row}{place}", 240 + 100 * place, 20 + 26 * row) for row in range(3) for place in (0, 1)]
    ruled = [((200.0 if 0 < row < 3 else 50.0, 17.0 + 26 * row), (400.0, 17.0 + 26 * row)) for row in range(4)]
    ruled += [((x, 17.0), (x, 95.0)) for x in (50.0, 200.0, 300.0, 400.0)]
    [table] = tables_on(lines, ruled)
    assert [(cell.text, cell.row_span) for cell in table.cells if cell.column == 0] == [
        ("Colours of caps that we still have", 3)
    ]


def test_a_hostile_number_of_lines_is_bounded() -> None:
    lines = [text_line(f"{number} word", 40 + 150 * (number % 8), 40 + 30 * (number // 8)) for number in range(400)]
    ruled = [((0.0, float(at)), (2000.0, float(at))) for at in range(0, 20_000)]
    ruled += [((float(at), 0.0), (float(at), 2000.0)) for at in range(0, 20_000)]
    across, down = strokes_of(ruled, 0.0, 20.0)
    assert max(len(across), len(down)) <= MAX_RULINGS
    assert len(tables_on(lines, ruled)) <= 1


@pytest.mark.deep
def test_lines_with_a_hostile_number_of_texts_are_read_in_time_that_grows_with_it() -> None:
    """Quadratic, these rows would take most of an hour; the suite's time limit is five minutes."""
    lines = []
    for row in range(24):
        words = tuple(text_line("a", 60 * column, 30 * row).words[0] for column in range(8_000))
        lines.append(TextLine(words, words[0].quad))
    assert tables_on(lines, ()) == []


def test_the_markdown_of_what_is_redacted_is_redacted_too() -> None:
    read = [text_line("Write to anna@example.com today", 40, 40)]
    section = page_section(read, 1, 900, 200)
    result = picture_result(section).in_form(Form(tables=True, markdown=True))
    redacted = result.mapped(Redactor())
    assert "anna@" not in redacted.data["markdown"]
    assert "[EMAIL" in redacted.data["markdown"]
    assert "anna@" not in "\n".join(piece.text for piece in redacted.pieces())


def test_a_language_model_reads_markdown() -> None:
    rows = [("Item", "Price", "Note"), ("Bolt", "2.50", "blue"), ("Lamp", "19.00", "large"), ("Desk", "7.00", "old")]
    read = [
        text_line(text, 60 + 300 * place, 20 + 30 * row)
        for row, one in enumerate(rows)
        for place, text in enumerate(one)
    ]
    section = page_section(read, 1, 1200, 300)
    result = document_result([section["text"]], [section], 1)
    text = "\n".join(f"{piece.heading}: {piece.text}" for piece in result.pieces() if "|" in piece.text)
    assert text.startswith("[page 1]: | Item | Price | Note |\n[page 1]: | --- | --- | --- |\n[page 1]: | Bolt | 2.50")


def test_rulings_that_meet_are_one_group() -> None:
    random = np.random.default_rng(1)
    for number in range(1, 120):
        starts, ends = random.integers(0, number, (2, int(random.integers(0, number + 1))))
        joined = coo_matrix((np.ones(len(starts)), (starts, ends)), (number, number))
        count, labels = connected_components(joined, directed=False)
        found = _connected_groups(starts, ends, number)
        assert (found[0], found[1].tolist()) == (count, labels.tolist())
    chain = random.permutation(4_000)
    assert _connected_groups(chain[:-1], chain[1:], len(chain))[0] == 1
