"""Who may call."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import InvalidApiKey

EVERYONE = "everyone"
"""The tenant of a server without keys."""

_TENANT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    """Whose files and answers these are, in characters that any store takes: a digest of the key, never the key."""


class ApiKeys:
    """The keys that open this server; none at all opens it to everyone who can connect."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._callers = {_digest(key): Caller(_tenant(key)) for key in keys}

    def check(self, authorization: str | None) -> Caller:
        """Raises InvalidApiKey unless `authorization` is `Bearer <one of the keys>`.

        Digests of one length are compared, and all of them always: the time taken tells nothing about a key.
        """
        if not self._callers:
            return Caller(EVERYONE)
        scheme, _, key = (authorization or "").partition(" ")
        given = _digest(key.strip())
        callers = [caller for digest, caller in self._callers.items() if hmac.compare_digest(given, digest)]
        if scheme.lower() != "bearer" or not callers:
            raise InvalidApiKey("Invalid API key provided.")
        return callers[0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _tenant(key: str) -> str:
    # Another digest than the one that keys are compared by: this one can be seen, as the name of a folder.
    return hashlib.blake2b(key.encode(), digest_size=_TENANT_BYTES, person=b"openfaze tenant").hexdigest()
