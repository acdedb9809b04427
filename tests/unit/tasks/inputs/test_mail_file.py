"""E-mails and mailboxes through the loader and the `ocr` task, in the processes where the server opens them."""

import base64
import email
import io
import mailbox
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.vision.text import Image, PageReader, PageText, TextLine, Word
from tasks.base import TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.mail_file import (
    LONGEST_HEADER,
    MAX_COMPARED,
    MAX_NESTING,
    MAX_PARSED,
    MAX_PARTS,
    MailFile,
)
from tasks.inputs.media_types import EMAIL, MAILBOX
from tasks.inputs.source import Blob, Origin, Source
from tasks.markdown_text import markdown_form, plain_form
from tasks.ocr import OcrTask
from tests.conftest import each_case
from tests.office_files import document


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


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

    return str((await OcrTask(reader, loader).run(TaskRequest("", (sent(data),)))).data["extracted_text"])


@pytest.mark.deep
async def test_headers_stand_above_the_body(loader: MediaLoader) -> None:
    message = mail("Guten Tag,\n\nwir bestellen 3 Stück.", to="b@b.example", date="Mon, 24 Feb 2025 18:31:40 +0100")
    assert (await text_of(loader, message.as_bytes())).splitlines() == [
        "From: Ada <ada@a.example>",
        "To: b@b.example",
        "Date: Mon, 24 Feb 2025 18:31:40 +0100",
        "Subject: Größe 12",
        "",
        "Guten Tag,",
        "",
        "wir bestellen 3 Stück.",
    ]


async def test_a_body_in_html_is_preferred_to_the_same_in_plain_words(loader: MediaLoader) -> None:
    message = mail("in plain words")
    message.add_alternative("<p>in HTML<p style='display:none'>hidden", subtype="html")
    assert (await text_of(loader, message.as_bytes())).endswith("\n\nin HTML")


async def test_plain_words_are_read_beside_a_page_without_text(loader: MediaLoader) -> None:
    message = mail("in plain words")
    message.add_alternative("<img src='cid:a'>", subtype="html")
    assert (await text_of(loader, message.as_bytes())).endswith("\n\nin plain words")


async def test_an_invitation_is_read_beside_the_alternatives(loader: MediaLoader) -> None:
    message = mail("Meeting on 3 June")
    message.add_alternative("<p>Meeting on 3 June", subtype="html")
    message.add_alternative("BEGIN:VCALENDAR\nDTSTART:20260603T100000\nEND:VCALENDAR", subtype="calendar")
    text = await text_of(loader, message.as_bytes())
    assert "Meeting on 3 June\n\nBEGIN:VCALENDAR" in text


async def test_the_tables_of_an_html_body_are_kept(loader: MediaLoader) -> None:
    message = mail("Item Price Tea 3.00")
    rows = "<tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>3.00</td></tr>"
    message.add_alternative(f"<table>{rows}</table>", subtype="html")
    assert "| Tea | 3.00 |" in await text_of(loader, message.as_bytes())


async def test_text_and_office_files_are_read_where_they_are_attached(loader: MediaLoader) -> None:
    message = mail()
    message.add_attachment("a,b\n1,2\n", subtype="csv", filename="Tabelle Süd.csv")
    word = document(lambda file: file.add_paragraph("Typed in a word processor."))
    message.add_attachment(word, maintype="application", subtype="octet-stream", filename="letter.docx")
    text = await text_of(loader, message.as_bytes())
    assert "Attachments: Tabelle Süd.csv; letter.docx" in text
    assert "Attachment: Tabelle Süd.csv\n\na,b\n1,2" in text
    assert "Attachment: letter.docx\n\nTyped in a word processor." in text


async def test_pictures_and_pages_of_attached_files_are_read_by_ocr_in_their_places(loader: MediaLoader) -> None:
    message = mail()
    message.add_attachment(pdf("first sheet", "second sheet"), maintype="application", subtype="pdf", filename="a.pdf")
    message.add_attachment(drawn(75), maintype="image", subtype="png", filename="b.png")
    message.add_attachment("the last", filename="c.txt")
    text = await read(loader, message.as_bytes())
    found = [text.index(part) for part in ("a.pdf\n", "first sheet", "second sheet", "75 wide", "the last")]
    assert found == sorted(found)


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


async def test_an_e_mail_of_endless_parts_is_refused_before_all_are_parsed(loader: MediaLoader) -> None:
    inner = b"Content-Type: multipart/mixed; boundary=y\n\n" + b"--y\n\na\n" * MAX_PARSED + b"--y--\n"
    data = b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n" + inner + b"--x--\n"
    with pytest.raises(InputTooLarge, match=f"more than {MAX_PARSED} parts, including those of attached e-mails"):
        await loader.open(sent(b"Subject: s\n" + data))


def nested(levels: int, body: bytes) -> bytes:
    """Return an e-mail with a body below so many multiparts."""
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(levels))
    return f"Subject: s\n{parts}\n".encode() + body


@pytest.mark.parametrize("line", [b"a\n", b"a\r", b"a\r\n"])
async def test_an_e_mail_of_many_lines_in_deeply_nested_parts_is_refused(loader: MediaLoader, line: bytes) -> None:
    data = nested(60, line * (MAX_COMPARED // 60))
    with pytest.raises(InputTooLarge, match="nested more than 60 deep"):
        await loader.open(sent(data))


def test_the_e_mails_of_a_mailbox_share_the_bound_on_lines_in_nested_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.inputs.mail_file.MAX_COMPARED", 100_000)
    one = b"From a@b.example Thu Nov 26 07:00:00 2026\n" + nested(20, b"a\n" * 2_000) + b"\n"

    def text_of_mailbox(count: int) -> str:
        return MailFile(Blob(one * count, MAILBOX, "a.mbox", "p"), MediaLimits(), lambda _: None).text or ""

    assert text_of_mailbox(2).count("Subject: s") == 2
    with pytest.raises(InputTooLarge, match="nested more than 9 deep"):
        text_of_mailbox(3)


async def test_e_mails_within_each_other_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = mail("the innermost")
    for number in range(MAX_NESTING):
        outer = mail(f"level {number}.")
        outer.add_attachment(message)
        message = outer
    parsed: list[int] = []
    parse = email.message_from_bytes
    monkeypatch.setattr(email, "message_from_bytes", lambda *given, **how: parsed.append(1) or parse(*given, **how))
    file = MailFile(Blob(message.as_bytes(), EMAIL, "a.eml", "p"), MediaLimits(), lambda _: None)
    assert "the innermost" in (file.text or "")
    assert len(parsed) == 1


async def test_a_header_is_cut_off_at_a_bound(loader: MediaLoader) -> None:
    word = "=?utf-8?B?QQ==?="
    text = await text_of(loader, b"Subject: " + f"{word}\n ".encode() * 4_000 + b"x\n\nHello.", "mail.eml")
    subject = text.partition("\n")[0].removeprefix("Subject: ")
    assert subject.startswith("A" * (LONGEST_HEADER // len(f"{word}\n ")))
    assert "x" not in subject


@pytest.mark.parametrize("header", ["To: " + "(" * 4_000, "Date: Mon, 99", "To: ,", "Subject: =?utf-8?B?!?="])
async def test_headers_that_the_library_cannot_read_are_read_as_they_are(loader: MediaLoader, header: str) -> None:
    text = await text_of(loader, f"From: a@a.example\n{header}\n\nHello.".encode())
    assert text.startswith("From: a@a.example\n")
    assert text.endswith("\n\nHello.")


@pytest.mark.parametrize("header", ["Content-Type: text/plain", "Content-Disposition: inline"])
async def test_a_header_of_endless_parameters_is_cut_off(loader: MediaLoader, header: str) -> None:
    text = await text_of(loader, f'Subject: s\n{header}; x="{";" * 1_000_000}"\n\nHello.'.encode())
    assert text == "Subject: s\n\nHello."


@pytest.mark.deep
async def test_parts_nested_without_end_are_the_files_fault(loader: MediaLoader) -> None:
    data = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(3_000))
    with pytest.raises(InputError):
        await loader.open(sent(b"Subject: s\n" + data))


async def test_all_e_mails_of_a_mailbox_are_read(loader: MediaLoader, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        box.add(mail(f"From the beginning {number}\n\nFrom here on.", subject=f"Letter {number}"))
    box.close()
    text = await text_of(loader, (tmp_path / "box").read_bytes(), "box.mbox")
    assert [f"Subject: Letter {number}" in text for number in range(3)] == [True] * 3
    assert text.count("\n\nFrom here on.") == 3


async def test_a_body_in_another_charset_is_decoded(loader: MediaLoader) -> None:
    data = "Content-Type: text/plain; charset=iso-8859-2\n\nzażółć gęślą jaźń".encode("iso-8859-2")
    assert "zażółć gęślą jaźń" in await text_of(loader, data)


async def test_markup_that_somebody_sends_is_text(loader: MediaLoader) -> None:
    script = "<script>x</script> [a](javascript:b)"
    message = mail(f"# {script}\nplain *words*", subject=script)
    message.add_attachment(f"1. {script}", filename="[n](javascript:c).txt")
    async with await loader.open(sent(message.as_bytes())) as document:
        assert document.text is not None
        assert script in document.text
        marked = document.text_with({})
    assert plain_form(marked).strip() == document.text.strip()
    shown = markdown_form(marked)
    assert "\\# \\<script>" in shown
    for live in ("<script>", "](", "*words*"):
        assert shown.count(live) == shown.count(f"\\{live}"), live


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


async def test_parts_that_are_no_alternatives_are_all_read(loader: MediaLoader) -> None:
    text = await text_of(loader, parts_of("mixed", ("text/html", PAGE), ("text/plain", "List of the club, 7 members")))
    assert "Total: 120.00 EUR" in text
    assert "7 members" in text


async def test_the_first_of_several_subjects_counts(loader: MediaLoader) -> None:
    text = await text_of(
        loader, b"Subject: Hello\r\nSubject: IBAN 4711\r\nTo: a@a.example\r\nTo: b@b.example\r\n\r\nHi"
    )
    assert text.splitlines()[:2] == ["To: a@a.example, b@b.example", "Subject: Hello"]


@each_case(
    ("written", "shown"),
    [
        ("The total is \r\n120.00 EUR \r\nfor you.\r\nThanks", "The total is 120.00 EUR for you.\r\nThanks"),
        ("The total is \n 120.00 EUR\n\nThanks", "The total is 120.00 EUR\n\nThanks"),
        ("> The total is \n> 120.00 EUR \n> of May\nThanks", "> The total is 120.00 EUR of May\nThanks"),
        (">> The total is \n> 120.00 EUR \nThanks", ">> The total is \n> 120.00 EUR \nThanks"),
        ("Yours \n-- \nAda \nLovelace", "Yours \n-- \nAda Lovelace"),
        ("> Yours \n> -- \n> Ada", "> Yours \n> -- \n> Ada"),
        ("The total is \n\n120.00 EUR", "The total is \n\n120.00 EUR"),
    ],
)
async def test_lines_that_the_senders_program_broke_are_joined(loader: MediaLoader, written: str, shown: str) -> None:
    head = "Subject: Hello\nContent-Type: text/plain; format=flowed\n\n"
    assert await text_of(loader, (head + written).encode()) == f"Subject: Hello\n\n{shown}"
    fixed = head.replace("; format=flowed", "")
    assert await text_of(loader, (fixed + written).encode()) == f"Subject: Hello\n\n{written}"
