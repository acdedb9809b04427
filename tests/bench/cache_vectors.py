"""How long the nearest of 100,000 vectors takes in SQLite, on one core, and what a vector takes of the disk.

    OMP_NUM_THREADS=1 .venv/bin/python -m tests.bench.cache_vectors
    … --extension FOLDER     # beside sqlite-vec, whose package is there: for a sqlite3 that loads extensions

Times are the processor's, not the clock's: what else the machine does counts less. The vectors are 6,000 random points
with ten to twenty others around each.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.chat.cache.vectors import SCHEMA, Scan, Vectors
from models.language.embedding import DIMENSIONS

SCOPE = "scope"
QUERIES = 60


def made(count: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(1)
    centres = drawn.normal(size=(6000, DIMENSIONS)).astype(np.float32)
    found = centres[drawn.integers(0, len(centres), count)]
    found = found + drawn.normal(scale=0.5, size=found.shape).astype(np.float32)
    unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def asked_near(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    drawn = np.random.default_rng(2)
    found = vectors[:: len(vectors) // QUERIES][:QUERIES]
    found = found + drawn.normal(scale=0.02, size=found.shape).astype(np.float32)
    unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit.astype(np.float32)


def measured(name: str, path: Path, vectors: NDArray[np.float32], contestant: "Contestant") -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    contestant.begin(connection)
    began = time.thread_time()
    for number, vector in enumerate(vectors):
        contestant.add(number, vector)
        if number % 100 == 99:
            connection.commit()
    connection.commit()
    adding = (time.thread_time() - began) / len(vectors)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    times, right = [], 0
    for asked in asked_near(vectors):
        began = time.thread_time()
        found = contestant.nearest(asked)
        times.append(time.thread_time() - began)
        right += found == int((vectors @ asked).argmax())
    connection.close()
    print(
        f"{name:24} query {1e3 * np.median(times):7.2f} ms (least {1e3 * min(times):.2f}), add {1e6 * adding:5.0f} µs, "
        f"{path.stat().st_size / len(vectors):6.0f} bytes each, nearest found {right} of {QUERIES}",
        flush=True,
    )


class Contestant(Protocol):
    def begin(self, connection: sqlite3.Connection) -> None: ...
    def add(self, number: int, vector: NDArray[np.float32]) -> None: ...
    def nearest(self, asked: NDArray[np.float32]) -> int: ...


class Ours:
    def begin(self, connection: sqlite3.Connection) -> None:
        connection.executescript(SCHEMA)
        self._vectors = Vectors(connection)

    def add(self, number: int, vector: NDArray[np.float32]) -> None:
        self._vectors.add(SCOPE, number, vector)

    def nearest(self, asked: NDArray[np.float32]) -> int:
        return self._vectors.nearest(SCOPE, asked, 8)[0].id


class Remembered(Ours):
    """As a server has it: reads by a connection of their own, which remember what they read."""

    def __init__(self, *, after_a_write: bool) -> None:
        self._after_a_write = after_a_write

    def begin(self, connection: sqlite3.Connection) -> None:
        super().begin(connection)
        self._written = connection
        self._scan = Scan()
        [[_, _, path]] = connection.execute("PRAGMA database_list").fetchall()
        self._reading = Vectors(sqlite3.connect(path), self._scan)

    def nearest(self, asked: NDArray[np.float32]) -> int:
        if self._after_a_write:
            self._vectors.add(SCOPE, 1 << 40, -asked)
            self._written.commit()
        return self._reading.nearest(SCOPE, asked, 8)[0].id


class Extension:
    """sqlite-vec with a partition by scope, on float32, on int8, or on signs that int8 rescores."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def begin(self, connection: sqlite3.Connection) -> None:
        import sqlite_vec  # type: ignore[import-not-found]  # only where --extension says

        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        column = {"float32": "float[384] distance_metric=cosine", "int8": "int8[384] distance_metric=cosine"}
        vectors = f"v {column.get(self._kind, 'bit[384]')}"
        connection.execute(
            f"CREATE VIRTUAL TABLE t USING vec0(id integer primary key, scope text partition key, {vectors})"
        )
        connection.execute("CREATE TABLE exact (id INTEGER PRIMARY KEY, v BLOB)")
        self._connection = connection

    def _stored(self, vector: NDArray[np.float32], kind: str) -> bytes:
        if kind == "float32":
            return vector.tobytes()
        return (
            np.packbits(vector > 0).tobytes()
            if kind == "bit"
            else np.round(vector * 127 / abs(vector).max()).astype(np.int8).tobytes()
        )

    @property
    def _as(self) -> str:
        return {"float32": "?", "int8": "vec_int8(?)", "bit": "vec_bit(?)"}[self._kind]

    def add(self, number: int, vector: NDArray[np.float32]) -> None:
        values = (number, SCOPE, self._stored(vector, self._kind))
        self._connection.execute(f"INSERT INTO t (id, scope, v) VALUES (?, ?, {self._as})", values)
        if self._kind == "bit":
            self._connection.execute("INSERT INTO exact VALUES (?, ?)", (number, self._stored(vector, "int8")))

    def nearest(self, asked: NDArray[np.float32]) -> int:
        most = 64 if self._kind == "bit" else 8
        query = f"SELECT id FROM t WHERE v MATCH {self._as} AND scope = ? AND k = ? ORDER BY distance"
        rows = self._connection.execute(query, (self._stored(asked, self._kind), SCOPE, most)).fetchall()
        if self._kind != "bit":
            return int(rows[0][0])
        distance = "vec_distance_cosine(vec_int8(v), vec_int8(?))"
        query = f"SELECT id FROM exact WHERE id IN ({', '.join('?' * len(rows))}) ORDER BY {distance}"
        return int(
            self._connection.execute(query, [*(row[0] for row in rows), self._stored(asked, "int8")]).fetchone()[0]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--extension", metavar="FOLDER")
    arguments = parser.parse_args()
    vectors = made(arguments.vectors)
    contestants: dict[str, Contestant] = {
        "read anew": Ours(),
        "remembered": Remembered(after_a_write=False),
        "a write (too) and then": Remembered(after_a_write=True),
    }
    if arguments.extension:
        sys.path.append(arguments.extension)
        contestants |= {f"sqlite-vec, {kind}": Extension(kind) for kind in ("bit", "int8", "float32")}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, contestant) in enumerate(contestants.items()):
            measured(name, Path(folder) / f"{number}.db", vectors, contestant)


if __name__ == "__main__":
    main()
