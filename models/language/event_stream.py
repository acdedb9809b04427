"""Server-sent events, read as the bytes come in.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, of which an LLM's
stream needs the `data` alone: comments, `event`, `id` and `retry` are skipped.
"""

from typing import Protocol


class BodyParser(Protocol):
    """Turns the body of an answer into the JSON documents in it, whatever pieces it comes in."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The documents that this piece completes."""

    def close(self) -> list[bytes]:
        """What the end of the body completes."""


class EventStream:
    """Lines end with LF, CRLF or CR; an event ends with an empty line, or with the body. Those without data
    are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        lines = (self._rest + piece).splitlines(keepends=True)
        # A CR may be the first half of a CRLF whose other half comes with the next piece.
        self._rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        return self._events(lines)

    def close(self) -> list[bytes]:
        last, self._rest = self._rest, b""
        return self._events([last, b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                if data := line[5:].strip():
                    self._data.append(data)
            elif self._data and not line.strip():
                events.append(b"\n".join(self._data))
                self._data.clear()
        return events


class WholeBody:
    """One JSON document, as a server sends it that does not stream."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        self._pieces.append(piece)
        return []

    def close(self) -> list[bytes]:
        return [b"".join(self._pieces)]
