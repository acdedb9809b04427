"""The end of a file."""

import asyncio
import threading
from pathlib import Path

import pytest

from app.state.entries import Key, StoreDown
from app.state.sqlite_file import Schema, SqliteFile

MB = 1 << 20


def key(name: str) -> Key:
    return Key("t1", "answer", name.encode().ljust(32, b"."))


async def test_a_job_after_the_end_does_not_open_the_file_again(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "c.sqlite", Schema(1, "CREATE TABLE a (b)"), "test")
    await file.run(lambda db: db.execute("INSERT INTO a VALUES (1)"))
    before = threading.Event()
    file.submit(before.wait)
    closing = asyncio.create_task(file.close())
    await asyncio.sleep(0)  # the connection is to be closed next
    late = file.submit(file.run_here, lambda db: db.execute("SELECT 1"))
    before.set()
    with pytest.raises(StoreDown, match="closed"):
        await asyncio.wrap_future(late)
    await closing
    assert file.openings == 1
