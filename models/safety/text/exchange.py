"""What one call of a guard model judges: a window of a text, with the question that it answers."""

from dataclasses import dataclass

WINDOW = 8192
"""Bytes of UTF-8 of a text that are judged together. No tokenizer of these models makes more tokens of a text than it
has bytes, so this many tokens beside the model's own instructions always suffice; of English it makes a quarter."""

OVERLAP = 1024
"""Bytes that neighbouring windows share: what is shorter stands whole in one of them."""

QUESTION = 2048
"""Bytes of a question beside an answer that is judged: its beginning and its end."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one call of a guard model judges."""

    text: str
    answers: str | None = None
    """What the user had asked, where `text` is an assistant's answer to it."""


def exchanges_of(text: str, answers: str | None) -> list[Exchange]:
    """All of `text`, each window with what it answers; none where there is nothing to read."""
    if not text or text.isspace():
        return []
    question = None if answers is None else _shortened(answers)
    return [Exchange(window, question) for window in windows_of(text)]


def windows_of(text: str) -> list[str]:
    data = _encoded(text)
    if len(data) <= WINDOW:
        return [text]
    windows, start = [], 0
    while start + WINDOW < len(data):
        stop = _character(data, start + WINDOW)
        windows.append(data[start:stop].decode())
        start = _character(data, stop - OVERLAP)
    return [*windows, data[start:].decode()]


def _shortened(question: str) -> str:
    data = _encoded(question)
    if len(data) <= QUESTION:
        return question
    begins, ends = _character(data, QUESTION // 2), _character(data, len(data) - QUESTION // 2)
    return f"{data[:begins].decode()} … {data[ends:].decode()}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _character(data: bytes, place: int) -> int:
    """Where the character begins that the byte at `place` belongs to."""
    while data[place] & 0xC0 == 0x80:
        place -= 1
    return place
