"""Describes the inputs that a request names, before they are read, and their bytes afterwards."""

import binascii
import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Self

import pybase64

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import LONGEST_SIDE, megabytes, megapixels
from tasks.inputs.media_types import IMAGES, sniff

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
LONGEST_URL = 8192
"""A URL of more characters is not read. Servers commonly take no longer ones."""
_EAST_ASIAN_SIGNS = r"\u3000-\u3003\u3008-\u303f\uff00-\uff65…"
_OF_URL = rf"[^\s\"'`<>(){{}}\[\]|\\^“”‘’«»{_EAST_ASIAN_SIGNS}]"
_IN_BRACKETS = rf"(?:\({_OF_URL}{{,{LONGEST_URL}}}\){_OF_URL}{{,{LONGEST_URL}}}){{,9}}"
_URL = re.compile(
    rf"https?://(?:\[(?P<ipv6>[\da-f:.]{{2,45}})\](?:[:/?#]{_OF_URL}{{,{LONGEST_URL}}})?|{_OF_URL}{{1,{LONGEST_URL}}})"
    rf"{_IN_BRACKETS}",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"(?<=[A-Za-z0-9])[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Pattern of a kana, a Han character or a Hangul syllable directly after a Latin letter or a digit. It begins the next
word of a sentence, because these scripts put no blank behind a link, and browsers copy such letters of a path in their
encoded form."""
_SCHEME_END = "://"
_SENTENCE_END = ".,;:!?"
HEAD = 1024
"""The scheme and a data URL's head are searched for in at most this many characters of a reference."""
_BASE64_HEAD = 88
"""Number of base64 characters for the first 66 bytes. These suffice to recognise a type, except within archives."""
_FIRST_BYTES = 66
_URL_ALPHABET = str.maketrans("-_", "+/")
"""Signs of base64 in the alphabet of URLs (RFC 4648), by those of the usual alphabet."""
_SHOWN = 40
"""A message quotes at most this many characters of a reference."""
SHOWN = 200
"""A message quotes at most this many characters of a name."""


class Total:
    """Budget of bytes that all sources of a request share: `left` of `limit` bytes may still be taken."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.left = limit

    def take(self, size: int, param: str) -> None:
        """Take `size` bytes. Raises InputTooLarge (`request_too_large`) if fewer are left."""
        if size > self.left:
            raise self.exceeded(param)
        self.left -= size

    def exceeded(self, param: str) -> InputTooLarge:
        return InputTooLarge(
            f"The inputs of the request, up to '{param}', are more than {megabytes(self._limit)} together.",
            code="request_too_large",
            param=param,
        )


class Arrival:
    """The bytes that one source takes of the request's budget while it arrives. Several sources may arrive at a
    time."""

    def __init__(self, total: Total | None, param: str) -> None:
        self._total = total
        self._param = param
        self._taken = 0

    def grow(self, size: int) -> None:
        """Take the bytes of the first `size` that are not taken yet. Raises what `Total.take` raises."""
        if self._total is not None and size > self._taken:
            self._total.take(size - self._taken, self._param)
            self._taken = size


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in a request that names an input: a field of the request or of a message's part."""

    field: str = ""
    """Name of the field (`image_url`, `text`, `file` …); "" if the content of a message is a string."""
    member: str = ""
    """Member of the field (`url`, `file_data` …); "" if the field itself names the input."""
    message: int | None = None
    part: int | None = None

    @property
    def is_text(self) -> bool:
        """True if a message's text mentions the input."""
        return self.message is not None and self.field in ("", "text")

    @property
    def param(self) -> str:
        """Path of the field in errors: `messages[0].content[1].image_url.url`."""
        message = "" if self.message is None else f"messages[{self.message}].content"
        part = "" if self.part is None else f"[{self.part}]"
        return ".".join(filter(None, (message + part, self.field, self.member)))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Source:
    """One input as the client named it. Sources are compared by identity. Exactly one of `url`, `payload`, `data` and
    `file_id` is set.

    A loader reads each source only once, even if it is opened several times.
    """

    origin: Origin
    url: str | None = None
    """An http(s) URL."""
    payload: str | memoryview | None = field(default=None, repr=False)
    """A data URL or bare base64, as a string or UTF-8."""
    data: bytes | None = field(default=None, repr=False)
    """The bytes of a form's file."""
    file_id: str | None = None
    """Id of an uploaded file of `owner`."""
    owner: str = ""
    """The tenant who sent the request. Uploaded files belong to a tenant."""
    fresh: bool = False
    """True if what was read before must not be used, and what is read not kept."""
    filename: str | None = None
    format: str | None = None
    """Declared MIME type or short name (`pdf`, `wav`)."""
    also: tuple[Origin, ...] = ()
    """Other places in the request that name the same input."""
    total: Total | None = None
    """The bytes that all sources of the request may still take together."""

    @classmethod
    def from_reference(
        cls,
        value: str | memoryview,
        *,
        origin: Origin,
        filename: str | None = None,
        format: str | None = None,  # noqa: A002
        total: Total | None = None,
    ) -> Self:
        """Build a source from a reference, which is a URL, a data URL or bare base64. If neither `filename` nor
        `format` is given, the first bytes of base64 must show a type, because a path such as `etc/passwd` also
        consists of base64's characters.

        Raises InputError for an empty value, a data URL without a comma, another scheme or a URL of more than
        LONGEST_URL characters (`url_not_allowed`), and any other text.
        """
        param = origin.param
        if isinstance(value, str):
            value = value.strip()
        if not value:
            raise InputError(f"'{param}' is empty.", param=param)
        head = beginning(value, HEAD)
        scheme = _SCHEME.match(head)
        name = scheme[1].lower() if scheme else ""
        if name in ("http", "https"):
            if len(value) > LONGEST_URL:
                raise InputError(
                    f"'{param}' is a URL of {len(value)} characters; it may have {LONGEST_URL} at most.",
                    code="url_not_allowed",
                    param=param,
                )
            url = value if isinstance(value, str) else str(value, "utf-8")
            return cls(origin, url=url, filename=filename, format=format, total=total)
        if name not in ("", "data"):
            raise InputError(
                f"'{param}' has the scheme '{name[:40]}'; only http, https and data URLs are read.",
                code="url_not_allowed",
                param=param,
            )
        if name == "data" and "," not in head:
            raise InputError("malformed data URI: missing ',' separator", param=param)
        if not name and not (filename or format) and sniff(first_bytes(head)) is None:
            raise InputError(
                f"'{param}' should be an http(s) URL, a data URL such as 'data:image/png;base64,…', or base64 of a "
                f"file that shows its type; '{head[:_SHOWN]}' is none of these.",
                param=param,
            )
        return cls(origin, payload=value, filename=filename, format=format, total=total)

    @property
    def param(self) -> str:
        """Path of the field in errors."""
        return self.origin.param

    @property
    def is_linked(self) -> bool:
        """True for a URL that a message's text mentions. A URL in a field such as `image_url` is not linked."""
        return self.url is not None and self.origin.is_text

    @property
    def is_picture(self) -> bool:
        """True if the first bytes in the request show a picture. The result is False if only reading reveals the
        type."""
        if self.data is not None:
            first = self.data[:_FIRST_BYTES]
        else:
            head = beginning(self.payload or "", HEAD)
            first = first_bytes(head.partition(",")[2] if head[:5].lower() == "data:" else head)
        return sniff(first) in IMAGES

    @property
    def label(self) -> str:
        """Name of the input in messages: its file name, or else the request's field."""
        return self.filename or self.param


def beginning(text: str | memoryview, length: int) -> str:
    """Return the first `length` characters of `text`. If `text` is a memoryview (UTF-8), return its first `length`
    bytes; each byte that is not ASCII becomes a replacement character."""
    return text[:length] if isinstance(text, str) else str(text[:length], "ascii", "replace")


def first_bytes(base64: str) -> bytes:
    """Decode the beginning of `base64`. Return b"" if it is invalid; the error is raised when the source is read."""
    whole = "".join(base64[:_BASE64_HEAD].split()).translate(_URL_ALPHABET)
    try:
        return pybase64.b64decode(whole[: len(whole) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


def urls_in(text: str) -> list[str]:
    """Return the http(s) URLs in a text, in order, each once.

    A URL ends at white space, a quote, a sign of East Asian punctuation, or a bracket, except for round brackets that
    are paired in it and those around a host's IPv6 address. Punctuation at its end belongs to the sentence. A URL of
    more than LONGEST_URL characters is left out.
    """
    found = (url.rstrip(_SENTENCE_END) for url in _find_links(text))
    return list(dict.fromkeys(url for url in found if not url.endswith("/" * 2)))


def _find_links(text: str) -> list[str]:
    """Return the matches of `_URL`. Searching for `://` first takes milliseconds for a text of 20 MB, where `findall`
    takes a second."""
    found = []
    end = 0
    position = text.find(_SCHEME_END)
    while position >= 0:
        starts = (position - len(name) for name in ("https", "http"))
        match = next(filter(None, (_URL.match(text, start) for start in starts if start >= end)), None)
        if match:
            address, url = match["ipv6"], match.group()
            if next_word := _NEXT_WORD.search(url):
                url = url[: next_word.start()]
            if len(url) <= LONGEST_URL and (address is None or _is_ipv6(address)):
                found.append(url)
            end = match.start() + len(url)
        position = text.find(_SCHEME_END, max(position + 1, end))
    return found


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that were sent or fetched, with their type."""

    data: bytes = field(repr=False)
    media_type: str
    """Canonical type that the bytes show, or else the declared one."""
    filename: str | None
    param: str
    charset: str | None = None
    """Character encoding that a data URL or a server declares for a text."""

    @property
    def label(self) -> str:
        """Name of the input in messages: its file name, or else the request's field."""
        return (self.filename or self.param)[:SHOWN]

    def error(self, predicate: str, *, code: str = "invalid_request") -> InputError:
        """Return an error that says what is wrong with this input: `blob.error("is empty.")`."""
        return InputError(f"'{self.label}' {predicate}", code=code, param=self.param)

    def too_large(self, predicate: str) -> InputTooLarge:
        """Return the error for an input that contains more than a limit allows."""
        return InputTooLarge(f"'{self.label}' {predicate}", param=self.param)

    def check_pixels(self, width: int, height: int, limit: int, *, has: str = "has", where: str = "") -> None:
        """Raise InputError (`image_too_large`) for a picture of more than `limit` pixels or with too long a side."""
        if width * height > limit:
            raise self.error(
                f"{has} {width} x {height} pixels ({megapixels(width * height)}){where}; "
                f"the limit is {megapixels(limit)} (OPENFAZE_MAX_IMAGE_MEGAPIXELS).",
                code="image_too_large",
            )
        if max(width, height) > LONGEST_SIDE:
            side = "width" if width > height else "height"
            raise self.error(
                f"{has} {width} x {height} pixels{where}; its {side} may be at most {LONGEST_SIDE}.",
                code="image_too_large",
            )
