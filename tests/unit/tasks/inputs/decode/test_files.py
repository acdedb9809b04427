"""Files in worker processes: the errors that clients get for hostile and damaged ones."""

import io
import signal
import sys
from collections.abc import AsyncIterator, Callable

import numpy as np
import PIL.Image
import pytest
from structlog.testing import capture_logs

from models.workers.pool import WorkerLimits, Workers
from tasks.errors import InputError
from tasks.inputs.blame import DecoderFault
from tasks.inputs.decode.files import OpenFile, decode, open_file
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.pages import Pages
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tests import hostile
from tests.pdfs import pdf_of_pages, pdf_that_takes_for_ever, raw_page
from tests.worker_jobs import Counter, compute_for_ever

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


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 1 0 R>>"])
async def test_a_file_that_cannot_be_opened_says_what_it_says_in_this_process(pool: Workers, data: bytes) -> None:
    with pytest.raises(InputError) as here:
        PdfPages(Blob(data, "application/pdf", "a.pdf", "p"), MediaLimits())
    with pytest.raises(InputError) as there:
        await open_pdf(pool, data)
    assert (there.value.message, there.value.code) == (here.value.message, here.value.code)


RECURSIVE = {
    "pages that hold themselves": raw_page("4 0 R", "[5 0 R]", pages="/Kids [2 0 R 3 0 R] /Count 1000 /Parent 2 0 R"),
    "a length that is its own": raw_page("<< /Length 4 0 R >>\nstream\nq\nendstream", "5 0 R"),
}


@pytest.mark.parametrize("name", RECURSIVE)
async def test_objects_of_a_pdf_may_hold_themselves(pool: Workers, name: str) -> None:
    file = await open_pdf(pool, RECURSIVE[name])
    assert (await file.run(PdfPages.picture, 1)).shape == (200, 400, 3)
    assert (await file.run(PdfPages.text_layer, 1)).lines == ()


@pytest.mark.deep
async def test_a_form_that_draws_itself_twice_costs_its_own_file(pools: Pools) -> None:
    pool = pools(seconds=1.0)
    with pytest.raises(InputError, match=r"'a.pdf' takes longer than 1 s"):
        await (await open_pdf(pool, pdf_that_takes_for_ever())).run(PdfPages.text_layer, 1)
    good = await open_pdf(pool, pdf_of_pages(1))
    assert [line.text for line in (await good.run(PdfPages.text_layer, 1)).lines] == ["This is page 1"]


@pytest.mark.parametrize(
    "endless",
    [
        hostile.pdf_of_soft_masks,
        *(
            pytest.param(endless, marks=pytest.mark.deep)
            for endless in (
                hostile.pdf_of_tiny_tiles,
                hostile.pdf_of_forms_in_forms,
                hostile.pdf_of_shadings,
                hostile.pdf_of_drawn_letters,
            )
        ),
    ],
)
async def test_a_page_is_given_up_when_its_time_is_over_whatever_it_shows(
    pools: Pools, endless: Callable[[], bytes]
) -> None:
    pool = pools()
    file = await open_pdf(pool, endless(), page_seconds=0.25)
    # On a busy machine, the time of all pages may be over first.
    limit = r"takes longer than (0\.25|1\.5) s .* page 1"
    with pytest.raises(InputError, match=limit) as caught:
        await file.run(PdfPages.size_and_text, 1)
        await file.run(PdfPages.picture, 1)
    assert (caught.value.code, caught.value.param) == ("decode_failed", "p")
    assert pool.restarts.total() <= 1
    assert (await (await open_pdf(pool, pdf_of_pages(1))).run(PdfPages.text_layer, 1)).lines


@pytest.mark.parametrize(
    "bomb",
    [
        hostile.pdf_of_dashes,
        *(pytest.param(bomb, marks=pytest.mark.deep) for bomb in (hostile.pdf_of_jbig2, hostile.pdf_of_jpx)),
    ],
)
async def test_a_page_that_claims_more_than_it_shows_is_drawn(pools: Pools, bomb: Callable[[], bytes]) -> None:
    pool = pools(memory_mb=1024)
    assert (await (await open_pdf(pool, bomb())).run(PdfPages.picture, 1)).shape == (1600, 1200, 3)
    assert not pool.restarts


async def test_a_page_deep_in_the_tree_of_pages_is_damage(pool: Workers) -> None:
    file = await open_pdf(pool, hostile.pdf_of_a_deep_tree())
    with pytest.raises(InputError, match="cannot be read at page 1: it is damaged"):
        await file.run(PdfPages.size_and_text, 1)


async def test_a_page_of_200_inches_is_refused(pool: Workers) -> None:
    file = await open_pdf(pool, raw_page("<< /Length 0 >>\nstream\n\nendstream", points="14400 14400"))
    with pytest.raises(InputError, match="28800 x 28800 pixels") as caught:
        await file.run(PdfPages.picture, 1)
    assert caught.value.code == "image_too_large"


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
    assert line["place"].startswith("tests.worker_jobs:")
    assert "what the file says" not in str(line)


async def test_a_fault_of_the_program_is_not_the_files_and_is_logged_with_its_stack(pool: Workers) -> None:
    file = await open_file(pool, BLOB, Counter)
    with capture_logs() as logs, pytest.raises(DecoderFault, match="^ImportError at tests.worker_jobs:"):
        await file.run(Counter.misuse)
    (line,) = logs
    assert (line["event"], line["log_level"], line["error"]) == ("decoder_fault", "error", "ImportError")
    assert "in misuse" in line["stack"]


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


@linux
@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("JPEG", {"progressive": True}),
        pytest.param("TIFF", {"compression": "jpeg"}, marks=pytest.mark.deep),
        pytest.param("PNG", {"compress_level": 1}, marks=pytest.mark.deep),
        pytest.param("JPEG", {}, marks=pytest.mark.deep),
        pytest.param("WEBP", {"method": 0}, marks=pytest.mark.deep),
    ],
)
async def test_a_picture_that_needs_too_much_memory_is_not_called_damaged(
    pools: Pools, format_: str, options: dict[str, object]
) -> None:
    data = io.BytesIO()
    PIL.Image.new("RGB", (8000, 7900), (9, 99, 9)).save(data, format_, **options)
    blob = Blob(data.getvalue(), f"image/{format_.lower()}", "a.bin", "p")

    async def draw() -> None:
        file = await open_file(pools(memory_mb=400), blob, PicturePages, blob, MediaLimits())
        await file.run(PicturePages.picture, 1)

    with pytest.raises(InputError, match=r"needs more than 400 MB \(OPENFAZE_DECODE_MEMORY_MB\)"):
        await draw()
