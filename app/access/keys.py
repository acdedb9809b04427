"""Who may call."""

import hashlib
import hmac
from collections.abc import Iterable

from app.errors import InvalidApiKey


class ApiKeys:
    """The keys that open this server; none at all opens it to everyone who can connect."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(_digest(key) for key in keys)

    def check(self, authorization: str | None) -> None:
        """Raises InvalidApiKey unless `authorization` is `Bearer <one of the keys>`.

        Digests of one length are compared, and all of them always: the time taken tells nothing about a key.
        """
        if not self._digests:
            return
        scheme, _, key = (authorization or "").partition(" ")
        given = _digest(key.strip())
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]
        if scheme.lower() != "bearer" or not any(matches):
            raise InvalidApiKey("Invalid API key provided.")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
