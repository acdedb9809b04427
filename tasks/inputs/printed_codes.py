"""Finds barcodes and two-dimensional codes in the picture of a page. This runs in a decode process, because the pixels
may be hostile.

The content of a code is data: nothing that it names is opened or followed.
"""

from dataclasses import dataclass

import numpy as np

from models.vision.text import Image, Quad
from tasks.layout.upright import scaled_down

MAX_CODES = 32
"""At most this many codes of one page are returned. A sheet of shipping labels has about twenty."""
MAX_PIXELS = 16_000_000
"""A picture with more pixels than this is scaled down. At this size, the search takes about 0.1 s, or 2 s in pure
noise."""
MAX_SIDE = 65_535
"""Codes can be searched for in a picture whose sides have at most this many pixels. A larger picture is scaled down,
too."""
SHORTEST_ITF = 8
"""An ITF code has at least this many digits. A shorter one may be lines of a table, because the beginning and the end
of an ITF code are not distinctive."""


@dataclass(frozen=True, slots=True)
class PrintedCode:
    kind: str
    """Name of the symbology: `EAN-13`, `QR Code`, `PDF417`."""
    text: str
    """The whole text, with its line breaks and control characters."""
    is_gs1: bool
    """True if the text consists of GS1 element strings."""
    quad: Quad
    """Place in pixels of the page's picture."""


def find_codes(picture: Image, scale: float = 1.0) -> tuple[PrintedCode, ...]:
    """Return the codes in `picture`, from top to bottom. `picture` is `scale` times as large as the page's picture."""
    import cv2
    import zxingcpp

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    reduction = min((MAX_PIXELS / grey.size) ** 0.5, MAX_SIDE / max(grey.shape))
    if reduction < 1:
        grey = scaled_down(grey, reduction)
        scale *= reduction
    kinds = zxingcpp.BarcodeFormat
    read = zxingcpp.read_barcodes(
        np.ascontiguousarray(grey),
        # Symbologies without a check digit or a frame are left out, because lines of tables look like them.
        formats=zxingcpp.BarcodeFormats(
            [
                *(kinds.EANUPC, kinds.Code128, kinds.Code39, kinds.Code93, kinds.ITF, kinds.DataBar),
                *(kinds.QRCode, kinds.MicroQRCode, kinds.DataMatrix, kinds.Aztec, kinds.PDF417),
            ]
        ),
        text_mode=zxingcpp.TextMode.Plain,
    )
    found = []
    for code in read:
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        a, b, c, d = [(point.x / scale, point.y / scale) for point in corners]
        kind = str(code.format)
        if code.text.strip() and not (kind == "ITF" and len(code.text) < SHORTEST_ITF):
            is_gs1 = code.content_type == zxingcpp.ContentType.GS1
            found.append(PrintedCode(kind, code.text, is_gs1, (a, b, c, d)))
    found.sort(key=lambda code: (code.quad[0][1], code.quad[0][0]))
    return tuple(found[:MAX_CODES])
