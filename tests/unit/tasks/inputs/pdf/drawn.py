"""What two modules of tests draw on the pages of PDF files, and the text layers of these."""

import io
from collections.abc import Callable

import numpy as np
import PIL.Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import TextLayer
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.source import Blob

Draw = Callable[[Canvas], object]


def layer_of(*steps: Draw, size: tuple[float, float] = (595, 842)) -> TextLayer:
    """The text layer of a page on which `steps` draw one after the other."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    canvas.setFont("Helvetica", 12)
    for step in steps:
        step(canvas)
    canvas.save()
    return layer_in(buffer.getvalue())


def layer_in(data: bytes) -> TextLayer:
    """The text layer of the first page of a PDF file."""
    pages = PdfPages(Blob(data, "application/pdf", "a.pdf", "p"), MediaLimits())
    try:
        return pages.text_layer(1)
    finally:
        pages.close()


def texts(layer: TextLayer) -> list[str]:
    return sorted(line.text for line in layer.lines)


def words(text: str, x: float = 72, y: float = 700) -> Draw:
    return lambda canvas: canvas.drawString(x, y, text)


def photo(x: float, y: float, width: float, height: float, *, alpha: int = 255) -> Draw:
    noise = np.random.default_rng(1).integers(0, 255, (60, 200, 4), dtype=np.uint8)
    noise[:, :, 3] = alpha
    picture = PIL.Image.fromarray(noise if alpha < 255 else noise[:, :, :3])
    return lambda canvas: canvas.drawImage(ImageReader(picture), x, y, width, height, mask="auto")


def hidden(text: str, x: float, y: float, mode: int = 3, *, font: str = "Helvetica") -> Draw:
    def draw(canvas: Canvas) -> None:
        line = canvas.beginText(x, y)
        line.setFont(font, 12)
        line.setTextRenderMode(mode)
        line.textOut(text)
        line.setTextRenderMode(0)
        line.setFont("Helvetica", 12)
        canvas.drawText(line)

    return draw


def scanned(
    x: float, y: float, width: float, height: float, *, text: str = "παν μετρον αριστον και μηδεν", font: str = "Symbol"
) -> list[Draw]:
    """A picture with what was read in it, by default in a script that OCR does not read."""
    rows = range(int(y) + 6, int(y + height) - 12, 16)
    return [photo(x, y, width, height), *(hidden(text, x + 5, row, font=font) for row in rows)]


def box(x: float, y: float, width: float, height: float, *, opacity: float = 1, filled: int = 1) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColorRGB(0, 0, 0, alpha=opacity)
        canvas.rect(x, y, width, height, fill=filled, stroke=1 - filled)
        canvas.restoreState()

    return draw
