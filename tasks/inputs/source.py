"""What a client pointed at, before anything of it is read, and its bytes, once they are."""

import binascii
import re
from dataclasses import dataclass, field
from typing import Self

import pybase64

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import LONGEST_SIDE, megabytes, megapixels
from tasks.inputs.media_types import IMAGES, sniff


class Total:
    """Bytes that a request's sources may still take, of `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.left = limit

    def take(self, size: int, param: str) -> None:
        """Raises InputTooLarge (`request_too_large`) where less than `size` is left."""
        if size > self.left:
            raise self.passed(param)
        self.left -= size

    def passed(self, param: str) -> InputTooLarge:
        return InputTooLarge(
            f"The inputs of the request, up to '{param}', are more than {megabytes(self._limit)} together "
            "(OPENFAZE_MAX_TOTAL_MB).",
            code="request_too_large",
            param=param,
        )


_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_URL = re.compile(r"https?://[^\s\"'`<>(){}\[\]|\\^“”‘’«»]+", re.IGNORECASE)
_SCHEME_END = "://"
_SENTENCE_END = ".,;:!?"
HEAD = 1024
"""Characters of a reference that are looked at for its scheme and a data URL's head."""
_BASE64_HEAD = 88
"""Characters of base64: the first 66 bytes, which is as far as sniffing needs to see, except into archives."""
_FIRST_BYTES = 66
_SHOWN = 40
"""Characters of a reference that a message repeats."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a request an input is named: in a field of the request, or of a part of a message."""

    field: str = ""
    """`image_url`, `text`, `file` …; "" where the content of a message is a text."""
    member: str = ""
    """`url`, `file_data` …; "" where the field itself names the input."""
    message: int | None = None
    part: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether running text of a message mentions the input."""
        return self.message is not None and self.field in ("", "text")

    @property
    def param(self) -> str:
        """As errors name it: `messages[0].content[1].image_url.url`."""
        message = "" if self.message is None else f"messages[{self.message}].content"
        part = "" if self.part is None else f"[{self.part}]"
        return ".".join(filter(None, (message + part, self.field, self.member)))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Source:
    """One input as the client named it, the same only as itself. Exactly one of `url`, `payload`, `data` and `file_id`
    is set.

    A loader reads it once, however often it is asked for it.
    """

    origin: Origin
    url: str | None = None
    """An http(s) URL."""
    payload: str | memoryview | None = field(default=None, repr=False)
    """A data URL or bare base64: text, or UTF-8."""
    data: bytes | None = field(default=None, repr=False)
    """Bytes as they came in a form."""
    file_id: str | None = None
    """An uploaded file, of `owner`."""
    owner: str = ""
    """The tenant who asks: uploaded files, and what is remembered of fetches, are its own."""
    fresh: bool = False
    """Neither use nor leave anything behind of what is fetched for it."""
    filename: str | None = None
    format: str | None = None
    """A declared MIME type or short name (`pdf`, `wav`)."""
    also: tuple[Origin, ...] = ()
    """Where the same input is named, too."""
    total: Total | None = None
    """What all sources of the request share: how much may be read."""

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
        """Tell a URL from a data URL from base64, which has to show its type where neither `filename` nor `format` says
        it: `etc/passwd` consists of base64's characters, too.

        Raises InputError: empty, a data URL without a comma, (`url_not_allowed`) any other scheme, or none of these.
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
        """As errors name the field."""
        return self.origin.param

    @property
    def is_linked(self) -> bool:
        """Whether it is a URL in running text, not a content part."""
        return self.url is not None and self.origin.is_text

    @property
    def is_picture(self) -> bool:
        """Whether what the request brings along shows, in its first bytes, that it is a picture. False where that is
        not known before it is read."""
        if self.data is not None:
            first = self.data[:_FIRST_BYTES]
        else:
            head = beginning(self.payload or "", HEAD)
            first = first_bytes(head.partition(",")[2] if head[:5].lower() == "data:" else head)
        return sniff(first) in IMAGES

    @property
    def label(self) -> str:
        """How messages name this input: its filename, else the field it came in."""
        return self.filename or self.param


def beginning(text: str | memoryview, length: int) -> str:
    """The first `length` characters of `text`, which may be UTF-8: then what is not ASCII is cut or replaced."""
    return text[:length] if isinstance(text, str) else str(text[:length], "ascii", "replace")


def first_bytes(base64: str) -> bytes:
    """What stands at the beginning of `base64`. What cannot be decoded is no bytes: whoever reads it will say why."""
    whole = "".join(base64[:_BASE64_HEAD].split())
    try:
        return pybase64.b64decode(whole[: len(whole) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


def urls_in(text: str) -> list[str]:
    """The http(s) URLs in running text, in order, each once.

    A URL ends at white space, a quote or a bracket; punctuation at its end belongs to the sentence.
    """
    found = (url.rstrip(_SENTENCE_END) for url in _links(text))
    return list(dict.fromkeys(url for url in found if not url.endswith("/" * 2)))


def _links(text: str) -> list[str]:
    """As `_URL.findall`, which would take a second for a text of 20 MB: looking for `://` takes milliseconds."""
    found = []
    end = 0
    at = text.find(_SCHEME_END)
    while at >= 0:
        starts = (at - len(name) for name in ("https", "http"))
        match = next(filter(None, (_URL.match(text, start) for start in starts if start >= end)), None)
        if match:
            found.append(match.group())
            end = match.end()
        at = text.find(_SCHEME_END, max(at + 1, end))
    return found


SHOWN = 200
"""Characters of a name that a message repeats."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that were sent or fetched, and what they are."""

    data: bytes = field(repr=False)
    media_type: str
    """Canonical, as the bytes show it; as it was declared where they show nothing."""
    filename: str | None
    param: str
    charset: str | None = None
    """As a data URL or a server declares it, for text."""

    @property
    def label(self) -> str:
        """How messages name this input: its filename, else the field it came in."""
        return (self.filename or self.param)[:SHOWN]

    def error(self, predicate: str, *, code: str = "invalid_request") -> InputError:
        """What is wrong with this input, as a sentence about it: `blob.error("is empty.")`."""
        return InputError(f"'{self.label}' {predicate}", code=code, param=self.param)

    def too_large(self, predicate: str) -> InputTooLarge:
        """As `error`, for what holds more than a limit allows."""
        return InputTooLarge(f"'{self.label}' {predicate}", param=self.param)

    def check_pixels(self, width: int, height: int, limit: int, *, has: str = "has", where: str = "") -> None:
        """Raises InputError (`image_too_large`) for a picture of more than `limit` pixels, or too long a side."""
        if width * height > limit:
            raise self.error(
                f"{has} {width} x {height} pixels ({megapixels(width * height)}){where}; "
                f"the limit is {megapixels(limit)} (OPENFAZE_MAX_IMAGE_MEGAPIXELS).",
                code="image_too_large",
            )
        if max(width, height) > LONGEST_SIDE:
            side = "width" if width > height else "height"
            raise self.error(
                f"{has} {width} x {height} pixels{where}; its {side} may be {LONGEST_SIDE} at the most.",
                code="image_too_large",
            )
