"""Speech to text against raw faster-whisper with the same weights, and short recordings behind a long one.

    .venv/bin/python -m tests.bench.speech                  an hour, about ten minutes on two cores
    .venv/bin/python -m tests.bench.speech --minutes 3

The recording is made: clips of real speech (the samples beside the checkout) between sentences by espeak-ng in six
voices, with pauses of 0.2 to 4 seconds. Errors are by word, against what was put in. Each contestant has a process of
its own; ours goes through the task, from the file's bytes to the result.
"""

import argparse
import asyncio
import io
import multiprocessing
import random
import resource
import statistics
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tests.conftest import SHARED
from tests.speech import JFK, RATE, SENTENCES, VOICES, Samples, decoded, in_a_row, pause, say, word_errors

SHORT = 12
"""Short recordings that are sent while a long one is worked on."""


@dataclass(frozen=True)
class Recording:
    file: bytes
    text: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    seconds: float
    cpu_seconds: float
    """What the process and its children took: what a machine that does other things too can compare."""
    text: str
    peak_mb: float


def made(minutes: float, seed: int = 1) -> Recording:
    """A WAV file."""
    rng = random.Random(seed)
    real = [(decoded(SHARED / "samples" / "speech_jfk.flac"), JFK)] if SHARED.is_dir() else []
    parts: list[Samples] = []
    said: list[str] = []
    seconds = 0.0
    while seconds < minutes * 60:
        if real and rng.random() < 0.2:
            samples, text = rng.choice(real)
        else:
            text = rng.choice(SENTENCES)
            samples = say(text, rng.choice(VOICES), rng.choice((140, 150, 165)))
        parts += [samples, pause(rng.choice((0.2, 0.5, 0.5, 1.0, 2.0, 4.0)))]
        said.append(text)
        seconds += (len(parts[-2]) + len(parts[-1])) / RATE
    return Recording(wav(in_a_row(parts)), " ".join(said), seconds)


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def raw(beam: int, vad: bool) -> Callable[[Recording], str]:
    """faster-whisper's own sequential transcription, with times of words as ours has them."""
    from faster_whisper import WhisperModel

    from models.base import available_cpus
    from models.capability import EngineConfig
    from models.speech.whisper_files import packaged

    folder = str(packaged(EngineConfig()).folder)
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=available_cpus())

    def transcribe(recording: Recording) -> str:
        segments, _ = model.transcribe(
            io.BytesIO(recording.file),
            beam_size=beam,
            word_timestamps=True,
            condition_on_previous_text=False,
            vad_filter=vad,
        )
        return " ".join(segment.text for segment in segments)

    return transcribe


def ours() -> Callable[[Recording], str]:
    async def transcribe(recording: Recording) -> str:
        services = quiet_services()
        try:
            return await text_of(services, recording)
        finally:
            await services.close()

    return lambda recording: asyncio.run(transcribe(recording))


def quiet_services() -> Any:
    import logging

    import structlog

    from app.services import Services
    from app.settings import Settings

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return Services(Settings(_env_file=None, max_part_mb=2048, max_total_mb=4096))


async def text_of(services: Any, recording: Recording) -> str:
    from tasks.base import TaskRequest
    from tasks.inputs.source import Origin, Source

    request = TaskRequest("", (Source(Origin("audio"), data=recording.file),))
    result = (await services.find_task("speech_to_text").run(request)).data
    return str(result["text"])


async def mixed_load(long: Recording) -> tuple[float, list[float]]:
    """Seconds that the long one takes, and each short one that is sent meanwhile."""
    services = quiet_services()
    clip = Recording(wav(in_a_row([say(SENTENCES[1]), pause(0.5), say(SENTENCES[4])])), "", 10.0)
    await services.runtime.load("speech_to_text")
    try:
        started = time.perf_counter()
        running = asyncio.create_task(text_of(services, long))
        times = []
        for _ in range(SHORT):
            await asyncio.sleep(0.5)
            begun = time.perf_counter()
            await text_of(services, clip)
            times.append(time.perf_counter() - begun)
            if running.done():
                break
        await running
        return time.perf_counter() - started, times
    finally:
        await services.close()


def measured(make: Callable[..., Callable[[Recording], str]], args: tuple[Any, ...], recording: Recording) -> Outcome:
    """In a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, make, args, recording))
    process.start()
    outcome: Outcome = mine.recv()
    process.join()
    return outcome


def cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _measure(
    pipe: Connection, make: Callable[..., Callable[[Recording], str]], args: tuple[Any, ...], recording: Recording
) -> None:
    transcribe = make(*args)
    started = time.perf_counter()
    text = transcribe(recording)
    seconds = time.perf_counter() - started
    pipe.send(Outcome(seconds, cpu_seconds(), text, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    recording = made(minutes)
    print(f"{recording.seconds / 60:.1f} minutes, {len(recording.text.split())} words")
    print(f"{'':34}{'errors':>9}{'seconds':>9}{'CPU s':>9}{'× real time':>13}{'peak MB':>9}")
    contestants: dict[str, tuple[Callable[..., Callable[[Recording], str]], tuple[Any, ...]]] = {
        "faster-whisper, beam 5": (raw, (5, False)),
        "faster-whisper, beam 5, VAD": (raw, (5, True)),
        "openfaze": (ours, ()),
    }
    outcomes = {name: measured(make, args, recording) for name, (make, args) in contestants.items()}
    for name, outcome in outcomes.items():
        errors, words = word_errors(recording.text, outcome.text)
        speed = recording.seconds / outcome.seconds
        row = f"{100 * errors / words:8.2f}%{outcome.seconds:9.1f}{outcome.cpu_seconds:9.1f}{speed:13.1f}"
        print(f"{name:34}{row}{outcome.peak_mb:9.0f}", flush=True)
    ratio = outcomes["faster-whisper, beam 5"].seconds / outcomes["openfaze"].seconds
    print(f"openfaze is {ratio:.2f} × as fast as sequential faster-whisper, decoding and loading included")
    seconds, times = asyncio.run(mixed_load(recording))
    p95 = sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]
    print(
        f"mixed load: the long one in {seconds:.1f} s; {len(times)} short ones meanwhile, median "
        f"{statistics.median(times):.2f} s, p95 {p95:.2f} s"
    )


if __name__ == "__main__":
    main()
