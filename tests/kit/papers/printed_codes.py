"""Codes drawn by the decoder's own writer, and files with them."""

import io

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image as Pillow
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

PAYMENT = (
    "BCD\n002\n1\nSCT\nCOBADEFFXXX\nNordlicht Energie GmbH\nDE89370400440532013000\nEUR128.4\n\nRF18539007547034\n\n"
)
LICENCE = (
    "@\n\x1e\rANSI 636026100102DL00410288ZA03290015DLDAQD12345678\nDCSSAMPLE\nDDEN\nDACJORDAN\nDADLEE\nDBB01071973\n"
    "DBA01312035\nDBD02012027\nDBC2\nDAYBRO\nDAU065 in\nDAG123 MAIN ST\nDAIPHOENIX\nDAJAZ\nDAK850010000  \nDCGUSA\n"
    "DCAD\n\rZAZAA\n\r"
)
SWISS = (
    "SPC\r\n0200\r\n1\r\nCH4431999123000889012\r\nS\r\nRobert Schneider AG\r\nRue du Lac\r\n1268\r\n"
    + "2501\r\nBiel\r\nCH\r\n"
    + "\r\n" * 7
    + "1949.75\r\nCHF\r\nS\r\nPia Rutschmann\r\nGrosse Marktgasse\r\n28\r\n9400\r\nRorschach\r\nCH\r\n"
    "QRR\r\n210000000003139471430009017\r\nOrder\r\nEPD\r\n"
)


def code_drawn(text: str, kind: str, scale: int = 3, *, gs1: bool = False) -> NDArray[np.uint8]:
    """Return the grey picture of a code with its quiet zone; `kind` is a name like `QRCode`."""
    code = zxingcpp.create_barcode(text, zxingcpp.barcode_format_from_str(kind), **({"gs1": True} if gs1 else {}))
    return np.array(zxingcpp.write_barcode_to_image(code, scale=scale))


def sheet_of(*codes: tuple[NDArray[np.uint8], int, int], width: int = 800, height: int = 600) -> NDArray[np.uint8]:
    """Return a white RGB sheet with codes, each with its left and top edge."""
    sheet = np.full((height, width, 3), 255, np.uint8)
    for code, left, top in codes:
        sheet[top : top + code.shape[0], left : left + code.shape[1]] = code[:, :, None]
    return sheet


def png_of(sheet: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(sheet).save(buffer, "PNG")
    return buffer.getvalue()


def pdf_with(
    code: NDArray[np.uint8], *lines: str, width: float = 100.0, pages: int = 1, as_paths: bool = False
) -> bytes:
    """Return a PDF whose pages have lines of text and a code, 60 points from the left and 100 from the top. The code is
    a picture, or a filled square for each of its dark pixels."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    for _ in range(pages):
        height = width * code.shape[0] / code.shape[1]
        if as_paths:
            side = width / code.shape[1]
            for row, column in np.argwhere(code == 0).tolist():
                canvas.rect(60 + column * side, 742 - (row + 1) * side, side, side, stroke=0, fill=1)
        else:
            canvas.drawImage(ImageReader(Pillow.fromarray(code)), 60, 742 - height, width, height)
        for number, line in enumerate(lines):
            canvas.drawString(60, 500 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
