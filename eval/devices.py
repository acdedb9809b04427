"""Measures the speed of engines on each device of this machine; one command writes the figures to docs/performance.md.

    .venv/bin/python -m eval.devices             shows it
    .venv/bin/python -m eval.devices --write     … and writes it there, in place of this machine's last figures
    .venv/bin/python -m eval.devices --only ocr,translate --write        … and leaves its other rows unchanged
    .venv/bin/python -m eval.devices --only speech_to_text --long 95     transcribes 95 minutes, too, as for a caller

The engines and their settings are the same as for a server (OPENFAZE_WEIGHTS_DIR, OPENFAZE_OCR …). Each engine is
loaded and called once before the measurement. Then it is called for the given time, with several calls at once, like in
a busy server. Seconds on the CPU are processor time, which other programs do not change.
"""

import argparse
import asyncio
import os
import platform
import re
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from app.assembly.building import build_runtime
from app.settings import Settings
from models.base import EngineUnavailable, available_cpus
from models.capability import Engines
from models.devices.cards import cards
from models.devices.device import CPU, CUDA, DRIVER
from models.diarization.capability import DIARIZATION
from models.diarization.voices import WINDOW, VoiceEncoder
from models.embedding.capability import EMBEDDING
from models.language.capability import LLM
from models.language.llm import LlmCall, TextDelta
from models.runtime import Runtime
from models.safety.images.capability import IMAGE_GUARD
from models.safety.text.capability import TEXT_GUARD
from models.series.capability import FORECAST
from models.series.forecaster import Series
from models.speech.capability import SPEECH_TO_TEXT, read_greeting
from models.speech.transcriber import RATE, Samples, SpeechWindow
from models.translation.capability import TRANSLATE
from models.vision.detection.capability import (
    OBJECT_DETECTION,
    OPEN_VOCABULARY,
    STOP_SIGN,
    draw_stop_sign,
)
from models.vision.ocr.capability import OCR
from tests.kit.papers.pages import Page, paragraph_page

PERFORMANCE = Path(__file__).parents[1] / "docs" / "performance.md"
AT_ONCE = {CPU: 4, CUDA: 32}
_RUNTIMES = ("openvino", "onnxruntime", "onnxruntime-gpu", "ctranslate2", "torch", "transformers", "xllamacpp")
_TEXT = "How do I end a process that hangs, and what does it leave behind? " * 8
_SENTENCES = ["The invoice is due within thirty days.", "Please send the goods to our new address in Hamburg."] * 4
_MONTHS = np.arange(60)
_SWING = 100 + _MONTHS + 10 * np.sin(_MONTHS * np.pi / 6)


@cache
def _speech() -> Samples:
    """Return the greeting four times. It is decoded when it is first needed, not in each process that imports this."""
    return np.tile(np.concatenate([read_greeting(), np.zeros(RATE // 2, np.float32)]), 4)


def _speech_seconds() -> float:
    return len(_speech()) / RATE


@dataclass(frozen=True)
class Answer:
    said: Sequence[str]
    numbers: Sequence[float] = ()


@dataclass(frozen=True)
class Work:
    capability: str
    unit: str
    run: Callable[[Engines, int], Awaitable[Answer]]
    """Function that does the work once. Its number argument becomes part of the text, so that a guard that remembers
    texts has not seen this one."""
    amount: Callable[[], float] = lambda: 1.0
    """Function that returns the units of work per call."""
    margin: float = 0.0
    """Largest difference between the numbers in two devices' answers that still counts as equal."""


def page_to_read(lines: int = 30) -> Page:
    return paragraph_page(lines=lines, size=24, width=1240, seed=4)


_PAGE = page_to_read()
_PICTURE, _ = draw_stop_sign()


async def _read(engines: Engines, _: int) -> Answer:
    lines = await engines.use(OCR).read(_PAGE.pixels)
    return Answer(sorted(line.text for line in lines))


async def _detect(engines: Engines, _: int) -> Answer:
    found = sorted(await engines.use(OBJECT_DETECTION).detect(_PICTURE, wait=True), key=lambda one: one.box)
    sure = [one for one in found if one.score > 0.5]
    return Answer([one.label for one in sure], [place for one in sure for place in one.box])


async def _hear(engines: Engines, _: int) -> Answer:
    heard = await engines.use(SPEECH_TO_TEXT).transcribe(SpeechWindow(_speech(), "en"))
    return Answer([word.text for word in heard.words])


async def _tell_voices(engines: Engines, _: int) -> Answer:
    voices = engines.use(DIARIZATION)
    if isinstance(voices, VoiceEncoder):
        starts = range(0, len(_speech()) - WINDOW + 1, WINDOW)
        found = await voices.embed([_speech()[start : start + WINDOW] for start in starts])
        return Answer((), found.ravel().tolist())
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(_speech().tobytes())
        file.flush()
        turns = await voices.diarize(Path(file.name), None)
    return Answer(sorted({str(turn.speaker) for turn in turns}))


async def _find_what_is_named(engines: Engines, _: int) -> Answer:
    found = await engines.use(OPEN_VOCABULARY).detect(_PICTURE, labels=(STOP_SIGN,), wait=True)
    sure = [one for one in sorted(found, key=lambda one: one.box) if one.score > 0.5]
    return Answer([one.label for one in sure], [place for one in sure for place in one.box])


async def _translate(engines: Engines, _: int) -> Answer:
    """Translate sentences and return only their number: at another precision, an engine chooses other words that are
    just as good."""
    translator = engines.use(TRANSLATE)
    if not await translator.can_translate("en", "de"):
        raise EngineUnavailable(TRANSLATE.name, f"'{translator.name}' knows no way from English to German.")
    told = await translator.translate(_SENTENCES, "en", "de", wait=True)
    return Answer((), [len(told)])


async def _embed(engines: Engines, number: int) -> Answer:
    [vector] = await engines.use(EMBEDDING).embed([f"{number}. {_TEXT}"])
    return Answer((), vector.tolist())


async def _judge_text(engines: Engines, number: int) -> Answer:
    judged = await engines.use_all(TEXT_GUARD)[0].judge(f"{number}. {_TEXT}", ["S1"])
    return Answer((), list(judged.scores.values()))


async def _judge_picture(engines: Engines, _: int) -> Answer:
    guard = engines.use_all(IMAGE_GUARD)[0]
    judged = await guard.judge(_PICTURE, sorted(guard.codes), wait=True)
    return Answer((), [judged.scores[code] for code in sorted(guard.codes)])


async def _forecast(engines: Engines, _: int) -> Answer:
    outlook = await engines.use(FORECAST).forecast(Series(_SWING[:48], 12, (12,)), wait=True)
    return Answer((), outlook.value.tolist())


WORK: Mapping[str, Work] = {
    work.capability: work
    for work in (
        Work("ocr", f"pages of {len(_PAGE.lines)} lines", _read),
        Work("object_detection", "pictures", _detect, margin=4),
        Work("speech_to_text", "seconds of speech", _hear, amount=_speech_seconds),
        Work("diarization", "seconds of speech", _tell_voices, amount=_speech_seconds, margin=0.01),
        Work("open_vocabulary", "pictures", _find_what_is_named, margin=4),
        Work("translate", "sentences", _translate, amount=lambda: len(_SENTENCES)),
        Work("forecast", "series", _forecast, margin=1),
        Work("text_guard", f"texts of {len(_TEXT)} characters", _judge_text, margin=0.05),
        Work("image_guard", "pictures", _judge_picture, margin=0.05),
        Work("embedding", f"texts of {len(_TEXT)} characters", _embed, margin=0.01),
    )
}


MEASURED = (*WORK, "llm")


def free_bytes() -> int:
    """Number of free bytes on all cards; 0 without a card."""
    seen = cards()
    return sum(card.free for card in seen.cards) if seen else 0


def clock(device: str) -> float:
    return time.process_time() if device == CPU else time.perf_counter()


async def measured(work: Work, runtime: Runtime, device: str, seconds: float) -> str:
    """Return a figure like `4.1 pages of 30 lines a second`. Raises ModelError."""
    await runtime.load(work.capability)
    await work.run(runtime, 0)
    started, calls, passed = clock(device), 0, 0.0
    while passed < seconds or not calls:
        await asyncio.gather(*(work.run(runtime, calls + one) for one in range(1, AT_ONCE[device] + 1)))
        calls, passed = calls + AT_ONCE[device], clock(device) - started
    return f"{calls * work.amount() / passed:,.2f} {work.unit} a second"


async def first_word(runtime: Runtime, device: str) -> str:
    """Return the time until an LLM's first word. Raises ModelError."""
    llm = runtime.use(LLM)
    await runtime.load("llm")
    waits = []
    for number in range(4):  # the first call includes the warm-up; an LLM remembers texts, which therefore differ
        call = LlmCall([{"role": "user", "content": f"{number}. {_TEXT}"}], options={"max_tokens": 16})
        started = clock(device)
        async with aclosing(llm.stream(call)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    waits.append(clock(device) - started)
                    break
    return f"first word on {len(_TEXT)} characters after {1000 * min(waits):,.0f} ms"


async def heard_whole(device: str, minutes: float) -> str:
    """Return the table's row for a whole recording. It is processed like the recording of a caller: decoded, cut into
    windows and combined again. Raises ModelError."""
    from app.assembly.services import Services
    from eval.speech import Recording, text_of, wav

    times = max(1, round(minutes * 60 / _speech_seconds()))
    recording = Recording(wav(np.tile(_speech(), times)), "", times * _speech_seconds())
    larger = {"device": device, "max_part_mb": 2048}
    services, before = Services(Settings().model_copy(update=larger)), free_bytes()
    try:
        await services.runtime.load(SPEECH_TO_TEXT.name)
        started = clock(device)
        await text_of(services, recording)
        figure = f"{recording.seconds / 60:,.1f} minutes of speech in {clock(device) - started:,.1f} s"
        taken = f"{(before - free_bytes()) / 1e6:,.0f}" if device != CPU else ""
        name = services.runtime.choose(SPEECH_TO_TEXT.name).spec.name
        return f"| {SPEECH_TO_TEXT.name}, whole | `{name}` | {device} | {figure} | {taken} |"
    finally:
        await services.close()


async def rows(device: str, seconds: float, chosen: Collection[str] = MEASURED) -> AsyncIterator[str]:
    settings = Settings().model_copy(update={"device": device})
    runtime = build_runtime(settings)
    try:
        await runtime.look()
        # The LLM's server determines its device itself.
        there = {*MEASURED} if device == CPU else {*runtime.on_the_card(), "llm"}
        for state in runtime.states():
            if state.candidate is None or state.capability not in there & {*chosen}:
                continue
            name, before = state.candidate.spec.name, free_bytes()
            try:
                work = WORK.get(state.capability)
                figure = await (measured(work, runtime, device, seconds) if work else first_word(runtime, device))
            except EngineUnavailable as error:
                print(f"{state.capability} by {name}: {error}")
                continue
            taken = f"{(before - free_bytes()) / 1e6:,.0f}" if device != CPU else ""
            yield f"| {state.capability} | `{name}` | {device} | {figure} | {taken} |"
    finally:
        await runtime.close()


def machine() -> str:
    names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cpus = f"{available_cpus()} CPUs, {names[0] if names else platform.machine()}"
    seen = cards()
    return ", ".join([*(card.name for card in seen.cards), cpus]) if seen else cpus


def versions() -> str:
    found = [f"openfaze {version('openfaze')}", f"Python {platform.python_version()}"]
    for name in _RUNTIMES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # not installed in this environment
            continue
    seen = cards()
    return ", ".join([*found, *([f"driver {seen.driver}"] if seen else [])])


def section(title: str, about: str, table: Sequence[str]) -> str:
    head = ["| capability | engine | on | what it did | MB of the card |", "|---|---|---|---|---|"]
    return "\n".join([f"## {title}", "", about, "", *head, *table]) + "\n"


def put(page: str, new: str, only: Sequence[str] = (), *, named_by: int = 3) -> str:
    """Return `page` with the section `new` in place of the section with its title, or after all others. If `only` names
    capabilities, the rows of other capabilities stay. The first `named_by` cells of a row are its name."""
    title = new.partition("\n")[0]
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    kept = [part for part in parts if part.partition("\n")[0] != title]
    old = next((part for part in parts if part not in kept), None)
    if only and old is not None:
        new = merged(old, new, only, named_by)
    return "\n".join(part.strip("\n") + "\n" for part in [*kept, new])


def merged(old: str, new: str, only: Sequence[str], named_by: int) -> str:
    """Return a section with the rows of both sections. A newer row replaces the older row of the same name. The text
    above the table states when each section was measured."""
    (title, *told), table = _texts_and_rows(old)
    (_, about), newer = _texts_and_rows(new)
    since = f"{', '.join(only)}: "
    rows = {tuple(row.split("|")[1 : named_by + 1]): row for row in [*table[2:], *newer[2:]]}
    texts = [title, *(text for text in told if not text.startswith(since)), since + about]
    pictures = [line for line in new.splitlines() if line.startswith("!")]
    return "\n\n".join([*texts, "\n".join([*table[:2], *rows.values()]), *pictures]) + "\n"


def _texts_and_rows(section: str) -> tuple[list[str], list[str]]:
    lines = [line for line in section.splitlines() if line]
    return [line for line in lines if line[0] not in "|!"], [line for line in lines if line[0] == "|"]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20, help="for each engine")
    parser.add_argument("--only", default="", help="capabilities, with commas between them; other rows stay")
    parser.add_argument("--long", type=float, default=0, help="hear a recording of so many minutes, too (95)")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    table, load = [], os.getloadavg()[0]
    only = tuple(arguments.only.split(",")) if arguments.only else ()
    for device in (CPU, *([CUDA] if DRIVER.obstacle() is None else [])):
        async for row in rows(device, arguments.seconds, only or MEASURED):
            print(row)
            table.append(row)
        if arguments.long:
            table.append(await heard_whole(device, arguments.long))
            print(table[-1])
    new = section(
        machine(), f"{datetime.now(UTC):%Y-%m-%d}: {versions()}; a load of {load:.1f} by other programs.", table
    )
    if arguments.write:
        PERFORMANCE.write_text(put(PERFORMANCE.read_text(), new, only))


if __name__ == "__main__":
    asyncio.run(main())
