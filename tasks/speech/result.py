"""What the `speech_to_text` task gives: the wire contract's `{"text", "chunks", "language"}`."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from tasks.speech.phrases import Phrase
from tasks.speech.spacing import joined_text

_HUNDREDTH = 0.01


class Chunk(TypedDict):
    timestamp: tuple[float, float]
    """Start and end in seconds, at most two decimals; never overlapping the next chunk's."""
    text: str
    """Without white space around it."""
    speaker: NotRequired[str]
    """`SPEAKER_00` is who speaks first."""


class SpeechResult(TypedDict):
    text: str
    """The chunks' texts, joined by a space; by nothing in scripts that have none."""
    chunks: list[Chunk]
    language: str | None
    """ISO 639-1, of what is spoken; None where nobody speaks."""
    language_probability: NotRequired[float]
    """Two decimals; 1.0 where the request names the language, absent where nothing here can tell."""
    low_confidence: NotRequired[Literal[True]]
    """There where much of the text is likely to be wrong."""


def chunks_of(phrases: Sequence[Phrase], least_s: float = 0.0) -> list[Chunk]:
    """One of each phrase, in order; it lasts `least_s` where the next leaves it the time. Two overlap only where two
    channels speak at once."""
    chunks: list[Chunk] = []
    for index, phrase in enumerate(phrases):
        start, end = phrase.place
        end = max(end, round(start + _HUNDREDTH, 2))
        if end - start < least_s:
            room = phrases[index + 1].start if index + 1 < len(phrases) else start + least_s
            end = max(end, round(min(start + least_s, room), 2))
        chunk = Chunk(timestamp=(start, end), text=phrase.text)
        if phrase.speaker is not None:
            chunk["speaker"] = phrase.speaker
        chunks.append(chunk)
    return chunks


def speech_result(
    chunks: list[Chunk],
    language: str | None,
    language_probability: float | None = None,
    *,
    low_confidence: bool = False,
) -> SpeechResult:
    result = SpeechResult(text=joined_text(chunk["text"] for chunk in chunks), chunks=chunks, language=language)
    if language_probability is not None:
        result["language_probability"] = round(language_probability, 2)
    if low_confidence:
        result["low_confidence"] = True
    return result
