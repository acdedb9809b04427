"""Results without personal data: the same shape, whose texts agree with each other."""

import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vision.text import TextLine, Word
from tasks.ocr_result import OcrResult, document_result, page_section, picture_result
from tasks.redaction import Redactor
from tests.conftest import each_case
from tests.kit.chats.entries import result_of


def line_of(text: str, top: int = 10, confidence: float = 0.9) -> TextLine:
    """Each letter is ten pixels wide, and so is each space; the words' confidences fall."""
    words, left = [], 0
    for place, word in enumerate(text.split(" ")):
        right = left + 10 * len(word)
        quad = ((left, top), (right, top), (right, top + 20), (left, top + 20))
        words.append(Word(word, quad, confidence - place / 10))
        left = right + 10
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


def redacted(name: str, data: Any, counts: Counter[str]) -> Any:
    return result_of(name, data).mapped(Redactor(counts)).data


def check(result: Any) -> None:
    """What is true of every `ocr` result."""
    for section in result["sections"]:
        assert section["text"] == "\n".join(line["text"] for line in section["lines"])
        for line in section["lines"]:
            assert line["text"] == " ".join(word["text"] for word in line["words"])
            mean = sum(word["confidence"] for word in line["words"]) / len(line["words"])
            assert line["average_confidence"] == pytest.approx(mean, abs=0.006)


def test_placeholders_name_the_kind_and_are_counted() -> None:
    counts = Counter[str]()
    text = "Ann: ann@example.org and bob@example.org, +49 170 1234567. Order 12."
    assert Redactor(counts).text(text) == "Ann: [EMAIL] and [EMAIL], [PHONE]. Order 12."
    assert counts == {"EMAIL": 2, "PHONE": 1}


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Call +49 ", "170 12", "34567 now"], ["Call [PHONE]", "", " now"]),
        (["a@example.org", " b@example.org"], ["[EMAIL]", " [EMAIL]"]),
        (["x a@exam", "ple.org b@exa", "mple.org y"], ["x [EMAIL]", " [EMAIL]", " y"]),
    ],
)
def test_pieces_of_one_text_stay_pieces(pieces: list[str], expected: list[str]) -> None:
    assert Redactor().pieces(pieces) == expected
    assert "".join(expected) == Redactor().text("".join(pieces))


def test_the_words_of_a_card_become_one_where_they_stood() -> None:
    section = page_section([line_of("Visa 4111 1111 1111 1111, 12/29")], 1, 400, 100)
    result = picture_result(section).data
    before = copy.deepcopy(result)
    counts = Counter[str]()
    redone = redacted("ocr", result, counts)
    assert redone["extracted_text"] == "Visa [CARD], 12/29"
    [line] = redone["sections"][0]["lines"]
    assert [word["text"] for word in line["words"]] == ["Visa", "[CARD],", "12/29"]
    card = line["words"][1]
    words = before["sections"][0]["lines"][0]["words"]
    assert card["bounds"]["top_left"] == words[1]["bounds"]["top_left"]
    assert card["bounds"]["bottom_right"] == words[4]["bounds"]["bottom_right"]
    assert (card["bounds"]["width"], card["bounds"]["height"]) == (200, 20)
    assert card["confidence"] == 0.65
    assert line["bounds"] == before["sections"][0]["lines"][0]["bounds"]
    assert list(redone) == list(before)
    assert list(line) == ["text", "bounds", "average_confidence", "words"]
    assert list(card) == ["text", "bounds", "confidence"]
    assert counts == {"CARD": 1}
    assert result == before
    check(redone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tel:+49 170 1234567;", ["Tel:[PHONE];"]),
        ("to:a@example.org,b@example.org now", ["to:[EMAIL],[EMAIL]", "now"]),
        ("a@example.org b@example.org", ["[EMAIL]", "[EMAIL]"]),
        ("x 4111 1111 1111 1111/a@example.org y", ["x", "[CARD]/[EMAIL]", "y"]),
    ],
)
def test_words_and_line_agree(text: str, expected: list[str]) -> None:
    result = redacted("ocr", picture_result(page_section([line_of(text)], 1, 900, 100)).data, Counter())
    assert [word["text"] for word in result["sections"][0]["lines"][0]["words"]] == expected
    assert result["extracted_text"] == " ".join(expected)
    check(result)


def test_a_document_agrees_with_its_pages_and_is_counted_once() -> None:
    pages = [
        page_section([line_of("Phone:", 10), line_of("0170 1234567", 40), line_of("no 2127365000", 70)], 1, 400, 200),
        page_section([line_of("2127365000")], 2, 400, 200),
        page_section([line_of("all is well")], 3, 400, 200),
    ]
    counts = Counter[str]()
    result = document_result([page["text"] for page in pages], pages, 3).data
    redone = redacted("ocr", result, counts)
    assert redone["extracted_text"] == "Phone:\n[PHONE]\nno 2127365000\n\n2127365000\n\nall is well"
    assert redone["extracted_text"] == "\n\n".join(section["text"] for section in redone["sections"])
    assert [(section["page"], section["width"]) for section in redone["sections"]] == [(1, 400), (2, 400), (3, 400)]
    assert redone["total_pages"] == 3
    assert counts == {"PHONE": 1}
    assert OcrResult(redone).unplaced_text() == ""
    check(redone)


def test_a_transcript_agrees_with_its_chunks() -> None:
    chunks = [
        {"timestamp": (0.0, 2.0), "text": "My number is 0170", "speaker": "SPEAKER_00"},
        {"timestamp": (2.0, 3.0), "text": "1234567", "speaker": "SPEAKER_00"},
        {"timestamp": (3.5, 5.0), "text": "and I am in.", "speaker": "SPEAKER_00"},
    ]
    result = {"text": " ".join(str(chunk["text"]) for chunk in chunks), "chunks": chunks, "language": "en"}
    before = copy.deepcopy(result)
    redone = redacted("stt", result, Counter())
    assert redone == {
        "text": "My number is [PHONE] and I am in.",
        "chunks": [
            {"timestamp": (0.0, 3.0), "text": "My number is [PHONE]", "speaker": "SPEAKER_00"},
            {"timestamp": (3.5, 5.0), "text": "and I am in.", "speaker": "SPEAKER_00"},
        ],
        "language": "en",
    }
    assert result == before


def test_any_other_result_is_walked_through() -> None:
    counts = Counter[str]()
    result = {
        "url": "https://example.org/4111111111111111",
        "links": [{"text": "Ann", "url": "mailto:ann@example.org"}],
        "metadata": {"phone": "2127365000", "phoneNumber": "2127365000", "orderNumber": "2127365000", "n": 3},
        "data": [{"tel": ["2127365000"]}],
        "image": "data:image/png;base64,4111111111111111",
        "ann@example.org": True,
    }
    assert redacted("scraper", result, counts) == {
        "url": "https://example.org/4111111111111111",
        "links": [{"text": "Ann", "url": "mailto:[EMAIL]"}],
        "metadata": {"phone": "[PHONE]", "phoneNumber": "[PHONE]", "orderNumber": "2127365000", "n": 3},
        "data": [{"tel": ["[PHONE]"]}],
        "image": "data:image/png;base64,4111111111111111",
        "[EMAIL]": True,
    }
    assert counts == {"EMAIL": 2, "PHONE": 3}


@each_case(
    ("text", "expected"),
    [
        ('{"mail": "ann@example.org", "n": 1.50}', '{"mail": "[EMAIL]", "n": 1.50}'),
        ('{"a":"x\\nann\\u0040example.org"}', '{"a":"x\\n[EMAIL]"}'),
        ('{"card": 4111111111111111, "order": 4111111111111111}', '{"card": "[CARD]", "order": 4111111111111111}'),
        ('{"phone": 2127365000, "id": 2127365000}', '{"phone": "[PHONE]", "id": 2127365000}'),
        ('[ "4111 1111 1111 1111" , "grün ann@example.org" ]', '[ "[CARD]" , "grün [EMAIL]" ]'),
        ('{"ann@example.org": "\\ud83d ann@example.org"}', '{"[EMAIL]": "\\ud83d [EMAIL]"}'),
        ('{"a": "say \\"ann@example.org\\""}', '{"a": "say \\"[EMAIL]\\""}'),
        ('{"half": "ann@example.org', '{"half": "[EMAIL]'),
        ('{"phone":"\\u002B49 170 1234567"}', '{"phone":"[PHONE]"}'),
        ('{"phone":"+49\\u00a0170\\u00a01234567"}', '{"phone":"[PHONE]"}'),
        ('{"raw": "{\\"to\\": \\"ann\\\\u0040example.com\\"}"}', '{"raw": "{\\"to\\": \\"[EMAIL]\\"}"}'),
        ('[["Phone", 2127365000], ["Order", 2127365000]]', '[["Phone", "[PHONE]"], ["Order", 2127365000]]'),
        ('{"phone": [{"n": 1}, "2127365000", "2127365001"]}', '{"phone": [{"n": 1}, "[PHONE]", "[PHONE]"]}'),
        ('{"cut": "ann\\u0040example.org", "x', '{"cut": "[EMAIL]", "x'),
    ],
)
def test_json_stays_json(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected
    try:
        json.loads(text)
    except ValueError:
        return
    json.loads(expected)


@each_case(
    ("text", "expected"),
    [
        ("+49 170 1234567 12", "[PHONE] 12"),
        ("+49 170 1234567 4111 1111 1111 1111", "[PHONE] [CARD]"),
        ("(212) 736-5000 (212) 736-5001", "[PHONE] [PHONE]"),
        ("12.03.2024 4111 1111 1111 1111 50.00", "12.03.2024 [CARD] 50.00"),
        ("Booking 100234 4111 1111 1111 1111", "Booking 100234 [CARD]"),
        ("4111 1111 1111 1111 5500 0000 0000 0004", "[CARD] [CARD]"),
    ],
)
def test_a_number_beside_another_is_replaced(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


def test_a_list_is_redacted_alike_as_a_value_and_as_json() -> None:
    given = {"rows": [["Phone", "2127365000", "4500123456"], ["Order", "2127365000"]], "tel": ["2127365000"] * 2}
    expected = {"rows": [["Phone", "[PHONE]", "4500123456"], ["Order", "2127365000"]], "tel": ["[PHONE]"] * 2}
    assert Redactor().value(given) == json.loads(Redactor().text(json.dumps(given))) == expected


@given(st.lists(st.sampled_from(["a", "+49 170 1234567", "\u00a0", '"', "ann@b.org", "é", "\n", "1"])).map("".join))
def test_escapes_hide_nothing(text: str) -> None:
    """A string that is written in JSON is redacted within any text, and what is replaced ends where an escape ends."""
    for written in (json.dumps(text), "".join(f"\\u{ord(sign):04x}" for sign in text).join('""')):
        redone = Redactor().text(f"Result: {written}").removeprefix("Result: ")
        assert json.loads(redone) == Redactor().text(text)
