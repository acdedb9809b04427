"""`openfaze doctor`: what serves each capability here, and whether it just worked."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

import numpy as np
from rich.console import Console
from rich.table import Table

from app.services import build_runtime
from app.settings import Settings
from models.base import ModelError
from models.language.llm import LlmCall, TextDelta
from models.runtime import CapabilityState, Runtime

SelfTest = Callable[[Runtime], Awaitable[str]]
"""Uses a capability for real; returns what it found. Raises ModelError or AssertionError."""


async def examine(settings: Settings) -> int:
    """Prints a table, a capability a line. Returns the exit status: 1 when one that should work did not."""
    runtime = build_runtime(settings)
    table = Table("capability", "engine", "licence", "weights", "self-test", box=None, pad_edge=False)
    failed = False
    try:
        for state in runtime.states():
            outcome, passed = await _try(runtime, state)
            failed |= not passed
            spec = state.candidate.spec if state.candidate else None
            table.add_row(
                state.capability,
                spec.name if spec else "–",
                spec.licence if spec else "",
                spec.weights if spec else "",
                outcome,
            )
    finally:
        await runtime.close()
    # Wide enough that no row is cut when the output is piped.
    Console(width=None if Console().is_terminal else 200).print(table)
    return int(failed)


async def _try(runtime: Runtime, state: CapabilityState) -> tuple[str, bool]:
    if state.candidate is None:
        return state.remedy or "", True
    started = time.perf_counter()
    try:
        await runtime.load(state.capability)
        loaded = time.perf_counter()
        found = await SELF_TESTS[state.capability](runtime)
    except (ModelError, SelfTestFailed) as error:
        return f"failed: {error}", False
    load_ms, run_ms = (loaded - started) * 1000, (time.perf_counter() - loaded) * 1000
    return f"ok: {found}, loaded in {load_ms:.0f} ms, ran in {run_ms:.0f} ms", True


class SelfTestFailed(Exception):
    """The engine ran, and its result was wrong."""


async def _read_a_picture(runtime: Runtime) -> str:
    from PIL import Image, ImageDraw, ImageFont

    expected = "openfaze 2026"
    picture = Image.new("RGB", (480, 120), "white")
    ImageDraw.Draw(picture).text((24, 32), expected, fill="black", font=ImageFont.load_default(48))
    lines = await runtime.page_reader().read(np.asarray(picture))
    read = " ".join(line.text for line in lines)
    if read != expected:
        raise SelfTestFailed(f"read {read!r} where the picture says {expected!r}")
    return f"read {read!r}"


async def _compare_sentences(runtime: Runtime) -> str:
    embedder = runtime.embedder()
    assert embedder is not None  # its state says that it can run
    near, same, far = await embedder.embed(["A cat sits here.", "There is a cat sitting here.", "Taxes are due."])
    if not near @ same > near @ far + 0.3:
        raise SelfTestFailed(f"finds unlike sentences as close ({near @ far:.2f}) as like ones ({near @ same:.2f})")
    return f"like sentences {near @ same:.2f}, unlike {near @ far:.2f}"


async def _ask_the_llm(runtime: Runtime) -> str:
    llm = runtime.llm()
    call = LlmCall([{"role": "user", "content": "Say yes."}], options={"max_tokens": 8})
    async with aclosing(llm.stream(call)) as events:
        said = "".join([event.text async for event in events if isinstance(event, TextDelta)])
    return f"{llm.name} answered with {len(said)} characters"


SELF_TESTS: Mapping[str, SelfTest] = {
    "ocr": _read_a_picture,
    "embedding": _compare_sentences,
    "llm": _ask_the_llm,
}
