"""Barcodes and two-dimensional codes are found in pictures and on pages, with their places."""

import pytest

from models.vision.text import Quad
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.printed_codes import find_codes
from tasks.inputs.source import Blob
from tests.kit.papers.printed_codes import LICENCE, PAYMENT, code_drawn, pdf_with, sheet_of


def box_of(quad: Quad) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("EAN13", "4006381333931", "EAN-13"),
        ("Code128", "1Z999AA10123456784", "Code 128"),
        ("ITF", "10614141000415", "ITF"),
        ("QRCode", PAYMENT, "QR Code"),
        ("PDF417", LICENCE, "PDF417"),
    ],
)
def test_a_code_is_read_with_its_kind_and_whole_text(kind: str, text: str, name: str) -> None:
    [code] = find_codes(sheet_of((code_drawn(text, kind), 40, 50), width=1200))
    assert (code.kind.removesuffix("-14").removesuffix(" Code"), code.text) == (name.removesuffix(" Code"), text)


def test_element_strings_are_told_from_other_texts() -> None:
    gs1 = code_drawn("(01)04006381333931(10)AB12", "DataMatrix", gs1=True)
    [code] = find_codes(sheet_of((gs1, 40, 50)))
    assert (code.text, code.is_gs1) == ("010400638133393110AB12", True)
    [other] = find_codes(sheet_of((code_drawn("AB12", "DataMatrix"), 40, 50)))
    assert not other.is_gs1


def test_the_place_of_a_code_is_its_place_in_the_picture() -> None:
    code = code_drawn("https://example.org/menu", "QRCode", scale=4)
    [found] = find_codes(sheet_of((code, 300, 200)))
    left, top, right, bottom = box_of(found.quad)
    assert left == pytest.approx(300 + 16, abs=6)
    assert top == pytest.approx(200 + 16, abs=6)
    assert right - left == pytest.approx(code.shape[1] - 32, abs=8)
    assert bottom - top == pytest.approx(code.shape[0] - 32, abs=8)


def test_a_thin_barcode_on_a_page_is_read_with_its_place_in_the_page_s_pixels() -> None:
    # 233 bars and gaps on 145 points: 1.2 pixels each at 144 DPI.
    data = pdf_with(code_drawn("1Z999AA10123456784", "Code128", scale=1), "Parcel", width=145)
    pages = PdfPages(Blob(data, "application/pdf", "label", "p"), MediaLimits())
    [code] = pages.codes(1)
    pages.close()
    left, top, right, _ = box_of(code.quad)
    assert code.text == "1Z999AA10123456784"
    assert 120 <= left <= 150
    assert 190 <= top <= 320
    assert right <= 2 * (60 + 145)
