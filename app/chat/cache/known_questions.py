"""Stores the questions whose answers are cached, by their gist (see `vetoes.gist`), with the observations of each."""

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from app.chat.cache.verification import Observation, Observations
from app.state.entries import EntryTotals
from app.state.sealing import Sealer
from app.state.sqlite_file import Schema, SqliteFile, erasing
from models.embedding.embedder import DIMENSIONS, Vector

MAX_QUESTIONS = 100_000
_DELETED_SHARE = 0.01
"""When there are too many questions and none has expired, this share of the permitted number is deleted at once,
beginning with the least recently used."""
_USE_PRECISION_S = 60.0
"""The stored time of a question's last use is at most this much too early, in seconds. Thanks to this tolerance, most
hits need no write."""
_QUESTION_BYTES = 80
"""Size of the digests stored with a question, in bytes, in addition to text, vector and observations."""
# The columns `answer`, `said` and `seen` hold what `KnownQuestion` calls `answer_key`, `answer_digest` and
# `observations`.
_SCHEMA = Schema(
    4,
    """
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, answer BLOB NOT NULL UNIQUE, said BLOB NOT NULL, gist BLOB NOT NULL,
    question BLOB NOT NULL, vector BLOB, seen TEXT NOT NULL, ends REAL NOT NULL, used REAL NOT NULL
);
CREATE INDEX questions_by_gist ON questions (gist, used);
CREATE INDEX questions_by_use ON questions (used);
CREATE INDEX questions_by_tenant ON questions (tenant);
""",
)
_SCALE: Final = 127


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    id: int
    text: str
    vector: Vector | None
    """Embedding of the question, or None until the question has been compared with another."""
    answer_key: bytes
    """Digest of the key under which the answer is kept."""
    answer_digest: bytes
    """Digest of the answer that the observations are about (`same_answer.digest_of`). A different answer may have taken
    its place under the key."""
    observations: Observations
    """Outcomes of comparisons with the answer of `answer_digest`."""
    used: float
    """Time at which the answer was last made, returned or compared."""


class KnownQuestions:
    """SQLite file of known questions. Each server has its own, even if the answers are stored elsewhere.

    Each server learns only from its own requests. Texts and vectors are sealed. Methods that read or write the file may
    raise StoreDown.
    """

    def __init__(
        self, path: Path, sealer: Sealer, *, max_questions: int = MAX_QUESTIONS, clock: Callable[[], float] = time.time
    ) -> None:
        self._sealer = sealer
        self._max_questions = max_questions
        self._clock = clock
        self._reader = SqliteFile(path, _SCHEMA, "question-reads")
        self._writer = SqliteFile(path, _SCHEMA, "question-writes")
        self._reader.prepare()
        self._writer.prepare()

    async def find_by_gist(self, gist: bytes, count: int) -> Sequence[KnownQuestion]:
        """Return at most `count` questions with this `gist`, beginning with the most recently used."""
        values = (gist, self._clock(), count)
        query = (
            "SELECT id, answer, said, question, vector, seen, used FROM questions "
            "WHERE gist = ? AND ends >= ? ORDER BY used DESC LIMIT ?"
        )
        rows = await self._reader.run(lambda db: db.execute(query, values).fetchall())
        found = (self._from_row(*row) for row in rows)
        return [known for known in found if known is not None]

    def _from_row(
        self,
        id_: int,
        answer_key: bytes,
        answer_digest: bytes,
        question: bytes,
        sealed_vector: bytes | None,
        seen: str,
        used: float,
    ) -> KnownQuestion | None:
        text = self._sealer.open(answer_key, question)
        if text is None:
            return None
        try:
            observations = Observations.from_list(json.loads(seen))
        except ValueError:
            return None
        vector = self._unpack(answer_key, sealed_vector)
        # Observations contain similarities to the vector, so they mean nothing without it.
        valid_observations = observations if vector is not None else Observations()
        return KnownQuestion(id_, text.decode(), vector, answer_key, answer_digest, valid_observations, used)

    def _pack(self, answer_key: bytes, vector: Vector | None) -> bytes | None:
        """Return the sealed vector, in int8 scaled by its largest component. This form changes a cosine by less than
        0.001."""
        if vector is None:
            return None
        largest = float(np.abs(vector).max()) or 1.0
        return self._sealer.seal(answer_key, np.round(vector * (_SCALE / largest)).astype(np.int8).tobytes())

    def _unpack(self, answer_key: bytes, sealed: bytes | None) -> Vector | None:
        """Return the vector that was sealed, or None if it is absent or damaged."""
        kept = None if sealed is None else self._sealer.open(answer_key, sealed)
        if kept is None or len(kept) != DIMENSIONS:
            return None
        vector = np.frombuffer(kept, np.int8).astype(np.float32)
        return vector / (np.linalg.norm(vector) or np.float32(1))

    async def add(
        self, gist: bytes, tenant: str, text: str, answer_key: bytes, answer_digest: bytes, *, max_age_s: float
    ) -> None:
        """Add a question whose answer is kept under the key with the digest `answer_key`.

        A known question gets the new time of expiry, and keeps its observations if its answer is unchanged.
        """
        now = self._clock()
        question, seen = self._sealer.seal(answer_key, text.encode()), json.dumps(Observations().to_list())
        row = (tenant, answer_key, answer_digest, gist, question, seen, now + max_age_s, now)

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.execute(
                    "INSERT INTO questions (tenant, answer, said, gist, question, seen, ends, used) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (answer) DO UPDATE SET "
                    "seen = iif(said = excluded.said, seen, excluded.seen), said = excluded.said, "
                    "ends = excluded.ends, used = excluded.used",
                    row,
                )
                self._make_room(db, now)

        await self._writer.run(write)

    def _make_room(self, db: sqlite3.Connection, now: float) -> None:
        [count] = db.execute("SELECT count(*) FROM questions").fetchone()
        if count <= self._max_questions:
            return
        if not db.execute("DELETE FROM questions WHERE ends < ?", (now,)).rowcount:
            delete_count = max(int(_DELETED_SHARE * self._max_questions), 1)
            db.execute(
                "DELETE FROM questions WHERE id IN (SELECT id FROM questions ORDER BY used LIMIT ?)", (delete_count,)
            )

    async def observe(self, question: KnownQuestion, observation: Observation) -> None:
        """Add an observation and the question's vector to a stored question, unless its answer has been replaced
        meanwhile."""
        now = self._clock()
        vector = self._pack(question.answer_key, question.vector)

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                id_and_answer = (question.id, question.answer_digest)
                found = db.execute("SELECT seen FROM questions WHERE id = ? AND said = ?", id_and_answer).fetchone()
                if found is None:
                    return
                try:
                    seen = Observations.from_list(json.loads(found[0]))
                except ValueError:
                    seen = Observations()
                added = json.dumps(seen.added(observation).to_list())
                db.execute(
                    "UPDATE questions SET vector = coalesce(?, vector), seen = ?, used = ? WHERE id = ?",
                    (vector, added, now, question.id),
                )

        await self._writer.run(write)

    def needs_use_update(self, question: KnownQuestion) -> bool:
        """True if the stored time of the question's last use is too old, so that `use` must be called."""
        return abs(self._clock() - question.used) > _USE_PRECISION_S

    async def use(self, question: KnownQuestion) -> None:
        """Record that the question's answer was returned now."""
        row = (self._clock(), question.id)

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE questions SET used = ? WHERE id = ?", row)

        await self._writer.run(write)

    async def forget(self, id_: int) -> None:
        """Delete a question whose answer is no longer stored."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM questions WHERE id = ?", (id_,))

        await self._writer.run(write)

    async def purge(self, tenant: str | None = None) -> int:
        """Delete all questions, or all of a tenant, and return their number."""
        return await (self._delete("") if tenant is None else self._delete("WHERE tenant = ?", tenant))

    async def sweep(self) -> int:
        """Delete the questions whose answers have expired, and return their number."""
        return await self._delete("WHERE ends < ?", self._clock())

    async def _delete(self, condition: str, *values: object) -> int:
        def delete(db: sqlite3.Connection) -> int:
            with erasing(db):
                count = db.execute(f"DELETE FROM questions {condition}", values).rowcount  # noqa: S608
                if count:
                    # Each step of this statement frees one page; `execute` would run only the first.
                    db.executescript("PRAGMA incremental_vacuum")
            return count

        return await self._writer.run(delete)

    async def entry_totals(self) -> list[EntryTotals]:
        """Return the number and size of each tenant's questions."""
        size = f"sum(length(question) + length(seen) + ifnull(length(vector), 0) + {_QUESTION_BYTES})"
        query = f"SELECT tenant, 'question', count(*), {size} FROM questions GROUP BY tenant ORDER BY tenant"  # noqa: S608
        rows = await self._reader.run(lambda db: db.execute(query).fetchall())
        return [EntryTotals(*row) for row in rows]

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()
