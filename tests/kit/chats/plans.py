"""Requests, and the exact steps that each must get.

A row contains the user's text, the attachments (names of MEDIA), and the steps, in any order, as `Plan.summary` writes
them. The rows of ROUTED state the wish in rare words. Nothing was ever changed for the rows of UNSEEN: their score is
the score that new requests may expect.
"""

import base64
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from app.chat.inputs import Turn, latest_turn
from app.chat.plan import Step
from app.chat.wish import Wish
from app.wire.request import ChatRequest
from tasks.catalog import SPECIALISTS
from tasks.inputs.kinds import kind_of
from tasks.inputs.source import Source


class Case(NamedTuple):
    text: str
    media: tuple[str, ...]
    steps: tuple[str, ...]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _file(filename: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": filename, "file_data": _base64(data)}}


_PNG = f"data:image/png;base64,{_base64(bytes.fromhex('89504e470d0a1a0a0000000d49484452'))}"
_SALES = "date,value\n" + "\n".join(f"2026-01-{day:02},{10 * day}" for day in range(1, 11))

MEDIA: dict[str, dict[str, Any]] = {
    "image": {"type": "image_url", "image_url": {"url": _PNG}},
    "image link": {"type": "image_url", "image_url": {"url": "https://cdn.example.com/assets/9f3a"}},
    "jpg": _file("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    "pdf": _file("report.pdf", b"%PDF-1.7\n"),
    "pdf link": {"type": "file_url", "file_url": "https://example.com/files/report.pdf"},
    "docx": _file("letter.docx", b"PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml"),
    "txt": _file("notes.txt", b"Hello there"),
    "md": _file("README.md", b"# Hello"),
    "html": _file("page.html", b"<!doctype html><p>Hello"),
    "json": _file("series.json", b'[{"date": "2026-01-01", "value": 3}]'),
    "xml": _file("feed.xml", b"<?xml version='1.0'?><a/>"),
    "csv": _file("sales.csv", _SALES.encode()),
    "tsv": _file("sales.tsv", _SALES.replace(",", "\t").encode()),
    "xlsx": _file("sales.xlsx", b"PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml"),
    "wav": {"type": "input_audio", "input_audio": {"data": _base64(b"RIFF\x24\x00\x00\x00WAVEfmt "), "format": "wav"}},
    "mp3": _file("call.mp3", b"ID3\x04\x00"),
    "audio link": {"type": "audio_url", "audio_url": {"url": "https://cdn.example.com/a/77"}},
    "mp4": _file("talk.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"),
    "video link": {"type": "video_url", "video_url": {"url": "https://example.com/talk.mp4"}},
}


def turn_of(case: Case) -> Turn:
    """Return the turn as the server reads it from the body of a request."""
    content = [{"type": "text", "text": case.text}] if case.text else []
    parts = [*content, *(MEDIA[name] for name in case.media)]
    body = {"model": "interfaze-beta", "messages": [{"role": "user", "content": parts}]}
    turn = latest_turn(ChatRequest.model_validate(body), 16)
    return replace(turn, wish=Wish.read(turn.text, [kind_of(source) for source in turn.sources]))


def step_of(task: str, *sources: Source, after: tuple[int, ...] = (), **options: Any) -> Step:
    """Return a step with these options of its task."""
    return Step(task, sources, SPECIALISTS[task].options(**options), after)


def share_right(outcomes: Iterable[tuple[object, object, object]]) -> float:
    """Return the share of outcomes that are as wanted, and print the others. An outcome is a request, what it got and
    what was wanted."""
    outcomes = list(outcomes)
    wrong = [one for one in outcomes if one[1] != one[2]]
    for request, got, wanted in wrong:
        print(f"{request!r}: wanted {wanted}, got {got}")
    print(f"{len(outcomes) - len(wrong)} of {len(outcomes)} right")
    return 1 - len(wrong) / len(outcomes)


def _cases(name: str) -> tuple[Case, ...]:
    return tuple(
        Case(text.replace("{sales}", _SALES), tuple(media.split(", ")) if media else (), tuple(steps.split()))
        for text, media, steps in _ROWS[name]
    )


_ROWS = tomllib.loads((Path(__file__).parents[2] / "data" / "plans.toml").read_text("utf-8"))
RULED, ROUTED, LATER, UNSEEN = map(_cases, ("ruled", "routed", "later", "unseen"))
