"""Faults that only a new process removes: an error of a card that stays, and a call that does not end."""

import asyncio
from collections.abc import Sequence

import pytest

from models.base import EngineFailed, EngineNotReady, EngineUnavailable
from models.hosts.faults import Faults, staying_error
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from tests.conftest import each_case
from tests.kit.engines.hosts import SPEC, Doubler, hosted, running
from tests.kit.waits.waiting import until


class Fail(Exception):
    """Stands for an error of onnxruntime, which raises classes of its own module."""


Fail.__module__ = "onnxruntime.capi.onnxruntime_pybind11_state"


class AcceleratorError(RuntimeError):
    """Stands for PyTorch's error of that name, which has CUDA's code as a member."""

    def __init__(self, message: str, error_code: int) -> None:
        super().__init__(message)
        self.error_code = error_code


def caused_by(cause: Exception) -> Exception:
    error = ValueError("the page could not be read")
    error.__cause__ = cause
    return error


ILLEGAL = "an illegal memory access was encountered"
OF_ORT = (
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Conv node. "
    f"CUDA failure 700: {ILLEGAL} ; GPU=0 ; hostname=box ; line=448 ; expr=cudaStreamSynchronize(stream_);"
)


@each_case(
    ("error", "message"),
    [
        (Fail(OF_ORT), ILLEGAL),
        (Fail("CUDA failure 719: unspecified launch failure ; GPU=0"), "unspecified launch failure"),
        (
            RuntimeError("CUDA failed with error uncorrectable ECC error encountered"),
            "uncorrectable ECC error encountered",
        ),
        (RuntimeError("CUDA failed with error unknown error"), "unknown error"),
        (RuntimeError(f"CUDA error: {ILLEGAL}\nCUDA kernel errors might be reported later."), ILLEGAL),
        (AcceleratorError("The card does not answer.", 710), "device-side assert triggered"),
        (caused_by(Fail(OF_ORT)), ILLEGAL),
        (Fail("CUDA failure 2: out of memory ; GPU=0"), None),
        (RuntimeError("CUDA failed with error out of memory"), None),
        (RuntimeError("CUDA error: no kernel image is available for execution on the device"), None),
        (AcceleratorError("CUDA error: invalid argument", 1), None),
        (RuntimeError("unknown error"), None),
        (ValueError(f"CUDA error: {ILLEGAL}"), None),
        (None, None),
    ],
)
def test_an_error_that_stays_is_known_by_its_kind_and_code(error: Exception | None, message: str | None) -> None:
    assert staying_error(error) == message


class Broken(Doubler):
    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(batch))
        raise Fail(OF_ORT)


def guarded(host: EngineHost[int, int], deadline_s: float = 60.0, patience: float = 1.0) -> tuple[Faults, list[None]]:
    faults, told = Faults(), list[None]()
    faults.on_fault = lambda: told.append(None)
    host.guard(faults, deadline_s, patience)
    return faults, told


async def test_a_batch_that_breaks_the_card_is_not_computed_again_and_is_reported_once() -> None:
    engine = Broken()
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=8))
    faults, told = guarded(host)
    with pytest.raises(EngineFailed) as caught:
        await host.run_many(range(8))
    assert caught.value.retry_after is None
    assert [len(batch) for batch in engine.batches] == [8]
    with pytest.raises(EngineFailed):
        await host.run(1)
    assert faults.engine == SPEC.name
    assert len(told) == 1
    await host.close()


async def test_the_items_of_another_engine_on_the_broken_card_may_be_sent_again() -> None:
    host = EngineHost[int, int](SPEC, Broken)
    faults, told = guarded(host)
    faults.report("another", "run", ILLEGAL)
    with pytest.raises(EngineNotReady) as caught:
        await host.run(1)
    assert caught.value.retry_after is not None
    assert faults.engine == "another"
    assert len(told) == 1
    await host.close()


async def test_a_load_that_breaks_the_card_is_reported() -> None:
    def broken() -> Doubler:
        raise Fail(OF_ORT)

    host = EngineHost[int, int](SPEC, broken)
    faults, told = guarded(host)
    with pytest.raises(EngineUnavailable):
        await host.run(1)
    assert (faults.engine, len(told)) == (SPEC.name, 1)
    await host.close()


async def test_a_call_that_does_not_end_is_reported_and_keeps_nobody_waiting() -> None:
    engine, host = hosted(max_queue=2)
    faults, told = guarded(host, deadline_s=0.01)
    assert await host.run(3) == 6
    computing = await running(engine, host)
    queued = asyncio.create_task(host.run(2))
    await until(lambda: host.queued == 1)
    await asyncio.sleep(0.02)
    host.check_calls()
    host.check_calls()
    with pytest.raises(EngineFailed) as failed:
        await computing
    with pytest.raises(EngineNotReady) as waiting:
        await queued
    with pytest.raises(EngineNotReady):
        await host.run(4)
    assert failed.value.retry_after is None
    assert waiting.value.retry_after is not None
    assert (faults.engine, len(told), host.healthy) == (SPEC.name, 1, False)
    # Nothing waits for the call, nor for its thread.
    async with asyncio.timeout(10):
        await host.close()
    engine.gate.set()


async def test_calls_within_their_time_are_no_fault_and_the_first_may_take_longer() -> None:
    engine, host = hosted()
    faults, _ = guarded(host, deadline_s=0.01, patience=10_000)
    first = await running(engine, host)
    await asyncio.sleep(0.02)
    host.check_calls()
    engine.gate.set()
    assert await first == 2
    host.check_calls()
    assert faults.engine is None
    assert host.healthy
    await host.close()
