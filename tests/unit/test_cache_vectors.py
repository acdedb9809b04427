"""The nearest vectors in SQLite, against what NumPy finds by comparing all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.cache.vectors import SCHEMA, Scan, Vectors
from models.language.embedding import DIMENSIONS

SCOPE = "a scope"


def unit(count: int, seed: int = 5) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def near(vector: NDArray[np.float32], similarity: float, seed: int = 9) -> NDArray[np.float32]:
    """A unit vector of this cosine with `vector`."""
    other = unit(1, seed)[0]
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return (similarity * vector + np.sqrt(1 - similarity**2) * other).astype(np.float32)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


@pytest.fixture
def kept(connection: sqlite3.Connection) -> Vectors:
    return Vectors(connection)


def rows(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_the_nearest_of_thousands_is_found_with_its_cosine(kept: Vectors) -> None:
    vectors = unit(2500)
    for number, vector in enumerate(vectors):
        kept.add(SCOPE, number, vector)
    for number in range(0, 2500, 125):
        for similarity in (1.0, 0.95, 0.85, 0.75):
            asked = near(vectors[number], similarity)
            first, *rest = kept.nearest(SCOPE, asked, 4)
            assert first.id == number
            assert first.similarity == pytest.approx(similarity, abs=0.002)
            assert [each.similarity for each in rest] == sorted((each.similarity for each in rest), reverse=True)
            assert len(rest) == 3


def test_the_order_is_that_of_all_cosines_where_all_are_compared(kept: Vectors) -> None:
    vectors = unit(60)
    for number, vector in enumerate(vectors):
        kept.add(SCOPE, number, vector)
    asked = unit(1, 77)[0]
    found = kept.nearest(SCOPE, asked, 60)
    assert [each.id for each in found][:10] == np.argsort(-(vectors @ asked))[:10].tolist()


def test_no_scope_sees_another_ones(kept: Vectors) -> None:
    vector = unit(1)[0]
    kept.add("one", 1, vector)
    kept.add("other", 2, vector)
    assert [each.id for each in kept.nearest("one", vector, 9)] == [1]
    assert [each.id for each in kept.nearest("other", vector, 9)] == [2]
    assert not kept.nearest("", vector, 9)


def test_what_is_removed_is_gone_from_every_table(kept: Vectors, connection: sqlite3.Connection) -> None:
    vectors = unit(1100)
    for number, vector in enumerate(vectors):
        kept.add(SCOPE, number, vector)
    kept.remove([*range(0, 1100, 2), 5000])
    assert rows(connection, "vectors") == 550
    assert connection.execute("SELECT sum(count), sum(length(ids)) / 8 FROM vector_blocks").fetchone() == (550, 550)
    assert kept.nearest(SCOPE, vectors[7], 1)[0].id == 7
    assert 8 not in {each.id for each in kept.nearest(SCOPE, vectors[8], 550)}
    kept.remove(range(1100))
    assert rows(connection, "vectors") == rows(connection, "vector_blocks") == 0
    assert not kept.nearest(SCOPE, vectors[7], 1)


def test_room_that_was_made_is_used_again(kept: Vectors, connection: sqlite3.Connection) -> None:
    vectors = unit(1024)
    for number, vector in enumerate(vectors):
        kept.add(SCOPE, number, vector)
    blocks = rows(connection, "vector_blocks")
    for number in range(600):
        kept.remove([number])
        kept.add(SCOPE, 2000 + number, vectors[number])
    assert rows(connection, "vector_blocks") == blocks
    assert kept.nearest(SCOPE, vectors[3], 1)[0].id == 2003


def test_a_vector_is_replaced_under_its_number_and_may_change_its_scope(kept: Vectors) -> None:
    first, second = unit(2)
    kept.add(SCOPE, 1, first)
    kept.add("other", 1, second)
    assert not kept.nearest(SCOPE, first, 1)
    assert kept.nearest("other", second, 5)[0].similarity == pytest.approx(1, abs=0.001)


def test_numbers_that_hold_each_other_as_bytes_are_told_apart(kept: Vectors) -> None:
    """1 << 8 in eight bytes has those of 1 in it, one place further."""
    vectors = unit(4)
    numbers = [1 << 8, 1, (1 << 40) + 1, 1 << 48]
    for number, vector in zip(numbers, vectors, strict=True):
        kept.add(SCOPE, number, vector)
    kept.remove([1])
    assert {each.id for each in kept.nearest(SCOPE, vectors[0], 9)} == set(numbers) - {1}


def test_rows_that_are_not_whole_are_passed_over(kept: Vectors, connection: sqlite3.Connection) -> None:
    vectors = unit(3)
    for number, vector in enumerate(vectors):
        kept.add(f"scope {number % 2}", number, vector)
    connection.execute("UPDATE vectors SET vector = x'00' WHERE id = 0")
    assert [each.id for each in kept.nearest("scope 0", vectors[0], 9)] == [2]
    connection.execute("UPDATE vector_blocks SET signs = x'00' WHERE scope = 'scope 1'")
    assert not kept.nearest("scope 1", vectors[1], 9)
    connection.execute("UPDATE vector_blocks SET ids = x'0000000000000000', signs = ?", (bytes(48),))
    kept.remove([1])
    kept.add("scope 1", 1, vectors[1])
    assert kept.nearest("scope 1", vectors[1], 9)[0].id == 1


def test_nothing_is_written_before_its_caller_commits(kept: Vectors, connection: sqlite3.Connection) -> None:
    kept.add(SCOPE, 1, unit(1)[0])
    connection.rollback()
    assert not kept.nearest(SCOPE, unit(1)[0], 1)
    assert rows(connection, "vector_blocks") == 0


def test_a_vector_takes_less_than_a_third_of_its_floats(kept: Vectors, connection: sqlite3.Connection) -> None:
    for number, vector in enumerate(unit(3000)):
        kept.add(SCOPE, number, vector)
    [[pages]], [[size]] = connection.execute("PRAGMA page_count").fetchall(), connection.execute("PRAGMA page_size")
    assert pages * size / 3000 < DIMENSIONS * 4 / 3 + 20


def test_what_was_read_before_serves_until_somebody_writes(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    with closing(sqlite3.connect(file)) as writing, closing(sqlite3.connect(file)) as reading:
        writing.executescript(SCHEMA)
        one, other = unit(2)
        read: list[str] = []
        reading.set_trace_callback(read.append)
        kept, scan = Vectors(writing), Scan()

        def nearest() -> list[int]:
            return [found.id for found in Vectors(reading, scan).nearest(SCOPE, one, 2)]

        kept.add(SCOPE, 1, one)
        writing.commit()
        assert nearest() == [1]
        blocks = sum("vector_blocks" in query for query in read)
        assert nearest() == [1]
        assert sum("vector_blocks" in query for query in read) == blocks
        kept.add(SCOPE, 2, other)
        writing.commit()
        assert nearest() == [1, 2]
        kept.remove([1])
        writing.commit()
        assert nearest() == [2]


def test_after_a_write_only_what_it_changed_is_read(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    with closing(sqlite3.connect(file)) as writing, closing(sqlite3.connect(file)) as reading:
        writing.executescript(SCHEMA)
        vectors = unit(1600)
        kept, scan = Vectors(writing), Scan()
        for number, vector in enumerate(vectors[:1500]):
            kept.add(SCOPE, number, vector)
        writing.commit()
        read: list[str] = []
        reading.set_trace_callback(lambda query: read.append(query) if "signs FROM" in query else None)

        def is_found(number: int) -> bool:
            return Vectors(reading, scan).nearest(SCOPE, vectors[number], 1)[0].id == number

        assert is_found(7)
        assert len(read) == 3
        # Each of these changes one block: the last begins another, and none is read that did not change.
        for change in (lambda: kept.add(SCOPE, 1500, vectors[1500]), lambda: kept.remove([700])):
            read.clear()
            change()
            writing.commit()
            assert is_found(1499)
            assert len(read) == 1
        assert is_found(1500)
        assert not is_found(700)
        kept.remove(range(512))
        writing.commit()
        assert not is_found(7)
        assert is_found(1499)
        # The number of a block that is gone is given again.
        kept.remove(range(1024, 1501))
        for number in range(1501, 1600):
            kept.add(SCOPE, number, vectors[number])
        writing.commit()
        assert all(map(is_found, (1023, 1501, 1599)))
        assert not is_found(1499)
