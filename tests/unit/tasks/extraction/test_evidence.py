"""Which place of which result a field is traced to, and which fields nothing supports."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from models.vision.text import Quad, TextLine, Word
from tasks.extraction.evidence import FieldEvidence, find_evidence
from tasks.extraction.passages import passages_of
from tasks.ocr_result import document_result, page_section, picture_result
from tasks.precontext import Entry
from tests.conftest import each_case
from tests.entries import Grounding, entry_of, failure_of, ground

CHARACTER, HEIGHT = 10, 20


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def text_line(text: str, left: int, top: int, confidence: float = 0.9) -> TextLine:
    """`text` in letters of 10 × 20 pixels."""
    words, at = [], left
    for word in text.split():
        words.append(Word(word, box(at, top, at + CHARACTER * len(word), top + HEIGHT), confidence))
        at += CHARACTER * (len(word) + 1)
    return TextLine(tuple(words), box(left, top, at - CHARACTER, top + HEIGHT))


def ocr(*rows: str | tuple[str, ...], confidence: float = 0.9) -> Entry:
    """A picture with a row of text every 30 pixels; the texts of a tuple are lines 300 pixels apart."""
    lines = [
        text_line(text, 300 * column, 30 * row, confidence)
        for row, texts in enumerate(rows)
        for column, text in enumerate((texts,) if isinstance(texts, str) else texts)
    ]
    return Entry("ocr", picture_result(page_section(lines, 1, 2000, 2000)))


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


def test_pointers_are_escaped_as_rfc_6901_has_it() -> None:
    answer = {"a/b": {"~c": ["x", "nowhere"]}}
    grounding = ground(answer, [entry_of("any", {"text": "x"})])
    assert list(grounding["evidence"]) == ["/a~1b/~0c/0"]
    assert grounding["unsupported"] == ["/a~1b/~0c/1"]


def test_an_answer_that_is_one_value_has_the_empty_pointer() -> None:
    assert list(ground("RECEIPT", [ocr("RECEIPT")])["evidence"]) == [""]


def test_null_and_empty_claim_nothing() -> None:
    nothing: Grounding = {"evidence": {}, "unsupported": []}
    assert ground({"a": None, "b": "", "c": " ", "d": [], "e": {}}, [ocr("RECEIPT")]) == nothing


def test_without_results_everything_is_unsupported() -> None:
    failed = failure_of("ocr", "The engine broke.")
    assert ground({"a": 1, "b": True, "c": "x"}, [failed])["unsupported"] == ["/a", "/b", "/c"]


@each_case(
    ("value", "text"),
    [
        (9, "9.00"),
        (9.0, "RM 9.00"),
        ("9.00", "RM9.00"),
        (1234.5, "1234.50"),
        (-0.02, "-RM 0.02"),
        ("Jalan Sagu 18", "NO.5,JALAN SAGU 18,"),
        ("John Smith", "JOHNSMITH"),
        ("25/12/2018", "DATE:25/12/2018 8:13"),
        ("789417-W", "(789417-W)"),
        ("东京", "东京"),
    ],
)
def test_the_same_is_exact(value: Any, text: str) -> None:
    assert only(value, ocr(text))["match"] == "exact"


@each_case(
    ("value", "text"),
    [
        (1234.5, "1,234.50"),
        (1234.5, "1.234,50"),
        (1234.5, "1 234,50 EUR"),
        (-12.5, "(12.50)"),
        ("ＡＣＭＥ", "acme"),
        (0.06, "6%"),
        ("RM 9.0", "9.00"),
        ("$1,234.50", "1.234,50"),
        ("2018-12-25", "25/12/2018"),
        ("2018-12-25", "25 Dec 2018"),
        ("2018-12-25", "December 25th, 2018"),
        ("2018-12-25T20:13:39", "25/12/20188:13:39PM"),
        ("2018-12-25", "2018年12月25日"),
        ("2019-01-12", "12-01-19"),
        ("2019-12-01", "12-01-19"),
        ("DE89 3704-0044", "DE89.3704.0044"),
        ("Book Ta K Sdn Bhd", "BOOK TA .K SDN. BHD."),
    ],
)
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


def test_exact_is_preferred_over_another_notation() -> None:
    assert only("12/01/2019", ocr("2019-01-12", "12/01/2019"))["text"] == "12/01/2019"
    assert only("Box 12", ocr("B0X l2", "box 12"))["text"] == "box 12"


@pytest.mark.parametrize(
    ("key", "row"),
    [("total", 3), ("item_price", 1), ("subtotal", 2), ("cashAmount", 4), ("payment", 5)],
)
def test_of_equal_values_the_one_beside_its_label_is_taken(key: str, row: int) -> None:
    entry = ocr(
        ("Item", "Price"), ("Clay", "9.00"), ("Subtotal", "9.00"), ("TOTAL:", "9.00"), ("Cash", "9.00"), "Payment 9.00"
    )
    assert top_of(ground({key: "9.00"}, [entry])["evidence"][f"/{key}"]) == 30 * row


def test_a_misread_label_is_still_one() -> None:
    assert top_of(ground({"total": 9}, [ocr(("Price", "9.00"), ("TOTAI", "9.00"))])["evidence"]["/total"]) == 30


def test_the_purer_label_wins() -> None:
    entry = ocr(("Total number of pieces", "2"), ("Total", "2"))
    assert top_of(ground({"total": 2}, [entry])["evidence"]["/total"]) == 30


def test_a_heading_above_is_a_label_too() -> None:
    entry = ocr(("Code", "Qty", "Price"), ("5", "5", "5"))
    evidence = ground({"price": 5, "qty": 5, "code": 5}, [entry])["evidence"]
    assert [evidence[f"/{key}"]["bounds"]["top_left"]["x"] for key in ("code", "qty", "price")] == [0, 300, 600]


def test_the_object_around_a_field_is_a_label_too() -> None:
    entry = ocr(("Seller", "Name", "Acme"), ("Buyer", "Name", "Acme"))
    evidence = ground({"seller": {"name": "Acme"}, "buyer": {"name": "Acme"}}, [entry])["evidence"]
    assert [top_of(evidence[key]) for key in ("/seller/name", "/buyer/name")] == [0, 30]


def test_without_labels_the_surer_reading_is_taken() -> None:
    doubtful, sure = ocr("Acme", confidence=0.5), ocr("Acme", confidence=0.9)
    assert only("Acme", doubtful, sure)["precontext"] == 1
    assert only("Acme", sure, doubtful)["precontext"] == 0


def test_the_fields_of_an_item_are_looked_for_together() -> None:
    entry = ocr(("Lamp", "1", "5.00"), ("Chair", "2", "5.00"), ("Table", "1", "5.00"))
    items = [{"name": "Table", "qty": 1, "price": 5.0}, {"name": "Chair", "qty": 2, "price": 5.0}]
    evidence = ground({"items": items}, [entry])["evidence"]
    assert {pointer: top_of(found) for pointer, found in evidence.items()} == {
        "/items/0/name": 60, "/items/0/qty": 60, "/items/0/price": 60,
        "/items/1/name": 30, "/items/1/qty": 30, "/items/1/price": 30,
    }  # fmt: skip


def test_equal_items_are_traced_to_different_places() -> None:
    evidence = ground({"prices": [5.0, 5.0]}, [ocr("Lamp 5.00", "Chair 5.00")])["evidence"]
    assert [top_of(evidence["/prices/0"]), top_of(evidence["/prices/1"])] == [0, 30]


def test_a_text_over_several_lines_has_their_hull_and_mean() -> None:
    entry = ocr("NO.5, JALAN SAGU 18,", "TAMAN DAYA,", "81100 JOHOR.")
    evidence = only("No.5, Jalan Sagu 18, Taman Daya, 81100 Johor", entry)
    assert evidence["match"] == "exact"
    assert (evidence["bounds"]["top_left"], evidence["bounds"]["bottom_right"]) == (
        {"x": 0, "y": 0},
        {"x": 200, "y": 80},
    )


def test_the_words_of_an_address_may_stand_in_another_order() -> None:
    entry = ocr("Name: Jane", "81100 Johor Bahru", "Malaysia", "18 Jalan Sagu", "Thank you")
    evidence = only("18 Jalan Sagu, Johor Bahru 81100, Malaysia", entry)
    assert evidence["match"] == "fuzzy"
    assert (evidence["bounds"]["top_left"]["y"], evidence["bounds"]["bottom_right"]["y"]) == (30, 110)
    assert not supported("19 Jalan Sagu, Johor Bahru 81100, Malaysia", "18 Jalan Sagu", "81100 Johor Bahru Malaysia")


def test_rotated_words_keep_their_quadrilateral() -> None:
    quads: list[Quad] = [((10, 20), (60, 30), (58, 50), (8, 40)), ((70, 32), (120, 42), (118, 62), (68, 52))]
    tilted = TextLine((Word("Book", quads[0], 0.9), Word("Shop", quads[1], 0.9)), quads[0])
    entry = Entry("ocr", picture_result(page_section([tilted], 1, 200, 100)))
    bounds = only("Book Shop", entry)["bounds"]
    assert (bounds["top_left"], bounds["top_right"]) == ({"x": 10, "y": 20}, {"x": 120, "y": 42})
    assert (bounds["bottom_right"], bounds["bottom_left"]) == ({"x": 118, "y": 62}, {"x": 8, "y": 40})


def test_a_page_is_named() -> None:
    sections = [page_section([text_line(f"Sheet {page}", 0, 0)], page, 500, 500) for page in (1, 3)]
    entry = Entry("ocr", document_result([s["text"] for s in sections], sections, 3))
    evidence = only("Sheet 3", entry)
    assert (evidence["page"], evidence["pointer"]) == (3, "/sections/1/lines/0")


def test_text_files_beside_pages_are_evidence_without_a_place() -> None:
    section = page_section([text_line("Sheet", 0, 0)], 1, 500, 500)
    entry = Entry("ocr", document_result(["Sheet", "total,9.00"], [section], 1))
    evidence = only("total", entry)
    assert (evidence["pointer"], "bounds" in evidence) == ("/extracted_text", False)
    assert not ground({"width": 500}, [entry])["evidence"]


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


def test_a_long_passage_is_shortened_around_the_match() -> None:
    page = {"url": "https://a.example/", "markdown": "word " * 300 + "needle " + "more " * 300}
    evidence = only("needle", entry_of("scraper", page))
    assert "word needle more" in evidence["passage"]
    assert len(evidence["passage"]) <= 300


def test_texts_of_different_results_are_not_read_as_one() -> None:
    found = [{"title": "New", "url": "https://a.example/"}, {"title": "York", "url": "https://b.example/"}]
    assert ground(["New York"], [entry_of("web_search", found)])["unsupported"] == ["/0"]


def test_a_detected_object_has_bounds_and_a_confidence() -> None:
    bounds = ocr("x").result.data["sections"][0]["lines"][0]["bounds"]
    result = {"detected_objects": [{"label": "traffic light", "bounds": bounds, "confidence": 0.71}]}
    evidence = only("Traffic light", entry_of("object_detection", result))
    assert (evidence["bounds"], evidence["confidence"], evidence["pointer"]) == (
        bounds,
        0.71,
        "/detected_objects/0/label",
    )


def test_a_web_page_may_use_the_names_of_places_for_its_own_data() -> None:
    data = {
        "bounds": "lower",
        "confidence": "high",
        "timestamp": "noon",
        "page": "start",
        "speaker": {"name": "Ann"},
        "item": {"bounds": {"top_left": 5, "bottom_right": {"x": 1}}},
    }
    page = entry_of("scraper", {"url": "https://a.example/", "data": data})
    answer = ["lower", "high", "noon", "start", "Ann"]
    assert [found["pointer"] for found in ground(answer, [page])["evidence"].values()] == [
        "/data/bounds", "/data/confidence", "/data/timestamp", "/data/page", "/data/speaker/name",
    ]  # fmt: skip


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


@given(st.lists(st.sampled_from(["9", "9.00", "1.234", "1,234", "5", "2024-01-05", "05/01/2024", "5.1.24", "x"])))
def test_numbers_and_days_are_found_by_their_readings(words: list[str]) -> None:
    """As those are that share a reading, without comparing each with each."""
    [passage] = passages_of([ocr(" ".join(["first", *words]))])
    for number in passage.numbers:
        same = [one for one in passage.numbers if one.readings & number.readings]
        assert passage.numbers.with_readings(number.readings) == same
    for day in passage.days:
        same_days = [one for one in passage.days if set(one.readings) & set(day.readings)]
        assert passage.days.with_readings(day.readings) == same_days


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
