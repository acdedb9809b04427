"""What specialists read of files: once for all who ask at the same time, and whatever the file is called."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.chat.result_cache import ResultCache
from app.state.entries import Entries
from app.state.sealing import Sealer
from tasks.base import TaskRequest
from tasks.catalog import SPECIALISTS
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.result import JsonResult, Result
from tasks.wording.page_range import OcrOptions
from tests.kit.waits.waiting import until
from tests.unit.app.state.test_entries import in_file

MB = 1 << 20
READER = replace(SPECIALISTS["ocr"], restore=JsonResult)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"


@pytest.fixture
async def readings(tmp_path: Path, loader: MediaLoader) -> AsyncIterator[ResultCache]:
    entries = Entries(in_file(tmp_path / "c.sqlite", MB), Sealer(MB), patience_s=60)

    async def fingerprint() -> bytes:
        return b"here"

    yield ResultCache(entries, loader, fingerprint, max_age_s=60)
    await entries.close()


class Reader:
    """A task that counts its runs, and may fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.runs = 0
        self._failure = failure

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
        self.runs += 1
        if self._failure is not None:
            raise self._failure
        return JsonResult({"run": self.runs})


def asked(data: bytes = PDF, name: str | None = None, *, tables: bool = False, owner: str = "t1") -> TaskRequest[Any]:
    return TaskRequest(OcrOptions(tables=tables), (Source(Origin("p"), data=data, filename=name, owner=owner),))


async def test_a_file_is_read_once_for_a_tenant_whatever_it_is_called(readings: ResultCache) -> None:
    reader = Reader()
    assert (await readings.read(READER, asked(name="a.pdf"), reader.run)).data == {"run": 1}
    await until(lambda: not readings._entries._writing)
    assert (await readings.read(READER, asked(name="b.pdf"), reader.run)).data == {"run": 1}
    for other in (asked(PDF + b"%"), asked(tables=True), asked(owner="t2")):
        assert (await readings.read(READER, other, reader.run)).data == {"run": reader.runs}
    assert reader.runs == 4


async def test_a_failure_is_not_kept(readings: ResultCache) -> None:
    with pytest.raises(InputError):
        await readings.read(READER, asked(), Reader(InputError("'a.pdf' is damaged")).run)
    assert (await readings.read(READER, asked(), Reader().run)).data == {"run": 1}
