"""The questions whose answers are kept, where the nearest to a new one are found, and what was learned of each."""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.chat.cache.vectors import SCHEMA, Scan, Vectors
from app.chat.cache.verified import Observation, Observations
from app.state.entries import Held
from app.state.sealing import Seal
from app.state.sqlite_file import Schema, SqliteFile
from models.language.embedding import DIMENSIONS, Vector

MOST_QUESTIONS = 100_000
_LEFT_OUT = 0.01
"""The share of all that leaves together, those used least lately, where there are too many."""
_USED_S = 60.0
"""How exactly the last use of a question is known: a hit is no write."""
_QUESTION_BYTES = 64 + DIMENSIONS + DIMENSIONS // 8
"""What a question takes beside its text and what was seen of it: digests, and a vector twice."""
_SCHEMA = Schema(
    3,
    f"""
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, answer BLOB NOT NULL UNIQUE, said BLOB NOT NULL,
    question BLOB NOT NULL, seen TEXT NOT NULL, ends REAL NOT NULL, used REAL NOT NULL
);
CREATE INDEX questions_by_use ON questions (used);
CREATE INDEX questions_by_tenant ON questions (tenant);
{SCHEMA}""",
)


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    id: int
    similarity: float
    """Its vector's cosine with the new question's."""
    text: str
    answer: bytes
    """The digest of the key under which its answer is kept."""
    said: bytes
    """`verified.digest_of` that answer: under the same key there may be another one by now."""
    seen: Observations
    """Of that answer and of no other."""
    used: float
    """When its answer was last made, given or compared."""


class KnownQuestions:
    """A file of SQLite beside the answers, wherever those are kept: each server learns from what it was asked itself.
    Texts are sealed. Every method raises StoreDown."""

    def __init__(
        self, path: Path, seal: Seal, *, most: int = MOST_QUESTIONS, clock: Callable[[], float] = time.time
    ) -> None:
        self._seal = seal
        self._most = most
        self._clock = clock
        self._scan = Scan()
        self._reader = SqliteFile(path, _SCHEMA, "question-reads")
        self._writer = SqliteFile(path, _SCHEMA, "question-writes")

    async def nearest(self, scope: str, vector: Vector, count: int) -> Sequence[KnownQuestion]:
        """Those in `scope`, the most alike first."""
        now = self._clock()

        def find(db: sqlite3.Connection) -> Sequence[KnownQuestion]:
            near = {one.id: one.similarity for one in Vectors(db, self._scan).nearest(scope, vector, count)}
            marks = ", ".join("?" * len(near))
            rows = db.execute(
                f"SELECT id, answer, said, question, seen, used FROM questions WHERE id IN ({marks}) AND ends >= ?",  # noqa: S608
                [*near, now],
            ).fetchall()
            found = (self._known(near[id_], id_, *row) for id_, *row in rows)
            return sorted((one for one in found if one is not None), key=lambda one: -one.similarity)

        return await self._reader.run(find)

    def _known(
        self, similarity: float, id_: int, answer: bytes, said: bytes, question: bytes, seen: str, used: float
    ) -> KnownQuestion | None:
        text = self._seal.opened(answer, question)
        if text is None:
            return None
        try:
            observations = Observations.from_list(json.loads(seen))
        except ValueError:
            return None
        return KnownQuestion(id_, similarity, text.decode(), answer, said, observations, used)

    async def add(
        self, scope: str, tenant: str, text: str, vector: Vector, answer: bytes, said: bytes, *, max_age_s: float
    ) -> None:
        """A question whose answer is kept under the digest `answer`, and is `said`. One that is there gets the new end;
        what was seen of it stays where the answer has stayed the same."""
        now = self._clock()
        row = (tenant, answer, said, self._seal.closed(answer, text.encode()), json.dumps(Observations().to_list()))

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                [id_] = db.execute(
                    "INSERT INTO questions (tenant, answer, said, question, seen, ends, used) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (answer) DO UPDATE SET "
                    "seen = iif(said = excluded.said, seen, excluded.seen), said = excluded.said, "
                    "ends = excluded.ends, used = excluded.used RETURNING id",
                    (*row, now + max_age_s, now),
                ).fetchone()
                Vectors(db).add(scope, id_, vector)
                self._make_room(db, now)

        await self._writer.run(write)

    def _make_room(self, db: sqlite3.Connection, now: float) -> None:
        [count] = db.execute("SELECT count(*) FROM questions").fetchone()
        if count <= self._most:
            return
        gone = db.execute("SELECT id FROM questions WHERE ends < ?", (now,)).fetchall()
        if not gone:
            most = max(int(_LEFT_OUT * self._most), 1)
            gone = db.execute("SELECT id FROM questions ORDER BY used LIMIT ?", (most,)).fetchall()
        _delete(db, [id_ for [id_] in gone])

    async def observe(self, known: KnownQuestion, observation: Observation) -> None:
        """Adds to what is known of a question, unless its answer has become another meanwhile."""
        now = self._clock()

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                which = (known.id, known.said)
                found = db.execute("SELECT seen FROM questions WHERE id = ? AND said = ?", which).fetchone()
                if found is None:
                    return
                try:
                    seen = Observations.from_list(json.loads(found[0]))
                except ValueError:
                    seen = Observations()
                added = json.dumps(seen.added(observation).to_list())
                db.execute("UPDATE questions SET seen = ?, used = ? WHERE id = ?", (added, now, known.id))

        await self._writer.run(write)

    def was_long_unused(self, known: KnownQuestion) -> bool:
        return self._clock() - known.used > _USED_S

    async def use(self, known: KnownQuestion) -> None:
        """Its answer was given."""
        row = (self._clock(), known.id)

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE questions SET used = ? WHERE id = ?", row)

        await self._writer.run(write)

    async def forget(self, id_: int) -> None:
        """Where its answer is no longer there."""

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                _delete(db, [id_])

        await self._writer.run(write)

    async def purge(self, tenant: str | None = None) -> int:
        """Takes out everything, or all of a tenant; the number of questions."""

        return await (self._deleted("") if tenant is None else self._deleted("WHERE tenant = ?", tenant))

    async def sweep(self) -> int:
        """Takes out those whose answers have ended; their number."""
        return await self._deleted("WHERE ends < ?", self._clock())

    async def _deleted(self, condition: str, *values: object) -> int:
        def delete(db: sqlite3.Connection) -> int:
            db.execute("PRAGMA secure_delete = ON")
            with db:
                db.execute("BEGIN IMMEDIATE")
                ids = [id_ for [id_] in db.execute(f"SELECT id FROM questions {condition}", values)]  # noqa: S608
                _delete(db, ids)
            db.execute("PRAGMA secure_delete = OFF")
            if ids:
                # A page a step, of which `execute` takes one.
                db.executescript("PRAGMA incremental_vacuum")
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return len(ids)

        return await self._writer.run(delete)

    async def held(self) -> list[Held]:
        """What is known of each tenant's questions."""
        size = f"sum(length(question) + length(seen) + {_QUESTION_BYTES})"
        query = f"SELECT tenant, 'question', count(*), {size} FROM questions GROUP BY tenant ORDER BY tenant"  # noqa: S608
        rows = await self._reader.run(lambda db: db.execute(query).fetchall())
        return [Held(*row) for row in rows]

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()


def _delete(db: sqlite3.Connection, ids: Sequence[int]) -> None:
    Vectors(db).remove(ids)
    db.executemany("DELETE FROM questions WHERE id = ?", [(id_,) for id_ in ids])
