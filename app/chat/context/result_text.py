"""Results as text for a language model: everything they say, without the pixels that it cannot use."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core

from app.wire.response import PrecontextEntry
from tasks.bounds import Bounds

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""Between the ends of lines that `str.splitlines` knows."""

GAP = "[…]"
"""Stands where something was left out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of a result; the least that is kept or left out."""

    text: str
    heading: str = ""
    """What it stands under: a page, a search result. Shown once before the pieces that share it."""


def pieces_of(entry: PrecontextEntry) -> Iterator[Piece]:
    """At least one; a kind of result that is not known here is compact JSON."""
    if entry.error is not None:
        yield Piece(f"failed: {entry.error}")
        return
    pieces = _pieces(entry.name, entry.result)
    first = next(pieces, Piece("nothing found"))
    yield first
    yield from pieces


def assembled(pieces: Sequence[Piece], kept: Iterable[int] | None = None) -> str:
    """The pieces with these indices, ascending (all by default), line by line, with gaps marked."""
    lines: list[str] = []
    heading, expected = "", 0
    for index in range(len(pieces)) if kept is None else kept:
        begins = pieces[index].heading != heading
        heading = pieces[index].heading
        goes_on = index > 0 and pieces[index - 1].heading == heading
        if begins and goes_on:
            lines.append(heading)
        if index != expected:
            lines.append(GAP)
        if begins and not goes_on:
            lines.append(heading)
        lines.append(pieces[index].text)
        expected = index + 1
    if expected < len(pieces):
        lines.append(GAP)
    return "\n".join(lines)


def unplaced_text(result: Mapping[str, Any]) -> str:
    """The part of an `ocr` result's text that has no lines: what came from text files, and Word's and the like."""
    text: str = result["extracted_text"]
    before = None
    kept: list[str] = []
    done = 0
    for section in result["sections"]:
        written: str = section["text"]
        # What a video shows unchanged over several frames is in the text once.
        if written and ("timestamp" not in section or written != before):
            # Sections are in the text in their order: each is looked for after the one before it.
            at = _whole_lines(text, written, done)
            if at >= 0:
                kept.append(text[done:at])
                done = at + len(written)
        before = written
    return "".join([*kept, text[done:]]).strip()


def _whole_lines(text: str, lines: str, start: int) -> int:
    """Where `lines` stand in `text` from `start` on, as whole lines: a picture that says "5" is no part of a document's
    "1500". −1 where they do not."""
    while (at := text.find(lines, start)) >= 0:
        end = at + len(lines)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            return at
        start = text.find("\n", at) + 1
        if not start:
            break
    return -1


def _pieces(name: str, result: Any) -> Iterator[Piece]:
    match name, result:
        case "ocr", {"sections": _, "extracted_text": _}:
            yield from _ocr(result)
        case "stt", {"chunks": [_, *_] as chunks}:
            yield from [Piece(_chunk(chunk)) for chunk in chunks]
        case "object_detection", {"detected_objects": list() as found}:
            yield from _objects(found)
        case "gui_detection", {"gui_elements": list() as elements}:
            yield from [Piece(_element(element)) for element in elements]
        case "web_search", list():
            for number, found in enumerate(result, 1):
                yield from _search_result(number, found)
        case "scraper", {"url": _}:
            yield from _web_page(result)
        case "translate", {"translated_text": str(text)}:
            languages = f"{result.get('source_language')} → {result.get('target_language')}"
            yield from (Piece(line, languages) for line in _lines(text))
        case "forecast", {"predictions": [_, *_] as predictions}:
            heading = " | ".join(predictions[0])
            yield from [Piece(" | ".join(map(str, row.values())), heading) for row in predictions]
        case "guardrails", {"safe": bool(safe), "codes": list() as codes}:
            yield Piece("safe" if safe else f"unsafe: {', '.join(codes)}")
        case "code_sandbox", {"code_script": str(script), "output": str(output)}:
            yield from (Piece(line, "code:") for line in _lines(script))
            yield from (Piece(line, "output:") for line in _lines(output))
        case _, {"text": str(text)} if len(result) == 1:
            yield from map(Piece, _lines(text))
        case _:
            yield Piece(pydantic_core.to_json(result).decode())


def _lines(text: str) -> Iterator[str]:
    """Those with something on them, one by one: all at once, megabytes of short lines hold up every thread."""
    return (line for found in _LINE.finditer(text) if (line := found[0].rstrip()))


def _ocr(result: Mapping[str, Any]) -> Iterator[Piece]:
    if unplaced_text(result):
        # Where the pictures of a text stand in it, only the whole tells.
        yield from map(Piece, _lines(result["extracted_text"]))
        return
    for section in result["sections"]:
        heading = f"[page {section['page']}]" if "page" in section else ""
        if "timestamp" in section:
            heading = f"[video at {section['timestamp']} s]"
        yield from [Piece(line["text"], heading) for line in section["lines"]]


def _chunk(chunk: Mapping[str, Any]) -> str:
    start, end = chunk["timestamp"]
    speaker = f" {chunk['speaker']}:" if "speaker" in chunk else ""
    return f"[{start}–{end}]{speaker} {chunk['text'].strip()}"


def _objects(found: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    """All of a label together: "how many" is the usual question."""
    by_label: dict[tuple[str, str], list[str]] = {}
    for item in found:
        page = f"[page {item['page']}]" if "page" in item else ""
        confidence = f" {item['confidence']}" if "confidence" in item else ""
        by_label.setdefault((page, item["label"]), []).append(_corners(item["bounds"]) + confidence)
    for (page, label), places in by_label.items():
        yield Piece(f"{label} ×{len(places)} at {', '.join(places)}", page)


def _element(element: Mapping[str, Any]) -> str:
    text = " " + json.dumps(element["text"], ensure_ascii=False) if element.get("text") else ""
    return f"{element['type']}{text} at {_corners(element['bounds'])}"


def _corners(bounds: Bounds) -> str:
    """Left, top, right, bottom."""
    corners = [bounds[name] for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return f"({min(xs)}, {min(ys)}, {max(xs)}, {max(ys)})"


def _search_result(number: int, found: Mapping[str, Any]) -> Iterator[Piece]:
    heading = f"{number}. {found.get('title') or ''} <{found.get('url') or ''}>"
    texts = [found.get("description"), found.get("content"), *(found.get("snippets") or ())]
    lines = dict.fromkeys(line for text in texts if text for line in _lines(text))
    yield from [Piece(line, heading) for line in lines] or [Piece("(no text)", heading)]


def _web_page(page: Mapping[str, Any]) -> Iterator[Piece]:
    heading = f"{page.get('title') or ''} <{page['url']}>".strip()
    texts = [page.get("description"), page.get("markdown") or page.get("text")]
    lines = [line for text in texts if text for line in _lines(text)]
    if "data" in page:
        lines.insert(0, "data: " + pydantic_core.to_json(page["data"]).decode())
    yield from [Piece(line, heading) for line in lines] or [Piece("(no text)", heading)]
