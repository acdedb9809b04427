"""Fields that are filled from barcodes and two-dimensional codes."""

from typing import Any

from tasks.inputs.printed_codes import PrintedCode
from tasks.ocr_result import OcrResult, PageLayout
from tasks.precontext import Entry
from tasks.redaction import Redactor
from tests.kit.chats.entries import ground
from tests.kit.papers.filling import NUMBER, OR_NULL, Found, filled, found
from tests.kit.papers.printed_codes import LICENCE, PAYMENT
from tests.kit.papers.read_pages import ocr

DAY = {"type": ["string", "null"], "format": "date"}
QUAD = ((300.0, 40.0), (400.0, 40.0), (400.0, 140.0), (300.0, 140.0))


def with_codes(page: Entry, *codes: tuple[str, str]) -> Entry:
    """Return the page with codes, each with its kind and text."""
    layout = PageLayout(codes=[PrintedCode(kind, text, is_gs1=False, quad=QUAD) for kind, text in codes])
    return Entry("ocr", OcrResult(page.result.data, [layout]))


def page_with(*codes: tuple[str, str], lines: Any = ("NORDLICHT", "Danke"), text: str = "") -> Found:
    entry = with_codes(ocr(*lines), *codes)
    asked = found(("ocr", entry.result.data), text=text)
    return Found(asked.plan, [entry])


async def test_a_barcode_is_the_text_of_its_field() -> None:
    parcel = page_with(("Code 128", "1Z999AA10123456784"), ("EAN-13", "4006381333931"))
    assert await filled(parcel, tracking_number=OR_NULL) == {"tracking_number": "1Z999AA10123456784"}
    article = page_with(("EAN-13", "4006381333931"))
    assert await filled(article, ean=OR_NULL, barcode=OR_NULL, tracking_number=OR_NULL) == {
        "ean": "4006381333931",
        "barcode": "4006381333931",
        "tracking_number": None,
    }


async def test_the_text_of_a_qr_code_is_data_and_its_address_is_not_followed() -> None:
    menu = page_with(("QR Code", "http://127.0.0.1:9/menu?table=4"))
    address = {"type": "string", "format": "uri"}
    assert await filled(menu, qr_code=address, barcode=OR_NULL) == {
        "qr_code": "http://127.0.0.1:9/menu?table=4",
        "barcode": None,
    }


async def test_a_payment_code_fills_what_is_not_printed() -> None:
    bill = page_with(("QR Code", PAYMENT))
    assert await filled(bill, iban=OR_NULL, bic=OR_NULL, total_amount=NUMBER, currency=OR_NULL) == {
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "total_amount": 128.4,
        "currency": "EUR",
    }


async def test_the_code_on_the_back_of_a_licence_fills_its_fields() -> None:
    back = page_with(("PDF417", LICENCE), lines=("CLASS: D - Operator", "REST: none", "END: none"))
    given = await filled(
        back, first_name=OR_NULL, last_name=OR_NULL, date_of_birth=DAY, expiry_date=DAY, license_number=OR_NULL,
        address=OR_NULL, sex=OR_NULL,
    )  # fmt: skip
    assert given == {
        "first_name": "JORDAN",
        "last_name": "SAMPLE",
        "date_of_birth": "1973-01-07",
        "expiry_date": "2035-01-31",
        "license_number": "D12345678",
        "address": "123 MAIN ST, PHOENIX, AZ 85001",
        "sex": "F",
    }


def test_the_evidence_is_the_place_of_the_code() -> None:
    entry = with_codes(ocr("NORDLICHT"), ("EAN-13", "4006381333931"))
    of = ground({"barcode": "4006381333931"}, [entry])["evidence"]["/barcode"]
    assert (of["pointer"], of["text"], of["match"]) == ("/sections/0", "4006381333931", "exact")
    assert (of["bounds"]["top_left"], of["bounds"]["width"]) == ({"x": 300, "y": 40}, 100)


def test_codes_are_kept_with_a_reading_and_are_no_part_of_its_json() -> None:
    result = with_codes(ocr("NORDLICHT"), ("QR Code", PAYMENT)).result
    assert isinstance(result, OcrResult)
    again = OcrResult.restored(result.kept())
    assert list(again.codes()) == list(result.codes())
    assert [code.text for code in again.codes()] == [PAYMENT]
    assert "codes" not in result.data
    assert "codes" not in result.data["sections"][0]


def test_a_redacted_result_has_no_codes() -> None:
    result = with_codes(ocr("NORDLICHT"), ("QR Code", PAYMENT)).result
    assert not list(result.mapped(Redactor()).codes())
