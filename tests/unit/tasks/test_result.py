"""What each kind of result says: to a language model, as evidence, to a guard, and without personal data."""

import copy
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from app.chat.trim import assemble
from models.vision.text import Quad, TextLine, Word
from tasks.ocr_result import document_result, page_section
from tasks.redaction import Redactor
from tasks.result import LINE_ENDS, Result, lines_below
from tests.conftest import each_case
from tests.kit.chats.entries import result_of


def shown(name: str, data: Any) -> str:
    return read(result_of(name, data))


def read(result: Result) -> str:
    return assemble(list(result.pieces()))


def line(text: str, top: int) -> TextLine:
    quad: Quad = ((0, top), (50, top), (50, top + 10), (0, top + 10))
    return TextLine(tuple(Word(word, quad, 0.9) for word in text.split()), quad)


BOUNDS = {
    "top_left": {"x": 1, "y": 2}, "top_right": {"x": 30, "y": 2}, "bottom_right": {"x": 30, "y": 40},
    "bottom_left": {"x": 1, "y": 40}, "width": 29, "height": 38,
}  # fmt: skip


def test_a_document_names_its_pages() -> None:
    sections = [page_section([line(f"Sheet {page}", 0), line("more", 30)], page, 100, 100) for page in (1, 2)]
    result = document_result(["Sheet 1\nmore", "Sheet 2\nmore"], sections, 2)
    assert read(result) == "[page 1]\nSheet 1\n\nmore\n[page 2]\nSheet 2\n\nmore"


def test_the_text_of_a_picture_stays_where_it_stands_in_its_document() -> None:
    section = page_section([line("5", 0)], 1, 100, 100)
    result = document_result(["Total: 1500\n\n| logo 5 | x |\n\nend"], [section], 1)
    assert read(result) == "Total: 1500\n| logo 5 | x |\nend"
    assert result.unplaced_text() == "Total: 1500\n\n| logo 5 | x |\n\nend"


def test_what_a_video_shows_has_its_time_and_what_stays_is_in_the_text_once() -> None:
    shows = [("Agenda", 0.0), ("Agenda", 2.5), ("Thanks", 9.0)]
    sections = [page_section([line(text, 0)], page, 100, 100, time) for page, (text, time) in enumerate(shows, 1)]
    result = document_result(["Agenda", "Thanks"], sections, 3)
    assert read(result) == ("[video at 0.0 s]\nAgenda\n[video at 2.5 s]\nAgenda\n[video at 9.0 s]\nThanks")


def test_speech_has_times_and_speakers() -> None:
    chunks = [
        {"timestamp": [0.0, 3.2], "text": " Hello.", "speaker": "SPEAKER_00"},
        {"timestamp": [3.2, 4], "text": "Bye."},
    ]
    assert shown("stt", {"text": "Hello. Bye.", "chunks": chunks}) == "[0.0–3.2] SPEAKER_00: Hello.\n[3.2–4] Bye."


def test_objects_are_counted_by_label_and_page() -> None:
    found = [{"label": label, "bounds": BOUNDS, "confidence": 0.9} for label in ("bus", "person", "person")]
    assert shown("object_detection", {"detected_objects": found}) == (
        "bus ×1 at (1, 2, 30, 40) 0.9\nperson ×2 at (1, 2, 30, 40) 0.9, (1, 2, 30, 40) 0.9"
    )
    paged = [{"label": "bus", "bounds": BOUNDS, "page": page} for page in (1, 2)]
    assert shown("object_detection", {"detected_objects": paged}) == (
        "[page 1]\nbus ×1 at (1, 2, 30, 40)\n[page 2]\nbus ×1 at (1, 2, 30, 40)"
    )


def test_gui_elements_have_a_type_a_text_and_corners() -> None:
    elements = [{"type": "button", "bounds": BOUNDS, "text": 'Say "hi"'}, {"type": "icon", "bounds": BOUNDS}]
    assert shown("gui_detection", {"gui_elements": elements}) == (
        'button "Say \\"hi\\"" at (1, 2, 30, 40)\nicon at (1, 2, 30, 40)'
    )


def test_search_results_are_numbered_and_say_each_line_once() -> None:
    found = [
        {"title": "Paris", "url": "https://a.example/", "description": "A city.",
         "content": "A city.\nIn France.", "snippets": ["In France.", "Big."]},
        {"title": "Empty", "url": "https://b.example/", "description": "", "content": "", "snippets": []},
    ]  # fmt: skip
    assert shown("web_search", found) == (
        "1. Paris <https://a.example/>\nA city.\nIn France.\nBig.\n2. Empty <https://b.example/>\n(no text)"
    )


def test_a_page_is_its_markdown_under_its_title_and_address() -> None:
    page = {
        "url": "https://a.example/",
        "title": "Shop",
        "description": "Sells.",
        "text": "Lamp 5",
        "markdown": "# Lamp\n\n5",
    }
    assert shown("scraper", page) == "Shop <https://a.example/>\nSells.\n# Lamp\n5"
    assert shown("scraper", {**page, "data": {"lamp": 5}}).splitlines()[1] == 'data: {"lamp":5}'


HIDDEN = "ann@example.org"
PAGE = page_section([line(f"Mail {HIDDEN} now", 0)], 1, 400, 100)
SCRAPED = {"url": "https://a.example/", "title": "T", "description": "", "text": HIDDEN, "markdown": f"*{HIDDEN}*"}
RESULTS = {
    "ocr": document_result([f"Mail {HIDDEN} now", f"a file of {HIDDEN}"], [PAGE], 1).data,
    "stt": {"text": f"to {HIDDEN}", "chunks": [{"timestamp": (0.0, 1.0), "text": f"to {HIDDEN}"}], "language": "en"},
    "object_detection": {"detected_objects": [{"label": HIDDEN, "bounds": BOUNDS, "confidence": 0.9}]},
    "gui_detection": {"gui_elements": [{"type": "button", "bounds": BOUNDS, "text": HIDDEN}]},
    "web_search": [{"title": HIDDEN, "url": "u", "description": HIDDEN, "content": "", "snippets": []}],
    "scraper": SCRAPED,
    "translate": {"translated_text": HIDDEN, "source_language": "de", "target_language": "en", "batch_size": 1},
    "forecast": {"predictions": [{"date": "1", "value": 2, "series": HIDDEN}], "notes": [HIDDEN]},
    "code_sandbox": {"code_script": "", "output": HIDDEN, "exit_code": 0},
    "guardrails": {"safe": True, "codes": [], "checks": [{"source": HIDDEN, "codes": [], "scores": {}}]},
    "other": {"a": [HIDDEN, 1, None]},
}


@each_case(("name", "data"), RESULTS.items())
def test_without_personal_data_a_result_is_of_the_same_kind_and_says_it_nowhere(name: str, data: Any) -> None:
    result, before = result_of(name, data), copy.deepcopy(data)
    redactor = Redactor()
    redone = result.mapped(redactor)
    assert redactor.counts["EMAIL"] > 0
    assert result.data == before
    assert type(redone) is type(result)
    assert HIDDEN not in str(redone.data)
    assert HIDDEN not in "".join([redone.text(), *redone.texts_for_guard(), *(piece.text for piece in redone.pieces())])


@each_case(("name", "data"), RESULTS.items())
def test_every_line_of_evidence_stands_where_its_pointer_says(name: str, data: Any) -> None:
    lines = [one for passage in result_of(name, data).passages() for one in passage]
    assert any(HIDDEN in one.words for one in lines)
    for one in lines:
        value = data
        for step in one.pointer.split("/")[1:]:
            value = value[int(step) if isinstance(value, list) else step]
        said = value["text"] if isinstance(value, dict) else str(value)
        assert " ".join(one.words).lower() in said.lower()


@given(st.lists(st.sampled_from([*LINE_ENDS, "\r\n", " ", "\t", "\x1f", "a", "b c"])).map("".join))
@example("\r\n" * 9 + "a")
def test_the_lines_of_a_text_are_those_that_python_knows(text: str) -> None:
    found = [(one.row, one.written) for one in lines_below(text)]
    assert found == [(row, one) for row, one in enumerate(text.splitlines()) if one.strip()]


@each_case(("name", "data"), RESULTS.items())
def test_a_guard_hears_whatever_a_step_after_it_works_on(name: str, data: Any) -> None:
    result = result_of(name, data)
    assert HIDDEN in "".join(result.texts_for_guard())
    assert result.text() in "".join(result.texts_for_guard())
