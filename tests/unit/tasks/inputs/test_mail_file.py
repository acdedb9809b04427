"""E-mails and mailboxes through the loader and the `ocr` task, in the processes where the server opens them."""

import base64
import io
import mailbox
from email.message import EmailMessage
from pathlib import Path

import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.vision.text import Image, PageReader, PageText, TextLine, Word
from tasks.errors import InputTooLarge
from tasks.inputs.loader import MediaLoader
from tasks.inputs.mail_file import (
    MAX_NESTING,
    MAX_PARTS,
)
from tasks.inputs.source import Origin, Source
from tasks.ocr import OcrTask
from tests.conftest import each_case
from tests.kit.chats.requests import request_of
from tests.kit.papers.office_files import document


def sent(data: bytes, filename: str = "mail.eml") -> Source:
    return Source(Origin("p"), payload=base64.b64encode(data).decode(), filename=filename)


def mail(body: str = "Hello.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"from": "Ada <ada@a.example>", "subject": "Größe 12", **headers}.items():
        message[name.capitalize()] = value
    message.set_content(body)
    return message


def drawn(width: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, 30), "white").save(file, "PNG")
    return file.getvalue()


def pdf(*texts: str) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(200, 100))
    for text in texts:
        canvas.drawString(20, 50, text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


class WidthReader:
    """Reads the width of a picture."""

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        quad = ((2.0, 2.0), (40.0, 2.0), (40.0, 12.0), (2.0, 12.0))
        return PageText([TextLine((Word(f"{image.shape[1]} wide", quad, 0.9),), quad)])


async def text_of(loader: MediaLoader, data: bytes, filename: str = "mail.eml") -> str:
    async with await loader.open(sent(data, filename)) as opened:
        assert opened.kind == "text"
        return opened.text or ""


async def read(loader: MediaLoader, data: bytes) -> str:
    def reader() -> PageReader:
        return WidthReader()

    return str((await OcrTask(reader, loader).run(request_of("ocr", "", (sent(data),)))).data["extracted_text"])


async def test_a_body_in_html_is_preferred_to_the_same_in_plain_words(loader: MediaLoader) -> None:
    message = mail("in plain words")
    message.add_alternative("<p>in HTML<p style='display:none'>hidden", subtype="html")
    assert (await text_of(loader, message.as_bytes())).endswith("\n\nin HTML")


async def test_text_and_office_files_are_read_where_they_are_attached(loader: MediaLoader) -> None:
    message = mail()
    message.add_attachment("a,b\n1,2\n", subtype="csv", filename="Tabelle Süd.csv")
    word = document(lambda file: file.add_paragraph("Typed in a word processor."))
    message.add_attachment(word, maintype="application", subtype="octet-stream", filename="letter.docx")
    text = await text_of(loader, message.as_bytes())
    assert "Attachments: Tabelle Süd.csv; letter.docx" in text
    assert "Attachment: Tabelle Süd.csv\n\na,b\n1,2" in text
    assert "Attachment: letter.docx\n\nTyped in a word processor." in text


async def test_an_attached_e_mail_is_read_with_its_own_attachments(loader: MediaLoader) -> None:
    inner = mail("The original.", subject="Offer 17")
    inner.add_attachment(drawn(64), maintype="image", subtype="png", filename="plan.png")
    outer = mail("See below.", subject="Fwd")
    outer.add_attachment(inner)
    text = await read(loader, outer.as_bytes())
    assert "Attachments: Offer 17" in text
    assert "The original." in text
    assert "64 wide" in text


async def test_an_attachment_that_is_not_read_is_named(loader: MediaLoader) -> None:
    message = mail()
    message.add_attachment(b"PK\x03\x04" + bytes(40), maintype="application", subtype="zip", filename="all.zip")
    message.add_attachment(b"%PDF-1.7 damaged", maintype="application", subtype="pdf", filename="b.pdf")
    text = await text_of(loader, message.as_bytes())
    assert "Attachment: all.zip\n\n[attachment not read: application/zip]" in text
    assert "Attachment: b.pdf\n\n[attachment not read: invalid_request]" in text


async def test_e_mails_within_each_other_are_read_up_to_a_bound(loader: MediaLoader) -> None:
    message = mail("the innermost")
    for number in range(MAX_NESTING + 1):
        outer = mail(f"level {number}.")
        outer.add_attachment(message)
        message = outer
    text = await text_of(loader, message.as_bytes())
    assert "level 1." in text
    assert "the innermost" not in text
    assert f"nested more than {MAX_NESTING} e-mails deep" in text


async def test_more_parts_than_the_limit_are_refused_with_the_limit(loader: MediaLoader) -> None:
    part = b"--x\nContent-Type: text/plain\n\na\n"
    data = b"Subject: s\nContent-Type: multipart/mixed; boundary=x\n\n" + part * MAX_PARTS + b"--x--\n"
    with pytest.raises(InputTooLarge, match=f"more than {MAX_PARTS} parts"):
        await loader.open(sent(data))


@pytest.mark.parametrize("header", ["To: " + "(" * 4_000, "Date: Mon, 99"])
async def test_headers_that_the_library_cannot_read_are_read_as_they_are(loader: MediaLoader, header: str) -> None:
    text = await text_of(loader, f"From: a@a.example\n{header}\n\nHello.".encode())
    assert text.startswith("From: a@a.example\n")
    assert text.endswith("\n\nHello.")


async def test_all_e_mails_of_a_mailbox_are_read(loader: MediaLoader, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        box.add(mail(f"From the beginning {number}\n\nFrom here on.", subject=f"Letter {number}"))
    box.close()
    text = await text_of(loader, (tmp_path / "box").read_bytes(), "box.mbox")
    assert [f"Subject: Letter {number}" in text for number in range(3)] == [True] * 3
    assert text.count("\n\nFrom here on.") == 3


PAGE = "<p>Invoice 4711</p><p>Total: 120.00 EUR</p>"
OTHER = "Invoice 666 Total: 9120.00 EUR"


def parts_of(kind: str, *parts: tuple[str, str], more: str = "") -> bytes:
    """An e-mail whose root is a multipart of this kind with these parts, each with its headers."""
    texts = "".join(f"--q\r\nContent-Type: {headers}\r\n\r\n{body}\r\n" for headers, body in parts)
    head = "From: a@a.example\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
    return f"{head}Content-Type: multipart/{kind}; boundary=q{more}\r\n\r\n{texts}--q--\r\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        parts_of("related", ("text/html", PAGE), ("text/plain\r\nContent-ID: <a>", OTHER)),
        parts_of(
            "related",
            ("text/plain\r\nContent-ID: <a>", OTHER),
            ("text/html\r\nContent-ID: <r>", PAGE),
            more='; start="<r>"',
        ),
        parts_of("alternative", ("text/plain", "Your program shows no HTML."), ("text/html", PAGE)),
        parts_of("alternative", ("text/plain", "Total: 120.00 EUR"), ("text/richtext", OTHER)),
        parts_of("mixed", ("text/plain; format=flowed; delsp=yes", "Total: 1 \r\n20.00 E \r\n UR\r\n-- \r\nAda")),
    ],
    ids=["related", "related with a start", "a plain note", "a text of another type", "flowed"],
)
async def test_the_body_is_what_mail_programs_show(loader: MediaLoader, data: bytes) -> None:
    text = await text_of(loader, data)
    body, _, attached = text.partition("Attachment: ")
    assert "Total: 120.00 EUR" in body
    assert "9120" not in body
    assert ("9120" in attached) == ("related" in data.decode())


@each_case(
    ("written", "shown"),
    [
        ("The total is \r\n120.00 EUR \r\nfor you.\r\nThanks", "The total is 120.00 EUR for you.\r\nThanks"),
        ("> The total is \n> 120.00 EUR \n> of May\nThanks", "> The total is 120.00 EUR of May\nThanks"),
        (">> The total is \n> 120.00 EUR \nThanks", ">> The total is \n> 120.00 EUR \nThanks"),
        ("Yours \n-- \nAda \nLovelace", "Yours \n-- \nAda Lovelace"),
    ],
)
async def test_lines_that_the_senders_program_broke_are_joined(loader: MediaLoader, written: str, shown: str) -> None:
    head = "Subject: Hello\nContent-Type: text/plain; format=flowed\n\n"
    assert await text_of(loader, (head + written).encode()) == f"Subject: Hello\n\n{shown}"
    fixed = head.replace("; format=flowed", "")
    assert await text_of(loader, (fixed + written).encode()) == f"Subject: Hello\n\n{written}"
