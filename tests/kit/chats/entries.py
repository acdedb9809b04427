"""Entries of `precontext`, made by hand."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from models.vision.text import TextLine, Word
from tasks.code_sandbox import CodeResult
from tasks.extraction.evidence import FieldEvidence
from tasks.forecast import ForecastResult
from tasks.guardrails import GuardResult
from tasks.gui_detection import GuiResult
from tasks.object_detection import DetectionResult
from tasks.ocr_result import OcrResult
from tasks.precontext import Entry
from tasks.result import Failure, JsonResult, Result
from tasks.scraper import ScraperResult
from tasks.speech_to_text import SpeechResult
from tasks.tracing.find_evidence import find_evidence
from tasks.translate import TranslateResult
from tasks.web_search import SearchResult

_KINDS: Mapping[str, type[Result]] = {
    "ocr": OcrResult,
    "stt": SpeechResult,
    "object_detection": DetectionResult,
    "gui_detection": GuiResult,
    "web_search": SearchResult,
    "scraper": ScraperResult,
    "translate": TranslateResult,
    "forecast": ForecastResult,
    "guardrails": GuardResult,
    "code_sandbox": CodeResult,
}


def result_of(name: str, data: Any) -> Result:
    """Return a result as the task called `name` in `precontext` returns it."""
    return _KINDS.get(name, JsonResult)(data)


def entry_of(name: str, data: Any) -> Entry:
    return Entry(name, result_of(name, data))


def failure_of(name: str, message: str) -> Entry:
    return Entry(name, Failure(message))


class Grounding(TypedDict):
    evidence: Mapping[str, FieldEvidence]
    unsupported: Sequence[str]


def ground(
    value: Any,
    precontext: Sequence[Entry],
    schema: Mapping[str, Any] | None = None,
    request: Entry | None = None,
) -> Grounding:
    """Return the result of `grounded`, at once and without a limit of size."""
    steps = find_evidence(value, precontext, schema, most_chars=sys.maxsize, request=request)
    found, _ = steps
    return {"evidence": found.fields, "unsupported": found.unsupported}


def text_line(text: str, left: float, top: float, height: float = 20) -> TextLine:
    """Return a line of a page's text as an engine reads it, with letters half as wide as the line is high."""
    words, at = [], left
    for word in text.split():
        end = at + len(word) * height / 2
        words.append(Word(word, ((at, top), (end, top), (end, top + height), (at, top + height)), 1.0))
        at = end + height / 2
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))
