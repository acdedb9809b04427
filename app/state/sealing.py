"""The stored form of a value: versioned, compressed, bound to its key, and encrypted if the operator gave a secret.
Bytes in any other form are not read."""

import hashlib
import os
import threading
from collections.abc import Callable
from typing import Protocol

import zstandard

_MAGIC = b"ofz\x01"
"""First bytes of a sealed value; the last of them is the version of the form."""
_PLAIN, _ENCRYPTED = b"\x00", b"\x01"
_DIGEST_BYTES = 16
_NONCE_BYTES = 12
"""Length of a nonce of AES-GCM, in bytes (NIST SP 800-38D, 8.2)."""
_SHORT_BYTES = 64 << 10
"""Each thread reuses its own compressor for values of at most this many bytes, because making a new one takes three
times as long as compressing. Longer values get a new compressor, because a compressor keeps the memory that its longest
value took."""


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes: ...


def unpacked_size(packed: bytes | memoryview) -> int:
    """Return the unpacked size in bytes that a compressed value states in its header; -1 if it states none."""
    try:
        return zstandard.frame_content_size(packed)
    except zstandard.ZstdError:
        return -1


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
        packed = _compressed(value)
        if self._cipher is None:
            return _MAGIC + _PLAIN + _digest(key, packed) + packed
        nonce = os.urandom(_NONCE_BYTES)
        return _MAGIC + _ENCRYPTED + nonce + self._cipher.encrypt(nonce, packed, key)

    def open(self, key: bytes, sealed: bytes) -> bytes | None:
        """Return the value in `sealed`. Return None if it is damaged or too large, or was not sealed for `key` by a
        sealer with the same secret."""
        packed = self.open_packed(key, sealed)
        return None if packed is None else self.unpack(packed)

    def open_packed(self, key: bytes, sealed: bytes) -> bytes | memoryview | None:
        """Return the value in `sealed`, still compressed, if possible as a view. Return None if it is damaged, or was
        not sealed for `key` by a sealer with the same secret."""
        head, kind, rest = sealed[:4], sealed[4:5], memoryview(sealed)[5:]
        if head != _MAGIC or kind != (_ENCRYPTED if self._cipher else _PLAIN):
            return None
        return self._decrypted(key, rest) if self._cipher else _verified(key, rest)

    def unpack(self, packed: bytes | memoryview) -> bytes | None:
        """Return the content of the compressed value `packed`; None if it is damaged or too large."""
        try:
            # The frame states the size of its content, so a small frame that would unpack to gigabytes is never
            # unpacked.
            return _TOOLS.unpacking.decompress(packed) if 0 <= unpacked_size(packed) <= self._max_bytes else None
        except zstandard.ZstdError:
            return None

    def _decrypted(self, key: bytes, rest: memoryview) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        assert self._cipher is not None
        try:
            return self._cipher.decrypt(bytes(rest[:_NONCE_BYTES]), rest[_NONCE_BYTES:], key)
        except (InvalidTag, ValueError):
            return None


class _Tools(threading.local):
    """Compressor and decompressor of each thread."""

    def __init__(self) -> None:
        self.packing = zstandard.ZstdCompressor()
        self.unpacking = zstandard.ZstdDecompressor()


_TOOLS = _Tools()


def _compressed(value: bytes) -> bytes:
    return _TOOLS.packing.compress(value) if len(value) <= _SHORT_BYTES else zstandard.compress(value)


def _cipher(secret: str) -> _Cipher:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"openfaze cache").derive(secret.encode()))


def _verified(key: bytes, rest: memoryview) -> memoryview | None:
    packed = rest[_DIGEST_BYTES:]
    return packed if rest[:_DIGEST_BYTES] == _digest(key, packed) else None


def _digest(key: bytes, packed: bytes | memoryview) -> bytes:
    """Return a digest of the key and the value, by which a value that was moved to another key is detected."""
    new: Callable[..., hashlib.blake2b] = hashlib.blake2b
    return new(packed, digest_size=_DIGEST_BYTES, key=hashlib.sha256(key).digest()).digest()
