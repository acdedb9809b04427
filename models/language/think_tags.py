"""Splits an answer into reasoning and text at its `<think>` tags."""

from typing import Any

from models.language.llm import ReasoningDelta, TextDelta

OPEN, CLOSE = "<think>", "</think>"
_MOST_HELD = 100
"""At most this many pieces are held back at the beginning of an answer. After more white space, a tag is text."""
_QUOTES = ("`", "'", '"', "“", "‘", "«")


def end_of_unopened_reasoning(text: str) -> int | None:
    """Return the place of the closing tag of reasoning without an opening tag; None if there is none.

    The templates of some models put the opening tag into the prompt. A tag in quotes, or after an opening tag, belongs
    to a text about tags.
    """
    end = text.find(CLOSE)
    return None if end < 0 or OPEN in text[:end] or text[:end].endswith(_QUOTES) else end


class ThinkTags:
    """Splits the pieces of an answer into reasoning and text, wherever the cuts between the pieces are.

    Only an opening tag at the beginning of the answer counts. Later ones belong to a text about tags.
    """

    def __init__(self, *, holds: bool = False) -> None:
        """Create a splitter. If `holds`, an answer without an opening tag is held back until its closing tag, or until
        its end, because its beginning may be reasoning."""
        self._held: list[TextDelta] = []
        """Pieces that are held back because they may become an opening tag, or because they may be reasoning."""
        self._opening = True
        self._holds = holds
        self._start = ""
        """Text of the pieces at the beginning of the answer, from the first one that is not white space."""
        self._thinking = False
        self._tail = ""
        """End of the reasoning or the text so far, in which a tag may have begun."""
        self._at_margin = False
        """True directly after a tag. White space there belongs to neither side."""
        self._has_opened = False
        """True if the text has an opening tag."""
        self.lacks_opening_tag = False
        """True if a closing tag without an opening tag was found, whether or not the text before it was held back."""

    def feed(self, text: str, logprobs: Any = None) -> list[TextDelta | ReasoningDelta]:
        if self._opening:
            return self._open(TextDelta(text, logprobs))
        if self._thinking:
            return self._think(text)
        if self._holds:
            return self._hold([TextDelta(text, logprobs)])
        if self._at_margin:
            text = text.lstrip()
            self._at_margin = not text
        self._look_for_end(text)
        return [TextDelta(text, logprobs)] if text or logprobs else []

    def close(self) -> list[TextDelta | ReasoningDelta]:
        """Return the pieces that were still held back when the answer ended."""
        held, self._held = self._held, []
        tail, self._tail = self._tail, ""
        return [*held, *([ReasoningDelta(tail)] if tail and self._thinking else [])]

    def skip(self) -> list[TextDelta | ReasoningDelta]:
        """Treat everything from here on as text, because the server itself separates the reasoning. Return the pieces
        that were held back as possible reasoning."""
        was_holding = self._holds
        self._opening = self._holds = False
        return self.close() if was_holding else []

    def _open(self, piece: TextDelta) -> list[TextDelta | ReasoningDelta]:
        self._held.append(piece)
        start = self._start = (self._start + piece.text).lstrip()
        if (OPEN.startswith(start) or CLOSE.startswith(start)) and len(self._held) < _MOST_HELD:
            return []
        self._opening = False
        if start.startswith(CLOSE):
            return self._end_unopened(start, 0)
        if not start.startswith(OPEN):
            held, self._held = self._held, []
            if self._holds:
                return self._hold(held)
            self._look_for_end(start)
            return [*held]
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
            self._thinking, self._holds, self._at_margin = False, False, True
            events += self.feed(text)
        return events

    def _hold(self, pieces: list[TextDelta]) -> list[TextDelta | ReasoningDelta]:
        self._held += pieces
        window = self._tail + "".join(piece.text for piece in pieces)
        self._tail = window[-len(CLOSE) :]
        if CLOSE not in window:
            return []
        text = "".join(piece.text for piece in self._held)
        if (end := end_of_unopened_reasoning(text)) is None:
            return self.skip()
        return self._end_unopened(text, end)

    def _end_unopened(self, text: str, end: int) -> list[TextDelta | ReasoningDelta]:
        self.lacks_opening_tag = True
        self._held, self._tail = [], ""
        self._holds, self._at_margin = False, True
        reasoning = text[:end].lstrip()
        return [*([ReasoningDelta(reasoning)] if reasoning else []), *self.feed(text[end + len(CLOSE) :])]

    def _look_for_end(self, text: str) -> None:
        """Notice the end of reasoning that has passed as text."""
        window = self._tail + text
        self._has_opened = self._has_opened or OPEN in window
        if not self._has_opened and end_of_unopened_reasoning(window) is not None:
            self.lacks_opening_tag = True
        self._tail = window[-len(CLOSE) :]


def _beginning_of_close(text: str) -> str:
    """Return the longest suffix of `text` with which a closing tag could begin."""
    for length in range(min(len(text), len(CLOSE) - 1), 0, -1):
        if text.endswith(CLOSE[:length]):
            return CLOSE[:length]
    return ""
