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

PDF = "application/pdf"

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

SUPPORTED = "jpeg, png, webp, bmp, tiff, heic, heif, pdf, and text (plain, csv, tsv, markdown, html, json, xml, yaml)"
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
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "3gp": "video/3gpp",
    "avi": "video/x-msvideo",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
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
}


def media_type_named(name: str | None) -> str | None:
    """The canonical type of a MIME type, a short name or an extension; None when it says nothing.

    `image/jpg`, `JPG`, `.jpg` and `image/jpeg; q=1` are all `image/jpeg`. Unknown MIME types are kept as they are.
    """
    name = (name or "").partition(";")[0].strip().lower().removeprefix(".")
    if "/" not in name:
        return _NAMES.get(name)
    name = _ALIASES.get(name, name)
    return None if name in {UNKNOWN, "binary/octet-stream"} else name


def media_type_of_file(filename: str | None) -> str | None:
    """The type that the extension of `filename` names, None when it names none."""
    return media_type_named(PurePosixPath(filename).suffix) if filename else None
