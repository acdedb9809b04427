"""Compares speech to text with faster-whisper alone with the same weights, and measures short recordings that are sent
during a long one.

    .venv/bin/python -m eval.speech                  an hour, about ten minutes on two cores
    .venv/bin/python -m eval.speech --minutes 6 --recordings 7

Contestants whose error rates differ by little need several recordings: of six minutes, one has some 730 words, and a
difference of ten errors is chance.

The recording is generated: clips of real speech (the samples beside the checkout) between sentences by espeak-ng in six
voices, with pauses of 0.2 to 4 seconds. Errors are counted in words of the recording's known text. Each contestant runs
in a separate process and is loaded before the measurement. openfaze performs the whole task, from the file's bytes to
the result.
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import psutil

from tests.conftest import SHARED
from tests.kit.audio.speech import JFK, RATE, SENTENCES, VOICES, Samples, decoded, in_a_row, pause, say, word_errors

SHORT = 12
"""Number of short recordings that are sent during a long one."""


@dataclass(frozen=True)
class Recording:
    file: bytes
    text: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    seconds: float
    cpu_seconds: float
    """Processor time of the process and its children, which can be compared on a busy machine."""
    text: str
    peak_mb: float


def made(minutes: float, seed: int = 1) -> Recording:
    """Return a recording of at least this duration, with its text, as a WAV file."""
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


def brief() -> Recording:
    return Recording(wav(in_a_row([say(SENTENCES[1]), pause(0.5), say(SENTENCES[4])])), "", 10.0)


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


Contestant = Callable[..., AbstractContextManager[Callable[[Recording], str]]]
"""Function that returns a context manager of a transcriber of recordings."""


@contextmanager
def raw(beam: int, vad: bool) -> Iterator[Callable[[Recording], str]]:
    """Yield faster-whisper's own sequential transcription, with times of words like in openfaze's results."""
    model = _raw_model()
    how = {"condition_on_previous_text": False, "vad_filter": vad}
    yield lambda recording: _text(model.transcribe(_file(recording), beam_size=beam, word_timestamps=True, **how))


@contextmanager
def batched(beam: int, batch: int) -> Iterator[Callable[[Recording], str]]:
    """Yield faster-whisper's transcription of many windows at once, which always uses its VAD."""
    from faster_whisper import BatchedInferencePipeline

    model = BatchedInferencePipeline(_raw_model())
    how = {"batch_size": batch, "word_timestamps": True}
    yield lambda recording: _text(model.transcribe(_file(recording), beam_size=beam, **how))


def _raw_model() -> Any:
    from faster_whisper import WhisperModel

    from models.base import available_cpus
    from models.capability import EngineConfig
    from models.speech.whisper_files import TINY_EN, files_of

    folder = str(files_of(TINY_EN, EngineConfig()).folder)
    return WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=available_cpus())


def _file(recording: Recording) -> io.BytesIO:
    return io.BytesIO(recording.file)


def _text(heard: tuple[Iterable[Any], Any]) -> str:
    return " ".join(segment.text for segment in heard[0])


@contextmanager
def ours() -> Iterator[Callable[[Recording], str]]:
    with asyncio.Runner() as runner:
        services = runner.run(_loaded())
        yield lambda recording: runner.run(text_of(services, recording))
        runner.run(services.close())


async def _loaded() -> Any:
    from training.services import quiet_services

    services = quiet_services(max_part_mb=2048)
    await services.runtime.load("speech_to_text")
    return services


async def text_of(services: Any, recording: Recording) -> str:
    from tasks.base import TaskRequest
    from tasks.inputs.source import Origin, Source
    from tasks.wording.transcripts import SpeechOptions

    request = TaskRequest(SpeechOptions(), (Source(Origin("audio"), data=recording.file),))
    result = (await services.tasks.find("speech_to_text").run(request)).data
    return str(result["text"])


async def mixed_load(long: Recording) -> tuple[float, list[float]]:
    """Return the seconds of the long recording, and of each short one that is sent during it."""
    services, clip = await _loaded(), brief()
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


def measured(make: Contestant, args: tuple[Any, ...], recording: Recording) -> Outcome:
    """Measure a contestant in a separate process. The contestant first transcribes a short recording, so that
    everything is loaded as in a running server."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, make, args, recording))
    process.start()
    outcome: Outcome = mine.recv()
    process.join()
    return outcome


def processor_s(process: psutil.Process) -> float:
    """Return the processor time of the process and its children."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _measure(pipe: Connection, make: Contestant, args: tuple[Any, ...], recording: Recording) -> None:
    own = psutil.Process()
    with make(*args) as transcribe:
        transcribe(brief())
        spent, started = processor_s(own), time.perf_counter()
        text = transcribe(recording)
        seconds, spent = time.perf_counter() - started, processor_s(own) - spent
        pipe.send(Outcome(seconds, spent, text, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--recordings", type=int, default=1, help="number of such recordings")
    arguments = parser.parse_args()
    recordings = [made(arguments.minutes, seed) for seed in range(1, arguments.recordings + 1)]
    spoken_s = sum(recording.seconds for recording in recordings)
    print(f"{spoken_s / 60:.1f} minutes, {sum(len(recording.text.split()) for recording in recordings)} words")
    print(f"{'':34}{'errors':>9}{'seconds':>9}{'CPU s':>9}{'× real time':>13}{'peak MB':>9}")
    contestants: dict[str, tuple[Contestant, tuple[Any, ...]]] = {
        "faster-whisper, beam 5": (raw, (5, False)),
        "faster-whisper, beam 5, VAD": (raw, (5, True)),
        "faster-whisper, beam 5, batches": (batched, (5, 8)),
        "openfaze": (ours, ()),
    }
    seconds_of: dict[str, float] = {}
    for name, (make, args) in contestants.items():
        outcomes = [measured(make, args, recording) for recording in recordings]
        errors, words = map(
            sum,
            zip(*(word_errors(one.text, own.text) for one, own in zip(recordings, outcomes, strict=True)), strict=True),
        )
        seconds_of[name] = sum(outcome.seconds for outcome in outcomes)
        cpu_s, peak_mb = sum(outcome.cpu_seconds for outcome in outcomes), max(outcome.peak_mb for outcome in outcomes)
        row = f"{100 * errors / words:8.2f}%{seconds_of[name]:9.1f}{cpu_s:9.1f}{spoken_s / seconds_of[name]:13.1f}"
        print(f"{name:34}{row}{peak_mb:9.0f}", flush=True)
    for name in ("faster-whisper, beam 5", "faster-whisper, beam 5, batches"):
        print(f"openfaze is {seconds_of[name] / seconds_of['openfaze']:.2f} × as fast as {name}")
    seconds, times = asyncio.run(mixed_load(recordings[0]))
    p95 = sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]
    print(
        f"mixed load: the long one in {seconds:.1f} s; {len(times)} short ones meanwhile, median "
        f"{statistics.median(times):.2f} s, p95 {p95:.2f} s"
    )


if __name__ == "__main__":
    main()
