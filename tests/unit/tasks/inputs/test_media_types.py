"""What bytes are, whatever they are called."""

import io
import zipfile

import PIL.Image
import pytest

from tasks.inputs.media_types import media_type_named, sniff
from tests.conftest import each_case


def picture(codec: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), "red").save(buffer, codec, **options)
    return buffer.getvalue()


def office(entry: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(entry, "<x/>")
    return buffer.getvalue()


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return box(b"ftyp", major + bytes(4) + b"".join(compatible))


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def movie(*handlers: bytes) -> bytes:
    """The movie box of a file with such tracks."""
    return box(b"moov", b"".join(box(b"trak", box(b"hdlr", bytes(8) + handler)) for handler in handlers))


EBML_WEBM = b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm"


@pytest.mark.parametrize(
    ("codec", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
        ("PDF", "application/pdf"),
    ],
)
def test_files_as_encoders_write_them(codec: str, media_type: str) -> None:
    assert sniff(picture(codec)) == media_type


@each_case(
    ("data", "media_type"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"mif1", b"heic"), "image/heic"),
        (ftyp(b"mif1", b"miaf"), "image/heif"),
        (ftyp(b"M4A ", b"isom"), "audio/mp4"),
        (ftyp(b"isom", b"mp42"), "video/mp4"),
        (ftyp(b"qt  "), "video/quicktime"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
        (b"ID3\x04\0", "audio/mpeg"),
        (b"ID3\x04\0\0\0\0\x01\x02" + bytes(130) + b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"ID3\x04\0\0\0\0\x01\x02" + bytes(130) + b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
        (b"\xff\xf1\x50\x80\0\0", "audio/aac"),
        (ftyp(b"3gp5") + movie(b"soun"), "audio/3gpp"),
        (ftyp(b"isom") + movie(b"soun"), "audio/mp4"),
        (ftyp(b"isom") + movie(b"soun", b"vide"), "video/mp4"),
        (ftyp(b"M4A ") + movie(b"soun", b"vide"), "audio/mp4"),
        (ftyp(b"isom") + b"\0\0\0\0mdat" + bytes(99), "video/mp4"),
        (box(b"wide") + box(b"mdat", bytes(9)) + movie(b"vide"), "video/quicktime"),
        (b"Say moov twice, and then go on", None),
        (b"OggS\0\2", "audio/ogg"),
        (b"OggS\0\2" + bytes(22) + b"\x01\x2a\x80theora", "video/ogg"),
        (EBML_WEBM + b"\x86\x86A_OPUS", "audio/webm"),
        (EBML_WEBM + b"\x86\x85V_VP9\x86\x86A_OPUS", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x86\x85A_AAC", "audio/x-matroska"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "video/x-matroska"),
        (b"\n\n%PDF-1.7", "application/pdf"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><note/>', "application/xml"),
        (b"\n<!DOCTYPE html><html>", "text/html"),
    ],
)
def test_beginnings_of_files(data: bytes, media_type: str | None) -> None:
    assert sniff(data) == media_type


@pytest.mark.parametrize(
    ("entry", "name"),
    [("word/document.xml", "docx"), ("ppt/presentation.xml", "pptx"), ("xl/workbook.xml", "xlsx")],
)
def test_office_files_are_told_from_other_archives(entry: str, name: str) -> None:
    assert sniff(office(entry)) == media_type_named(name)
    assert sniff(office("else.txt")) == "application/zip"


@each_case(
    "data",
    [
        *(b"", b"B", b"BM begins a text", "hé".encode("utf-16"), b"a,b\n1,2", b"\xff", b"RIFF"),
        *(b"ID3 is a tag for music", b"OggS is a capture pattern", b"fLaC is a marker", b"The ftyp box says it"),
    ],
)
def test_text_and_scraps_are_nothing(data: bytes) -> None:
    assert sniff(data) is None


def test_text_may_mention_a_pdf_header() -> None:
    assert sniff(b"A file begins with %PDF-1.7", text=True) is None
    assert sniff(b"\n%PDF-1.7\n", text=True) == "application/pdf"
    assert sniff(b"junk before it\n%PDF-1.7\n") == "application/pdf"
