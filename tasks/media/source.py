"""What a client pointed at, before anything of it is read."""

import re
from dataclasses import dataclass
from typing import Self

from tasks.errors import InputError

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_URL = re.compile(r"https?://[^\s\"'`<>(){}\[\]|\\^“”‘’«»]+", re.IGNORECASE)
_SENTENCE_END = ".,;:!?"


@dataclass(frozen=True, slots=True)
class Source:
    """One input as the client named it. Exactly one of `url` and `payload` is set."""

    param: str
    """Path of the field, e.g. `messages[0].content[1].image_url.url`."""
    url: str | None = None
    """An http(s) URL."""
    payload: str | None = None
    """A data URL or bare base64."""
    filename: str | None = None
    format: str | None = None
    """A declared MIME type or short name (`pdf`, `wav`)."""

    @classmethod
    def from_reference(
        cls,
        value: str,
        *,
        param: str,
        filename: str | None = None,
        format: str | None = None,  # noqa: A002
    ) -> Self:
        """Tell a URL from a data URL from base64.

        Raises InputError: empty, a data URL without a comma, or (`url_not_allowed`) any other scheme.
        """
        value = value.strip()
        if not value:
            raise InputError(f"'{param}' is empty.", param=param)
        scheme = _SCHEME.match(value)
        match scheme.group(1).lower() if scheme else None:
            case None:
                return cls(param, payload=value, filename=filename, format=format)
            case "data":
                if "," not in value:
                    raise InputError("malformed data URI: missing ',' separator", param=param)
                return cls(param, payload=value, filename=filename, format=format)
            case "http" | "https":
                return cls(param, url=value, filename=filename, format=format)
            case other:
                raise InputError(
                    f"'{param}' has the scheme '{other[:40]}'; only http, https and data URLs are read.",
                    code="url_not_allowed",
                    param=param,
                )

    @property
    def label(self) -> str:
        """How messages name this input: its filename, else the field it came in."""
        return self.filename or self.param


def urls_in(text: str) -> list[str]:
    """The http(s) URLs in running text, in order, each once.

    A URL ends at white space, a quote or a bracket; punctuation at its end belongs to the sentence.
    """
    found = (match.group().rstrip(_SENTENCE_END) for match in _URL.finditer(text))
    return list(dict.fromkeys(url for url in found if not url.endswith("/" * 2)))
