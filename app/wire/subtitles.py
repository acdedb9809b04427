"""Phrases with their times as subtitle files: SubRip and WebVTT."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Cue:
    start: float
    """Seconds."""
    end: float
    text: str
    speaker: str | None = None


def srt(cues: Iterable[Cue]) -> str:
    """SubRip: numbered cues, a comma before the milliseconds. A speaker stands before the words."""
    blocks = (
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_said(cue)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def vtt(cues: Iterable[Cue]) -> str:
    """WebVTT (W3C, 2019): `&`, `<` and `>` are escaped, so that no text can end a cue; a speaker is its voice."""
    blocks = (f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_voiced(cue)}\n" for cue in cues)
    return "\n".join(["WEBVTT\n", *blocks])


def _said(cue: Cue) -> str:
    text = _one_line(cue.text)
    return f"[{cue.speaker}] {text}" if cue.speaker else text


def _voiced(cue: Cue) -> str:
    text = escape(_one_line(cue.text), quote=False)
    return f"<v {escape(cue.speaker)}>{text}" if cue.speaker else text


def _one_line(text: str) -> str:
    """An empty line would end the cue."""
    return " ".join(text.split())


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{milliseconds:03}"
