"""Archives, inflated within bounds. What their headers claim is not believed."""

import io
import zipfile
from collections.abc import Iterator, Mapping

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import DOCX, IMAGES
from tasks.inputs.office.xml_bounds import XmlBudget, XmlCheck, XmlRefused, XmlTooLarge
from tasks.inputs.office.zip_names import DAMAGED, opened_archive
from tasks.inputs.sniff import sniff

_MEMBERS = 10_000
_RATIO = 200
"""How many times larger than packed a member may be. Sheets reach 50, deflate itself 1032."""
_RATIO_FROM = 1 << 20
"""Bytes below which the ratio says nothing."""
_NODES = {DOCX: 500_000}
_NODES_ELSE = 1_500_000
"""Measured: mammoth takes 20 µs and 0.7 KB for an element or attribute, the other libraries a tenth of the time."""
_ENCRYPTED = 1
"""Bit of a member's flags (APPNOTE.TXT 4.4.4)."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""All that office files may use (ISO 29500-2, annex C), and the only ones that zipfile inflates piece by piece."""
_PIECE = 1 << 18
_HEAD = 64
"""Bytes that tell XML and pictures from the rest."""
_XML_MARKS = (b"\xff\xfe", b"\xfe\xff")


def inflated(blob: Blob, limits: MediaLimits) -> dict[str, bytes]:
    """The members of an office file: XML parts, each checked, and pictures that can be read, by what they begin with.
    Anything else (fonts, macros, films, archives within) is not inflated, and stands there empty; of a picture of
    another kind the beginning is left, which tells that kind.

    Raises InputError: damaged, `encrypted_document`, XML that is not safe; InputTooLarge: it holds too much.
    """
    try:
        with opened_archive(blob.data) as archive:
            return dict(_members(archive, blob, limits))
    except XmlTooLarge as error:
        raise _too_large(blob, f"{error}.") from error
    except XmlRefused as error:
        raise blob.error(f"{error}.") from error
    except DAMAGED as error:
        raise blob.error("is damaged or incomplete: its archive cannot be read.") from error


def packed(members: Mapping[str, bytes]) -> io.BytesIO:
    """An archive of `members`, whose headers are true, for a library to read. Nothing in it is compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    file.seek(0)
    return file


def _members(archive: zipfile.ZipFile, blob: Blob, limits: MediaLimits) -> Iterator[tuple[str, bytes]]:
    names = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if len(names) > _MEMBERS:
        raise _too_large(blob, f"holds {len(names)} files; the limit is {_MEMBERS}.")
    budget = XmlBudget(chars=limits.text_chars, nodes=_NODES.get(blob.media_type, _NODES_ELSE))
    left = limits.office_bytes
    for name, info in names.items():
        data = _member(archive, info, blob, budget, left)
        if data is None:
            raise _too_large(
                blob, f"unpacks to more than {megabytes(limits.office_bytes)}, the limit (OPENFAZE_MAX_OFFICE_MB)."
            )
        left -= len(data)
        yield name, data


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, blob: Blob, budget: XmlBudget, limit: int) -> bytes | None:
    """None where there are more than `limit` bytes."""
    if info.flag_bits & _ENCRYPTED:
        raise encrypted(blob)
    if info.compress_type not in _PACKINGS:
        return b""
    with archive.open(info) as file:
        head = file.read(_HEAD)
        check = XmlCheck(budget) if _is_xml(head) else None
        if check is None and (kind := sniff(head)) not in IMAGES:
            return head if kind and kind.startswith("image/") else b""
        pieces, size, piece = [], 0, head
        while piece:
            size += len(piece)
            if size > limit:
                return None
            if size > _RATIO_FROM and size > _RATIO * max(info.compress_size, 1):
                raise _too_large(blob, f"unpacks to more than {_RATIO} times its size: it looks like a zip bomb.")
            if check:
                check.feed(piece)
            pieces.append(piece)
            piece = file.read(_PIECE)
        if check:
            check.feed(b"", end=True)
        return b"".join(pieces)


def _is_xml(head: bytes) -> bool:
    return head.startswith(_XML_MARKS) or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _too_large(blob: Blob, predicate: str) -> InputTooLarge:
    return InputTooLarge(f"'{blob.label}' {predicate}", param=blob.param)


def encrypted(blob: Blob) -> InputError:
    return blob.error("is protected with a password: send it without one.", code="encrypted_document")
