"""Decode processes: what they answer, and what becomes of a call, a file and a server when one of them ends."""

import asyncio
import contextlib
import errno
import gc
import io
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import psutil
import pytest
from structlog.testing import capture_logs

from models.base import EngineNotReady, EngineTooSlow, EngineUnavailable
from models.fair_executor import Rests
from models.loop_turns import LoopTurns
from models.scheduler import SHARE, Share
from models.turns import Rivalry
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.blame import DecoderFault
from tasks.inputs.decode import lane as decode_lane
from tasks.inputs.decode.channel import Call, Channel, Open
from tasks.inputs.decode.lane import DecodeLimits, DecodePool, ProcessSession, native_sessions
from tasks.inputs.decode.threads import Worker
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tests import hostile
from tests.decoders import Fragile
from tests.pdfs import pdf_of_pages, pdf_that_takes_for_ever, raw_page

BLOB = Blob(b"data", "application/x", "a.bin", "p")
PATIENT = 600.0
"""Seconds after which a call is ended where a test is not about that: it would fail by its own time limit before."""
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

Pools = Callable[..., DecodePool]


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    made: list[DecodePool] = []

    def make(workers: int = 1, memory_mb: int = 2048) -> DecodePool:
        made.append(DecodePool(DecodeLimits(workers, memory_mb * MB, PATIENT)))
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[DecodePool]:
    """A pool of one process for the tests that neither end the process nor need another setting: to start one takes
    longer than most of these tests."""
    pool = DecodePool(DecodeLimits(1, 2048 * MB, PATIENT))
    yield pool
    await pool.close()


def of(key: str, call: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Make the call for this key, which has others beside it."""
    token = SHARE.set(Share(key, 0.5))
    try:
        return asyncio.create_task(call)
    finally:
        SHARE.reset(token)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def no_more_open_files(but: int = 0) -> Iterator[None]:
    """This process can open `but` files and no more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(map(int, os.listdir("/proc/self/fd"))) + 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    taken = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(but):
            os.close(taken.pop())
        yield
    finally:
        for one in taken:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def hurry(pool: DecodePool) -> None:
    """Give up the next call, which never ends, after a quarter of a second. The process that takes the place of this
    one is waited for like all others."""
    [lane] = pool._lanes
    assert lane._process
    lane._process._seconds = 0.25


@dataclass
class Place:
    """Where calls get stuck."""

    folder: str
    port: int
    knocks: asyncio.Queue[None]

    @property
    def calls(self) -> int:
        return len((Path(self.folder) / "calls").read_bytes())

    def stuck(self, session: ProcessSession[Fragile], times: int) -> asyncio.Task[int]:
        return asyncio.create_task(session.run(Fragile.stuck, self.folder, self.port, times))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    knocks: asyncio.Queue[None] = asyncio.Queue()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocks.put_nowait(None)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield Place(str(tmp_path), server.sockets[0].getsockname()[1], knocks)


def shared_memory() -> list[str]:
    """What could outlive a process, and what this one holds without a name."""
    gc.collect()
    held = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)]
    return sorted(os.listdir("/dev/shm")) + [name for name in held if "memfd" in name]


def _is_open(number: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{number}")


async def test_nothing_runs_before_the_first_file_and_a_process_for_each_of_the_first_two(pools: Pools) -> None:
    pool = pools(workers=2)
    assert pool.pids == []
    first = await pool.open(Fragile, BLOB)
    assert pool.pids == [await first.run(Fragile.pid)]
    others = [await pool.open(Fragile, BLOB) for _ in range(3)]
    assert len(pool.pids) == 2
    assert os.getpid() not in pool.pids
    assert {await session.run(Fragile.pid) for session in others} == set(pool.pids)


async def test_a_file_opened_after_another_is_closed_needs_no_second_process(pools: Pools) -> None:
    pool = pools(workers=2)
    for _ in range(3):
        session = await pool.open(Fragile, BLOB)
        await session.close()
    assert len(pool.pids) == 1


async def test_the_files_of_two_keys_are_in_different_processes_while_both_ask(pools: Pools) -> None:
    pool = pools(workers=2)

    async def opened(key: str, times: int) -> set[int]:
        share = SHARE.set(Share(key, 0.5))
        try:
            sessions = [await pool.open(Fragile, BLOB) for _ in range(times)]
            return {await session.run(Fragile.pid) for session in sessions}
        finally:
            SHARE.reset(share)

    assert len(await opened("flood", 4)) == 2, "alone it may have both"
    [other] = await opened("other", 3)
    [flood] = await opened("flood", 3)
    assert other != flood
    assert await opened("other", 1) == {other}


async def test_a_key_leaves_processes_free_while_others_ask_for_what_needs_none(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, rivalry = pools(workers=2), Rivalry()
    monkeypatch.setattr(LoopTurns.of_running_loop(), "rivalry", rivalry)
    rivalry.record_request("flood")
    rivalry.record_request("other")
    for _ in range(2):
        await answered_to("flood", pool)
        await opened_by("flood", pool, 1)
    assert len(pool.pids) == 1


async def stuck_of(key: str, pool: DecodePool, place: Place, folder: Path, times: int) -> asyncio.Task[int]:
    """A call of `key` that is stuck the first so many times."""
    os.mkdir(folder)

    async def stuck() -> int:
        SHARE.set(Share(key, 0.5))
        return await (await pool.open(Fragile, BLOB)).run(Fragile.stuck, str(folder), place.port, times)

    call = asyncio.create_task(stuck())
    await place.knocks.get()
    return call


async def answered_to(key: str, pool: DecodePool) -> int:
    async def answered() -> int:
        SHARE.set(Share(key, 0.5))
        return await (await pool.open(Fragile, BLOB)).run(Fragile.pid)

    return await asyncio.create_task(answered())


def as_if_long(pool: DecodePool, times: float = decode_lane.CLOCK_FACTOR) -> None:
    """Let the running calls have begun `times` QUICK_S earlier, as if they had waited for a processor since then."""
    for lane in pool._lanes:
        if job := lane.running:
            assert job.watch
            assert job.process
            job.watch.cancel()
            job.begun -= decode_lane.QUICK_S * times
            pool._watch(job)


async def test_a_call_is_not_long_because_it_waits_for_a_processor(
    pools: Pools, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_lane, "QUICK_S", PATIENT)
    pool = pools(workers=2)
    stuck = [await stuck_of(key, pool, place, tmp_path / key, 9) for key in ("alice", "bob")]
    as_if_long(pool, 2.0)
    running = [lane.running for lane in pool._lanes]
    assert [job and job.is_long for job in running] == [False, False]
    for call in stuck:
        call.cancel()


@pytest.mark.deep
@pytest.mark.parametrize("workers", [2, 3])
async def test_keys_whose_calls_take_long_leave_a_process_to_the_others(
    pools: Pools, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(decode_lane, "QUICK_S", PATIENT)
    pool = pools(workers=workers)
    stuck = [await stuck_of(key, pool, place, tmp_path / key, 9) for key in ("alice", "bob")]
    first = asyncio.create_task(answered_to("carol", pool))
    await asyncio.sleep(0)
    as_if_long(pool)
    answers = {await first, await answered_to("dave", pool), await answered_to("carol", pool)}
    assert len(answers) == 1, "one process is enough for calls that are short"
    assert not any(call.done() for call in stuck)
    assert pool.restarts.total() == (1 if workers == 2 else 0)
    for call in stuck:
        call.cancel()


async def test_a_long_call_goes_on_in_another_process_once_others_ask(
    pools: Pools, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_lane, "QUICK_S", PATIENT)
    monkeypatch.setattr(decode_lane, "ABANDONED_S", 0.0)
    pool = pools(workers=2)
    first, second = [await stuck_of("alice", pool, place, tmp_path / name, 1) for name in "12"]
    as_if_long(pool)
    assert pool.restarts.total() == 0, "alone she has both"
    await answered_to("bob", pool)
    assert pool.restarts == {"moved": 1}
    first.cancel()
    assert await second == 2


async def test_bytes_and_arguments_arrive_as_they_were(pool: DecodePool) -> None:
    blob = Blob(np.random.default_rng(1).bytes(3 * MB), "application/x", None, "p", "utf-8")
    session = await pool.open(Fragile, blob, note="a note")
    assert await session.run(Fragile.about) == (blob, "a note")


@pytest.mark.deep
@pytest.mark.parametrize("count", [5, 300_000, 5 * MB, 5 * MB + 1, 4 * MB, 40 * MB, 3])
async def test_arrays_come_back_whole_and_writable(pool: DecodePool, count: int) -> None:
    session = await pool.open(Fragile, BLOB)
    for size in (count, 2 * count + 100, count):
        large, small = (await session.run(Fragile.numbers, size))["nested"]
        assert np.array_equal(large, np.arange(size, dtype=np.uint8))
        assert small.tolist() == [0, 0, 0]
        large[0] = 7


async def test_a_result_stays_when_the_next_one_comes(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    first = (await session.run(Fragile.numbers, 3 * MB))["nested"][0]
    second = (await session.run(Fragile.numbers, 2 * MB))["nested"][0]
    second[:] = 0
    assert np.array_equal(first, np.arange(3 * MB, dtype=np.uint8))


async def test_a_large_result_is_not_copied(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    large = (await session.run(Fragile.numbers, 64 * MB))["nested"][0]
    while isinstance(large.base, np.ndarray):
        large = large.base
    assert not large.flags.owndata


async def test_a_pdf_is_the_same_as_in_this_process(pool: DecodePool) -> None:
    blob = Blob(pdf_of_pages(3), "application/pdf", "a.pdf", "p")
    session, here = await pool.open(PdfPages, blob, MediaLimits()), PdfPages(blob, MediaLimits())
    assert await session.run(PdfPages.contents) == here.contents()
    assert await session.run(PdfPages.text_layer, 2) == here.text_layer(2)
    assert np.array_equal(await session.run(PdfPages.picture, 3), here.picture(3))
    here.close()


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 1 0 R>>"])
async def test_a_file_that_cannot_be_opened_says_what_it_says_in_this_process(pool: DecodePool, data: bytes) -> None:
    blob = Blob(data, "application/pdf", "a.pdf", "p")
    with pytest.raises(InputError) as here:
        PdfPages(blob, MediaLimits())
    with pytest.raises(InputError) as there:
        await pool.open(PdfPages, blob, MediaLimits())
    assert (there.value.message, there.value.code) == (here.value.message, here.value.code)


RECURSIVE = {
    "pages that hold themselves": raw_page("4 0 R", "[5 0 R]", pages="/Kids [2 0 R 3 0 R] /Count 1000 /Parent 2 0 R"),
    "a length that is its own": raw_page("<< /Length 4 0 R >>\nstream\nq\nendstream", "5 0 R"),
}


@pytest.mark.parametrize("name", RECURSIVE)
async def test_objects_of_a_pdf_may_hold_themselves(pool: DecodePool, name: str) -> None:
    session = await pool.open(PdfPages, Blob(RECURSIVE[name], "application/pdf", "a.pdf", "p"), MediaLimits())
    assert (await session.run(PdfPages.picture, 1)).shape == (200, 400, 3)
    assert (await session.run(PdfPages.text_layer, 1)).lines == ()


@pytest.mark.deep
async def test_a_form_that_draws_itself_twice_costs_its_own_file(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_lane, "CLOCK_FACTOR", 600)  # the processors may be busy
    pool = pools()
    good = await pool.open(PdfPages, Blob(pdf_of_pages(1), "application/pdf", "a.pdf", "p"), MediaLimits())
    endless = Blob(pdf_that_takes_for_ever(), "application/pdf", "b.pdf", "p")
    bad = await pool.open(PdfPages, endless, MediaLimits())
    hurry(pool)
    with pytest.raises(InputError, match="'b.pdf' takes longer than 600 s"):
        await bad.run(PdfPages.text_layer, 1)
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
    blob = Blob(endless(), "application/pdf", "a.pdf", "p")
    session = await pool.open(PdfPages, blob, MediaLimits(page_seconds=0.25))
    # On a busy machine, the time of all pages may be over first.
    limit = r"takes longer than (0\.25 s \(|1\.5 s \(6 × )OPENFAZE_MAX_PAGE_SECONDS\) .* page 1"
    with pytest.raises(InputError, match=limit) as caught:
        await session.run(PdfPages.size_and_text, 1)
        await session.run(PdfPages.picture, 1)
    assert (caught.value.code, caught.value.param) == ("decode_failed", "p")
    assert pool.restarts.total() <= 1
    good = await pool.open(PdfPages, Blob(pdf_of_pages(1), "application/pdf", "b.pdf", "p"), MediaLimits())
    assert [line.text for line in (await good.run(PdfPages.text_layer, 1)).lines] == ["This is page 1"]


@pytest.mark.parametrize(
    "bomb",
    [
        hostile.pdf_of_dashes,
        *(pytest.param(bomb, marks=pytest.mark.deep) for bomb in (hostile.pdf_of_jbig2, hostile.pdf_of_jpx)),
    ],
)
async def test_a_page_that_claims_more_than_it_shows_is_drawn(pools: Pools, bomb: Callable[[], bytes]) -> None:
    pool = pools(memory_mb=1024)
    session = await pool.open(PdfPages, Blob(bomb(), "application/pdf", "a.pdf", "p"), MediaLimits())
    assert (await session.run(PdfPages.picture, 1)).shape == (1600, 1200, 3)
    assert not pool.restarts


async def test_a_page_deep_in_the_tree_of_pages_is_damage(pool: DecodePool) -> None:
    session = await pool.open(
        PdfPages, Blob(hostile.pdf_of_a_deep_tree(), "application/pdf", "a.pdf", "p"), MediaLimits()
    )
    with pytest.raises(InputError, match="cannot be read at page 1: it is damaged"):
        await session.run(PdfPages.size_and_text, 1)
    assert not pool.restarts


async def test_decoders_are_imported_before_a_process_makes_room_for_others(pools: Pools) -> None:
    ours = os.nice(0)
    session = await pools().open(Fragile, BLOB)
    assert await session.run(Fragile.niceness) == (ours, min(19, ours + 10))


async def test_each_part_of_a_call_has_its_own_time(pools: Pools) -> None:
    session = await pools().open(Fragile, BLOB)
    assert await session.run(Fragile.allowed, [PATIENT, PATIENT]) == 2
    with pytest.raises(InputError, match="part 2 is slow"):
        await session.run(Fragile.allowed, [PATIENT, PATIENT, 0.0], hangs=True)
    assert await session.run(Fragile.about) == (BLOB, "")


async def test_a_page_of_200_inches_is_refused(pool: DecodePool) -> None:
    data = raw_page("<< /Length 0 >>\nstream\n\nendstream", points="14400 14400")
    session = await pool.open(PdfPages, Blob(data, "application/pdf", "a.pdf", "p"), MediaLimits())
    with pytest.raises(InputError, match="28800 x 28800 pixels") as caught:
        await session.run(PdfPages.picture, 1)
    assert caught.value.code == "image_too_large"


async def test_what_the_client_can_mend_comes_out_as_it_is(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    with pytest.raises(InputError) as caught:
        await session.run(Fragile.refuse)
    assert (caught.value.message, caught.value.code, caught.value.param) == ("no", "a_code", "a.param")
    with pytest.raises(InputTooLarge) as too_large:
        await session.run(Fragile.refuse_as_too_large)
    assert (too_large.value.code, too_large.value.param) == ("file_too_large", "a.param")


async def test_a_file_that_is_refused_is_not_kept(pool: DecodePool) -> None:
    with pytest.raises(InputError) as caught:
        await pool.open(Fragile, Blob(b"refused", "application/x", "b.bin", "p"))
    assert caught.value.code == "refused"
    session = await pool.open(Fragile, BLOB)
    assert await session.run(Fragile.pid) in pool.pids


async def test_any_other_exception_is_the_files_and_is_logged_without_what_it_says(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    with capture_logs() as logs, pytest.raises(InputError, match=r"^'a.bin' cannot be decoded") as caught:
        await session.run(Fragile.fail)
    assert caught.value.code == "decode_failed"
    (line,) = logs
    assert line["error"] == "KeyError"
    assert line["place"].startswith("tests.decoders:")
    assert "what the file says" not in str(line)


async def test_a_fault_of_the_program_is_not_the_files_and_is_logged_with_its_stack(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    with capture_logs() as logs, pytest.raises(DecoderFault, match="^ImportError at tests.decoders:"):
        await session.run(Fragile.misuse)
    (line,) = logs
    assert (line["event"], line["log_level"], line["error"]) == ("decoder_fault", "error", "ImportError")
    assert "in misuse" in line["stack"]
    assert "of_another_version" in line["stack"]


async def test_a_result_that_cannot_travel_breaks_nothing(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    (before,) = pool.pids
    with pytest.raises(DecoderFault):
        await session.run(Fragile.unpicklable)
    assert await session.run(Fragile.pid) == before


async def test_a_call_whose_process_is_killed_is_made_again(pools: Pools, place: Place) -> None:
    pool = pools()
    session, other = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB, "other")
    (before,) = pool.pids
    call = place.stuck(session, 1)
    await place.knocks.get()
    waiting = asyncio.create_task(other.run(Fragile.about))
    os.kill(before, signal.SIGKILL)
    assert await call == 2
    assert await waiting == (BLOB, "other")
    assert before not in pool.pids
    assert pool.restarts == {"died": 1}


async def test_a_call_whose_process_is_killed_twice_fails_and_the_others_go_on(pools: Pools, place: Place) -> None:
    pool = pools()
    session, other = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB, "other")
    call = place.stuck(session, 9)
    for _ in range(2):
        await place.knocks.get()
        os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InputError, match=r"^'a.bin' cannot be decoded: its decoder crashed") as caught:
        await call
    assert (caught.value.code, caught.value.param) == ("decode_failed", "p")
    assert place.calls == 2
    assert await other.run(Fragile.about) == (BLOB, "other")
    assert await session.run(Fragile.about) == (BLOB, "")


async def test_a_process_that_is_killed_between_calls_is_not_missed(pools: Pools) -> None:
    pool = pools()
    session = await pool.open(Fragile, BLOB)
    (before,) = pool.pids
    os.kill(before, signal.SIGKILL)
    assert await session.run(Fragile.pid) != before


async def test_a_crash_in_native_code_is_an_error(pools: Pools) -> None:
    session = await pools().open(Fragile, BLOB)
    with capture_logs() as logs, pytest.raises(InputError, match="crashed"):
        await session.run(Fragile.crash)
    assert [line["status"] for line in logs] == [-signal.SIGSEGV]


async def test_a_crash_for_which_another_file_may_be_to_blame_is_tried_again_without_it(pools: Pools) -> None:
    pool = pools()
    other, session = await pool.open(Fragile, BLOB, "other"), await pool.open(Fragile, BLOB)
    with capture_logs() as logs, pytest.raises(InputError, match="crashed"):
        await session.run(Fragile.crash)
    assert [line["status"] for line in logs] == [-signal.SIGSEGV] * 2
    assert await other.run(Fragile.about) == (BLOB, "other")


@linux
async def test_a_file_that_took_most_of_the_memory_when_its_process_ended_is_refused_at_once(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    [lane] = pool._lanes
    other, session = await pool.open(Fragile, BLOB, "other"), await pool.open(Fragile, BLOB)
    call = asyncio.create_task(session.run(Fragile.stay_with, 300 * MB))
    while not (lane._process and lane._process.taken - lane._process.held > 256 * MB):
        await asyncio.sleep(0.01)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(InputError, match=r"needs more than 512 MB \(OPENFAZE_DECODE_MEMORY_MB\)"):
        await call
    assert pool.restarts == {"died": 1}
    assert await other.run(Fragile.about) == (BLOB, "other")


@pytest.mark.deep
async def test_a_call_that_never_ends_is_ended_and_not_repeated(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_lane, "CLOCK_FACTOR", 600)  # the processors may be busy
    pool = pools()
    session = await pool.open(Fragile, BLOB)
    (before,) = pool.pids
    hurry(pool)
    with pytest.raises(InputError, match=r"takes longer than 600 s \(OPENFAZE_DECODE_SECONDS\) to decode") as caught:
        await session.run(Fragile.compute_for_ever)
    assert caught.value.code == "decode_failed"
    assert not psutil.pid_exists(before)
    assert await session.run(Fragile.about) == (BLOB, "")
    assert pool.restarts == {"slow": 1}


@linux
async def test_a_file_whose_process_had_no_processor_is_not_to_blame(pools: Pools) -> None:
    pool = pools()
    session = await pool.open(Fragile, BLOB)
    hurry(pool)
    with pytest.raises(EngineTooSlow, match="processors are busy") as caught:
        await session.run(Fragile.hang_in_native_code)
    assert caught.value.retry_after
    assert await session.run(Fragile.about) == (BLOB, "")
    assert pool.restarts == {"slow": 1}


@pytest.mark.deep
@linux
async def test_memory_is_limited(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    session = await pool.open(Fragile, BLOB)
    assert await session.run(Fragile.allocate, 100 * MB) == 1
    with pytest.raises(InputError, match=r"needs more than 512 MB \(OPENFAZE_DECODE_MEMORY_MB\)") as caught:
        await session.run(Fragile.allocate, 1024 * MB)
    assert caught.value.code == "decode_failed"
    assert pool.restarts == {"memory": 1}
    assert await session.run(Fragile.about) == (BLOB, "")


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
    file = io.BytesIO()
    PIL.Image.new("RGB", (8000, 7900), (9, 99, 9)).save(file, format_, **options)
    blob = Blob(file.getvalue(), f"image/{format_.lower()}", "a.bin", "p")

    async def decode() -> None:
        session = await pools(memory_mb=400).open(PicturePages, blob, MediaLimits())
        await session.run(PicturePages.picture, 1)

    with pytest.raises(InputError, match=r"needs more than 400 MB \(OPENFAZE_DECODE_MEMORY_MB\)"):
        await decode()


@linux
async def test_open_files_that_ran_out_on_the_way_to_a_process_are_the_servers(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    pool = pools()
    small = await pool.open(Fragile, BLOB)
    large = Blob(bytes(MB), "application/x", "large.bin", "p")
    with monkeypatch.context() as patched:
        patched.setattr(os, "memfd_create", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            await pool.open(Fragile, large)
    assert await (await pool.open(Fragile, large)).run(Fragile.about) == (large, "")
    assert await small.run(Fragile.about) == (BLOB, "")


@linux
async def test_open_files_that_ran_out_on_the_way_back_are_the_servers(pools: Pools) -> None:
    session = await pools().open(Fragile, BLOB)
    with no_more_open_files(), pytest.raises(OSError, match="Too many open files"):
        await session.run(Fragile.numbers, 2 * MB)
    assert await session.run(Fragile.about) == (BLOB, "")


@linux
async def test_a_process_that_cannot_be_started_for_want_of_open_files_leaves_nothing_behind(pools: Pools) -> None:
    pool = pools()
    before = open_files()
    with no_more_open_files(but=3), pytest.raises(OSError, match="Too many open files"):
        await pool.open(Fragile, BLOB)
    assert open_files() == before
    assert await (await pool.open(Fragile, BLOB)).run(Fragile.about) == (BLOB, "")


@pytest.mark.deep
@linux
async def test_a_file_for_which_others_leave_no_memory_is_decoded_without_them(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    hoarder = await pool.open(Fragile, BLOB)
    await hoarder.run(Fragile.hoard, 250 * MB)
    good = await pool.open(Fragile, BLOB)
    assert await good.run(Fragile.allocate, 300 * MB) == 1
    assert pool.restarts == {"memory": 1}
    assert await hoarder.run(Fragile.about) == (BLOB, "")


@linux
async def test_a_file_that_needs_too_much_by_itself_is_refused_beside_others_too(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    other, session = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB)
    with pytest.raises(InputError, match=r"needs more than 512 MB \(OPENFAZE_DECODE_MEMORY_MB\)"):
        await session.run(Fragile.allocate, 1024 * MB)
    assert pool.restarts == {"memory": 1}
    assert await other.run(Fragile.about) == (BLOB, "")


async def opened_by(key: str, pool: DecodePool, size: int, count: int = 1) -> list[ProcessSession[Fragile]]:
    async def opened() -> list[ProcessSession[Fragile]]:
        SHARE.set(Share(key, 0.5))
        sessions = []
        for _ in range(count):
            sessions.append(await pool.open(Fragile, Blob(bytes(size), "application/x", "a.bin", "p")))
            assert not await sessions[-1].run(Fragile.was_asked)
        return sessions

    return await asyncio.create_task(opened())


async def stayed_open(sessions: Sequence[ProcessSession[Fragile]]) -> list[bool]:
    """For each file, whether it has been open since it was last asked. Those that were closed are opened again."""
    return [await session.run(Fragile.was_asked) for session in sessions]


@pytest.mark.deep
async def test_open_files_take_a_part_of_the_memory_and_that_of_the_key_with_the_most(pools: Pools) -> None:
    pool = pools(memory_mb=400)
    [bobs] = await opened_by("bob", pool, 10 * MB)
    alices = await opened_by("alice", pool, 30 * MB, 6)
    assert await stayed_open([bobs, *alices[-3:]]) == [True] * 4
    assert await stayed_open(alices[:3]) == [False] * 3
    assert [len((await one.run(Fragile.about))[0].data) for one in alices] == [30 * MB] * 6
    assert await stayed_open([bobs]) == [True]


@pytest.mark.deep
async def test_a_file_larger_than_that_part_is_open_alone(pools: Pools) -> None:
    pool = pools(memory_mb=400)
    [small], [large] = await opened_by("bob", pool, MB), await opened_by("alice", pool, 120 * MB)
    assert await stayed_open([large, small, small, large]) == [True, False, True, False]


@pytest.mark.deep
async def test_a_file_goes_where_there_is_room_for_it(pools: Pools) -> None:
    pool = pools(workers=2, memory_mb=400)
    [large] = await opened_by("bob", pool, 90 * MB)
    first, second = await opened_by("bob", pool, 20 * MB, 2)
    beside = await first.run(Fragile.pid)
    assert await second.run(Fragile.pid) == beside != await large.run(Fragile.pid)


async def test_a_call_that_waits_is_dropped_when_its_caller_leaves(pools: Pools, place: Place, tmp_path: Path) -> None:
    pool = pools()
    session, other = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB)
    running = place.stuck(session, 1)
    await place.knocks.get()
    (tmp_path / "other").mkdir()
    waiting = asyncio.create_task(other.run(Fragile.noted, str(tmp_path / "other")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await running == 2
    assert await other.run(Fragile.noted, str(tmp_path / "other")) == 1


async def test_a_call_that_runs_on_without_its_caller_does_not_keep_others_waiting(
    pools: Pools, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_lane, "ABANDONED_S", 0.0)
    pool = pools()
    session, other = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB, "other")
    running = place.stuck(session, 9)
    await place.knocks.get()
    waiting = asyncio.create_task(other.run(Fragile.about))
    running.cancel()
    assert await waiting == (BLOB, "other")
    assert place.calls == 1


async def test_a_file_whose_caller_left_while_it_was_opened_is_closed(pools: Pools) -> None:
    pool = pools()
    opening = asyncio.create_task(pool.open(Fragile, BLOB))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    (lane,) = pool._lanes
    assert not lane.sessions


async def test_files_in_two_processes_are_decoded_at_the_same_time(pools: Pools, tmp_path: Path) -> None:
    pool = pools(workers=2)
    first, second = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB)
    one, two = str(tmp_path / "1"), str(tmp_path / "2")
    os.mkfifo(one)
    os.mkfifo(two)
    assert await asyncio.gather(first.run(Fragile.meet, one, two), second.run(Fragile.meet, two, one)) == ["hello"] * 2


async def test_a_closed_file_says_so(pool: DecodePool) -> None:
    session = await pool.open(Fragile, BLOB)
    await session.close()
    await session.close()
    with pytest.raises(RuntimeError, match="closed"):
        await session.run(Fragile.pid)


async def test_an_idle_process_ends_and_another_starts_when_it_is_needed(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_lane, "IDLE_S", 0.0)
    pool = pools()
    session = await pool.open(Fragile, BLOB)
    (before,) = pool.pids
    await session.close()
    while psutil.pid_exists(before):
        await asyncio.sleep(0.01)
    session = await pool.open(Fragile, BLOB)
    assert await session.run(Fragile.pid) != before


async def test_closing_the_pool_ends_what_hangs(pools: Pools, place: Place) -> None:
    pool = pools()
    session = await pool.open(Fragile, BLOB)
    (pid,) = pool.pids
    hanging = place.stuck(session, 9)
    await place.knocks.get()
    waiting = asyncio.create_task(session.run(Fragile.pid))
    await asyncio.sleep(0)
    await pool.close()
    assert not psutil.pid_exists(pid)
    assert pool.pids == []
    results = await asyncio.gather(hanging, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [InputError, EngineNotReady]
    await session.close()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
async def test_the_servers_signals_are_not_for_its_processes(pool: DecodePool, signal_: signal.Signals) -> None:
    session = await pool.open(Fragile, BLOB)
    (pid,) = pool.pids
    os.kill(pid, signal_)
    assert await session.run(Fragile.pid) == pid


async def test_a_key_with_rivals_rests_after_its_calls() -> None:
    LoopTurns.of_running_loop().rivalry.record_request("a")
    LoopTurns.of_running_loop().rivalry.record_request("b")
    rests = Rests(1e6)
    pool = DecodePool(DecodeLimits(1, 2048 * MB, PATIENT), rests)
    session = await of("a", pool.open(Fragile, BLOB))
    assert list(rests.until()) == ["a"]
    waiting = of("a", session.run(Fragile.pid))
    await of("b", pool.open(Fragile, BLOB))
    assert not waiting.done()
    waiting.cancel()
    await pool.close()


async def test_a_rest_ends_and_a_key_alone_has_none() -> None:
    LoopTurns.of_running_loop().rivalry = Rivalry()
    pool = DecodePool(DecodeLimits(1, 2048 * MB, PATIENT), rests := Rests(1.0))
    session = await of("a", pool.open(Fragile, BLOB))
    assert not rests.until()
    LoopTurns.of_running_loop().rivalry.record_request("b")
    LoopTurns.of_running_loop().rivalry.record_request("a")
    assert [await of("a", session.run(Fragile.pid)) for _ in range(3)] == pool.pids * 3
    assert list(rests.until()) == ["a"]
    await pool.close()


SERVER = """
import asyncio, sys
from tasks.inputs.decode.lane import DecodeLimits, DecodePool
from tests.decoders import Fragile
from tests.unit.tasks.inputs.decode.test_lane import BLOB

async def main():
    pool = DecodePool(DecodeLimits(2))
    _, session = await pool.open(Fragile, BLOB), await pool.open(Fragile, BLOB)
    print(*pool.pids, flush=True)
    await session.run(Fragile.stuck, sys.argv[1], int(sys.argv[2]), 9)

asyncio.run(main())
"""


@pytest.mark.deep
@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM])
async def test_processes_end_with_their_server_whatever_they_do(place: Place, signal_: signal.Signals) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, place.folder, str(place.port)),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert server.stdout
    workers = [psutil.Process(int(pid)) for pid in (await server.stdout.readline()).split()]
    await place.knocks.get()
    server.send_signal(signal_)
    await server.wait()
    assert len(workers) == 2
    assert (await asyncio.to_thread(psutil.wait_procs, workers, timeout=60))[1] == []


def test_a_call_that_hangs_ends_even_when_its_server_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        arguments = [str(theirs.fileno()), str(2048 * MB), "0.1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.inputs.decode.worker", *arguments], pass_fds=[theirs.fileno()]
        )
        channel = Channel(ours)
        for request in (Open(1, Fragile, (BLOB,), {}), Call(1, "hang_in_native_code", (), {})):
            channel.receive()
            channel.send(request)
        assert process.wait() == -signal.SIGALRM


@pytest.mark.deep
@linux
async def test_no_shared_memory_stays_behind(pools: Pools, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_lane, "ABANDONED_S", 0.0)
    before = shared_memory()
    pool = pools()
    large = Blob(bytes(20 * MB), "application/x", None, "p")
    session = await pool.open(Fragile, large)
    results = [await session.run(Fragile.numbers, size * MB) for size in (1, 20, 50)]
    cancelled = asyncio.create_task(session.run(Fragile.numbers, 50 * MB))
    await asyncio.sleep(0)
    cancelled.cancel()
    killed = place.stuck(session, 1)
    await place.knocks.get()
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await killed == 2
    await pool.close()
    del results
    assert shared_memory() == before


async def test_secrets_of_the_server_are_not_handed_on(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEYS", "hunter2")
    session = await pools().open(Fragile, BLOB)
    assert "hunter2" not in str(await session.run(Fragile.environment))


async def test_a_process_loads_what_its_files_need(pools: Pools) -> None:
    session = await pools().open(Fragile, BLOB)
    heavy = ("PIL.Image", "pypdfium2", "av", "onnxruntime", "openvino", "fastapi", "asyncio")
    assert not any(await session.run(Fragile.modules, *heavy))


async def test_processes_that_do_not_start_are_the_operators_to_mend(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match="does not start"):
        await pools().open(Fragile, BLOB)


async def test_without_processes_a_thread_decodes() -> None:
    sessions = native_sessions(DecodeLimits(workers=0))
    assert isinstance(sessions, Worker)
    session = await sessions.open(Fragile, BLOB, "note")
    assert await session.run(Fragile.pid) == os.getpid()
    assert await session.run(Fragile.about) == (BLOB, "note")
    await session.close()
    await sessions.close()
