"""Parsers for the JSON documents in an LLM server's answer, which is a stream of server-sent events or one whole body.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. An LLM's stream
needs only the `data` fields: comments, `event`, `id` and `retry` are skipped.
"""

from typing import Protocol

LONGEST_EVENT = 1024 * 1024
"""The data of one event has at most this many bytes, and so has a line that has not ended yet. An LLM's event usually
has a few hundred bytes."""
LONGEST_BODY = 64 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BodyParser(Protocol):
    """Parses an answer's body, which may come in pieces of any size, into the JSON documents in it."""

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the documents that this piece completes. Raises EventTooLong."""

    def close(self) -> list[bytes]:
        """Return the documents that the end of the body completes. Raises EventTooLong."""


class EventTooLong(Exception):
    """Raised if a line, an event or a body is larger than its bound."""


class EventStreamParser:
    """Parses server-sent events. Lines end with LF, CRLF or CR; an event ends with an empty line, or with the body.
    Events without data are left out. Raises EventTooLong. The time is linear in the number of bytes, regardless of the
    size of the pieces."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """Pieces of the last line, whose end has not arrived yet."""
        self._rest_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._is_first_line = True

    def feed(self, piece: bytes) -> list[bytes]:
        ends = piece.endswith(b"\n")
        if not ends and b"\n" not in piece and b"\r" not in piece and not self._ends_with_cr:
            self._keep(piece)
            return []
        lines = b"".join([*self._rest, piece]).splitlines(keepends=True)
        self._rest, self._rest_size = [], 0
        # A CR may be the first half of a CRLF whose other half comes in the next piece.
        if lines and not lines[-1].endswith(b"\n"):
            self._keep(lines.pop())
        return self._events(lines)

    def close(self) -> list[bytes]:
        last, self._rest = b"".join(self._rest), []
        return self._events([last, b""])

    @property
    def _ends_with_cr(self) -> bool:
        return bool(self._rest) and self._rest[-1].endswith(b"\r")

    def _keep(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._rest_size += len(rest)
        if self._rest_size > LONGEST_EVENT:
            raise EventTooLong

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if self._is_first_line:
                self._is_first_line, line = False, line.removeprefix(_BYTE_ORDER_MARK)
            if line.startswith(b"data:"):
                if data := line[5:].strip():
                    self._data.append(data)
                    self._data_size += len(data)
                    if self._data_size > LONGEST_EVENT:
                        raise EventTooLong
            elif self._data and not line.strip():
                events.append(b"\n".join(self._data))
                self._data.clear()
                self._data_size = 0
        return events


class WholeBody:
    """Parses a body that is one JSON document, from a server that does not stream."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > LONGEST_BODY:
            raise EventTooLong
        return []

    def close(self) -> list[bytes]:
        return [b"".join(self._pieces).removeprefix(_BYTE_ORDER_MARK)]
