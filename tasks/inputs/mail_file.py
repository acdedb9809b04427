"""Opens e-mails and mailboxes as text: the headers, the body, and the attached files."""

import email
import email.policy
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage, Message
from quopri import decodestring
from typing import Any, NamedTuple, cast

from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import (
    EMAIL,
    HTML,
    IMAGES,
    MAILBOX,
    MSG,
    TEXTS,
    media_type_named,
    media_type_of_file,
    sniff,
)
from tasks.inputs.outlook import eml_of
from tasks.inputs.pages import Pages
from tasks.inputs.pictured_text import EmbeddedPages, Opener, PicturedText
from tasks.inputs.source import SHOWN, Blob
from tasks.inputs.text import charset
from tasks.inputs.text.text_file import decode_text, one_line
from tasks.markdown_text import ATTACHMENT, ATTACHMENTS, escape_part

HEADERS = ("From", "To", "Cc", "Reply-To", "Date", "Subject")
"""Headers that mail programs show, in this order (RFC 5322, 3.6)."""
MAX_PARTS = 1_000
"""All e-mails of a mailbox have at most this many parts together: bodies, attachments, and the multiparts that contain
them."""
MAX_NESTING = 8
"""An attached e-mail is read if at most this many e-mails contain it."""
_FROM_LINE = re.compile(rb"^From [^\r\n]*\r?\n", re.MULTILINE)
"""Pattern of the line before each e-mail of a mailbox (RFC 4155)."""
_SOFT_BREAK = re.compile(rb"(?<=[^\s>])(?<!^--)(?<!^>--)(?<!^> --) ++\r?\n(>*+) ?+(?![\r\n]|-- \r?$)", re.MULTILINE)
"""Pattern of the line breaks that the sender's program inserted (RFC 3676), with the quotation marks of the next line,
but not of those beside the line above a signature or an empty line."""
_QUOTATION = re.compile(rb">*+")
_ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]*)?\?([bBqQ])\?([^?\s]*)\?=")
"""Pattern of a text that is encoded within a header (RFC 2047)."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


class _Policy(email.policy.EmailPolicy):
    """The library's policy for e-mails, with headers that are read as they are where it fails."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        if not value.isascii():
            # Bytes that are in no encoded word are surrogates here.
            value = charset.decode(value.encode("ascii", "surrogateescape")) or value
        return name, _ENCODED_WORD.sub(_in_utf8, value)

    def header_fetch_parse(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value)
        except Exception as error:
            # The library raises errors of many kinds for malformed headers.
            if not is_fault_of_file(error):
                raise
            return value


_POLICY: Any = _Policy()


def _in_utf8(word: re.Match[str]) -> str:
    """Return an encoded word in UTF-8, because the library knows charsets by fewer names."""
    label, encoding, text = word.groups()
    data = _from_base64(text) if encoding in "bB" else decodestring(text.encode("ascii", "ignore"), header=True)
    decoded = charset.decode(data, label) or ""
    return f"=?utf-8?b?{b64encode(decoded.encode(errors='replace')).decode()}?="


class _Leaf(NamedTuple):
    """A part of an e-mail that contains no others."""

    part: EmailMessage
    is_body: bool
    """True if it is shown as text of the e-mail."""
    otherwise: EmailMessage | None = None
    """The plain choice that is read if this one, a page, has no text."""


class MailFile(PicturedText):
    """An e-mail, or a mailbox of them. Its pages are its pictures and the pages of its attached files.

    `nesting` is the number of e-mails that contain this one. `parsed` is the message of an attached e-mail that was
    parsed together with the ones around it. The constructor raises InputTooLarge for more than `MAX_PARTS` parts.
    """

    def __init__(
        self,
        blob: Blob,
        limits: MediaLimits,
        opener: Opener,
        nesting: int = 0,
        parsed: EmailMessage | None = None,
    ) -> None:
        self._limits = limits
        self._opener = opener
        self._nesting = nesting
        self._parsed = parsed
        self._parts = 0
        super().__init__(blob, limits, self._text)

    def _text(self, pages: EmbeddedPages) -> str:
        whole = pages.blob
        if self._parsed is not None:
            return self._mail_text(self._parsed, pages)
        if whole.media_type == MSG:
            mails = [eml_of(whole, self._limits)]
        else:
            mails = list(_split_mailbox(whole.data)) if whole.media_type == MAILBOX else [whole.data]
        return "\n\n---\n\n".join(self._mail_text(_parsed(data), pages) for data in mails)

    def _mail_text(self, mail: EmailMessage, pages: EmbeddedPages) -> str:
        leaves = list(self._leaves(mail, pages.blob))
        attached = [leaf.part for leaf in leaves if not leaf.is_body]
        lines = [f"{name}: {escape_part(value, begins=False)}" for name in HEADERS if (value := _header(mail, name))]
        names = [escape_part(_name(part), begins=False) for part in attached]
        if names:
            lines.append(f"{ATTACHMENTS} {'; '.join(names)}")
        texts = ["\n".join(lines), *(self._body(leaf, pages) for leaf in leaves if leaf.is_body)]
        for name, part in zip(names, attached, strict=True):
            texts += [f"{ATTACHMENT} {name}", self._attachment(part, name, pages)]
        return "\n\n".join(filter(None, texts))

    def _leaves(self, part: EmailMessage, blob: Blob, *, is_aside: bool = False) -> Iterator[_Leaf]:
        """Yield the parts that contain no others, of an alternative only those that mail programs show. An attached
        e-mail is one part. `is_aside` is True for what belongs to a page, such as its pictures."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise blob.too_large(f"has more than {MAX_PARTS} parts, the limit for e-mails.")
        kind, parts = part.get_content_type(), _parts(part)
        if part.get_content_maintype() != "multipart" or not part.is_multipart():
            is_text = part.get_content_maintype() == "text" and not part.get_filename()
            yield _Leaf(part, is_text and not is_aside and not part.is_attachment())
            return
        body = _body_of(part) if kind in ("multipart/alternative", "multipart/related") else None
        for inner in parts:
            is_root = body is None or any(one is body for one in inner.walk())
            # An invitation is shown in addition to what it accompanies.
            is_invitation = inner.get_content_type() == "text/calendar"
            if kind == "multipart/alternative" and not (is_root or is_invitation):
                continue
            for leaf in self._leaves(inner, blob, is_aside=is_aside or (kind == "multipart/related" and not is_root)):
                is_choice = kind == "multipart/alternative" and leaf.part is body
                yield (
                    leaf._replace(otherwise=cast(EmailMessage | None, part.get_body(("plain",)))) if is_choice else leaf
                )

    def _body(self, leaf: _Leaf, pages: EmbeddedPages) -> str:
        blob = self._blob(leaf.part, pages.blob)
        if blob.media_type != HTML and (blob.media_type in TEXTS or blob.media_type.startswith("text/")):
            return escape_part(decode_text(blob, self._limits).strip(), begins=True)
        text = self._opened(blob, pages)
        if not text.strip() and leaf.otherwise is not None and leaf.otherwise is not leaf.part:
            return self._body(_Leaf(leaf.otherwise, True), pages)
        return text

    def _attachment(self, part: EmailMessage, name: str, pages: EmbeddedPages) -> str:
        blob = self._blob(part, pages.blob)
        if blob.media_type in IMAGES:
            return pages.marked(blob.data, name)
        mail = _attached_mail(part)
        return self._opened(blob, pages, mail) if blob.data or mail is not None else ""

    def _opened(self, blob: Blob, pages: EmbeddedPages, mail: EmailMessage | None = None) -> str:
        """Return the text of an attached file. `mail` is the message of an attached e-mail, which was parsed together
        with the e-mail around it."""

        def open_mail(blob: Blob, limits: MediaLimits) -> Pages:
            return MailFile(blob, limits, self._opener, self._nesting + 1, mail)

        is_mail = blob.media_type in (EMAIL, MAILBOX, MSG)
        if is_mail and self._nesting == MAX_NESTING:
            return pages.unread_file(blob, f"nested more than {MAX_NESTING} e-mails deep")
        return pages.attached(blob, open_mail if is_mail else self._opener(blob.media_type))

    def _blob(self, part: EmailMessage, whole: Blob) -> Blob:
        payload = _base64_mail(part) or part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        named = media_type_named(part.get_content_type()) or media_type_of_file(part.get_filename())
        is_flowed = str(part.get_param("format", "")).lower() == "flowed"
        if part.get_content_type() == "text/plain" and is_flowed:
            data = _with_joined_lines(data, b"" if str(part.get_param("delsp", "")).lower() == "yes" else b" ")
        media_type = sniff(data, text=named in TEXTS) or named or "text/plain"
        label = f"{whole.label}: {_name(part)}"[:SHOWN]
        return replace(whole, data=data, media_type=media_type, filename=label, charset=part.get_content_charset())


def _with_joined_lines(data: bytes, joint: bytes) -> bytes:
    """Join the lines of a flowed text that are quoted equally often (RFC 3676, 4.1 to 4.5)."""

    def joined(found: re.Match[bytes]) -> bytes:
        begin = data.rfind(b"\n", 0, found.start()) + 1
        quotation = _QUOTATION.match(data, begin)
        return joint if quotation and quotation[0] == found[1] else found[0]

    # Without quotations, nothing is to be compared, which takes half the time.
    return _SOFT_BREAK.sub(joined if b">" in data else joint, data)


def _parsed(data: bytes) -> EmailMessage:
    mail: EmailMessage = email.message_from_bytes(data, _class=EmailMessage, policy=_POLICY)
    return mail


def _split_mailbox(data: bytes) -> Iterator[bytes]:
    starts = [found for found in _FROM_LINE.finditer(data) if _follows_blank_line(data, found.start())]
    ends = [*(found.start() for found in starts[1:]), len(data)]
    for found, end in zip(starts, ends, strict=True):
        yield _QUOTED_FROM.sub(rb"\1", data[found.end() : end])


def _follows_blank_line(data: bytes, position: int) -> bool:
    return position == 0 or data[max(0, position - 4) : position].endswith((b"\n\n", b"\n\r\n"))


def _parts(part: EmailMessage) -> list[EmailMessage]:
    parts = part.get_payload()
    return [cast(EmailMessage, one) for one in parts if isinstance(one, Message)] if isinstance(parts, list) else []


def _body_of(part: EmailMessage) -> EmailMessage | None:
    """Return the body of an alternative or of a page with its pictures; None if it has no part."""
    found = part.get_body(("html", "plain"))
    return cast(EmailMessage, found) if found is not None else next(reversed(_parts(part)), None)


def _attached_mail(part: EmailMessage) -> EmailMessage | None:
    """Return the message of an attached e-mail, which was parsed together with the e-mail around it; None for any other
    part."""
    is_parsed = part.get_content_type() == EMAIL and not _base64_mail(part)
    return next(iter(_parts(part)), None) if is_parsed else None


def _base64_mail(part: EmailMessage) -> bytes:
    """Return an attached e-mail in base64, which the library takes for the text of an e-mail without headers; b"" for
    any other part."""
    inner = next(iter(_parts(part)), None) if part.get_content_type() == EMAIL else None
    text = inner.get_payload() if inner is not None and not inner.keys() else None
    return _from_base64(text) if isinstance(text, str) else b""


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii", "ignore") + b"==")
    except ValueError:
        return b""


def _name(part: EmailMessage) -> str:
    """Return the name of an attached file, the subject of an attached e-mail, or else the part's type."""
    name = part.get_filename()
    if not name and (mail := _attached_mail(part)) is not None:
        name = _header(mail, "Subject")
    return one_line(name or part.get_content_type())[:SHOWN]


def _header(mail: EmailMessage, name: str) -> str:
    """Return a header; the first one of several, except for recipients."""
    values = mail.get_all(name, [])
    return one_line(", ".join(map(str, values if name in ("To", "Cc") else values[:1])))
