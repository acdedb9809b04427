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
from tasks.inputs.text.text_file import decode_text, one_line, read_text, unsure_where_overwritten
from tasks.markdown_text import ATTACHMENT, ATTACHMENTS, WIDE_SPACE, escape_part, plain_form, unsure

Open = Callable[[Blob, MediaLimits], Pages]
Opener = Callable[[str], Open | None]
"""Function that returns the reader of attached files of a media type, or None if such files are not read."""

CALENDAR = "text/calendar"
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
_TOKEN = re.compile(rf"{_FIGURE.pattern}|[^\W\d_]+")
_RUN = 3
_MOST_COMPARED = 1_000_000
"""The words of a plain choice are compared with those of the HTML in this many characters of both."""
_ADDED = re.compile(
    r"(?:(?:https?|ftp)://|www\.|mailto:|cid:)[^\s<>()\[\]\"]{1,2000}"
    r"|\[(?:image|cid|inline image)\b[^\]\n]{0,300}\]|\[\d{1,2}\]|^[ \t]*\d{1,2}\.[ \t]+(?=https?://|mailto:)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = (
    r"(?:"
    r"(?:[^\s\"<>(),;:\\@]++@[^\s\"<>(),;:\\@]++|\"(?:[^\"\\]|\\.)*+\"|[^\"<>(),;:\\@]*+)"  # an address or a name
    r"\s*+(?:<[^\s<>()@]++@[^\s<>()@]++>)?"
    r")"
)
_ADDRESSES = re.compile(rf"\s*+{_ADDRESS}(?:\s*+,\s*+{_ADDRESS})*+\s*+", re.DOTALL)
"""Pattern of the addresses that mail programs show (RFC 5322, 3.4): they have no comments."""
_DATE = re.compile(
    r"\s*+(?:[^\W\d]{2,9}[.,]?\s+)?(?:\d{1,2}\s+[^\W\d]{3,9}\s+\d{2,4}|\d{4}-\d\d-\d\d)"
    r"(?:[\sT]+\d{1,2}:\d\d(?::\d\d)?(?:\s*(?:[+-]\d\d:?\d\d|[A-Z]{1,5}))?(?:\s+\([A-Za-z\s]{1,40}\))?)?\s*+"
)
"""Pattern of dates (RFC 5322, 3.3; ISO 8601) with nothing behind them but the name of the time zone."""
_UNSEEN_PROPERTY = re.compile(
    r"^(?![ \t]|(?:SUMMARY|LOCATION|DESCRIPTION|DTSTART|DTEND|ORGANIZER|ATTENDEE)(?:;[A-Z-]+=[\w/. -]*)*:)"
    r".*(?:\n[ \t].*)*",
    re.MULTILINE,
)
"""Pattern of the properties of an invitation that programs do not show, or not as they are written (RFC 5545)."""
_FROM_LINE = re.compile(rb"^From [^\r\n]*\r?\n", re.MULTILINE)
"""Pattern of the line before each e-mail of a mailbox (RFC 4155)."""
_SOFT_BREAK = re.compile(rb"(?<=[^\s>])(?<!^--)(?<!^>--)(?<!^> --) ++\r?\n(>*+) ?+(?![\r\n]|-- \r?$)", re.MULTILINE)
"""Pattern of the line breaks that the sender's program inserted (RFC 3676), with the quotation marks of the next line,
but not of those beside the line above a signature or an empty line."""
_QUOTATION = re.compile(rb">*+")
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


class _Place(NamedTuple):
    """Place of a part in its e-mail."""

    alternatives: Message | None = None
    """The nearest `multipart/alternative` around the part, of which a mail program shows one part only."""
    choice: int = 0
    """Number of the part of `alternatives` in which this part is."""
    is_aside: bool = False
    """True for the parts of a `multipart/related` that belong to its root, such as pictures of a page (RFC 2387)."""


class _Body(NamedTuple):
    """A part of an e-mail that is shown as its text."""

    blob: Blob
    place: _Place
    is_common: bool = True
    """True for the types that all mail programs show: plain text and HTML."""


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
        for part, place in self._leaves(mail, pages.blob):
            is_text = part.get_content_maintype() == "text" and not part.get_filename()
            if is_text and not place.is_aside and not _is_attachment(part):
                # An invitation is shown in addition to what it accompanies.
                is_invitation = part.get_content_subtype() == "calendar"
                is_common = part.get_content_subtype() in ("plain", "html")
                bodies.append(_Body(self._blob(part, pages.blob), _Place() if is_invitation else place, is_common))
            else:
                attached.append(part)
        lines = [f"{name}: {value}" for name in HEADERS if (value := _marked_header(mail, name))]
        names = [escape_part(_name(part), begins=False) for part in attached]
        if names:
            lines.append(f"{ATTACHMENTS} {'; '.join(names)}")
        texts = ["\n".join(lines), self._body(bodies, pages)]
        for name, part in zip(names, attached, strict=True):
            texts += [f"{ATTACHMENT} {name}", self._attachment(part, name, pages)]
        return "\n\n".join(filter(None, texts))

    def _leaves(self, mail: Message, blob: Blob, place: _Place = _Place()) -> Iterator[tuple[Message, _Place]]:  # noqa: B008
        """Yield the parts that are not multiparts, each with its place. An attached e-mail is one part."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise blob.too_large(f"has more than {MAX_PARTS} parts, the limit for e-mails.")
        if mail.get_content_maintype() == "multipart" and mail.is_multipart():
            kind, root = mail.get_content_subtype(), _root_of(mail)
            for number, part in enumerate(_parts(mail)):
                if kind == "alternative":
                    inner = place._replace(alternatives=mail, choice=number)
                else:
                    inner = place._replace(is_aside=place.is_aside or (kind == "related" and part is not root))
                yield from self._leaves(part, blob, inner)
        else:
            yield mail, place

    def _body(self, bodies: Sequence[_Body], pages: EmbeddedPages) -> str:
        """Return the text of the body, with one choice of each `multipart/alternative`."""
        choices: dict[int, dict[int, list[_Body]]] = {}
        for number, body in enumerate(bodies):
            group = number if body.place.alternatives is None else id(body.place.alternatives)
            choices.setdefault(group, {}).setdefault(body.place.choice, []).append(body)
        texts = [self._best_of([*group.values()], pages) for group in choices.values()]
        return "\n\n".join(filter(None, texts))

    def _best_of(self, choices: Sequence[Sequence[_Body]], pages: EmbeddedPages) -> str:
        """Return the text of one of the choices of a `multipart/alternative`, of which mail programs show the last one
        that has HTML. A plain choice is read instead if the HTML has no table, and the same figures or no text."""
        choices = [choice for choice in choices if all(body.is_common for body in choice)] or choices
        is_html = [any(body.blob.media_type == HTML for body in choice) for choice in choices]
        plain = [choice for choice, has_html in zip(choices, is_html, strict=True) if not has_html]
        if True not in is_html:
            return "\n\n".join(filter(None, (self._marked_text(body, pages) for body in plain[-1])))
        written = [text for body in (plain[-1] if plain else ()) if (text := self._plain_text(body))]
        shown = [choice for choice, has_html in zip(choices, is_html, strict=True) if has_html][-1]
        opened = [self._open_html(body.blob) if body.blob.media_type == HTML else None for body in shown]
        seen = "\n".join(one.text or "" for one in opened if one is not None)
        if written and _TABLE_ROW not in seen and _have_same_figures(plain_form(seen), "\n".join(written)):
            for one in filter(None, opened):
                one.close()
            return _doubted("\n\n".join(escape_part(text, begins=True) for text in written), plain_form(seen))
        texts = []
        for body, page in zip(shown, opened, strict=True):
            if page is not None:
                texts.append(pages.marked_file(page))
            elif body.blob.media_type == HTML:
                texts.append(self._opened(body.blob, pages))
            else:
                texts.append(self._marked_text(body, pages))
        return "\n\n".join(filter(None, texts))

    def _marked_text(self, body: _Body, pages: EmbeddedPages) -> str:
        """Return a part other than HTML, in which what a mail program perhaps does not show is unsure."""
        if body.blob.media_type not in TEXTS and body.blob.media_type.partition("/")[0] != "text":
            return self._opened(body.blob, pages)
        text = unsure_where_overwritten(escape_part(self._plain_text(body), begins=True))
        if body.blob.media_type == CALENDAR:
            return _UNSEEN_PROPERTY.sub(lambda found: unsure(found[0]), text)
        return text if body.is_common else unsure(text)

    def _plain_text(self, body: _Body) -> str:
        return decode_text(body.blob, self._limits).strip()

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
            # A picture that the text may name is shown where the text says.
            is_attached = _is_attachment(part) or part.get("Content-ID") is None
            return pages.marked(blob.data, name, is_attached=is_attached)
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
        is_flowed = str(part.get_param("format", "")).lower() == "flowed"
        if part.get_content_type() == "text/plain" and is_flowed:
            data = _with_joined_lines(data, b"" if str(part.get_param("delsp", "")).lower() == "yes" else b" ")
        media_type = EMAIL if _attached_mail(part) else sniff(data, text=named in TEXTS) or named or "text/plain"
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


def _have_same_figures(seen: str, text: str) -> bool:
    """True if `seen` is empty, or has the figures of `text` in the same order and no more than as many others, such as
    those of a footer."""
    if not seen.strip():
        return True
    all_seen, written = _figures_in(seen), _figures_in(text)
    figures = iter(all_seen)
    return 2 * len(written) >= len(all_seen) and all(figure in figures for figure in written)


def _doubted(marked: str, seen: str) -> str:
    """Mark the lines of a plain text as unsure that have three words in a row, including figures, which the HTML beside
    it (`seen`) does not have."""
    tokens = ["", "", *_tokens_in(seen[:_MOST_COMPARED])]
    runs = set(zip(tokens, tokens[1:], tokens[2:], strict=False))
    before = ["", ""]
    lines = []
    for line in marked[:_MOST_COMPARED].split("\n"):
        own = _tokens_in(plain_form(line))
        # A line of few words is compared together with those before it, such as an amount below its label.
        around = own if len(own) >= _RUN else [*before, *own][-_RUN:]
        is_seen = not own or all(run in runs for run in zip(around, around[1:], around[2:], strict=False))
        lines.append(line if is_seen else unsure(line))
        before = [*before, *own][-_RUN + 1 :]
    return "\n".join(lines) + unsure(marked[_MOST_COMPARED:])


def _tokens_in(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(_without_additions(text))]


def _figures_in(text: str) -> list[str]:
    return _FIGURE.findall(_without_additions(text))


def _without_additions(text: str) -> str:
    """Return the text without what a conversion from HTML adds: addresses and the numbers of links, which HTML does not
    show as text."""
    return _ADDED.sub(" ", normalized("NFKC", text).replace("’", "'"))


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


def _root_of(related: Message) -> Message | None:
    """Return the part of a `multipart/related` that is shown: the one that its parameter `start` names, or the first
    one (RFC 2387, 3.2)."""
    parts = _parts(related)
    start = related.get_param("start")
    named = (part for part in parts if start and part.get("Content-ID", "").strip() == start)
    return next(named, next(iter(parts), None))


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
    """Return a header; the first one of several, except for recipients."""
    values = mail.get_all(name, [])
    return one_line(", ".join(_decoded(str(value)) for value in (values if name in ("To", "Cc") else values[:1])))


def _marked_header(mail: Message, name: str) -> str:
    """Return a header as marked text. It is unsure if it has more than programs show of such a header, such as comments
    behind addresses, or so much space that the rest is beyond the edge of a window."""
    value = escape_part(_header(mail, name), begins=False)
    shown = _DATE if name == "Date" else None if name == "Subject" else _ADDRESSES
    written = [str(one) for one in mail.get_all(name, [])]
    is_sure = all(
        len(one) <= LONGEST_ENCODED and (shown is None or shown.fullmatch(one)) and not WIDE_SPACE.search(_decoded(one))
        for one in written
    )
    return value if is_sure else unsure(value)


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
