"""Vectors of a cache's entries in SQLite, and the nearest of them, without an extension.

A vector is kept twice: as the signs of its components, 48 bytes, in blocks that are scanned as a whole; and in int8, of
which only the most promising are read. The extension for vectors that there is, sqlite-vec, cannot be loaded where
Python's sqlite3 was built without extensions (pyenv's and macOS' are), and takes longer to scan as many signs.
`tests/bench/cache_vectors.py` has figures.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.language.embedding import DIMENSIONS, Vector

_BLOCK: Final = 512
"""Vectors in a row at most: few enough that to add one writes 28 kB, and enough that 100,000 are 200 rows."""
_WORDS: Final = DIMENSIONS // 64
_RESCORED: Final = 64
"""How many of the most alike by signs are compared by int8; four times as many as are asked for, where that is more."""
_SCANNED: Final = 8
"""Scopes that are remembered."""
_SCALE: Final = 127

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS vector_blocks (
    block INTEGER PRIMARY KEY, scope TEXT NOT NULL, count INTEGER NOT NULL, ids BLOB NOT NULL, signs BLOB NOT NULL,
    written INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS vector_blocks_of_scope ON vector_blocks (scope, count, written);
CREATE TABLE IF NOT EXISTS vector_writes (number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, block INTEGER NOT NULL, vector BLOB NOT NULL);
"""
"""Statements for a new database, or one that may have them."""

Ids = NDArray[np.int64]
Signs = NDArray[np.uint64]
"""6 × vectors: the words of a vector's signs stand below each other, which makes them fast to add up."""
_EMPTY: tuple[Ids, Signs] = (np.empty(0, np.int64), np.empty((_WORDS, 0), np.uint64))


@dataclass(frozen=True, slots=True)
class Near:
    id: int
    similarity: float
    """The cosine, within 0.001."""


@dataclass(slots=True)
class _Scanned:
    """A scope as it was read last."""

    version: int = -1
    """SQLite's, which changes with every write of somebody else."""
    written: int = 0
    """The last write that is in it."""
    blocks: dict[int, tuple[Ids, Signs]] = field(default_factory=dict)
    ids: Ids = field(default_factory=lambda: _EMPTY[0])
    signs: Signs = field(default_factory=lambda: _EMPTY[1])
    """Those of all blocks."""


@dataclass(slots=True)
class Scan:
    """What a connection that only reads has read of some scopes: after a write, what it changed is read, and not all.
    100,000 vectors take 12 MB."""

    connection: sqlite3.Connection | None = None
    scopes: dict[str, _Scanned] = field(default_factory=dict)

    def of(self, connection: sqlite3.Connection, scope: str) -> _Scanned:
        if connection is not self.connection or (scope not in self.scopes and len(self.scopes) >= _SCANNED):
            self.connection, self.scopes = connection, {}
        return self.scopes.setdefault(scope, _Scanned())


class Vectors:
    """In a database with the tables of SCHEMA. Writes in the transaction of its caller, who commits."""

    def __init__(self, connection: sqlite3.Connection, scan: Scan | None = None) -> None:
        """`scan`: what was read before, where the connection is one that only reads."""
        self._connection = connection
        self._scan = scan

    def add(self, scope: str, id: int, vector: Vector) -> None:  # noqa: A002
        """Under a number that is unique among all scopes; a vector that has it is replaced."""
        self.remove([id])
        query = "SELECT block, ids, signs FROM vector_blocks WHERE scope = ? AND count < ? ORDER BY count DESC LIMIT 1"
        block, ids, signs = next(self._blocks(query, (scope, _BLOCK)), (None, *_EMPTY))
        ids = np.append(ids, np.int64(id))
        signs = np.hstack([signs, _signs(vector)])
        if block is None:
            row = (scope, 1, ids.tobytes(), signs.tobytes(), self._next_write())
            insert = "INSERT INTO vector_blocks (scope, count, ids, signs, written) VALUES (?, ?, ?, ?, ?)"
            block = self._connection.execute(insert, row).lastrowid
        else:
            self._write(block, ids, signs)
        self._connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", (id, block, _int8(vector).tobytes()))

    def remove(self, ids: Iterable[int]) -> None:
        """Those that are not there are passed over."""
        gone: dict[int, list[int]] = {}
        for number in ids:
            query = "DELETE FROM vectors WHERE id = ? RETURNING block"
            for [block] in self._connection.execute(query, (number,)).fetchall():
                gone.setdefault(block, []).append(number)
        query = "SELECT block, ids, signs FROM vector_blocks WHERE block = ?"
        for block, numbers in gone.items():
            for _, present, signs in list(self._blocks(query, (block,))):
                left = ~np.isin(present, numbers)
                self._write(block, present[left], signs[:, left])

    def nearest(self, scope: str, vector: Vector, k: int) -> Sequence[Near]:
        """The `k` most alike in `scope`, the most alike first. What is not whole counts as not there."""
        numbers, signs = self._scanned(scope)
        if not len(numbers) or k < 1:
            return ()
        differing = np.bitwise_count(signs ^ _signs(vector)).sum(axis=0, dtype=np.uint16)
        most = min(max(_RESCORED, 4 * k), len(numbers))
        candidates = numbers[np.argpartition(differing, most - 1)[:most]]
        found = list(self._kept(candidates.tolist()))
        if not found:
            return ()
        kept = np.stack([each for _, each in found]).astype(np.float32)
        similarities = kept @ vector / np.linalg.norm(kept, axis=1)
        return [Near(found[place][0], float(similarities[place])) for place in np.argsort(-similarities)[:k]]

    def _scanned(self, scope: str) -> tuple[Ids, Signs]:
        known = self._scan.of(self._connection, scope) if self._scan else _Scanned()
        # Before what it tells of is read: what is written in between is read twice, rather than never.
        [version] = self._connection.execute("PRAGMA data_version").fetchone()
        if version != known.version:
            self._catch_up(scope, known)
            known.version = version
        return known.ids, known.signs

    def _catch_up(self, scope: str, known: _Scanned) -> None:
        """Reads the blocks that were written since."""
        query = "SELECT block, written FROM vector_blocks WHERE scope = ?"
        there: dict[int, int] = dict(self._connection.execute(query, (scope,)))
        changed = [block for block, written in there.items() if written > known.written or block not in known.blocks]
        gone = known.blocks.keys() - there.keys()
        if not changed and not gone:
            return
        for block in (*gone, *changed):
            known.blocks.pop(block, None)
        for block in changed:
            query = "SELECT block, ids, signs FROM vector_blocks WHERE block = ?"
            known.blocks.update({block: (ids, signs) for block, ids, signs in self._blocks(query, (block,))})
        known.written = max(there.values(), default=0)
        blocks = [_EMPTY, *known.blocks.values()]
        known.ids = np.concatenate([ids for ids, _ in blocks])
        known.signs = np.hstack([signs for _, signs in blocks])

    def _blocks(self, query: str, values: tuple[str | int, ...]) -> Iterator[tuple[int, Ids, Signs]]:
        for block, ids, signs in self._connection.execute(query, values):
            count, rest = divmod(len(ids), 8)
            if not rest and len(signs) == len(ids) * _WORDS:
                yield block, np.frombuffer(ids, np.int64), np.frombuffer(signs, np.uint64).reshape(_WORDS, count)

    def _kept(self, numbers: Sequence[int]) -> Iterator[tuple[int, NDArray[np.int8]]]:
        query = f"SELECT id, vector FROM vectors WHERE id IN ({', '.join('?' * len(numbers))})"  # noqa: S608
        for number, vector in self._connection.execute(query, numbers):
            if len(vector) == DIMENSIONS:
                yield number, np.frombuffer(vector, np.int8)

    def _write(self, block: int, ids: Ids, signs: Signs) -> None:
        if len(ids):
            row = (len(ids), ids.tobytes(), signs.tobytes(), self._next_write(), block)
            update = "UPDATE vector_blocks SET count = ?, ids = ?, signs = ?, written = ? WHERE block = ?"
            self._connection.execute(update, row)
        else:
            self._connection.execute("DELETE FROM vector_blocks WHERE block = ?", (block,))

    def _next_write(self) -> int:
        """Larger with every write, so that a reader knows what it has seen."""
        found = self._connection.execute("UPDATE vector_writes SET number = number + 1 RETURNING number").fetchone()
        if found is None:
            found = self._connection.execute("INSERT INTO vector_writes VALUES (1) RETURNING number").fetchone()
        [number] = found
        return int(number)


def _signs(vector: Vector) -> Signs:
    return np.packbits(vector > 0).view(np.uint64)[:, None]


def _int8(vector: Vector) -> NDArray[np.int8]:
    """By the largest component: the direction is all that counts."""
    most = float(np.abs(vector).max()) or 1.0
    return np.round(vector * (_SCALE / most)).astype(np.int8)
