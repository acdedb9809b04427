"""Which place of which result a field is traced to, and which fields nothing supports."""

from typing import Any

import pytest
from pydantic_core import to_json

from tasks.extraction.evidence import FieldEvidence
from tasks.ocr_result import document_result, page_section
from tasks.precontext import Entry
from tasks.tracing.find_evidence import find_evidence
from tests.conftest import each_case
from tests.kit.chats.entries import Grounding, entry_of, failure_of, ground
from tests.kit.papers.read_pages import ocr, text_line


def only(value: Any, *entries: Entry) -> FieldEvidence:
    """The evidence of the one field of `{"field": value}`."""
    return ground({"field": value}, entries)["evidence"]["/field"]


def top_of(evidence: FieldEvidence) -> int:
    return evidence["bounds"]["top_left"]["y"]


def supported(value: Any, *texts: str) -> bool:
    return "/field" in ground({"field": value}, [ocr(*texts)])["evidence"]


def test_evidence_says_what_stands_where_and_how_surely() -> None:
    grounding = ground({"company": "Book Shop", "vat_id": "DE123"}, [ocr("RECEIPT", "BOOK  SHOP LTD", confidence=0.98)])
    assert grounding == {
        "evidence": {
            "/company": {
                "precontext": 0,
                "name": "ocr",
                "pointer": "/sections/0/lines/1",
                "text": "BOOK SHOP",
                "match": "exact",
                "score": 1.0,
                "label": "none",
                "confidence": 0.98,
                "bounds": {
                    "top_left": {"x": 0, "y": 30},
                    "top_right": {"x": 90, "y": 30},
                    "bottom_right": {"x": 90, "y": 50},
                    "bottom_left": {"x": 0, "y": 50},
                    "width": 90,
                    "height": 20,
                },
            }
        },
        "unsupported": ["/vat_id"],
    }
    assert to_json(grounding)


def test_null_and_empty_claim_nothing() -> None:
    nothing: Grounding = {"evidence": {}, "unsupported": []}
    assert ground({"a": None, "b": "", "c": " ", "d": [], "e": {}}, [ocr("RECEIPT")]) == nothing


def test_without_results_everything_is_unsupported() -> None:
    failed = failure_of("ocr", "The engine broke.")
    assert ground({"a": 1, "b": True, "c": "x"}, [failed])["unsupported"] == ["/a", "/b", "/c"]


@each_case(
    ("value", "text"),
    [
        (9, "9.00"), (9.0, "RM 9.00"), ("9.00", "RM9.00"), (1234.5, "1234.50"), (-0.02, "-RM 0.02"),
        ("Jalan Sagu 18", "NO.5,JALAN SAGU 18,"), ("John Smith", "JOHNSMITH"), ("25/12/2018", "DATE:25/12/2018 8:13"),
        ("789417-W", "(789417-W)"), ("东京", "东京"),
    ],
)  # fmt: skip
def test_the_same_is_exact(value: Any, text: str) -> None:
    assert only(value, ocr(text))["match"] == "exact"


@each_case(
    ("value", "text"),
    [
        (1234.5, "1,234.50"), (1234.5, "1.234,50"), (1234.5, "1 234,50 EUR"), (-12.5, "(12.50)"), ("ＡＣＭＥ", "acme"),
        (0.06, "6%"), ("RM 9.0", "9.00"), ("$1,234.50", "1.234,50"), ("2018-12-25", "25/12/2018"),
        ("2018-12-25", "25 Dec 2018"), ("2018-12-25", "December 25th, 2018"),
        ("2018-12-25T20:13:39", "25/12/20188:13:39PM"), ("2018-12-25", "2018年12月25日"), ("2019-01-12", "12-01-19"),
        ("2019-12-01", "12-01-19"), ("DE89 3704-0044", "DE89.3704.0044"),
        ("Book Ta K Sdn Bhd", "BOOK TA .K SDN. BHD."),
    ],
)  # fmt: skip
def test_another_notation_is_normalised(value: Any, text: str) -> None:
    evidence = only(value, ocr(text))
    assert evidence["match"] == "normalised"
    assert evidence["score"] < 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Mr D.I.Y. (Johor) Sdn Bhd", "MR D.T.Y. (JOHOR) SDN BND"),
        ("TD01167104", "TDO1167104"),
        ("Windshield Cleaner 120ml", "WINDSHILED CLEANER 12OML"),
        ("27 Jalan Dedap 13, Taman Johor Jaya, 81100 Johor", "27 Jalan Dedap l3 Tarnan Johor Jaya 81100 Johor"),
    ],
)
def test_what_ocr_confuses_is_fuzzy(value: str, text: str) -> None:
    evidence = only(value, ocr(text))
    assert evidence["match"] == "fuzzy"
    assert 0.8 < evidence["score"] <= 1


@each_case(
    ("value", "text"),
    [
        ("9.00", "19.00 9.001 99.00"),
        (9, "No. TD9 A9 9-11 2:9"),
        (9.0, "-9.00"),
        ("TD01167104", "TD01167184"),
        ("DE123456789", "DE123456780"),
        ("2018-12-25", "25/12/2019 26/12/2018"),
        ("1/11/2018", "11/1/2017"),
        ("art", "party start"),
        ("Jane Doe", "John Doe"),
        ("Harvey Norman Sdn Bhd", "MR D.I.Y. (JOHOR) SDN BHD"),
        ("groceries", "BREAD MILK EGGS"),
        ("***", "***"),
    ],
)
def test_another_value_supports_nothing(value: Any, text: str) -> None:
    assert not supported(value, text)


def test_a_boolean_needs_its_word_beside_its_label() -> None:
    entry = ocr("Taxable: yes", "Refund no")
    grounding = ground({"taxable": True, "refund": False, "paid": True}, [entry])
    assert {pointer: top_of(found) for pointer, found in grounding["evidence"].items()} == {
        "/taxable": 0,
        "/refund": 30,
    }
    assert grounding["unsupported"] == ["/paid"]


@pytest.mark.parametrize(
    ("key", "row"),
    [("total", 3), ("item_price", 1), ("subtotal", 2), ("cashAmount", 4), ("payment", 5)],
)
def test_of_equal_values_the_one_beside_its_label_is_taken(key: str, row: int) -> None:
    entry = ocr(
        ("Item", "Price"), ("Clay", "9.00"), ("Subtotal", "9.00"), ("TOTAL:", "9.00"), ("Cash", "9.00"), "Payment 9.00"
    )
    assert top_of(ground({key: "9.00"}, [entry])["evidence"][f"/{key}"]) == 30 * row


def test_a_heading_above_is_a_label_too() -> None:
    entry = ocr(("Code", "Qty", "Price"), ("5", "5", "5"))
    evidence = ground({"price": 5, "qty": 5, "code": 5}, [entry])["evidence"]
    assert [evidence[f"/{key}"]["bounds"]["top_left"]["x"] for key in ("code", "qty", "price")] == [0, 300, 600]


def test_the_object_around_a_field_is_a_label_too() -> None:
    entry = ocr(("Seller", "Name", "Acme"), ("Buyer", "Name", "Acme"))
    evidence = ground({"seller": {"name": "Acme"}, "buyer": {"name": "Acme"}}, [entry])["evidence"]
    assert [top_of(evidence[key]) for key in ("/seller/name", "/buyer/name")] == [0, 30]


def test_the_fields_of_an_item_are_looked_for_together() -> None:
    entry = ocr(("Lamp", "1", "5.00"), ("Chair", "2", "5.00"), ("Table", "1", "5.00"))
    items = [{"name": "Table", "qty": 1, "price": 5.0}, {"name": "Chair", "qty": 2, "price": 5.0}]
    evidence = ground({"items": items}, [entry])["evidence"]
    assert {pointer: top_of(found) for pointer, found in evidence.items()} == {
        "/items/0/name": 60, "/items/0/qty": 60, "/items/0/price": 60,
        "/items/1/name": 30, "/items/1/qty": 30, "/items/1/price": 30,
    }  # fmt: skip


def test_a_text_over_several_lines_has_their_hull_and_mean() -> None:
    entry = ocr("NO.5, JALAN SAGU 18,", "TAMAN DAYA,", "81100 JOHOR.")
    evidence = only("No.5, Jalan Sagu 18, Taman Daya, 81100 Johor", entry)
    assert evidence["match"] == "exact"
    assert (evidence["bounds"]["top_left"], evidence["bounds"]["bottom_right"]) == (
        {"x": 0, "y": 0},
        {"x": 200, "y": 80},
    )


def test_a_page_is_named() -> None:
    sections = [page_section([text_line(f"Sheet {page}", 0, 0)], page, 500, 500) for page in (1, 3)]
    entry = Entry("ocr", document_result([s["text"] for s in sections], sections, 3))
    evidence = only("Sheet 3", entry)
    assert (evidence["page"], evidence["pointer"]) == (3, "/sections/1/lines/0")


def test_speech_has_times_and_a_speaker() -> None:
    chunks = [
        {"timestamp": [0.0, 1.5], "text": "Ask not what your", "speaker": "SPEAKER_00"},
        {"timestamp": [1.5, 3.25], "text": "country can do for you.", "speaker": "SPEAKER_00"},
    ]
    result = {"text": "Ask not what your country can do for you.", "chunks": chunks}
    evidence = only("your country", entry_of("stt", result))
    assert (evidence["timestamp"], evidence["speaker"], evidence["pointer"]) == (
        (0.0, 3.25),
        "SPEAKER_00",
        "/chunks/0/text",
    )


def test_a_web_search_has_a_url_and_a_passage() -> None:
    found = [
        {"title": "Other", "url": "https://a.example/", "content": "Nothing of it."},
        {
            "title": "Paris",
            "url": "https://b.example/",
            "content": "First.\nThe city has 2,102,650 residents today.\nLast.",
        },
    ]
    evidence = only(2102650, entry_of("web_search", found))
    assert (evidence["url"], evidence["pointer"]) == ("https://b.example/", "/1/content")
    assert evidence["passage"] == "The city has 2,102,650 residents today."


def test_any_other_result_is_pointed_into() -> None:
    result = {
        "predictions": [{"date": "2026-01-02 00:00:00", "value": 123.4}, {"date": "2026-01-03 00:00:00", "value": 125}]
    }
    grounding = ground({"day": "2026-01-03", "value": 125}, [entry_of("forecast", result)])
    assert {key: found["pointer"] for key, found in grounding["evidence"].items()} == {
        "/day": "/predictions/1/date",
        "/value": "/predictions/1/value",
    }
    translated = entry_of("translate", {"translated_text": "Bonjour", "batch_size": 1})
    assert ground({"text": "bonjour", "n": 1}, [translated])["unsupported"] == ["/n"]
    heard = {"text": "Bye.", "chunks": [], "language": "en", "language_probability": 0.97, "low_confidence": True}
    spoken = entry_of("stt", heard)
    assert ground({"share": 0.97, "is_low": "true"}, [spoken])["unsupported"] == ["/share", "/is_low"]


def test_fields_beyond_the_text_that_may_be_compared_are_left_out_and_counted() -> None:
    entry = ocr(*(f"item {number} costs {number}.00" for number in range(100)))
    answer = {f"f{number}": f"item {number}" for number in range(50)}
    size = len("\n".join(f"item {number} costs {number}.00" for number in range(100)))
    grounding, left_out = find_evidence(answer, [entry], None, most_chars=10 * size)
    assert left_out == 40
    assert len(grounding.fields) + len(grounding.unsupported) == 10


def test_the_users_own_words_support_what_nothing_that_was_read_says() -> None:
    page = ocr("Total 63.60", "Order 7")
    asked = entry_of("request", {"messages": {"0": {"content": "Ship it to Berlin, order 7"}}})
    grounding = ground({"city": "Berlin", "order": 7}, [page], request=asked)
    city, order = grounding["evidence"]["/city"], grounding["evidence"]["/order"]
    assert (city["name"], city["pointer"], "precontext" in city) == ("request", "/messages/0/content", False)
    assert (order["name"], order["precontext"]) == ("ocr", 0)


def test_sums_and_counts_of_supported_fields_are_supported() -> None:
    page = ocr("Lamp 30.00", "Chair 33.60")
    items = [{"name": "Lamp", "price": 30.0}, {"name": "Chair", "price": 33.6}]
    grounding = ground({"items": items, "count": 2, "sum": 63.6, "tax": 5.1}, [page])
    assert grounding["unsupported"] == ["/tax"]
    assert (grounding["evidence"]["/sum"]["match"], grounding["evidence"]["/count"]["match"]) == ("derived", "derived")
    assert grounding["evidence"]["/sum"]["text"] == "30.00 + 33.60"
    gaps = [{"price": 30.0, "left": None, "tags": ["x"]}, {"price": 33.6, "left": 1e308, "tags": {}}]
    assert ground({"items": gaps, "sum": 63.6}, [page])["evidence"]["/sum"]["match"] == "derived"
    doubtful = ground({"items": [*items, {"name": "Sofa", "price": 1.0}], "sum": 64.6}, [page])
    assert "/sum" in doubtful["unsupported"]
