"""The stored form of a value: versioned, compressed, and, if the operator gave a secret, encrypted and bound to its
key. Bytes in any other form are not read."""

import os
from typing import Protocol

import zstandard

_MAGIC = b"ofz\x02"
"""First bytes of a sealed value; the last of them is the version of the form."""
_PLAIN, _ENCRYPTED = b"\x00", b"\x01"
_NONCE_BYTES = 12
"""Length of a nonce of AES-GCM, in bytes (NIST SP 800-38D, 8.2)."""


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Sealer:
    """Seals values for a store and opens them again, in any thread.

    >>> sealer = Sealer(max_bytes=1 << 20)
    >>> sealer.open(b"key", sealer.seal(b"key", b"value"))
    b'value'
    """

    def __init__(self, max_bytes: int, secret: str | None = None) -> None:
        """Create a sealer of values of at most `max_bytes`. With a `secret`, they are encrypted by AES-256-GCM; HKDF
        (RFC 5869) derives the key from the secret."""
        self._max_bytes = max_bytes
        self._cipher = _cipher(secret) if secret else None

    def seal(self, key: bytes, value: bytes) -> bytes:
        """Return the sealed form of `value`. Raises ValueError for a value of more than `max_bytes`."""
        if len(value) > self._max_bytes:
            raise ValueError(f"{len(value)} bytes are more than {self._max_bytes}")
        packed = zstandard.ZstdCompressor(write_checksum=True).compress(value)
        if self._cipher is None:
            return _MAGIC + _PLAIN + packed
        nonce = os.urandom(_NONCE_BYTES)
        return _MAGIC + _ENCRYPTED + nonce + self._cipher.encrypt(nonce, packed, key)

    def open(self, key: bytes, sealed: bytes) -> bytes | None:
        """Return the value in `sealed`. Return None if it is damaged or too large, or was not sealed by a sealer with
        the same secret; with a secret, also if it was sealed for another key."""
        kind, packed = sealed[len(_MAGIC) :][:1], sealed[len(_MAGIC) + 1 :]
        if not sealed.startswith(_MAGIC) or kind != (_ENCRYPTED if self._cipher else _PLAIN):
            return None
        if self._cipher is not None:
            from cryptography.exceptions import InvalidTag

            try:
                packed = self._cipher.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], key)
            except (InvalidTag, ValueError):
                return None
        try:
            # The frame states the size of its content, so a small frame that would unpack to gigabytes is never
            # unpacked.
            if not 0 <= zstandard.frame_content_size(packed) <= self._max_bytes:
                return None
            return zstandard.ZstdDecompressor().decompress(packed)
        except zstandard.ZstdError:
            return None


def _cipher(secret: str) -> _Cipher:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"openfaze cache").derive(secret.encode()))
