"""Inflates archives and checks their XML within bounds that do not depend on what headers claim.

Checked XML is safe for any parser: it has no entities and a bounded text. The libraries that read office files use
minidom, lxml and ElementTree, which differ in the entities that they resolve. Therefore, expat checks everything first.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from xml.parsers import expat

from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import IMAGES, sniff
from tasks.inputs.source import Blob

_CHARS = "characters"
_MEMBERS = 10_000
_ENCRYPTED = 1
"""Bit of a member's flags for encryption (APPNOTE.TXT 4.4.4)."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The compression methods permitted in office files (ISO 29500-2, annex C), which are the only ones that zipfile
inflates in pieces."""
_HEAD = 64
"""Number of bytes at the beginning of a member by which XML and pictures are recognised."""
MALFORMED = b"<malformed/>"
"""Stands for a part of a file whose XML cannot be parsed, so that libraries read the others."""
_XML_MARKS = (b"\xff\xfe", b"\xfe\xff")
_STRICT = re.compile(rb"""(=\s*["'])http://purl\.oclc\.org/ooxml/(\w+)/""")
_TRANSITIONAL = rb"\1http://schemas.openxmlformats.org/\2/2006/"
"""Names of the strict and the transitional form (ISO 29500-1, annex A; 29500-4). The libraries know the latter."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
"""Exceptions that zipfile raises for bytes that are not an archive."""


class XmlRefused(ValueError):
    """Raised for XML that must not reach a parser. The message is a predicate of the file: "declares XML entities"."""


class XmlMalformed(XmlRefused):
    """Raised for XML that no parser reads."""


class XmlTooLarge(XmlRefused):
    """Raised if the XML contains more than the budget allows."""


class XmlBudget:
    """Number of characters that all parts of one file may have together."""

    def __init__(self, chars: int) -> None:
        self._limit = self._left = chars

    def spend(self, count: int) -> None:
        """Count `count` characters. Raises XmlTooLarge above the limit."""
        self._left -= count
        if self._left < 0:
            raise XmlTooLarge(f"has more than {self._limit} {_CHARS}: split it into several files")


def check_xml(data: bytes, budget: XmlBudget) -> None:
    """Check a part of a file, whose text counts against the budget. Raises XmlRefused."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.CharacterDataHandler = lambda text: budget.spend(len(text))
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        if not is_fault_of_file(error):
            raise
        raise XmlMalformed("is damaged: its XML is malformed") from error


def _refuse_doctype(*_: object) -> None:
    raise XmlRefused("has XML with a document type, which no office file needs")


def inflated(blob: Blob, limits: MediaLimits) -> dict[str, bytes]:
    """Return the members of an office file: checked XML parts and readable pictures, recognised by their first bytes.
    Other members (fonts, macros, films, archives) are not inflated and become empty. Of other pictures, only the
    beginning is kept, which identifies the kind. Parts whose XML is malformed become MALFORMED. The names of the strict
    form (ISO 29500-1) become those of the transitional form.

    Raises InputError for a damaged file, `encrypted_document` and unsafe XML, and InputTooLarge for too much content.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(blob.data)) as archive:
            return dict(_inflate_members(archive, blob, limits))
    except XmlTooLarge as error:
        raise blob.too_large(f"{error}.") from error
    except XmlRefused as error:
        raise blob.error(f"{error}.") from error
    except _DAMAGED as error:
        if not is_fault_of_file(error):
            raise
        raise blob.error("is damaged or incomplete: its archive cannot be read.") from error


def packed(members: Mapping[str, bytes]) -> io.BytesIO:
    """Build an uncompressed archive of `members`, with correct headers, for a library to read."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    file.seek(0)
    return file


def _inflate_members(archive: zipfile.ZipFile, blob: Blob, limits: MediaLimits) -> Iterator[tuple[str, bytes]]:
    names = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if len(names) > _MEMBERS:
        raise blob.too_large(f"holds {len(names)} files; the limit is {_MEMBERS}.")
    budget = XmlBudget(limits.text_chars)
    left = limits.office_bytes
    for name, info in names.items():
        try:
            data = _inflate_member(archive, info, blob, budget, left)
        except XmlMalformed:
            data = MALFORMED
        if data is None:
            raise blob.too_large(f"unpacks to more than {megabytes(limits.office_bytes)}, the limit.")
        left -= len(data)
        yield name, data


def _inflate_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, blob: Blob, budget: XmlBudget, limit: int
) -> bytes | None:
    """Return the content of a member, or None if it is larger than `limit` bytes."""
    if info.flag_bits & _ENCRYPTED:
        raise encrypted(blob)
    if info.compress_type not in _PACKINGS:
        return b""
    with archive.open(info) as file:
        head = file.read(_HEAD)
        is_part = _is_xml(head)
        if not is_part and (kind := sniff(head)) not in IMAGES:
            return head if kind and kind.startswith("image/") else b""
        data = head + file.read(limit)
    if len(data) > limit:
        return None
    if is_part:
        check_xml(data, budget)
        data = _STRICT.sub(_TRANSITIONAL, data)
    return data


def _is_xml(head: bytes) -> bool:
    """True if a member that begins with these bytes is read as XML."""
    return head.startswith(_XML_MARKS) or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def encrypted(blob: Blob) -> InputError:
    return blob.error("is protected with a password: send it without one.", code="encrypted_document")
