"""Charts with a text layer: OCR adds nothing to what the file says, and loses nothing of it."""

import base64
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable

import numpy as np
import PIL.Image
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from models.vision.text import PageReader
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.ocr import OcrTask
from tests.kit.chats.requests import request_of
from tests.kit.papers.pages import single_line

LEFT, BOTTOM, CELL = 100, 150, 24
ROWS = "Monday", "Tuesday", "Wednesday"
HOURS = [f"{hour:02}:00" for hour in range(24)]


@pytest.fixture(scope="module")
async def ocr() -> AsyncIterator[OcrTask]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    engine = PP_OCR_V6_SMALL.build(EngineConfig())

    def reader() -> PageReader:
        return engine.service

    yield OcrTask(reader, loader)
    for part in engine.parts:
        await part.close()
    await loader.close()


async def words_of(ocr: OcrTask, data: bytes) -> Counter[str]:
    payload = f"data:application/pdf;base64,{base64.b64encode(data).decode()}"
    request = request_of("ocr", "", (Source(Origin("p"), payload=payload),))
    return Counter((await ocr.run(request)).data["extracted_text"].split())


class Chart:
    """A page that remembers the words written on it."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self.canvas = Canvas(self._file, pagesize=(800, 420))
        self.words: Counter[str] = Counter()

    def write(self, text: str, x: float, y: float, *, size: float = 8, angle: float = 0, ink: str = "black") -> None:
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.rotate(angle)
        self.canvas.setFont("Helvetica", size)
        self.canvas.setFillColor(ink)
        self.canvas.drawString(0, 0, text)
        self.canvas.restoreState()
        self.words.update(text.split())

    def data(self) -> bytes:
        self.canvas.save()
        return self._file.getvalue()


def heat_map(chart: Chart, label: Callable[[int], str], *, angle: float = 0, size: float = 8) -> None:
    """A picture of coloured cells with axes, as plotting programs draw it: with a tick and a label a column."""
    colours = np.random.default_rng(3).integers(0, 255, (len(ROWS), len(HOURS), 3), np.uint8)
    cells = np.repeat(np.repeat(colours, 20, axis=0), 20, axis=1)
    width, height = CELL * len(HOURS), CELL * len(ROWS)
    chart.write("Load of the pump by hour", LEFT, BOTTOM + height + 12, size=10)
    chart.canvas.drawImage(ImageReader(PIL.Image.fromarray(cells)), LEFT, BOTTOM, width, height)
    chart.canvas.rect(LEFT, BOTTOM, width, height)
    for row, day in enumerate(ROWS):
        y = BOTTOM + height - CELL * (row + 0.6)
        chart.canvas.line(LEFT - 4, y, LEFT, y)
        chart.write(day, LEFT - 60, y - 3)
    for column in range(len(HOURS)):
        x = LEFT + CELL * (column + 0.5)
        chart.canvas.line(x, BOTTOM, x, BOTTOM - 4)
        down = 14 if not angle else 36
        chart.write(label(column), x - (4 if not angle else 0), BOTTOM - down, angle=angle, size=size)


@pytest.mark.parametrize("angle", [45, 90])
async def test_a_heat_map_has_its_labels_and_nothing_else(ocr: OcrTask, angle: float) -> None:
    chart = Chart()
    heat_map(chart, HOURS.__getitem__, angle=angle)
    assert await words_of(ocr, chart.data()) == chart.words


@pytest.mark.parametrize("angle", [0, 90])
async def test_white_numbers_over_a_picture_are_those_of_the_layer(ocr: OcrTask, angle: float) -> None:
    chart = Chart()
    heat_map(chart, str)
    for index in range(len(ROWS) * len(HOURS)):
        row, column = divmod(index, len(HOURS))
        x, y = LEFT + CELL * column + (16 if angle else 3), BOTTOM + CELL * row + 4
        chart.write(f"{1000 + 37 * index}", x, y, ink="white", angle=angle)
    assert await words_of(ocr, chart.data()) == chart.words


async def test_units_in_each_cell_are_no_garbled_text(ocr: OcrTask) -> None:
    chart = Chart()
    for index in range(150):
        row, column = divmod(index, 15)
        chart.write(f"{index} kWh", 40 + 48 * column, 380 - 24 * row)
    assert await words_of(ocr, chart.data()) == chart.words


async def test_stacked_bars_and_marks_are_no_letters(ocr: OcrTask) -> None:
    chart = Chart()
    for column, month in enumerate(["January", "February", "March", "April", "May", "June"]):
        for part in range(3):
            chart.canvas.rect(100 + 80 * column, 100 + 40 * part, 50, 40)
            chart.write(str(17 * (column + 1) + part), 118 + 80 * column, 116 + 40 * part)
            chart.canvas.circle(125 + 80 * column, 250 + 10 * part + 7 * column, 4, fill=1)
        chart.write(month, 110 + 80 * column, 60, angle=45)
    assert await words_of(ocr, chart.data()) == chart.words


async def test_what_a_picture_beside_a_chart_says_is_read(ocr: OcrTask) -> None:
    """OCR still adds the words of pictures."""
    chart = Chart()
    heat_map(chart, str)
    scan = single_line("Checked by Ada Lovelace")
    chart.canvas.drawImage(ImageReader(scan.image), LEFT, 300, 300, 300 * scan.image.height / scan.image.width)
    assert await words_of(ocr, chart.data()) == chart.words + Counter(scan.text.split())
