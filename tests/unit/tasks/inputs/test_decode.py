"""Files in worker processes: the errors that clients get for hostile and damaged ones."""

import signal
import sys
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from structlog.testing import capture_logs

from models.workers.pool import WorkerLimits, Workers
from tasks.errors import InputError
from tasks.inputs.decode import OpenFile, decode, open_file
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.pages import Pages
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.source import Blob
from tests.kit.papers.pdfs import pdf_of_pages
from tests.kit.processes.worker_jobs import Counter, compute_for_ever

BLOB = Blob(b"data", "application/x", "a.bin", "p")
PATIENT = 600.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")

Pools = Callable[..., Workers]


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    made: list[Workers] = []

    def make(memory_mb: int = 2048, seconds: float = PATIENT) -> Workers:
        made.append(Workers(WorkerLimits(1, memory_mb * MB, seconds, clock_factor=600)))  # processors may be busy
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Workers]:
    pool = Workers(WorkerLimits(1, seconds=PATIENT))
    yield pool
    await pool.close()


async def open_pdf(pool: Workers, data: bytes, **limits: float) -> OpenFile[PdfPages]:
    blob = Blob(data, "application/pdf", "a.pdf", "p")
    return await open_file(pool, blob, PdfPages, blob, MediaLimits(**limits))  # type: ignore[arg-type]


async def test_a_pdf_is_the_same_as_in_this_process(pool: Workers) -> None:
    blob = Blob(pdf_of_pages(3), "application/pdf", "a.pdf", "p")
    file, here = await open_pdf(pool, blob.data), PdfPages(blob, MediaLimits())
    assert await file.run(Pages.contents) == here.contents()
    assert await file.run(Pages.text_layer, 2) == here.text_layer(2)
    assert np.array_equal(await file.run(PdfPages.picture, 3), here.picture(3))
    here.close()


async def test_an_error_that_the_client_can_correct_comes_out_as_it_is(pool: Workers) -> None:
    file = await open_file(pool, BLOB, Counter)
    with pytest.raises(InputError) as caught:
        await file.run(Counter.refuse)
    assert (caught.value.message, caught.value.code, caught.value.param) == ("no", "a_code", "a.param")


async def test_any_other_exception_is_the_files_and_is_logged_without_its_message(pool: Workers) -> None:
    file = await open_file(pool, BLOB, Counter)
    with capture_logs() as logs, pytest.raises(InputError, match=r"^'a.bin' cannot be decoded") as caught:
        await file.run(Counter.fail)
    assert (caught.value.code, caught.value.param) == ("decode_failed", "p")
    (line,) = logs
    assert line["error"] == "KeyError"
    assert line["place"].startswith("tests.kit.processes.worker_jobs:")
    assert "what the file says" not in str(line)


async def test_a_crash_and_a_job_without_end_are_the_files(pools: Pools) -> None:
    pool = pools(seconds=0.5)
    file = await open_file(pool, BLOB, Counter)
    with capture_logs() as logs, pytest.raises(InputError, match=r"its decoder crashed, .* 2048 MB") as caught:
        await file.run(Counter.crash)
    assert caught.value.code == "decode_failed"
    assert [line["status"] for line in logs] == [-signal.SIGSEGV]
    with pytest.raises(InputError, match=r"'a.bin' takes longer than 0\.5 s") as caught:
        await decode(pool, BLOB, compute_for_ever)
    assert caught.value.code == "decode_failed"
