"""What bytes are, by what they begin with. What they are wins over what anybody calls them."""

import re
from collections.abc import Callable

from tasks.media import media_types

_PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    # With the byte that follows, a version or a block type: prose begins with "ID3 is" too.
    (b"OggS\x00", "audio/ogg"),
    (b"fLaC\x00", "audio/flac"),
    (b"fLaC\x80", "audio/flac"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x7fELF", "application/x-elf"),
    (b"{\\rtf", "application/rtf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS = {b"mif1", b"mif2", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_FTYP_BYTES = 1024
"""More than an `ftyp` box has, less than four letters are as a number."""
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_OFFICE = (
    (b"word/document.xml", "docx"),
    (b"ppt/presentation.xml", "pptx"),
    (b"xl/workbook.xml", "xlsx"),
)
_MARKUP_PROLOGUE = re.compile(rb"(?:\s+|<\?xml.*?\?>|<!--.*?-->|<!DOCTYPE\s+svg.*?>)*", re.DOTALL | re.IGNORECASE)


def sniff(data: bytes, *, text: bool = False) -> str | None:
    """The media type that the bytes themselves show, None when they show none (plain text does not).

    With `text`, they are said to be text, which may mention "%PDF-" without being one.
    """
    for prefix, media_type in _PREFIXES:
        if data.startswith(prefix):
            return media_type
    probes: tuple[Callable[[bytes], str | None], ...] = (
        _riff,
        _iso,
        _matroska,
        _bmp,
        _mpeg,
        _zip,
        _pdf if text else _pdf_behind_junk,
        _markup,
    )
    return next((found for probe in probes if (found := probe(data))), None)


def _riff(data: bytes) -> str | None:
    return _RIFF.get(data[8:12]) if data.startswith(b"RIFF") else None


def _iso(data: bytes) -> str | None:
    """ISO base media (ISO/IEC 14496-12): the brands of the `ftyp` box say which."""
    size = int.from_bytes(data[:4], "big")
    if data[4:8] != b"ftyp" or size > _FTYP_BYTES:
        return None
    major, compatible = data[8:12], {data[at : at + 4] for at in range(16, size, 4)}
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and compatible & _AVIF_BRANDS):
        return "image/avif"
    if major in _HEIC_BRANDS or (major in _HEIF_BRANDS and compatible & _HEIC_BRANDS):
        return "image/heic"
    if major in _HEIF_BRANDS:
        return "image/heif"
    if major in _AUDIO_BRANDS:
        return "audio/mp4"
    if major == b"qt  ":
        return "video/quicktime"
    return "video/3gpp" if major.startswith(b"3g") else "video/mp4"


def _matroska(data: bytes) -> str | None:
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "video/webm" if b"webm" in data[:64] else "video/x-matroska"


def _bmp(data: bytes) -> str | None:
    """Two letters are too little to go by: text may begin with BM, so the size of the header must fit too."""
    header = int.from_bytes(data[14:18], "little")
    return "image/bmp" if data.startswith(b"BM") and header in _BMP_HEADER_SIZES else None


def _mpeg(data: bytes) -> str | None:
    """The 11 sync bits of an MPEG audio or ADTS frame, then fields that have forbidden values.

    A UTF-16 byte order mark (FF FE) has the sync bits too, and is none.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0 or data[1] == 0xFE:
        return None
    if data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer, version, bitrate, rate = data[1] >> 1 & 3, data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    return "audio/mpeg" if layer in (1, 2) and version != 1 and bitrate != 15 and rate != 3 else None


def _zip(data: bytes) -> str | None:
    if not data.startswith(b"PK\x03\x04"):
        return None
    short = next((short for entry, short in _OFFICE if entry in data), None)
    return media_types.media_type_named(short) or "application/zip"


def _pdf(data: bytes) -> str | None:
    return media_types.PDF if data[:1024].lstrip().startswith(b"%PDF-") else None


def _pdf_behind_junk(data: bytes) -> str | None:
    """The header may stand anywhere in the first 1024 bytes (ISO 32000-1, annex H.3)."""
    return media_types.PDF if b"%PDF-" in data[:1024] else None


def _markup(data: bytes) -> str | None:
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    prologue = _MARKUP_PROLOGUE.match(head)
    body = head[prologue.end() if prologue else 0 :][:16].lower()
    if body.startswith(b"<svg"):
        return "image/svg+xml"
    if body.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "application/xml" if head.lstrip().startswith(b"<?xml") else None
