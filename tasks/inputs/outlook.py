"""Converts Outlook's e-mails ([MS-OXMSG]) to the form of RFC 5322, in which all e-mails are read."""

import io
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.parser import HeaderParser
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from olefile import DEFECT_INCORRECT, OleFileIO

from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.source import Blob
from tasks.inputs.text import charset

# Properties by their numbers ([MS-OXPROPS]); each has a name, and its addresses or other choices, the best first.
_SENDER, _RECIPIENT, _RECIPIENT_TYPE = (0x0C1A, 0x5D01, 0x0C1F), (0x3001, 0x39FE, 0x3003), 0x0C15
_SENT_HEADERS, _SUBJECT, _DATES, _BODY, _HTML = 0x007D, 0x0037, (0x0039, 0x0E06), 0x1000, 0x1013
_DATA, _FILENAMES, _MIME_TYPE, _CONTENT_ID = 0x3701, (0x3707, 0x3704, 0x3001), 0x370E, 0x3712
_CODEPAGES = 0x3FDE, 0x3FFD
_UNICODE, _TEXT, _BINARY, _STORAGE = "001F", "001E", "0102", "000D"
_PROPERTIES = "__PROPERTIES_VERSION1.0"
_MESSAGE, _ATTACHED_MESSAGE, _PART = 32, 24, 8
"""Bytes before the fixed properties of a message, an attached message, and a recipient or an attachment (2.4)."""
_ISO_8859 = 28_590
"""Number before those of the code pages that are the parts of ISO 8859."""
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DEEPEST = 10
"""Attached e-mails are converted to at most this depth."""
_MAX_ENTRIES = 5_000
"""A storage has at most this many entries, of which each is searched for among all."""


def eml_of(blob: Blob, limits: MediaLimits) -> bytes:
    """Return the e-mail with its bodies and attachments in the form of RFC 5322, with UTF-8 in its headers.

    Raises InputTooLarge for streams of more than `limits.office_bytes` bytes together, which may share their bytes in
    the file, and exceptions of many types for a damaged file.
    """
    left = limits.office_bytes

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise blob.too_large(f"unpacks to more than {megabytes(limits.office_bytes)}, the limit.")

    # The library takes short bytes for the name of a file, so that it is given none.
    with OleFileIO(io.BytesIO(blob.data), raise_defects=DEFECT_INCORRECT) as ole:
        return _eml(_Storage(ole, ole.root, (), spend, _MESSAGE), 0)


class _Storage:
    """A message, a recipient or an attachment, with its properties."""

    def __init__(
        self, ole: OleFileIO, entry: Any, path: tuple[str, ...], spend: Callable[[int], None], header: int
    ) -> None:
        self._ole, self._path, self._spend = ole, path, spend
        if len(entry.kids) > _MAX_ENTRIES:
            raise ValueError("a storage has fewer entries")
        self._entries = {kid.name.upper(): kid for kid in entry.kids}
        fixed = self._stream(_PROPERTIES)[header:]
        self._fixed = {tag >> 16: value for tag, value in struct.iter_unpack("<I4x8s", fixed[: len(fixed) // 16 * 16])}
        codepage = next(filter(None, map(self.number, _CODEPAGES)), 0)
        self.label = f"iso-8859-{codepage - _ISO_8859}" if 0 < codepage - _ISO_8859 < 20 else f"cp{codepage}"

    def number(self, pid: int) -> int:
        return int.from_bytes(self._fixed.get(pid, b"")[:4], "little")

    def date(self, pid: int) -> str:
        ticks = int.from_bytes(self._fixed.get(pid, b""), "little")  # of 100 ns
        return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10)) if 0 < ticks < 1 << 61 else ""

    def binary(self, pid: int, kind: str = _BINARY) -> bytes:
        return self._stream(f"__SUBSTG1.0_{pid:04X}{kind}")

    def text(self, pid: int) -> str:
        text = self.binary(pid, _UNICODE).decode("utf-16-le", "replace")
        return (text or charset.decode(self.binary(pid, _TEXT).rstrip(b"\0"), self.label) or "").rstrip("\0")

    def line(self, *pids: int) -> str:
        return next(filter(None, (" ".join(self.text(pid).split()) for pid in pids)), "")

    def storages(self, prefix: str, header: int = _PART) -> Iterator["_Storage"]:
        for name, entry in sorted(self._entries.items()):
            if name.startswith(prefix):
                yield _Storage(self._ole, entry, (*self._path, entry.name), self._spend, header)

    def attached_message(self) -> "_Storage | None":
        found = self.storages(f"__SUBSTG1.0_{_DATA:04X}{_STORAGE}", _ATTACHED_MESSAGE)
        return next(found, None) if len(self._path) < 2 * _DEEPEST else None

    def _stream(self, name: str) -> bytes:
        entry = self._entries.get(name)
        if entry is None or not entry.size:
            return b""
        self._spend(entry.size)
        content: bytes = self._ole.openstream([*self._path, entry.name]).read()
        return content


def _eml(message: _Storage, level: int) -> bytes:
    """Return a message as a multipart of its bodies and attachments. All but attached messages are in base64, so that
    a boundary needs to differ only from those of other levels. The headers with which it was sent count first."""
    sent = HeaderParser().parsestr(message.text(_SENT_HEADERS))
    people = [(one.number(_RECIPIENT_TYPE), _person(one, _RECIPIENT)) for one in message.storages("__RECIP_")]
    headers = {
        "From": _person(message, _SENDER),
        "To": ", ".join(person for kind, person in people if kind == 1),
        "Cc": ", ".join(person for kind, person in people if kind == 2),
        "Reply-To": "",
        "Date": next(filter(None, map(message.date, _DATES)), ""),
        "Subject": message.line(_SUBJECT),
    }
    lines = (f"{name}: {' '.join((sent.get(name) or value).split())}\r\n" for name, value in headers.items())
    bodies = [
        ("text/plain; charset=utf-8", message.text(_BODY).replace("\r\n", "\n").encode(errors="replace")),
        (f"text/html; charset={message.label}", message.binary(_HTML)),
        ("text/html; charset=utf-8", message.text(_HTML).encode(errors="replace")),
    ]
    parts = [_multipart("alternative", f"=_{level}a", [_part(kind, body) for kind, body in bodies if body])]
    parts += [_attachment(one, level) for one in message.storages("__ATTACH_")]
    return "".join(lines).encode(errors="replace") + _multipart("mixed", f"=_{level}m", parts)


def _person(storage: _Storage, pids: tuple[int, ...]) -> str:
    name, *addresses = map(storage.line, pids)
    address = next((one for one in addresses if "@" in one), "")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if address and name != address else name


def _attachment(storage: _Storage, level: int) -> bytes:
    filename, content_id = quote(storage.line(*_FILENAMES), errors="replace"), quote(storage.line(_CONTENT_ID), "<>@!$")
    head = f"Content-Disposition: {'inline' if content_id else 'attachment'}; filename*=utf-8''{filename}\r\n"
    if (message := storage.attached_message()) is not None:
        return f"Content-Type: message/rfc822\r\n{head}\r\n".encode() + _eml(message, level + 1)
    kind = storage.line(_MIME_TYPE).encode("ascii", "replace").decode() or "application/octet-stream"
    return _part(kind, storage.binary(_DATA), f"{head}Content-ID: {content_id}\r\n" if content_id else head)


def _part(kind: str, data: bytes, head: str = "") -> bytes:
    return f"Content-Type: {kind}\r\n{head}Content-Transfer-Encoding: base64\r\n\r\n".encode() + b64encode(data)


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    inner = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
        + inner
        + f"--{boundary}--\r\n".encode()
    )
