"""Opens e-mails and mailboxes as text: the headers, the body, and the attached files."""

import email
import email.errors
import email.header
import email.policy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.message import Message
from typing import Any, NamedTuple

from models.normal_forms import normalized
from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import EMAIL, HTML, IMAGES, MAILBOX, TEXTS, media_type_named, media_type_of_file, sniff
from tasks.inputs.pages import Pages
from tasks.inputs.pictured_text import EmbeddedPages, PicturedText
from tasks.inputs.source import SHOWN, Blob
from tasks.inputs.text.text_file import decode_text, one_line, read_text
from tasks.markdown_text import escape_part, plain_form

Open = Callable[[Blob, MediaLimits], Pages]
Opener = Callable[[str], Open | None]
"""Function that returns the reader of attached files of a media type, or None if such files are not read."""

HEADERS = ("From", "To", "Cc", "Reply-To", "Date", "Subject")
"""Headers that mail programs show, in this order (RFC 5322, 3.6)."""
MAX_PARTS = 1_000
"""All e-mails of a mailbox have at most this many parts together: bodies, attachments, and the multiparts that contain
them."""
MAX_NESTING = 8
"""An attached e-mail is read if at most this many e-mails contain it."""
LONGEST_PARAMETERS = 8_192
"""A header with parameters is cut off after this many characters, because the library takes quadratic time for it."""
LONGEST_ENCODED = 32_768
"""At most this many characters of a header are searched for encoded words (RFC 2047), because the library takes
quadratic time for these: 10 ms for this many. 500 addresses with encoded names fit."""
MAX_PARSED = 10 * MAX_PARTS
"""At most this many parts of one e-mail are parsed, including the parts of attached e-mails."""
MAX_COMPARED = 20_000_000
"""The lines of a file's e-mails, including attached ones, are compared with boundaries of multiparts at most this many
times, which takes 3 s. The library compares each line with the boundaries of all levels of its e-mail."""
_PARAMETERS = ("content-type", "content-disposition", "content-transfer-encoding")
_TABLE_ROW = "| --- |"
_FIGURE = re.compile(r"\d+(?:[.,']\d+)*")
_ADDED = re.compile(
    r"(?:(?:https?|ftp)://|www\.|mailto:|cid:)[^\s<>()\[\]\"]{1,2000}"
    r"|\[(?:image|cid|inline image)\b[^\]\n]{0,300}\]|\[\d{1,2}\]|^[ \t]*\d{1,2}\.[ \t]+(?=https?://|mailto:)",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_LINE = re.compile(rb"^From [^\r\n]*\r?\n", re.MULTILINE)
"""Pattern of the line before each e-mail of a mailbox (RFC 4155)."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


class _ShorteningPolicy(email.policy.Compat32):
    """The default policy, except that headers with parameters are cut off at `LONGEST_PARAMETERS`."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_PARAMETERS] if name.lower() in _PARAMETERS else value


_POLICY: Any = _ShorteningPolicy()


class _Comparisons:
    """Budget of comparisons between lines and boundaries, which all e-mails of a file share."""

    def __init__(self) -> None:
        self._left = MAX_COMPARED

    def most_levels(self, lines: int) -> int:
        """Return how many levels of parts an e-mail of `lines` lines may have. The first level needs no comparisons,
        because it has no boundary."""
        return 1 + self._left // lines

    def spend(self, lines: int, levels: int) -> None:
        self._left -= lines * (levels - 1)


class _Body(NamedTuple):
    """A part of an e-mail that is shown as its text."""

    blob: Blob
    alternatives: Message | None
    """The `multipart/alternative` of which a mail program shows one part only; None if the part is shown in any case,
    as an invitation is."""


class MailFile(PicturedText):
    """An e-mail, or a mailbox of them. Its pages are its pictures and the pages of its attached files.

    `nesting` is the number of e-mails that contain this one. For an attached e-mail, `comparisons` is the budget of the
    e-mails around it, and `parsed` is its message if it was parsed together with them. The constructor raises
    InputTooLarge for more than `MAX_PARTS` parts.
    """

    def __init__(
        self,
        blob: Blob,
        limits: MediaLimits,
        opener: Opener,
        nesting: int = 0,
        parsed: Message | None = None,
        comparisons: _Comparisons | None = None,
    ) -> None:
        self._limits = limits
        self._opener = opener
        self._nesting = nesting
        self._parsed = parsed
        self._comparisons = comparisons or _Comparisons()
        self._parts = 0
        super().__init__(blob, limits, self._text)

    def _text(self, pages: EmbeddedPages) -> str:
        whole = pages.blob
        if self._parsed is not None:
            return self._mail_text(self._parsed, pages)
        mails = list(_split_mailbox(whole.data)) if whole.media_type == MAILBOX else [whole.data]
        return "\n\n---\n\n".join(self._mail_text(_parsed(data, whole, self._comparisons), pages) for data in mails)

    def _mail_text(self, mail: Message, pages: EmbeddedPages) -> str:
        bodies: list[_Body] = []
        attached: list[Message] = []
        for part, alternatives in self._leaves(mail, pages.blob):
            if part.get_content_maintype() == "text" and not part.get_filename() and not _is_attachment(part):
                is_invitation = part.get_content_subtype() == "calendar"
                bodies.append(_Body(self._blob(part, pages.blob), None if is_invitation else alternatives))
            else:
                attached.append(part)
        lines = [f"{name}: {escape_part(value, begins=False)}" for name in HEADERS if (value := _header(mail, name))]
        names = [escape_part(_name(part), begins=False) for part in attached]
        if names:
            lines.append(f"Attachments: {'; '.join(names)}")
        texts = ["\n".join(lines), self._body(bodies, pages)]
        for name, part in zip(names, attached, strict=True):
            texts += [f"Attachment: {name}", self._attachment(part, name, pages)]
        return "\n\n".join(filter(None, texts))

    def _leaves(
        self, mail: Message, blob: Blob, alternatives: Message | None = None
    ) -> Iterator[tuple[Message, Message | None]]:
        """Yield the parts that are not multiparts, each with the nearest `multipart/alternative` around it. An attached
        e-mail is one part."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise blob.too_large(f"has more than {MAX_PARTS} parts, the limit for e-mails.")
        if mail.get_content_maintype() == "multipart" and mail.is_multipart():
            nearest = mail if mail.get_content_subtype() == "alternative" else alternatives
            for part in _parts(mail):
                yield from self._leaves(part, blob, nearest)
        else:
            yield mail, alternatives

    def _body(self, bodies: Sequence[_Body], pages: EmbeddedPages) -> str:
        """Return the text of the body. If there are a plain and an HTML part, the HTML part is used only if it has a
        table, or if it does not show the figures of the plain part, because mail programs show the HTML part."""
        plain = {
            index: text
            for index, body in enumerate(bodies)
            if body.blob.media_type != HTML and (text := decode_text(body.blob, self._limits).strip())
        }
        opened = {
            index: self._open_html(body.blob)
            for index, body in enumerate(bodies)
            if body.blob.media_type == HTML
            and (not plain or b"<table" in body.blob.data.lower() or body.alternatives is not None)
        }
        html = {index: page.text or "" for index, page in opened.items() if page is not None}
        used = set(opened)
        if plain and not any(_TABLE_ROW in text for text in html.values()):
            used = set(plain)
            for group in {id(one): one for body in bodies if (one := body.alternatives) is not None}.values():
                written, shown = (
                    [index for index in texts if bodies[index].alternatives is group] for texts in (plain, html)
                )
                seen = "\n".join(html[index] for index in shown)
                if seen.strip() and not _shows_figures(plain_form(seen), "\n".join(plain[index] for index in written)):
                    used = used.difference(written).union(shown)
        for index, page in opened.items():
            if page is not None and index not in used:
                page.close()
        texts = []
        for index in sorted(used):
            if index in plain:
                texts.append(escape_part(plain[index], begins=True))
            elif (page := opened[index]) is not None:
                texts.append(pages.marked_file(page))
            else:
                texts.append(self._opened(bodies[index].blob, pages))
        return "\n\n".join(texts)

    def _open_html(self, blob: Blob) -> Pages | None:
        """Open an HTML part; None if it cannot be read."""
        opener = self._opener(HTML)
        try:
            return opener(blob, self._limits) if opener else None
        except InputError:
            return None

    def _attachment(self, part: Message, name: str, pages: EmbeddedPages) -> str:
        blob = self._blob(part, pages.blob)
        if blob.media_type in IMAGES:
            return pages.marked(blob.data, name)
        mail = _attached_mail(part)
        return self._opened(blob, pages, mail) if blob.data or mail is not None else ""

    def _opened(self, blob: Blob, pages: EmbeddedPages, mail: Message | None = None) -> str:
        """Return the text of an attached file with the marks of its pages, or a note if it is not read. `mail` is the
        message of an attached e-mail, which was parsed together with the e-mail around it."""
        try:
            if blob.media_type in (EMAIL, MAILBOX):
                if self._nesting == MAX_NESTING:
                    return f"[attachment not read: nested more than {MAX_NESTING} e-mails deep]"
                attached = MailFile(blob, self._limits, self._opener, self._nesting + 1, mail, self._comparisons)
                return pages.marked_file(attached)
            if opened := self._opener(blob.media_type):
                return pages.marked_file(opened(blob, self._limits))
            if blob.media_type in TEXTS:
                return escape_part(read_text(blob, self._limits).strip(), begins=True)
        except InputError as error:
            return f"[attachment not read: {error.code}]"
        return f"[attachment not read: {blob.media_type}]"

    def _blob(self, part: Message, whole: Blob) -> Blob:
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        named = media_type_named(part.get_content_type()) or media_type_of_file(part.get_filename())
        media_type = EMAIL if _attached_mail(part) else sniff(data, text=named in TEXTS) or named or "text/plain"
        label = f"{whole.label}: {_name(part)}"[:SHOWN]
        return replace(whole, data=data, media_type=media_type, filename=label, charset=part.get_content_charset())


def _shows_figures(seen: str, text: str) -> bool:
    """True if the figures of `text` are all in `seen`, in the same order."""
    figures = iter(_figures_in(seen))
    return all(figure in figures for figure in _figures_in(text))


def _figures_in(text: str) -> list[str]:
    # A conversion from HTML adds addresses and the numbers of links, which HTML does not show as text.
    return _FIGURE.findall(_ADDED.sub(" ", normalized("NFKC", text).replace("’", "'")))


def _parsed(data: bytes, whole: Blob, comparisons: _Comparisons) -> Message:
    """Parse an e-mail. Raises InputTooLarge as soon as it has more than MAX_PARSED parts, or more levels of parts than
    the remaining comparisons permit."""
    parts = 0
    deepest = 1
    # The library ends lines at a carriage return alone, too.
    lines = 1 + data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    most_levels = comparisons.most_levels(lines)

    class Part(Message):
        level = 1

        def __init__(self, policy: Any = _POLICY) -> None:
            nonlocal parts
            parts += 1
            if parts > MAX_PARSED:
                raise whole.too_large(
                    f"has more than {MAX_PARSED} parts, including those of attached e-mails, which is the limit."
                )
            super().__init__(policy)

        def attach(self, payload: Any) -> None:
            nonlocal deepest
            payload.level = self.level + 1
            if payload.level > most_levels:
                raise whole.too_large(
                    f"has parts nested more than {most_levels} deep, the limit for an e-mail of {lines} lines."
                )
            deepest = max(deepest, payload.level)
            super().attach(payload)

    mail: Message = email.message_from_bytes(data, _class=Part, policy=_POLICY)
    comparisons.spend(lines, deepest)
    return mail


def _split_mailbox(data: bytes) -> Iterator[bytes]:
    starts = [found for found in _FROM_LINE.finditer(data) if _follows_blank_line(data, found.start())]
    ends = [*(found.start() for found in starts[1:]), len(data)]
    for found, end in zip(starts, ends, strict=True):
        yield _QUOTED_FROM.sub(rb"\1", data[found.end() : end])


def _follows_blank_line(data: bytes, position: int) -> bool:
    return position == 0 or data[max(0, position - 4) : position].endswith((b"\n\n", b"\n\r\n"))


def _parts(part: Message) -> list[Message]:
    parts = part.get_payload()
    return [one for one in parts if isinstance(one, Message)] if isinstance(parts, list) else []


def _attached_mail(part: Message) -> Message | None:
    """Return the message of an attached e-mail, which was parsed together with the e-mail around it; None for any other
    part."""
    return next(iter(_parts(part)), None) if part.get_content_type() == EMAIL else None


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _name(part: Message) -> str:
    """Return the name of an attached file, the subject of an attached e-mail, or else the part's type."""
    name = part.get_filename()
    if not name and (mail := _attached_mail(part)) is not None:
        name = _header(mail, "Subject")
    return one_line(_decoded(name or "") or part.get_content_type())[:SHOWN]


def _header(mail: Message, name: str) -> str:
    return one_line(", ".join(_decoded(str(value)) for value in mail.get_all(name, [])))


def _decoded(value: str) -> str:
    """Decode the encoded words of a header (RFC 2047). A malformed header, and any text beyond
    `LONGEST_ENCODED` characters, is returned unchanged."""
    cut = len(value)
    if cut > LONGEST_ENCODED:
        # Encoded words contain no space, so none is cut apart.
        last_space = value.rfind(" ", 0, LONGEST_ENCODED)
        cut = LONGEST_ENCODED if last_space < 0 else last_space + 1
    try:
        return str(email.header.make_header(email.header.decode_header(value[:cut]))) + value[cut:]
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return value
