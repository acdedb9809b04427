"""The input of one call of a guard model: a window of a text, with the question that it answers."""

from dataclasses import dataclass

WINDOW = 8192
"""One call judges at most this much of a text, in bytes of UTF-8. No tokenizer of these models makes more tokens than a
text has bytes, so a context of this many tokens, plus the tokens of the model's instructions, always suffices. English
text takes about a quarter of this number."""

OVERLAP = 1024
"""Neighbouring windows share at least this many bytes, so that every part of a text up to this length is complete in
one of them."""

QUESTION = 2048
"""The judged answer is shown together with about this many bytes of a longer question, half of them from the question's
beginning and half from its end."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The input of one call of a guard model."""

    text: str
    answers: str | None = None
    """The user's question if `text` is an assistant's answer to it, else None."""


def exchanges_of(text: str, answers: str | None) -> list[Exchange]:
    """Return the windows that cover all of `text`, each with the question that it answers; none if there is nothing to
    read."""
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
        stop = _character_start(data, start + WINDOW)
        windows.append(data[start:stop].decode())
        start = _character_start(data, stop - OVERLAP)
    return [*windows, data[start:].decode()]


def _shortened(question: str) -> str:
    data = _encoded(question)
    if len(data) <= QUESTION:
        return question
    begins, ends = _character_start(data, QUESTION // 2), _character_start(data, len(data) - QUESTION // 2)
    return f"{data[:begins].decode()} … {data[ends:].decode()}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _character_start(data: bytes, position: int) -> int:
    """Return the index of the first byte of the character that contains the byte at `position`."""
    while data[position] & 0xC0 == 0x80:
        position -= 1
    return position
