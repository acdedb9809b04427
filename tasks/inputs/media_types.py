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

_NAMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "pdf": PDF,
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mka": "audio/x-matroska",
    "oga": "audio/ogg",
    "ogv": "video/ogg",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "3gp": "video/3gpp",
    "avi": "video/x-msvideo",
    **dict.fromkeys(("docx", "docm", "dotx", "dotm"), DOCX),
    **dict.fromkeys(("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"), PPTX),
    **dict.fromkeys(("xlsx", "xlsm", "xltx", "xltm"), XLSX),
    "txt": "text/plain",
    "text": "text/plain",
    "log": "text/plain",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "html": "text/html",
    "htm": "text/html",
    "json": "application/json",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}

_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heif",
    "application/x-pdf": PDF,
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/matroska": "audio/x-matroska",
    "video/matroska": "video/x-matroska",
    "video/avi": "video/x-msvideo",
    "video/msvideo": "video/x-msvideo",
    "video/x-m4v": "video/mp4",
    "text/tsv": "text/tab-separated-values",
    "text/x-markdown": "text/markdown",
    "text/json": "application/json",
    "text/xml": "application/xml",
    "text/yaml": "application/yaml",
    "text/x-yaml": "application/yaml",
    "application/x-yaml": "application/yaml",
    "application/csv": "text/csv",
    "application/xhtml+xml": "text/html",
    "application/vnd.ms-word.document.macroenabled.12": DOCX,
    "application/vnd.ms-word.template.macroenabled.12": DOCX,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template": DOCX,
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": PPTX,
    "application/vnd.ms-powerpoint.slideshow.macroenabled.12": PPTX,
    "application/vnd.ms-powerpoint.template.macroenabled.12": PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow": PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.template": PPTX,
    "application/vnd.ms-excel.sheet.macroenabled.12": XLSX,
    "application/vnd.ms-excel.template.macroenabled.12": XLSX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template": XLSX,
}


_SAY_NOTHING = {UNKNOWN, "binary/octet-stream", "application/vnd.ms-excel", "application/msword"}
"""The latter two are what Windows calls whatever the office programs open: CSV, RTF, HTML."""

_LONGEST = 255
"""Characters of a MIME type: twice 127 and a slash (RFC 6838, 4.2)."""


def media_type_named(name: str | None) -> str | None:
    """The canonical type of a MIME type, a short name or an extension; None when it says nothing.

    `image/jpg`, `JPG`, `.jpg` and `image/jpeg; q=1` are all `image/jpeg`. Unknown MIME types are kept as they are.
    """
    name = (name or "").partition(";")[0].strip().lower().removeprefix(".")
    if "/" not in name:
        return _NAMES.get(name)
    name = _ALIASES.get(name, name)
    return None if name in _SAY_NOTHING or len(name) > _LONGEST else name


def media_type_of_file(filename: str | None) -> str | None:
    """The type that the extension of `filename` names, None when it names none."""
    return media_type_named(PurePosixPath(filename).suffix) if filename else None
