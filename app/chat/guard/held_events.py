"""Holds back the events of an answer until a guard has judged them, and decides which part is ready to be judged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.chat.guard.guarded_texts import text_of_json
from app.chat.guard.redaction import Redaction
from app.events import Event, ReasoningChunk, TextChunk, ToolCallChunk

_TAIL = 600
"""The next sentences of an answer are judged together with this many characters before them, because the two may be
unsafe only together."""
_LONGEST_PIECE = 1200
"""Held events with more characters than this are judged even without the end of a sentence, so that the client does not
wait for long."""
_GROWTH = 8
"""After a search that found nothing to show, the held text must grow by one part in this many before the next search,
so that all searches together take time in proportion to the text."""
_SENTENCE_END = re.compile(r"""[.!?…][\])}"'”’»]*\s|[。！？।؟][」』”]?|\n""")


@dataclass(frozen=True, slots=True)
class HeldPart:
    """Next part of an answer, with the texts by which it is judged."""

    events: Sequence[Event]
    """Events to be shown next, in order."""
    judged: Sequence[tuple[str, str]]
    """Texts by which the events are judged. Each text begins with up to _TAIL characters that were shown earlier. If
    the events end within a sentence, the text goes on to the end of that sentence, with words that are not shown
    yet."""


class HeldEvents:
    """Events that wait for a verdict, in order, and the end of the text that has been shown.

    `in_json` means that the answer's text is JSON.

    `add` and `is_due` are fast enough to be called for every chunk. `take_sentences` and `take_all` search all held
    events for personal data, and must run in a thread.
    """

    def __init__(self, *, in_json: bool, redaction: Redaction | None = None) -> None:
        self._redaction = redaction
        self._events: list[Event] = []
        self._tails = {TextChunk: "", ReasoningChunk: ""}
        self._in_json = in_json
        self._text = ""
        """Text of the held events, in which the end of a sentence is searched for. Nothing is added once it is longer
        than _LONGEST_PIECE."""
        self._size = 0
        """Number of characters of all held texts."""
        self._has_words = False
        """False if the held texts are only white space."""
        self._next_search_at = 0
        """The next search is due once the held texts have at least this many characters."""
        self._calls_tools = False

    def add(self, event: Event) -> None:
        self._events.append(event)
        self._calls_tools |= isinstance(event, ToolCallChunk)
        if isinstance(event, TextChunk | ReasoningChunk):
            self._size += len(event.text)
            self._has_words = self._has_words or bool(event.text.strip())
            if len(self._text) <= _LONGEST_PIECE:
                self._text += event.text

    @property
    def is_due(self) -> bool:
        """True if `take_sentences` may return something.

        This check saves most searches, because most chunks of an answer do not end a sentence. After the first chunk of
        a tool call, everything waits for the end of the answer, because the call's arguments come in many chunks.
        """
        if self._calls_tools or not self._has_words or self._size < self._next_search_at:
            return False
        return len(self._text) > _LONGEST_PIECE or _SENTENCE_END.search(self._text) is not None

    def take_all(self) -> HeldPart:
        """Return all held events."""
        return self._part(len(self._events))

    def take_sentences(self) -> HeldPart | None:
        """Return the held events up to the end of the last whole sentence, or all of them if their text is longer than
        _LONGEST_PIECE.

        Return None if there is no such end yet, or only white space before it.
        """
        text = "".join(event.text for event in self._events if isinstance(event, TextChunk | ReasoningChunk))
        ends = (match.end() for match in _SENTENCE_END.finditer(text))
        end = len(text) if len(text) > _LONGEST_PIECE else max(ends, default=0)
        ready = length = 0
        for index, event in enumerate(self._events):
            if isinstance(event, TextChunk | ReasoningChunk):
                if length + len(event.text) > end:
                    break
                length += len(event.text)
                ready = index + 1
        if self._redaction:
            ready = self._redaction.whole_size(self._events, ready)
            length = sum(len(one.text) for one in self._events[:ready] if isinstance(one, TextChunk | ReasoningChunk))
        if not text[:length].strip():
            self._next_search_at = self._size + self._size // _GROWTH
            return None
        return self._part(ready, text[length:end])

    def _part(self, size: int, ahead: str = "") -> HeldPart:
        """Return the first `size` events as a part. `ahead` is the part of the following text that completes the last
        sentence."""
        events, self._events = self._events[:size], self._events[size:]
        self._text = "".join(event.text for event in self._events if isinstance(event, TextChunk | ReasoningChunk))
        self._size, self._next_search_at = len(self._text), 0
        self._has_words = bool(self._text.strip())
        if self._redaction:
            events, ahead = self._redaction.of_events(events), self._redaction.redact_ahead(ahead)
        following = next((event for event in self._events if isinstance(event, TextChunk | ReasoningChunk)), None)
        texts = []
        for kind, source in ((TextChunk, "answer"), (ReasoningChunk, "reasoning")):
            new = "".join(event.text for event in events if isinstance(event, kind))
            if new:
                self._tails[kind] += new
                text = self._tails[kind] + (ahead if isinstance(following, kind) else "")
                texts.append((source, text_of_json(text) if self._in_json and kind is TextChunk else text))
                self._tails[kind] = self._tails[kind][-_TAIL:]
        calls: dict[int, list[str]] = {}
        for event in events:
            if isinstance(event, ToolCallChunk):
                calls.setdefault(event.index, [f"{event.name} "]).append(event.arguments)
        judged_calls = (text_of_json("".join(pieces)) for pieces in calls.values())
        return HeldPart(events, [*texts, *(("tool_calls", call) for call in judged_calls)])
