"""Lists of a schema that are filled from the results of specialists."""

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.detection.search import DetectionOptions
from tasks.from_results.specialist_lists import specialist_lists
from tasks.from_results.whole_results import TaskResult, TaskResults
from tasks.schema.checker import prepared_checker
from tests.conftest import each_case
from tests.kit.chats.entries import entry_of
from tests.kit.papers.filling import INTEGER, NUMBER, OR_NULL, STRING
from tests.kit.papers.read_pages import ocr


def corner(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y}


def bounds(left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    return {
        "top_left": corner(left, top),
        "top_right": corner(right, top),
        "bottom_right": corner(right, bottom),
        "bottom_left": corner(left, bottom),
        "width": right - left,
        "height": bottom - top,
    }


def seen(label: str, confidence: float, *edges: int) -> dict[str, Any]:
    return {"label": label, "bounds": bounds(*edges), "confidence": confidence}


DATA: Mapping[str, Any] = {
    "object_detection": {
        "detected_objects": [seen("bus", 0.91, 10, 20, 110, 70), seen("person", 0.8, 1, 2, 5, 9)],
    },
    "gui_detection": {
        "gui_elements": [
            {"type": "button", "bounds": bounds(5, 5, 45, 25), "confidence": 0.7, "text": "Reset"},
            {"type": "input", "bounds": bounds(5, 40, 205, 60)},
        ]
    },
    "speech_to_text": {
        "text": "Hello there. Good day.",
        "chunks": [
            {"timestamp": (0.5, 1.75), "text": "Hello there.", "speaker": "SPEAKER_00"},
            {"timestamp": (63.0, 64.5), "text": "Good day.", "speaker": "SPEAKER_01"},
        ],
        "language": "en",
    },
    "web_search": [
        {"title": "Lamps", "url": "https://a.test/", "description": "All lamps", "content": "", "snippets": []}
    ],
    "forecast": {
        "predictions": [{"date": "2026-01-02 00:00:00", "value": 12.5, "lower": 11.0, "upper": 14.0}],
        "notes": [],
    },
    "translate": {
        "translated_text": "Bonjour",
        "results": [
            {"translated_text": "Bonjour", "source_language": "en", "target_language": "fr", "batch_size": 1},
            {"translated_text": "Hola", "source_language": "en", "target_language": "es", "batch_size": 1},
        ],
    },
    "scraper": {"url": "", "title": "", "text": "", "links": [{"text": "Home", "url": "https://a.test/"}]},
    "ocr": ocr("Alder Road", "7 lamps").result.data,
}


def list_of(properties: Any) -> dict[str, Any]:
    required = list(properties)
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": required}}


def lists(schema: Mapping[str, Any], *tasks: str, reads_out: bool = False, **data: Any) -> dict[Any, list[Any]]:
    given = {task: data.get(task, DATA[task]) for task in tasks}
    results = [TaskResult(task, DetectionOptions(), entry_of(task, one).result) for task, one in given.items()]
    found = specialist_lists(schema, prepared_checker(schema), TaskResults(results, reads_out))
    return {path: one.items for path, one in found.items()}


def filled(task: str, name: str, schema: Mapping[str, Any], **more: Any) -> list[Any] | None:
    whole = {"type": "object", "properties": {name: schema}, "required": [name]}
    return lists(whole, task, **more).get((name,))


EDGES = {"x1": NUMBER, "y1": NUMBER, "x2": NUMBER, "y2": NUMBER}
BOX = {"type": "object", "properties": {"left": INTEGER, "top": INTEGER, "w": INTEGER, "h": INTEGER}}
NUMBERS, TEXTS = {"type": "array", "items": NUMBER}, {"type": "array", "items": STRING}


POLYGON = {"type": "array", "items": {"type": "object", "properties": {"x": NUMBER, "y": NUMBER}}}
SPOKEN = {"start": 0.5, "end": 1.75}
TIMES = {"type": "object", "properties": {"start": NUMBER, "end": NUMBER}}
CORNERS = [corner(10, 20), corner(110, 20), corner(110, 70), corner(10, 70)]
DAY = {"type": "string", "format": "date"}
BOX_OF_BUS = {"left": 10, "top": 20, "w": 100, "h": 50}
EDGES_OF_BUS = {"x1": 10, "y1": 20, "x2": 110, "y2": 70}
WORDS = {"text": "Alder Road", "words": ["Alder", "Road"]}, {"text": "7 lamps", "words": ["7", "lamps"]}


@each_case(
    ("task", "name", "fields", "first"),
    [
        ("object_detection", "objects", {"class_name": STRING, "score": NUMBER}, {"class_name": "bus", "score": 0.91}),
        ("object_detection", "things_seen", {"thing": STRING, **EDGES}, {"thing": "bus", **EDGES_OF_BUS}),
        ("object_detection", "items", {"label": STRING, "bbox": NUMBERS}, {"label": "bus", "bbox": [10, 20, 110, 70]}),
        ("object_detection", "objects", {"boundingBox": BOX}, {"boundingBox": BOX_OF_BUS}),
        ("object_detection", "detections", {"kind": STRING, "polygon": POLYGON}, {"kind": "bus", "polygon": CORNERS}),
        ("object_detection", "objects", {"name": STRING, "colour": OR_NULL}, {"name": "bus", "colour": None}),
        ("gui_detection", "ui_elements", {"name": STRING, "type": STRING}, {"name": "Reset", "type": "button"}),
        ("gui_detection", "controls", {"center_x": NUMBER, "cy": NUMBER}, {"center_x": 25, "cy": 15}),
        ("speech_to_text", "dialogue", {"who": STRING, "says": STRING}, {"who": "SPEAKER_00", "says": "Hello there."}),
        ("speech_to_text", "chunks", {"id": INTEGER, "timestamp": NUMBERS}, {"id": 1, "timestamp": [0.5, 1.75]}),
        ("speech_to_text", "chunks", {"start_ms": INTEGER, "time": TIMES}, {"start_ms": 500, "time": SPOKEN}),
        ("web_search", "sources", {"title": STRING, "link": STRING}, {"title": "Lamps", "link": "https://a.test/"}),
        ("scraper", "links", {"label": STRING, "href": STRING}, {"label": "Home", "href": "https://a.test/"}),
        ("forecast", "sales", {"day": DAY, "sales": NUMBER}, {"day": "2026-01-02", "sales": 12.5}),
        ("translate", "translations", {"language": STRING, "text": STRING}, {"language": "fr", "text": "Bonjour"}),
        ("ocr", "lines", {"text": STRING, "confidence": NUMBER}, {"text": "Alder Road", "confidence": 0.9}),
        ("ocr", "pages", {"lines": list_of({"text": STRING, "words": TEXTS})}, {"lines": [*WORDS]}),
    ],
)  # fmt: skip
def test_a_list_is_filled_by_the_names_and_types_of_its_items(task: str, name: str, fields: Any, first: Any) -> None:
    assert (filled(task, name, list_of(fields)) or [None])[0] == first


@each_case(
    ("task", "name", "texts"),
    [
        ("object_detection", "objects", ["bus", "person"]),
        ("gui_detection", "buttons", ["Reset"]),
        ("speech_to_text", "speakers", ["SPEAKER_00", "SPEAKER_01"]),
        ("speech_to_text", "sentences", ["Hello there.", "Good day."]),
        ("ocr", "every_line", ["Alder Road", "7 lamps"]),
        ("ocr", "all_words", ["Alder", "Road", "7", "lamps"]),
        ("translate", "translations", ["Bonjour", "Hola"]),
    ],
)
def test_a_list_of_texts_has_the_items_in_one_word(task: str, name: str, texts: list[str]) -> None:
    assert filled(task, name, TEXTS) == texts


def test_a_list_called_after_a_kind_of_thing_has_these_alone() -> None:
    item = {"confidence": NUMBER}
    assert filled("object_detection", "people", list_of(item)) == [{"confidence": 0.8}]
    assert filled("object_detection", "buses", list_of(item)) == [{"confidence": 0.91}]
    assert filled("gui_detection", "input_fields", list_of({"x": NUMBER})) == [{"x": 5}]


def test_items_that_an_enum_of_labels_does_not_permit_are_left_out() -> None:
    schema = list_of({"label": {"enum": ["person", "dog"]}, "confidence": NUMBER})
    assert filled("object_detection", "objects", schema) == [{"label": "person", "confidence": 0.8}]


@each_case(
    ("task", "name", "schema"),
    [
        ("object_detection", "items", list_of({"description": STRING, "amount": NUMBER})),
        ("object_detection", "objects", list_of({"label": STRING, "bbox": NUMBERS, "price": NUMBER})),
        ("ocr", "address_lines", TEXTS),
        ("ocr", "lines", list_of({"description": STRING, "quantity": NUMBER, "amount": NUMBER})),
        ("ocr", "line_items", list_of({"text": STRING, "confidence": NUMBER})),
        ("ocr", "signatures", list_of({"text": STRING, "bbox": NUMBERS})),
        ("speech_to_text", "questions", list_of({"text": STRING, "start": NUMBER})),
        ("web_search", "prices", TEXTS),
    ],
)
def test_a_list_of_other_things_is_not_filled(task: str, name: str, schema: Any) -> None:
    assert filled(task, name, schema) is None


@pytest.mark.parametrize("reads_out", [True, False])
def test_a_list_by_any_name_is_filled_if_the_text_is_read_out(reads_out: bool) -> None:
    schema = list_of({"text": STRING, "from": NUMBER})
    found = filled("speech_to_text", "pieces", schema, reads_out=reads_out)
    assert (found is not None) == reads_out
