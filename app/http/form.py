"""Parses a multipart/form-data body with one file, chunk by chunk."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any, cast

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from app.errors import BadRequest

_FIELDS = 32
_FIELD_BYTES = 4096
_NAME_CHARS = 255
HEADER_BYTES = 16 * 1024
"""The header of a part may have at most this many bytes. It contains the name of the file."""


class UploadForm:
    """Parser of a form with small fields and one file in the field `file`. `feed` returns the file's bytes and keeps
    none of them."""

    def __init__(self, content_type: str, needs: str = "purpose", long_fields: Mapping[str, int] | None = None) -> None:
        """Create a parser. `needs` names the field that is required in addition to the file. `long_fields` has the
        largest sizes, in bytes, of fields that may be longer than others. Raises BadRequest for a body that is not a
        form."""
        kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise BadRequest(f"The body must be multipart/form-data with the fields 'file' and '{needs}'.")
        self._long_fields = long_fields or {}
        self.values: dict[str, list[str]] = {}
        """Values of each field, in order. A field may occur several times."""
        self.filename: str | None = None
        """Name of the file as the client sent it, without folders. None until the file begins."""
        self._headers: dict[bytes, bytes] = {}
        self._header = (b"", b"")
        self._field: str | None = None
        """Name of the current field; None within the file."""
        self._value = b""
        self._file: list[bytes] = []
        self._ended = False
        with _malformed():
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._end,
                },
                max_header_size=HEADER_BYTES,
            )

    @property
    def fields(self) -> dict[str, str]:
        """Last value of each field."""
        return {name: values[-1] for name, values in self.values.items()}

    def feed(self, piece: bytes) -> bytes:
        """Parse a chunk of the body, and return its part of the file. Raises BadRequest."""
        with _malformed():
            self._parser.write(piece)
        data = b"".join(self._file)
        self._file.clear()
        return data

    def finish(self) -> None:
        """End the parsing. Raises BadRequest if the body is incomplete or contains no file."""
        if not self._ended:
            raise BadRequest("The multipart body ends before its last boundary.")
        if self.filename is None:
            raise BadRequest("Field 'file': Field required", param="file")

    def _part_begins(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name + data[start:end], value)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name, value + data[start:end])

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        name = self._named(disposition, b"name")
        if name != "file":
            if sum(map(len, self.values.values())) >= _FIELDS:
                raise BadRequest(f"The form has more than {_FIELDS} fields.")
            self._field, self._value = name, b""
        elif self.filename is not None:
            raise BadRequest("Send one file per upload: there is more than one field 'file'.", param="file")
        else:
            self._field = None
            self.filename = _plain_name(_encoded_name(disposition) or _decoded(self._named(disposition, b"filename")))

    @staticmethod
    def _named(disposition: bytes, option: bytes) -> str:
        return parse_options_header(disposition)[1].get(option, b"").decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.append(data[start:end])
            return
        self._value += data[start:end]
        most = self._long_fields.get(self._field, _FIELD_BYTES)
        if len(self._value) > most:
            name = self._field[:40]
            raise BadRequest(f"Field '{name}' is longer than {most} bytes.", param=name)

    def _part_ends(self) -> None:
        if self._field is not None:
            self.values.setdefault(self._field, []).append(self._value.decode("utf-8", "replace"))

    def _end(self) -> None:
        self._ended = True


@contextmanager
def _malformed() -> Iterator[None]:
    """Raise BadRequest for the parser's errors, because the client has caused them."""
    try:
        yield
    except FormParserError:
        raise BadRequest("The multipart body is malformed.") from None


def _encoded_name(disposition: bytes) -> str:
    """Return the name in `filename*` (RFC 5987), which some clients send alone or beside a plain one; "" without it."""
    header = Message()
    header["disposition"] = disposition.decode("latin-1") if b"*" in disposition else ""
    # The value of an encoded parameter is a tuple of its charset, its language and its text.
    parameters = cast("list[tuple[str, Any]]", header.get_params([], "disposition"))
    names = (value for name, value in parameters if name == "filename" and isinstance(value, tuple))
    return next(map(collapse_rfc2231_value, names), "")


def _decoded(filename: str) -> str:
    """Return a name without the encoding of mails (RFC 2047), which .NET uses in forms."""
    with suppress(HeaderParseError, LookupError, ValueError):
        return str(make_header(decode_header(filename)))
    return filename


def _plain_name(filename: str) -> str:
    """Return the name without folders and unprintable characters; `file` if only dots and spaces are left."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in name if sign.isprintable())[-_NAME_CHARS:]
    return plain if plain.strip(". ") else "file"
