"""E-mails that Outlook has saved."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import MSG, sniff
from tasks.inputs.readers import READERS
from tasks.inputs.source import Blob
from tasks.markdown_text import plain_form
from tests.conftest import each_case
from tests.kit.papers.office_files import picture, workbook
from tests.kit.papers.outlook_files import message, msg_file, storage

OFFER: dict[str, Any] = {
    "subject": "Angebot für Öfen",
    "body": "Guten Tag,\r\nder Preis ist 12,50 €.\r\n",
    "sender": 'Ada "A." King',
    "sender_address": "ada@example.org",
    "sent": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
}
TO_BOB = storage({"name": "Bob", "address": "bob@example.org", "to": 1})
COPY_TO_EVE = storage({"name": "Eve Ω", "address": "eve@example.org", "to": 2})


def text_of(data: bytes, limits: MediaLimits | None = None) -> str:
    pages = READERS[MSG](Blob(data, MSG, "a.msg", "p"), limits or MediaLimits())
    pages.close()
    return plain_form(pages.text or "")


def test_the_headers_and_the_body_are_read() -> None:
    data = msg_file(message(OFFER, [TO_BOB, COPY_TO_EVE]))
    assert sniff(data) == MSG
    assert text_of(data) == (
        'From: "Ada \\"A.\\" King" <ada@example.org>\nTo: Bob <bob@example.org>\nCc: Eve Ω <eve@example.org>\n'
        "Date: Sun, 01 Mar 2026 12:30:00 +0000\nSubject: Angebot für Öfen\n\n"
        "Guten Tag,\nder Preis ist 12,50 €."
    )


def test_the_headers_of_a_received_e_mail_count_first() -> None:
    headers = (
        "Received: from x\r\nFrom: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nDate: Mon, 2 Mar 2026 08:00:00 +0100\r\n"
    )
    text = text_of(msg_file(message({**OFFER, "headers": headers}, [TO_BOB])))
    assert text.startswith(
        "From: Zoë <zoe@example.org>\nTo: Bob <bob@example.org>\nDate: Mon, 02 Mar 2026 08:00:00 +0100\n"
    )
    assert "Received" not in text


@each_case(
    ("values", "text"),
    [
        ({"html": b"<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>"}, "| b | 2 |"),
        ({"html": "<p>Preis: 5 €</p>".encode("cp1252"), "codepage": 1252}, "Preis: 5 €"),
        ({"html": "<p>請求書 ①</p>".encode("cp932"), "codepage": 932}, "請求書 ①"),
        ({"html": "<meta charset='utf-8'><p>Größe</p>".encode()}, "Größe"),
        ({"html": "<p>Größe</p>"}, "Größe"),
    ],
)
def test_a_body_in_html_is_read_as_a_page(values: dict[str, Any], text: str) -> None:
    assert text in text_of(msg_file(message({"subject": "x", "body": "plain", **values})))


def test_attached_files_are_opened_as_those_of_other_e_mails() -> None:
    sheet = workbook(lambda book: book.active.append(["Lamp", 12]))
    attachments = [
        storage({"long_name": "größe.csv", "data": "größe;1\n".encode("cp1252")}),
        storage({"long_name": "prices.xlsx", "data": sheet}),
        storage(
            {"long_name": "seal.png", "type": "image/png", "content_id": "seal@x", "data": picture(40, 40).getvalue()}
        ),
        storage({"long_name": "x.bin", "data": b"\0\1\2" * 2_000}),
    ]
    text = text_of(msg_file(message(OFFER, [], attachments)))
    assert "Attachments: größe.csv; prices.xlsx; seal.png; x.bin" in text
    assert "Attachment: größe.csv\n\ngröße;1" in text
    assert "| Lamp | 12 |" in text
    assert text.endswith("Attachment: x.bin\n\n[attachment not read: unsupported_media_type]")


def test_the_bytes_of_streams_that_share_their_sectors_are_bounded() -> None:
    data = msg_file(message(OFFER, [], [storage({"data": b"x" * 50_000, "long_name": f"{at}"}) for at in range(30)]))
    with pytest.raises(InputTooLarge, match=r"unpacks to more than 1 MB"):
        text_of(data, MediaLimits(office_bytes=1 << 20))


@pytest.mark.parametrize("share", [0.1, 0.8])
def test_a_truncated_file_is_refused(share: float) -> None:
    data = msg_file(message(OFFER, [TO_BOB], [storage({"long_name": "a.txt", "data": b"text " * 2_000})]))
    with pytest.raises(InputError, match="damaged or incomplete"):
        text_of(data[: int(share * len(data))])
