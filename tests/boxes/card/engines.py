"""Each engine on a device: its values beside the CPU's, the card's memory, and how much it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

import numpy as np

from app.assembly.building import build_runtime
from app.settings import Settings
from eval.devices import AT_ONCE, WORK, Answer, Work, free_bytes
from models.base import ModelError
from models.catalog import CATALOG
from models.devices.device import CPU
from models.runtime import Runtime


@dataclass
class Tried:
    """What an engine did. Memory is in bytes of all cards, 0 without one."""

    capability: str
    engine: str
    error: str = ""
    load_s: float = 0.0
    same: bool = False
    """True if the engine says the same as on the CPU, with numbers within the margin of its work."""
    difference: float = 0.0
    """The largest between its numbers and those of the CPU."""
    per_second: float = 0.0
    unit: str = ""
    free_before: int = 0
    free_loaded: int = 0
    free_after: int = 0
    """After all its calls."""
    free_unloaded: int = 0


async def tried(settings: Settings, device: str, seconds: float, only: Collection[str] = ()) -> AsyncIterator[Tried]:
    """Yield what each engine of a kind that computes on cards did on `device`, for `seconds` each. `only` names
    capabilities, all if empty."""
    for name in only or WORK:
        work = WORK[name]
        chosen = settings.model_copy(update={"device": device})
        runtime = build_runtime(chosen)
        try:
            await runtime.look()
            state = next(one for one in runtime.states() if one.capability == name)
            there = state.candidate is not None and state.candidate.backend is not None
            if not there or (device != CPU and name not in set(runtime.on_the_card())):
                continue
            assert state.candidate is not None
            found = Tried(name, state.candidate.spec.name, unit=work.unit, free_before=free_bytes())
            answer = await _worked(found, runtime, work, device, seconds)
        finally:
            await runtime.close()
        found.free_unloaded = free_bytes()
        if answer is not None:
            await _compare(found, answer, settings, work)
        yield found


async def _worked(found: Tried, runtime: Runtime, work: Work, device: str, seconds: float) -> Answer | None:
    """Return its answer to call 0; None if it fails, which `found` then has."""
    try:
        started = time.perf_counter()
        await runtime.load(work.capability)
        found.load_s, found.free_loaded = time.perf_counter() - started, free_bytes()
        answer = await work.run(runtime, 0)
        started, calls = time.perf_counter(), 0
        while time.perf_counter() - started < seconds or not calls:
            await asyncio.gather(*(work.run(runtime, calls + one) for one in range(1, AT_ONCE[device] + 1)))
            calls += AT_ONCE[device]
        found.per_second = calls * work.amount() / (time.perf_counter() - started)
        found.free_after = free_bytes()
    except ModelError as error:
        found.error = str(error)
        return None
    return answer


async def _compare(found: Tried, answer: Answer, settings: Settings, work: Work) -> None:
    engine = "auto" if CATALOG[work.capability].several else found.engine
    runtime = build_runtime(settings.model_copy(update={"device": CPU, work.capability: engine}))
    try:
        await runtime.look()
        on_cpu = await work.run(runtime, 0)
    except ModelError as error:
        found.error = f"on the CPU: {error}"
        return
    finally:
        await runtime.close()
    is_comparable = list(answer.said) == list(on_cpu.said) and len(answer.numbers) == len(on_cpu.numbers)
    if is_comparable and answer.numbers:
        found.difference = float(np.abs(np.subtract(answer.numbers, on_cpu.numbers)).max())
    found.same = is_comparable and bool(found.difference <= (work.margin or 1e-3))  # NaN is not the same
