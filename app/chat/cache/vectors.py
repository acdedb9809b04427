"""Vectors of a cache's entries in SQLite, and the nearest of them, without an extension.

A vector is kept twice: as the signs of its components, 48 bytes, in blocks that are scanned as a whole; and in int8, of
which only the most promising are read. Python's sqlite3 is often built without extensions (pyenv's and macOS' are), and
the extension for vectors that there is, sqlite-vec, scans 100,000 such signs in 30 to 50 ms where NumPy takes 3.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.language.embedding import DIMENSIONS, Vector

_BLOCK: Final = 256
"""Vectors in a row: few enough that to add one writes 14 kB, and enough that 100,000 are 400 rows."""
_WORDS: Final = DIMENSIONS // 64
_RESCORED: Final = 64
"""How many of the most alike by signs are compared by int8; more where more are asked for."""
_SCALE: Final = 127

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS vector_blocks (
    block INTEGER PRIMARY KEY, scope TEXT NOT NULL, count INTEGER NOT NULL, ids BLOB NOT NULL, signs BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS vector_blocks_of_scope ON vector_blocks (scope, count);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, block INTEGER NOT NULL, vector BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Near:
    id: int
    similarity: float
    """The cosine, to 0.01."""


class Vectors:
    """Writes in the transaction of its caller, who commits and holds the connection for a call's time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def create(self) -> None:
        """Makes the tables where they are missing. Commits."""
        self._connection.executescript(SCHEMA)

    def add(self, scope: str, id: int, vector: Vector) -> None:  # noqa: A002
        """Under a number that nobody else has; one that is there is replaced."""
        self.remove([id])
        found = self._connection.execute(
            "SELECT block, ids, signs FROM vector_blocks WHERE scope = ? AND count < ? LIMIT 1", (scope, _BLOCK)
        ).fetchone()
        block, ids, signs = found or (None, b"", b"")
        ids += np.int64(id).tobytes()
        signs += _signs(vector).tobytes()
        if block is None:
            block = self._connection.execute(
                "INSERT INTO vector_blocks (scope, count, ids, signs) VALUES (?, 1, ?, ?)", (scope, ids, signs)
            ).lastrowid
        else:
            self._write(block, ids, signs)
        self._connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", (id, block, _int8(vector).tobytes()))

    def remove(self, ids: Iterable[int]) -> None:
        """Those that are not there are passed over."""
        for number in ids:
            found = self._connection.execute("DELETE FROM vectors WHERE id = ? RETURNING block", (number,)).fetchone()
            if found is not None:
                self._take_out(found[0], number)

    def nearest(self, scope: str, vector: Vector, k: int) -> Sequence[Near]:
        """The `k` most alike in `scope`, the most alike first. Rows that are not whole count as not there."""
        ids, signs = self._block_of(scope)
        if not len(ids) or k < 1:
            return ()
        differing = np.bitwise_count(signs ^ _signs(vector)).sum(axis=1, dtype=np.uint16)
        most = min(max(_RESCORED, 4 * k), len(ids))
        candidates = ids[np.argpartition(differing, most - 1)[:most]].tolist()
        rows = self._connection.execute(
            f"SELECT id, vector FROM vectors WHERE id IN ({', '.join('?' * most)})",  # noqa: S608
            candidates,
        ).fetchall()
        whole = [(number, kept) for number, kept in rows if len(kept) == DIMENSIONS]
        if not whole:
            return ()
        kept = np.frombuffer(b"".join(kept for _, kept in whole), np.int8).reshape(-1, DIMENSIONS).astype(np.float32)
        similarities = kept @ vector / np.linalg.norm(kept, axis=1)
        best = np.argsort(-similarities)[:k]
        return [Near(whole[place][0], float(similarities[place])) for place in best]

    def _block_of(self, scope: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The numbers and signs of all in a scope."""
        rows = self._connection.execute("SELECT ids, signs FROM vector_blocks WHERE scope = ?", (scope,)).fetchall()
        whole = [(ids, signs) for ids, signs in rows if len(ids) % 8 == 0 and len(signs) == len(ids) * _WORDS]
        ids = np.frombuffer(b"".join(ids for ids, _ in whole), np.int64)
        return ids, np.frombuffer(b"".join(signs for _, signs in whole), np.uint64).reshape(-1, _WORDS)

    def _take_out(self, block: int, number: int) -> None:
        found = self._connection.execute("SELECT ids, signs FROM vector_blocks WHERE block = ?", (block,)).fetchone()
        if found is None:
            return
        ids, signs = found
        place = ids.find(np.int64(number).tobytes())
        while place % 8 and place != -1:
            place = ids.find(np.int64(number).tobytes(), place + 1)
        if place == -1:
            return
        ids = ids[:place] + ids[place + 8 :]
        signs = signs[: place * _WORDS] + signs[(place + 8) * _WORDS :]
        if ids:
            self._write(block, ids, signs)
        else:
            self._connection.execute("DELETE FROM vector_blocks WHERE block = ?", (block,))

    def _write(self, block: int, ids: bytes, signs: bytes) -> None:
        self._connection.execute(
            "UPDATE vector_blocks SET count = ?, ids = ?, signs = ? WHERE block = ?", (len(ids) // 8, ids, signs, block)
        )


def _signs(vector: Vector) -> NDArray[np.uint64]:
    return np.packbits(vector > 0).view(np.uint64)


def _int8(vector: Vector) -> NDArray[np.int8]:
    """By the largest component: their direction is what counts."""
    most = float(np.abs(vector).max()) or 1.0
    return np.round(vector * (_SCALE / most)).astype(np.int8)
