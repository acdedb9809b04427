"""Names of media types, and which of them can be opened as a document."""

from pathlib import PurePosixPath

IMAGES = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/webp": ("WEBP",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF",),
}
"""Readable pictures, and the Pillow decoders that may see their bytes."""

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
"""Readable audio and video, and the FFmpeg demuxer that may see its bytes."""

VIDEOS = frozenset(name for name in DEMUXERS if name.startswith("video/"))
"""What has a video track; it may have sound too."""

PDF = "application/pdf"

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""With macros or without, and templates too."""

OLE = "application/x-ole-storage"
"""Office files of before 2007, and encrypted ones of today."""

HTML = "text/html"

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
    }
)

UNKNOWN = "application/octet-stream"

SUPPORTED = (
    "jpeg, png, webp, bmp, tiff, heic, heif, pdf, docx, pptx, xlsx, video (mp4, mov, webm, 3gp, avi, mkv), "
    "and text (plain, csv, tsv, markdown, html, json, xml, yaml)"
)
"""For messages."""

SUPPORTED_SOUND = "wav, mp3, mp4, m4a, aac, ogg, opus, flac, webm, 3gp, mov, avi, mkv"
"""For messages."""

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
    "application/json": "json text/json",
    "application/xml": "xml text/xml",
    "application/yaml": "yaml yml text/yaml text/x-yaml application/x-yaml",
}
"""Extensions, short names and MIME types by the canonical type that they mean."""

_CANONICAL = {name: media_type for media_type, names in _OTHER_NAMES.items() for name in names.split()}

_SAY_NOTHING = {UNKNOWN, "binary/octet-stream", "application/vnd.ms-excel", "application/msword"}
"""The latter two are what Windows calls whatever the office programs open: CSV, RTF, HTML."""

_LONGEST = 255
"""Characters of a MIME type: twice 127 and a slash (RFC 6838, 4.2)."""


def media_type_named(name: str | None) -> str | None:
    """The canonical type of a MIME type, a short name or an extension; None when it says nothing.

    `image/jpg`, `JPG`, `.jpg` and `image/jpeg; q=1` are all `image/jpeg`. Unknown MIME types are kept as they are.
    """
    name = (name or "").partition(";")[0].strip().lower().removeprefix(".")
    canonical = _CANONICAL.get(name)
    if canonical or "/" not in name:
        return canonical
    return None if name in _SAY_NOTHING or len(name) > _LONGEST else name


def media_type_of_file(filename: str | None) -> str | None:
    """The type that the extension of `filename` names, None when it names none."""
    return media_type_named(PurePosixPath(filename).suffix) if filename else None
