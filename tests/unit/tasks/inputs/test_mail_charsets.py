"""Names and headers of e-mails that are encoded otherwise than the standards say, and attached e-mails in base64."""

import base64

import pytest

from tasks.inputs.limits import MediaLimits
from tasks.inputs.mail_file import MailFile
from tasks.inputs.media_types import EMAIL
from tasks.inputs.source import Blob
from tasks.markdown_text import plain_form
from tests.conftest import each_case


def read(data: bytes) -> str:
    pages = MailFile(Blob(data, EMAIL, "a.eml", "p"), MediaLimits(), lambda kind: None)
    pages.close()
    return plain_form(pages.text or "")


@each_case(
    ("encoding", "subject"),
    [
        ("utf-8", "Größe der Öfen – 5 €"),
        ("cp1252", "Offert för takbyte – 5 €"),
        ("cp1251", "Счёт на оплату за март"),
        ("cp932", "請求書の件について"),
    ],
)
def test_headers_that_are_not_encoded_are_read(encoding: str, subject: str) -> None:
    data = f"From: Zoë Groß <z@a.example>\r\nSubject: {subject}\r\n\r\nHello.\r\n"
    if encoding not in ("utf-8", "latin-1", "cp1252"):
        data = data.replace("Zoë Groß", "Zoe")
    text = read(data.encode(encoding))
    assert f"Subject: {subject}\n" in text
    assert text.endswith("\n\nHello.")


@each_case(
    ("label", "encoding", "text"),
    [
        ("shift_jis", "cp932", "髙橋①"),
        ("iso-8859-1", "cp1252", "5 €"),
        ("ks_c_5601-1987", "cp949", "뷁"),
        ("UTF-8*de", "utf-8", "Größe"),
    ],
)
def test_encoded_words_are_read_by_the_labels_of_the_web(label: str, encoding: str, text: str) -> None:
    word = base64.b64encode(text.encode(encoding)).decode()
    data = f"Subject: a =?{label}?B?{word}?= =?{label}?b?{word}?= b\r\n\r\nHello.".encode()
    assert f"Subject: a {text}{text} b" in read(data)


def attached(head: bytes, body: bytes) -> bytes:
    outer = b"Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    return (
        outer
        + b"--x\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--x\r\n"
        + head
        + b"\r\n\r\n"
        + body
        + b"\r\n--x--\r\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: text/csv; name="{0}"',
        'Content-Disposition: attachment; filename="{0}"',
        "Content-Disposition: attachment; filename={0}",
    ],
)
def test_names_of_attached_files_that_are_not_encoded_are_read(head: str, encoding: str) -> None:
    data = attached(f"{head.format('größe.csv')}\r\nContent-Type: text/csv".encode(encoding), b"a,1")
    assert "Attachments: größe.csv" in read(data)
