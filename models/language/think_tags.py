"""Splits an answer into reasoning and text at its `<think>` tags."""

from typing import Any

from models.language.llm import ReasoningDelta, TextDelta

OPEN, CLOSE = "<think>", "</think>"
_MOST_HELD = 100
"""At most this many pieces are held back at the beginning of an answer. After more white space, a tag is text."""


class ThinkTags:
    """Splits the pieces of an answer into reasoning and text, wherever the cuts between the pieces are.

    Only a tag at the beginning of the answer counts. Later tags belong to a text about tags.
    """

    def __init__(self) -> None:
        self._held: list[TextDelta] = []
        """Pieces at the beginning of the answer that are held back because they may become an opening tag."""
        self._opening = True
        self._start = ""
        """Text of these pieces from the first one that is not white space."""
        self._thinking = False
        self._tail = ""
        """End of the reasoning so far, held back because it may become a closing tag."""
        self._at_margin = False
        """True directly after a tag. White space there belongs to neither side."""

    def feed(self, text: str, logprobs: Any = None) -> list[TextDelta | ReasoningDelta]:
        if self._opening:
            return self._open(TextDelta(text, logprobs))
        if self._thinking:
            return self._think(text)
        if self._at_margin:
            text = text.lstrip()
            self._at_margin = not text
        return [TextDelta(text, logprobs)] if text or logprobs else []

    def close(self) -> list[TextDelta | ReasoningDelta]:
        """Return the pieces that were still held back when the answer ended."""
        held, self._held = self._held, []
        tail, self._tail = self._tail, ""
        return [*held, *([ReasoningDelta(tail)] if tail else [])]

    def skip(self) -> None:
        """Treat everything from here on as text, because the server itself separates the reasoning."""
        self._opening = False

    def _open(self, piece: TextDelta) -> list[TextDelta | ReasoningDelta]:
        self._held.append(piece)
        start = self._start = (self._start + piece.text).lstrip()
        if OPEN.startswith(start) and len(self._held) < _MOST_HELD:
            return []
        self._opening = False
        if not start.startswith(OPEN):
            return self.close()
        self._held = []
        self._thinking = self._at_margin = True
        return self._think(start.removeprefix(OPEN))

    def _think(self, piece: str) -> list[TextDelta | ReasoningDelta]:
        reasoning, closed, text = (self._tail + piece).partition(CLOSE)
        self._tail = "" if closed else _beginning_of_close(reasoning)
        reasoning = reasoning.removesuffix(self._tail)
        if self._at_margin:
            reasoning = reasoning.lstrip()
            self._at_margin = not reasoning
        events: list[TextDelta | ReasoningDelta] = [ReasoningDelta(reasoning)] if reasoning else []
        if closed:
            self._thinking, self._at_margin = False, True
            events += self.feed(text)
        return events


def _beginning_of_close(text: str) -> str:
    """Return the longest suffix of `text` with which a closing tag could begin."""
    for length in range(min(len(text), len(CLOSE) - 1), 0, -1):
        if text.endswith(CLOSE[:length]):
            return CLOSE[:length]
    return ""
