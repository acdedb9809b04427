"""What a source is taken for before anybody reads it."""

import base64

import pytest

from app.chat.planning.kinds import Kind, kind_of
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
        ("https://example.com/about", "page"),
        ("https://example.com/index.html", "page"),
        ("https://example.com/list.php?page=2", "page"),
        ("https://example.com/v1.2", "page"),
        ("https://example.com/photo.JPG", "image"),
        ("https://example.com/photo.png?width=100#top", "image"),
        ("https://example.com/sch%C3%B6n.webp", "image"),
        ("https://example.com/talk.mp3", "audio"),
        ("https://example.com/talk.webm", "video"),
        ("https://example.com/paper.pdf", "document"),
        ("https://example.com/letter.docx", "document"),
        ("https://example.com/notes.md", "document"),
        ("https://example.com/sales.csv", "table"),
        ("https://example.com/series.json", "table"),
        ("https://example.com/sales.xlsx", "table"),
    ],
)
def test_a_link_is_what_its_extension_says_else_a_page(url: str, kind: Kind) -> None:
    assert kind_of(Source(TEXT, url=url)) == kind


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        (Origin("image_url", "url", 0, 0), "image"),
        (Origin("image_url", "", 0, 0), "image"),
        (Origin("video_url", "url", 0, 0), "video"),
        (Origin("audio_url", "", 0, 0), "audio"),
        (Origin("input_audio", "data", 0, 0), "audio"),
        (Origin("file_url", "", 0, 0), "document"),
        (FILE, "document"),
    ],
)
def test_a_url_without_an_extension_is_what_its_part_is_for(origin: Origin, kind: Kind) -> None:
    assert kind_of(Source(origin, url="https://cdn.example.com/9f3a")) == kind


def test_an_attached_web_page_is_read_and_not_scraped() -> None:
    assert kind_of(Source(FILE, url="https://example.com/page.html")) == "document"


@each_case(
    ("payload", "filename", "format_", "kind"),
    [
        (PNG, "report.pdf", None, "image"),
        (f"data:application/pdf;base64,{PNG}", None, None, "image"),
        (WAV, None, "mp3", "audio"),
        (ZIP, "sales.xlsx", None, "table"),
        (ZIP, "letter.docx", None, "document"),
        ("aGk=", "data.csv", None, "table"),
        ("aGk=", None, "csv", "table"),
        ("aGk=", None, None, "document"),
        ("data:text/csv,date,value", None, None, "table"),
        ("data:video/mp4;base64,AAAA", None, None, "video"),
        ("no base64 at all!", "photo.png", None, "image"),
    ],
)
def test_bytes_win_over_names_except_where_many_types_begin_alike(
    payload: str, filename: str | None, format_: str | None, kind: Kind
) -> None:
    assert kind_of(Source(FILE, payload=payload, filename=filename, format=format_)) == kind


def test_an_image_part_that_holds_a_document_is_a_document() -> None:
    pdf = base64.b64encode(b"%PDF-1.7\n" + bytes(60)).decode()
    assert kind_of(Source(Origin("image_url", "url", 0, 0), payload=f"data:image/png;base64,{pdf}")) == "document"


def test_only_urls_in_text_are_links() -> None:
    assert Source(Origin(message=2), url="https://example.com").is_linked
    assert Source(TEXT, url="https://example.com").is_linked
    assert not Source(Origin("image_url", "url", 0, 0), url="https://example.com").is_linked
    assert not Source(Origin("image_url"), url="https://example.com").is_linked
    assert not Source(FILE, payload="aGk=").is_linked


@each_case(
    ("origin", "param"),
    [
        (Origin("file"), "file"),
        (Origin(message=2), "messages[2].content"),
        (TEXT, "messages[0].content[0].text"),
        (FILE, "messages[0].content[0].file.file_data"),
        (Origin("file_id", message=1, part=3), "messages[1].content[3].file_id"),
    ],
)
def test_an_origin_is_written_as_errors_name_fields(origin: Origin, param: str) -> None:
    assert origin.param == param
