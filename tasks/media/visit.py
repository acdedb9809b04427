"""The rules for the URLs of one fetch, and what its errors say."""

from dataclasses import dataclass

import httpx

from tasks.errors import InputError, InputTooLarge
from tasks.media.limits import megabytes

_MAX_PORT = 65535
_SHOWN = 200
"""Characters of a URL that a message repeats."""


@dataclass(slots=True)
class Visit:
    """One fetch, as its errors tell it.

    They repeat the URL as the client wrote it and nothing of what it led to: neither an address nor where a
    redirect pointed.
    """

    url: str
    param: str | None
    limit: int
    """Bytes."""
    redirected: bool = False

    def refused(self, reason: str) -> InputError:
        subject = f"{self._name} redirects to an address that" if self.redirected else self._name
        return InputError(f"{subject} {reason}.", code="url_not_allowed", param=self.param)

    def failed(self, reason: str) -> InputError:
        return InputError(f"{self._name} {reason}.", code="fetch_failed", param=self.param)

    def too_large(self) -> InputTooLarge:
        return InputTooLarge(
            f"{self._name} is larger than {megabytes(self.limit)} (OPENFAZE_MAX_FETCH_MB).", param=self.param
        )

    @property
    def _name(self) -> str:
        return f"'{self.url}'" if len(self.url) <= _SHOWN else f"'{self.url[:_SHOWN]}…'"


def parse_url(text: str, visit: Visit) -> httpx.URL:
    """`text` as a URL that may be fetched. The host comes out in lower case and ASCII, without a final dot."""
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").rstrip(".")
        return _permitted(url.copy_with(host=host, fragment=None), visit)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise visit.refused("is not a valid URL") from error


def _permitted(url: httpx.URL, visit: Visit) -> httpx.URL:
    if url.scheme not in {"http", "https"}:
        raise visit.refused("has a scheme other than http and https")
    if url.userinfo:
        if not visit.redirected:
            visit.url = f"{url.scheme}://***@{url.host}"
        raise visit.refused("carries credentials")
    if not url.raw_host or (url.port or 0) > _MAX_PORT:
        raise visit.refused("names no host, or no port")
    return url


def follow_redirect(url: httpx.URL, location: str, visit: Visit) -> httpx.URL:
    """Where `location` leads from `url`, which may be relative to it. From https it may not lead back to http:
    what arrives would no longer be what the named host sent."""
    visit.redirected = True
    try:
        target = parse_url(str(url.join(location)), visit)
    except (httpx.InvalidURL, ValueError) as error:
        raise visit.refused("is not a valid URL") from error
    if url.scheme == "https" and target.scheme == "http":
        raise visit.refused("is not encrypted")
    return target
