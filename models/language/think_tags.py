"""Splits an answer into reasoning and text at its `<think>` tags."""

from typing import Literal

from models.language.llm import ReasoningDelta, TextDelta

OPEN, CLOSE = "<think>", "</think>"
_MOST_HELD = 100
"""At most this many pieces are held back at the beginning of an answer. After more white space, a tag is text."""
_QUOTES = ("`", "'", '"', "“", "‘", "«")

Pieces = list[TextDelta | ReasoningDelta]


class ThinkTags:
    """Splits the pieces of an answer into reasoning and text, wherever the cuts between the pieces are.

    Only an opening tag at the beginning of the answer counts. Later ones belong to a text about tags. A closing tag may
    come without an opening one, because the templates of some models put that into the prompt.
    """

    def __init__(self, *, holds: bool = False) -> None:
        """Create a splitter. If `holds`, an answer without an opening tag is held back until its closing tag, or until
        its end, because its beginning may be reasoning."""
        self._holds = holds
        self._state: Literal["start", "reasoning", "text"] = "start"
        self._held: list[TextDelta] = []
        """Pieces that are held back because they may become an opening tag, or because they may be reasoning."""
        self._start = ""
        """First characters of the answer, from the first one that is not white space."""
        self._tail = ""
        """End of what was read, in which a tag may have begun."""
        self._at_margin = False
        """True directly after a tag. White space there belongs to neither side."""
        self._may_be_unopened = True
        """True until a tag is found, or the server itself separates the reasoning."""
        self.lacks_opening_tag = False
        """True if a closing tag without an opening tag was found, whether or not the text before it was held back."""

    def feed(self, piece: TextDelta) -> Pieces:
        if self._state == "reasoning":
            return self._reason(piece.text)
        if self._state == "start":
            return self._begin(piece)
        if self._at_margin:
            piece = TextDelta(piece.text.lstrip(), piece.logprobs)
            self._at_margin = not piece.text
        self._notice_end(piece.text)
        return [piece] if piece.text or piece.logprobs else []

    def close(self) -> Pieces:
        """Return the pieces that were still held back when the answer ended."""
        if self._state == "reasoning":
            return [ReasoningDelta(self._tail)] if self._tail else []
        return self._release()

    def skip(self) -> Pieces:
        """Treat everything from here on as text, because the server itself separates the reasoning. Return the pieces
        that were held back as possible reasoning."""
        held = self._release() if self._state == "start" else []
        self._state, self._may_be_unopened = "text", False
        return [piece for piece in held if piece.text.strip()]

    def _begin(self, piece: TextDelta) -> Pieces:
        self._held.append(piece)
        self._notice_end(piece.text)
        may_be_tag = False
        if len(self._start) < len(CLOSE):
            self._start = (self._start + piece.text).lstrip()
            if self._start.startswith(OPEN):
                text = "".join(one.text for one in self._held).lstrip().removeprefix(OPEN)
                self._state, self._held, self._tail = "reasoning", [], ""
                self._at_margin, self._may_be_unopened, self.lacks_opening_tag = True, False, False
                return self._reason(text)
            may_be_tag = OPEN.startswith(self._start) or CLOSE.startswith(self._start)
        if self.lacks_opening_tag:
            reasoning, _, text = "".join(one.text for one in self._held).partition(CLOSE)
            self._state, self._held, self._at_margin = "text", [], True
            return [*([ReasoningDelta(reasoning.lstrip())] if reasoning.strip() else []), *self.feed(TextDelta(text))]
        if (self._holds and self._may_be_unopened) or (may_be_tag and len(self._held) < _MOST_HELD):
            return []
        return self._release()

    def _release(self) -> Pieces:
        """Return the pieces that are held back as text, joined unless they have probabilities."""
        held, self._held, self._state = self._held, [], "text"
        if len(held) < 2 or any(piece.logprobs is not None for piece in held):
            return [*held]
        return [TextDelta("".join(piece.text for piece in held))]

    def _reason(self, piece: str) -> Pieces:
        reasoning, closed, text = (self._tail + piece).partition(CLOSE)
        self._tail = "" if closed else _beginning_of_close(reasoning)
        reasoning = reasoning.removesuffix(self._tail)
        if self._at_margin:
            reasoning = reasoning.lstrip()
            self._at_margin = not reasoning
        events: Pieces = [ReasoningDelta(reasoning)] if reasoning else []
        if closed:
            self._state, self._at_margin = "text", True
            events += self.feed(TextDelta(text))
        return events

    def _notice_end(self, text: str) -> None:
        """Notice the end of reasoning that began without a tag. A closing tag in quotes, or after an opening one,
        belongs to a text about tags."""
        if not self._may_be_unopened:
            return
        window = self._tail + text
        self._tail = window[-len(CLOSE) - 1 :]
        end = window.find(CLOSE)
        if end >= 0 or OPEN in window:
            self._may_be_unopened = False
            self.lacks_opening_tag = lacks_opening_tag(window)


def lacks_opening_tag(text: str) -> bool:
    """True if the first closing tag of `text` has no opening tag before it, and no quote."""
    before, closed, _ = text.partition(CLOSE)
    return bool(closed) and OPEN not in before and not before.endswith(_QUOTES)


def _beginning_of_close(text: str) -> str:
    """Return the longest suffix of `text` with which a closing tag could begin."""
    for length in range(min(len(text), len(CLOSE) - 1), 0, -1):
        if text.endswith(CLOSE[:length]):
            return CLOSE[:length]
    return ""
