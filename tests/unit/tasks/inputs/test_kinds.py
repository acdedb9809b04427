"""What a source is taken for before anybody reads it."""

import base64

from tasks.inputs.kinds import Kind, kind_of
from tasks.inputs.source import Origin, Source
from tests.conftest import each_case

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(100)).decode()
ZIP = base64.b64encode(b"PK\x03\x04" + bytes(100)).decode()
TEXT = Origin("text", message=0, part=0)
FILE = Origin("file", "file_data", 0, 0)


@each_case(
    ("url", "kind"),
    [
        ("https://example.com", "page"),
        ("https://example.com/index.html", "page"),
        ("https://example.com/v1.2", "page"),
        ("https://example.com/photo.png?width=100#top", "image"),
        ("https://example.com/talk.mp3", "audio"),
        ("https://example.com/paper.pdf", "document"),
        ("https://example.com/notes.md", "document"),
        ("https://example.com/series.json", "table"),
    ],
)
def test_a_link_is_what_its_extension_says_else_a_page(url: str, kind: Kind) -> None:
    assert kind_of(Source(TEXT, url=url)) == kind


@each_case(
    ("payload", "filename", "format_", "kind"),
    [
        (PNG, "report.pdf", None, "image"),
        (WAV, None, "mp3", "audio"),
        (ZIP, "letter.docx", None, "document"),
        ("aGk=", None, "csv", "table"),
        ("data:text/csv,date,value", None, None, "table"),
        ("no base64 at all!", "photo.png", None, "image"),
    ],
)
def test_bytes_win_over_names_except_where_many_types_begin_alike(
    payload: str, filename: str | None, format_: str | None, kind: Kind
) -> None:
    assert kind_of(Source(FILE, payload=payload, filename=filename, format=format_)) == kind
