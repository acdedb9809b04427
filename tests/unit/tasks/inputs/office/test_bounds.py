"""Hostile office files: what they cost, and what is said of them."""

import datetime as dt
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.loader import ole_refusal
from tasks.inputs.media_types import sniff
from tasks.inputs.office.bounds import inflated
from tasks.inputs.source import Blob
from tests.conftest import each_case
from tests.kit.papers.office_files import WORD, changed, document, document_of, opened, slides, text_of, workbook

TEXT = document_of("<w:p><w:r><w:t>text</w:t></w:r></w:p>")
BODY = "word/document.xml"
LAUGHS = """<!DOCTYPE w:document [<!ENTITY a "ha">{}]>""".format(
    "".join(f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefghi", "bcdefghij", strict=True))
)


def refusal(data: bytes, limits: MediaLimits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        opened(data, limits)
    assert caught.value.param == "p"
    assert caught.value.message.startswith("'file' ")
    return caught.value


def deflated(name: str, pieces: Iterable[bytes], claimed: int | None = None) -> bytes:
    """An archive of one member, packed piece by piece; it says that it is `claimed` bytes long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data, size, check = b"", 0, 0
    for piece in pieces:
        data, size, check = data + packer.compress(piece), size + len(piece), zlib.crc32(piece, check)
    data += packer.flush()
    numbers = struct.pack("<HHHIIIHH", 8, 0, 33, check, len(data), size if claimed is None else claimed, len(name), 0)
    local = b"PK\3\4" + struct.pack("<HH", 20, 0) + numbers + name.encode() + data
    central = (
        b"PK\1\2" + struct.pack("<HHH", 20, 20, 0) + numbers + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    )
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def unpacked(data: bytes, limits: MediaLimits | None = None) -> dict[str, bytes]:
    return inflated(Blob(data, "application/zip", "file", "p"), limits or MediaLimits())


def test_what_is_unpacked_is_counted_over_all_members() -> None:
    members = {
        f"word/media/{number}.png": b"\x89PNG\r\n\x1a\n" + random.Random(number).randbytes(MB // 4)
        for number in range(5)
    }
    data = changed(TEXT, members)
    assert unpacked(data, MediaLimits(office_bytes=4 * MB))
    with pytest.raises(InputTooLarge, match=r"unpacks to more than 1 MB, the limit"):
        unpacked(data, MediaLimits(office_bytes=MB))


@pytest.mark.parametrize(("claimed", "words"), [(10, "is damaged"), (1 << 31, "unpacks to more than 1 MB")])
def test_the_size_in_a_header_is_not_believed(claimed: int, words: str) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(8 * MB)
    with pytest.raises(InputError, match=words):
        unpacked(deflated("word/media/a.png", [picture], claimed), MediaLimits(office_bytes=MB))


@pytest.mark.parametrize("name", [BODY, "_rels/.rels", "word/unused.xml"])
def test_billion_laughs_are_refused_wherever_they_stand(name: str) -> None:
    xml = f'<?xml version="1.0"?>{LAUGHS}<w:document xmlns:w="{WORD}">&j;</w:document>'
    assert "XML with a document type" in refusal(changed(TEXT, {name: xml.encode()})).message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_entities_do_not_hide_in_an_encoding(encoding: str) -> None:
    xml = f'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w xmlns="{WORD}">&x;</w>'.encode(encoding)
    assert refusal(changed(TEXT, {BODY: xml})).code == "invalid_request"


def test_the_text_of_a_document_is_limited() -> None:
    text = document_of("<w:p><w:r><w:t>" + "x" * 50_000 + "</w:t></w:r></w:p>")
    refused = refusal(text, MediaLimits(text_chars=20_000))
    assert "has more than 20000 characters" in refused.message
    assert refused.code == "file_too_large"


@pytest.mark.parametrize("cut", [40, 1000, -100])
def test_a_file_that_is_cut_off_is_damaged(cut: int) -> None:
    data = TEXT[:cut]
    assert sniff(TEXT) == Blob(TEXT, sniff(TEXT) or "", "file", "p").media_type
    with pytest.raises(InputError, match="is damaged or incomplete"):
        unpacked(data)


def test_a_document_without_its_body_is_damaged() -> None:
    assert "is damaged" in refusal(changed(TEXT, {BODY: b""})).message


def test_an_encrypted_member_needs_a_password() -> None:
    data = bytearray(TEXT)
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1
    assert refusal(bytes(data)).code == "encrypted_document"


@pytest.mark.parametrize(
    ("stream", "code", "words"),
    [
        ("EncryptedPackage", "encrypted_document", "is protected with a password"),
        (
            "WordDocument",
            "unsupported_media_type",
            r"in the old format \(doc\), which is not supported: save it as docx or PDF",
        ),
        ("Workbook", "unsupported_media_type", "save it as xlsx or PDF"),
        ("Thumbs.db", "unsupported_media_type", "OLE compound file.*Supported: .*docx"),
    ],
)
def test_compound_files_are_told_apart(stream: str, code: str, words: str) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(200)
    assert sniff(data) == "application/x-ole-storage"
    error = ole_refusal(Blob(data, "application/x-ole-storage", "file", "p"))
    assert error.code == code
    with pytest.raises(InputError, match=words):
        raise error


@each_case(
    ("data", "expected"),
    [
        (document(lambda word: word.add_heading("First", 1)), "# First"),
        (
            workbook(lambda book: book.active.append(["Total", dt.date(2026, 3, 14)])),
            "## Sheet\n\n| Total | 2026-03-14 |\n| --- | --- |",
        ),
        (
            slides(lambda show: setattr(show.slides.add_slide(show.slide_layouts[5]).shapes.title, "text", "Gears")),
            "## Slide 1: Gears",
        ),
    ],
)
def test_the_strict_form_of_office_files_is_read(data: bytes, expected: str) -> None:
    strict = re.compile(rb"http://schemas\.openxmlformats\.org/(officeDocument|\w+ml)/2006/")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {
            name: strict.sub(rb"http://purl.oclc.org/ooxml/\1/", archive.read(name)) for name in archive.namelist()
        }
    assert text_of(changed(data, members)) == expected == text_of(data)
