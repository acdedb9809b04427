"""The kinds of inputs, as far as they decide which task reads an input."""

from typing import Literal
from urllib.parse import unquote, urlsplit

from tasks.inputs.media_types import TEXTS, media_type_named, media_type_of_file, sniff
from tasks.inputs.source import HEAD, Source, beginning, first_bytes

Kind = Literal["image", "audio", "video", "document", "table", "page"]
"""Kind of an input. A `video` may have sound; a `document` is anything that can be read as text; a `page` is a web page
to be scraped."""
_TABLES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/json",
        media_type_named("xlsx"),
    }
)
_CONTAINERS = frozenset({"application/zip", "application/gzip", "application/x-ole-storage", "application/xml"})
"""Types whose first bytes are shared by many other types. The name is more specific than the bytes."""
_KIND_BY_FIELD: dict[str, Kind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
    "input_audio": "audio",
}
_KIND_BY_TYPE: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}


def kind_of(source: Source) -> Kind:
    """Return the kind of an input by its bytes, else by its declared type, else by its name, else by its field."""
    media_type = _media_type(source)
    if source.is_linked and (media_type is None or media_type == "text/html"):
        return "page"
    if media_type is None:
        return _KIND_BY_FIELD.get(source.origin.field, "document")
    if media_type in _TABLES:
        return "table"
    return _KIND_BY_TYPE.get(media_type.partition("/")[0], "document")


def _path_of(url: str) -> str:
    try:
        return unquote(urlsplit(url).path)
    except ValueError:  # such as an open bracket in the host; the URL is refused where it is fetched
        return ""


def _media_type(source: Source) -> str | None:
    if source.url is not None:
        names = (_path_of(source.url), source.filename)
        return media_type_named(source.format) or next(filter(None, map(media_type_of_file, names)), None)
    payload = beginning(source.payload or "", HEAD)
    declared = None
    if payload[:5].lower() == "data:":
        head, _, payload = payload[5:].partition(",")
        declared = media_type_named(head)
        if ";base64" not in head.lower():
            payload = ""
    named = declared or media_type_named(source.format) or media_type_of_file(source.filename)
    shown = sniff(first_bytes(payload), text=named in TEXTS)
    return named or shown if shown in _CONTAINERS else shown or named
