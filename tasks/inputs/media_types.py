"""Names media types, and recognises the type of a file by its first bytes. A type that the bytes show takes precedence
over every declared type."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from models.base import media_type_of

IMAGES = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/webp": ("WEBP",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF",),
}
"""Readable picture types, with the Pillow decoders that are allowed for each."""

DEMUXERS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "video/ogg": "ogg",
    "audio/mp4": "mov",
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/3gpp": "mov",
    "video/3gpp": "mov",
    "audio/webm": "matroska",
    "video/webm": "matroska",
    "audio/x-matroska": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
"""Readable audio and video types, with the FFmpeg demuxer that is allowed for each."""

VIDEOS = frozenset(name for name in DEMUXERS if name.startswith("video/"))
"""Types with a video track; they may have sound as well."""

PDF = "application/pdf"

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""Excel files, with macros or without, and templates."""

OLE = "application/x-ole-storage"
"""Office files from before 2007, and encrypted ones of any age."""

HTML = "text/html"

EMAIL = "message/rfc822"
MAILBOX = "application/mbox"
MSG = "application/vnd.ms-outlook"
"""E-mails that Outlook has saved."""

TEXTS = frozenset(
    {
        "text/plain",
        "text/csv",
        "text/tab-separated-values",
        "text/markdown",
        "text/html",
        "application/json",
        "application/xml",
        "application/yaml",
        EMAIL,
        MAILBOX,
    }
)
"""Types whose bytes are text, which may mention the signatures of other types."""

UNKNOWN = "application/octet-stream"

SUPPORTED = (
    "jpeg, png, webp, bmp, tiff, heic, heif, pdf, docx, pptx, xlsx, eml, mbox, msg, "
    "video (mp4, mov, webm, 3gp, avi, mkv), and text (plain, csv, tsv, markdown, html, json, xml, yaml)"
)
"""Readable types, for messages."""

SUPPORTED_SOUND = "wav, mp3, mp4, m4a, aac, ogg, opus, flac, webm, 3gp, mov, avi, mkv"
"""Readable types of recordings, for messages."""

_OTHER_NAMES = {
    "image/jpeg": "jpg jpeg jpe image/jpg image/pjpeg",
    "image/png": "png image/x-png",
    "image/webp": "webp",
    "image/bmp": "bmp image/x-ms-bmp",
    "image/tiff": "tif tiff",
    "image/heic": "heic image/heic-sequence",
    "image/heif": "heif image/heif-sequence",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/svg+xml": "svg",
    PDF: "pdf application/x-pdf",
    "audio/wav": "wav audio/x-wav audio/wave audio/vnd.wave",
    "audio/mpeg": "mp3 audio/mp3",
    "audio/mp4": "m4a m4b audio/m4a audio/x-m4a",
    "audio/x-matroska": "mka audio/matroska",
    "audio/ogg": "oga ogg opus audio/opus application/ogg",
    "video/ogg": "ogv",
    "audio/aac": "aac audio/x-aac audio/aacp",
    "audio/flac": "flac audio/x-flac",
    "video/mp4": "mp4 m4v video/x-m4v",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv video/matroska",
    "video/3gpp": "3gp",
    "video/x-msvideo": "avi video/avi video/msvideo",
    DOCX: (
        "docx docm dotx dotm application/vnd.ms-word.document.macroenabled.12 "
        "application/vnd.ms-word.template.macroenabled.12 "
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template"
    ),
    PPTX: (
        "pptx pptm ppsx ppsm potx potm application/vnd.ms-powerpoint.presentation.macroenabled.12 "
        "application/vnd.ms-powerpoint.slideshow.macroenabled.12 "
        "application/vnd.ms-powerpoint.template.macroenabled.12 "
        "application/vnd.openxmlformats-officedocument.presentationml.slideshow "
        "application/vnd.openxmlformats-officedocument.presentationml.template"
    ),
    XLSX: (
        "xlsx xlsm xltx xltm application/vnd.ms-excel.sheet.macroenabled.12 "
        "application/vnd.ms-excel.template.macroenabled.12 "
        "application/vnd.openxmlformats-officedocument.spreadsheetml.template"
    ),
    "text/plain": "txt text log",
    "text/csv": "csv application/csv",
    "text/tab-separated-values": "tsv text/tsv",
    "text/markdown": "md markdown text/x-markdown",
    HTML: "html htm application/xhtml+xml",
    EMAIL: "eml",
    MAILBOX: "mbox",
    MSG: "msg application/x-msg",
    "application/json": "json text/json",
    "application/xml": "xml text/xml",
    "application/yaml": "yaml yml text/yaml text/x-yaml application/x-yaml",
}
"""Extensions, short names and MIME types by the canonical type that they mean."""

_CANONICAL = {name: media_type for media_type, names in _OTHER_NAMES.items() for name in names.split()}

_SAY_NOTHING = {UNKNOWN, "binary/octet-stream", "application/vnd.ms-excel", "application/msword"}
"""Declared types that do not show what a file is. Windows declares the last two for every file that Office opens, such
as CSV, RTF and HTML."""

_LONGEST = 255
"""A MIME type has at most this many characters: twice 127 and a slash (RFC 6838, 4.2)."""
_ISO_HANDLER = re.compile(rb"hdlr.{8}(vide|soun)", re.DOTALL)
"""Handler of a track in ISO base media (ISO/IEC 14496-12, 8.4.3)."""
_MATROSKA_HEAD = 1 << 16
"""The description of a Matroska file's tracks, which precedes the clusters of sound and pictures, is searched for in
this many bytes."""
_MATROSKA_CODEC = re.compile(rb"\x86[\x80-\xbf]([AV])_[A-Z]")
"""The element CodecID (RFC 9559, 5.1.4.1.21), its length, and the beginning of a codec's name, whose first letter is
the kind of track."""
_OGG_HEAD = 4096
"""The beginnings of an Ogg file's streams, which precede everything else (RFC 3533, 6), are searched for in this many
bytes."""
_OGG_VIDEO = (b"\x80theora", b"BBCD\0", b"OVP80", b"\x01video\0\0\0")
# The byte after the signature is a block type or a version; it is included because prose can begin with "ID3", too.
_FLAC = (b"fLaC\x00", b"fLaC\x80")
_ID3 = (b"ID3\x02", b"ID3\x03", b"ID3\x04")
_PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    *((mark, "audio/flac") for mark in _FLAC),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x7fELF", "application/x-elf"),
    (b"{\\rtf", "application/rtf"),
)
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENTRY = 128
"""Number of bytes of an entry in an OLE file's directory, which begins with the name of a stream. Entries are aligned
in the file ([MS-CFB] 2.6)."""
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_RIFF_FORMS = (b"RIFF", b"RF64", b"BW64", b"RIFX")
"""Signatures of RIFF and its variants: RF64 and BW64 have 64-bit lengths (ITU-R BS.2088), RIFX is big-endian."""
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS = {b"mif1", b"mif2", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_QUICKTIME_BOXES = {b"moov", b"mdat", b"wide"}
_FTYP_BYTES = 1024
"""An `ftyp` box has at most this many bytes. Real boxes are smaller. In prose with the word `ftyp`, the four letters
before it would mean a far larger size."""
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_OFFICE_FOLDER = re.compile(rb"PK\x03\x04.{26}(word|ppt|xl)/", re.DOTALL)
"""Head of a member in a folder that identifies an office file (APPNOTE.TXT 4.3.7). The program that writes the file
chooses the names of the parts in it."""
_OFFICE = {b"word": DOCX, b"ppt": PPTX, b"xl": XLSX}
_FIRST_MEMBERS = 1 << 20
"""The heads of members are searched for in this many bytes."""
_MIME_TYPE = re.compile(rb"application/[\w.+-]+")
_MARKUP_PROLOGUE = re.compile(rb"(?:\s+|<\?xml.*?\?>|<!--.*?-->|<!DOCTYPE\s+svg.*?>)*", re.DOTALL | re.IGNORECASE)


def media_type_named(name: str | None) -> str | None:
    """Return the canonical type of a MIME type, a short name or an extension. Return None for an unknown name or
    extension, and for a MIME type that shows nothing about a file or is too long.

    `image/jpg`, `JPG`, `.jpg` and `image/jpeg; q=1` are all `image/jpeg`. Unknown MIME types are kept.
    """
    name = media_type_of(name).removeprefix(".")
    canonical = _CANONICAL.get(name)
    if canonical or "/" not in name:
        return canonical
    return None if name in _SAY_NOTHING or len(name) > _LONGEST else name


def media_type_of_file(filename: str | None) -> str | None:
    """Return the type that the extension of `filename` names, if any."""
    return media_type_named(PurePosixPath(filename).suffix) if filename else None


def _has_only_sound(data: bytes) -> bool:
    """True if the tracks of ISO base media are sound, by the handlers in the movie box."""
    return set(_ISO_HANDLER.findall(data)) == {b"soun"}


def sniff(data: bytes, *, text: bool = False) -> str | None:
    """Return the media type that the bytes show, if any; plain text shows none.

    With `text`, the bytes are declared as text, which may mention "%PDF-" without being a PDF.
    """
    for prefix, media_type in _PREFIXES:
        if data.startswith(prefix):
            return media_type
    probes: tuple[Callable[[bytes], str | None], ...] = (
        _probe_riff,
        _probe_iso,
        _probe_old_quicktime,
        _probe_matroska,
        _probe_ogg,
        _probe_id3,
        _probe_bmp,
        _probe_mpeg,
        _probe_zip,
        _probe_ole,
        _probe_pdf if text else _probe_pdf_behind_junk,
        _probe_markup,
    )
    return next((found for probe in probes if (found := probe(data))), None)


def _probe_riff(data: bytes) -> str | None:
    return _RIFF.get(data[8:12]) if data.startswith(_RIFF_FORMS) else None


def _probe_iso(data: bytes) -> str | None:
    """Recognise ISO base media (ISO/IEC 14496-12) by the brands in the `ftyp` box."""
    size = int.from_bytes(data[:4], "big")
    if data[4:8] != b"ftyp" or size > _FTYP_BYTES:
        return None
    major, compatible = data[8:12], {data[index : index + 4] for index in range(16, size, 4)}
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and compatible & _AVIF_BRANDS):
        return "image/avif"
    if major in _HEIC_BRANDS or (major in _HEIF_BRANDS and compatible & _HEIC_BRANDS):
        return "image/heic"
    if major in _HEIF_BRANDS:
        return "image/heif"
    # Audiobooks and the like may show chapter pictures in a video track.
    is_sound = major in _AUDIO_BRANDS or _has_only_sound(data)
    if major.startswith(b"3g"):
        return "audio/3gpp" if is_sound else "video/3gpp"
    if is_sound:
        return "audio/mp4"
    return "video/quicktime" if major == b"qt  " else "video/mp4"


def _probe_old_quicktime(data: bytes) -> str | None:
    """Recognise QuickTime files from before `ftyp`. The length before the box's name must fit, which excludes prose."""
    size = int.from_bytes(data[:4], "big")
    if data[4:8] not in _QUICKTIME_BOXES or not (size in (0, 1) or 8 <= size <= len(data)):
        return None
    return "audio/mp4" if _has_only_sound(data) else "video/quicktime"


def _probe_matroska(data: bytes) -> str | None:
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    kinds = set(_MATROSKA_CODEC.findall(data[:_MATROSKA_HEAD]))
    kind = "audio" if kinds == {b"A"} else "video"
    return f"{kind}/webm" if b"webm" in data[:64] else f"{kind}/x-matroska"


def _probe_ogg(data: bytes) -> str | None:
    if not data.startswith(b"OggS\x00"):
        return None
    return "video/ogg" if any(mark in data[:_OGG_HEAD] for mark in _OGG_VIDEO) else "audio/ogg"


def _probe_id3(data: bytes) -> str | None:
    """Recognise the data after an ID3 tag, whose length has seven bits per byte (ID3v2.4, 6.2)."""
    if not data.startswith(_ID3):
        return None
    length = sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))
    following = data[10 + length : 20 + length]
    if following.startswith(_FLAC):
        return "audio/flac"
    return "audio/aac" if _probe_mpeg(following) == "audio/aac" else "audio/mpeg"


def _probe_bmp(data: bytes) -> str | None:
    """Recognise BMP by its header's size as well, because text can begin with "BM"."""
    header = int.from_bytes(data[14:18], "little")
    return "image/bmp" if data.startswith(b"BM") and header in _BMP_HEADER_SIZES else None


def _probe_mpeg(data: bytes) -> str | None:
    """Recognise an MPEG audio or ADTS frame by its 11 sync bits and the fields that have forbidden values.

    A UTF-16 byte order mark (FF FE) has the sync bits as well and is excluded.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0 or data[1] == 0xFE:
        return None
    if data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer, version, bitrate, rate = data[1] >> 1 & 3, data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    return "audio/mpeg" if layer in (1, 2) and version != 1 and bitrate != 15 and rate != 3 else None


def _probe_zip(data: bytes) -> str | None:
    if not data.startswith(b"PK\x03\x04"):
        return None
    if folder := _OFFICE_FOLDER.search(data[:_FIRST_MEMBERS]):
        return _OFFICE[folder[1]]
    # OpenDocument and EPUB files begin with a member that holds their type (ODF 1.3 part 2, 3.3).
    kind = data[38:118].partition(b"PK")[0] if data[30:38] == b"mimetype" else b""
    return kind.decode("ascii", "replace") if _MIME_TYPE.fullmatch(kind) else "application/zip"


def _probe_ole(data: bytes) -> str | None:
    if not data.startswith(_OLE_MARK):
        return None
    return MSG if has_ole_entry(data, "__nameid_version1.0") else OLE


def has_ole_entry(data: bytes, name: str) -> bool:
    """True if the directory of an OLE file seems to have an entry with this name."""
    written = name.encode("utf-16-le") + b"\0\0"
    place = data.find(written)
    while place % _OLE_ENTRY and place >= 0:
        place = data.find(written, place + 1)
    return place >= 0


def _probe_pdf(data: bytes) -> str | None:
    return PDF if data[:1024].lstrip().startswith(b"%PDF-") else None


def _probe_pdf_behind_junk(data: bytes) -> str | None:
    """Recognise a PDF whose header is not at the start: it may be anywhere in the first 1024 bytes (ISO 32000-1, annex
    H.3)."""
    return PDF if b"%PDF-" in data[:1024] else None


def _probe_markup(data: bytes) -> str | None:
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    prologue = _MARKUP_PROLOGUE.match(head)
    body = head[prologue.end() if prologue else 0 :][:16].lower()
    if body.startswith(b"<svg"):
        return "image/svg+xml"
    if body.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "application/xml" if head.lstrip().startswith(b"<?xml") else None
