"""Measures diarization error rates on generated conversations by number of speakers, if the caller gives this number
and if not.

    .venv/bin/python -m eval.diarization             voices that influenced no constant
    .venv/bin/python -m eval.diarization --tuned     voices for which the constants were chosen

The rate is NIST's: the duration of missed speech, of silence taken for speech and of speech given to the wrong speaker,
divided by the duration of all speech. The detected speakers are matched with the true ones so that the rate is lowest.
Errors within 0.25 s of a true boundary do not count.
"""

import argparse
import asyncio
import itertools
import random
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from eval.conversations import (
    HELD_OUT,
    PEOPLE,
    RATE,
    TUNED_ON,
    Conversation,
    Samples,
    converse,
    has_voices_of_people,
)
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.diarization.capability import DIARIZATION
from models.diarization.voices import VoiceEncoder
from models.runtime import Runtime
from models.speech.voice_activity import FRAME_S, VoiceActivity
from tasks.speech.speakers import SpeakerTurns
from tasks.speech.turns import SpeakerTurn
from tests.conftest import SHARED

COLLAR = 0.25
"""Number of seconds on both sides of a true boundary in which errors do not count."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Durations of errors and of all speech, in seconds."""

    missed: float
    invented: float
    confused: float
    speech: float

    @property
    def rate(self) -> float:
        return (self.missed + self.invented + self.confused) / self.speech


def compare(reference: Sequence[SpeakerTurn], found: Sequence[SpeakerTurn], collar: float = COLLAR) -> Errors:
    """Return the errors of `found`. The result is exact if turns do not overlap."""
    edges = np.array(sorted({edge for turn in reference for edge in (turn.start, turn.end)}))
    cuts = sorted(
        {float(cut) for cut in (*(edges - collar), *(edges + collar))}
        | {edge for turn in found for edge in (turn.start, turn.end)}
    )
    agreed = np.zeros((_count(reference), _count(found)))
    speech = missed = invented = 0.0
    for start, end in itertools.pairwise(cuts):
        middle = (start + end) / 2
        if np.abs(edges - middle).min() < collar:
            continue
        expected, heard = _speaker_at(reference, middle), _speaker_at(found, middle)
        speech += (end - start) * (expected is not None)
        missed += (end - start) * (expected is not None and heard is None)
        invented += (end - start) * (expected is None and heard is not None)
        if expected is not None and heard is not None:
            agreed[expected, heard] += end - start
    rows, columns = linear_sum_assignment(-agreed)
    return Errors(missed, invented, float(agreed.sum() - agreed[rows, columns].sum()), speech)


def _count(turns: Sequence[SpeakerTurn]) -> int:
    return 1 + max((turn.speaker for turn in turns), default=0)


def _speaker_at(turns: Sequence[SpeakerTurn], time_s: float) -> int | None:
    return next((turn.speaker for turn in turns if turn.start <= time_s < turn.end), None)


async def diarize(
    encoder: VoiceEncoder, samples: NDArray[np.float32], speakers: int | None = None
) -> Sequence[SpeakerTurn]:
    """Return the speakers' turns. `samples` is float32 [n] or, for a stereo recording, [2, n]."""
    mono = np.atleast_2d(samples).mean(axis=0)
    with SpeakerTurns(encoder) as turns:
        for start, end in await speech_regions(mono):
            await turns.add(mono[start:end], start / RATE)
        return await turns.finish(speakers)


async def speech_regions(mono: Samples, *, pause_s: float = 0.3, pad_s: float = 0.06) -> list[tuple[int, int]]:
    """Return the stretches with speech, in samples. A pause shorter than `pause_s` does not end a stretch."""
    activity = VoiceActivity()
    speaks = np.concatenate([await activity.add(mono), await activity.finish()]) > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speaks.astype(int), [0]]))) * FRAME_S
    regions: list[tuple[float, float]] = []
    for start, end in zip(edges[::2] - pad_s, edges[1::2] + pad_s, strict=True):
        if regions and start - regions[-1][1] < pause_s:
            regions[-1] = (regions[-1][0], end)
        else:
            regions.append((start, end))
    return [(max(0, int(start * RATE)), min(len(mono), int(end * RATE))) for start, end in regions]


def conversations(voices: Sequence[str], speakers: int, count: int) -> Iterator[Conversation]:
    for seed in range(count):
        chosen = random.Random(100 * speakers + seed).sample(voices, speakers)
        yield converse(chosen, 100 * speakers + seed, minutes=0.6 * max(2, speakers))


async def report(encoder: VoiceEncoder, name: str, voices: Sequence[str], most: int, count: int) -> None:
    print(f"\n{name}: mean error rate in % (worst), numbers of speakers found", flush=True)
    print(f"{'speakers':>10}{'number given':>22}{'number estimated':>22}   found")
    for speakers in range(1, most + 1):
        given, estimated, found = [], [], []
        for talk in conversations(voices, speakers, count):
            given.append(100 * compare(talk.turns, await diarize(encoder, talk.samples, speakers)).rate)
            turns = await diarize(encoder, talk.samples)
            estimated.append(100 * compare(talk.turns, turns).rate)
            found.append(len({turn.speaker for turn in turns}))
        print(f"{speakers:>10}{_mean_and_worst(given):>22}{_mean_and_worst(estimated):>22}   {found}", flush=True)


def _mean_and_worst(rates: Sequence[float]) -> str:
    return f"{statistics.mean(rates):.1f} ({max(rates):.1f})"


async def report_two_speakers(encoder: VoiceEncoder) -> None:
    """Print the errors for the real recording of two people, once with a channel for each person and once mixed to one
    channel."""
    stereo = _stereo()
    for name, samples in (("a channel each", stereo), ("mixed down", stereo.mean(axis=0))):
        turns = await diarize(encoder, samples)
        said = ", ".join(f"{turn.speaker}: {turn.start:.2f}-{turn.end:.2f}" for turn in turns)
        print(f"\nspeech_two_speakers.wav, {name}: {said}", flush=True)


def _stereo() -> NDArray[np.float32]:
    import av

    resampler = av.AudioResampler("fltp", "stereo", RATE)
    with av.open(str(SHARED / "samples" / "speech_two_speakers.wav")) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray() for frame in (*frames, *resampler.resample(None))], axis=1)


async def report_hours(encoder: VoiceEncoder, hours: float) -> None:
    """Print the time for a recording of `hours`, which repeats ten minutes of six speakers, and the memory that it
    needs in addition to the memory for ten minutes."""
    talk = converse(HELD_OUT[:6], 1, minutes=10)
    regions = await speech_regions(talk.samples)
    await diarize(encoder, talk.samples)
    memory, began = _peak_mb(), time.perf_counter()
    with SpeakerTurns(encoder) as turns:
        for again in range(round(6 * hours)):
            for start, end in regions:
                await turns.add(talk.samples[start:end], start / RATE + again * len(talk.samples) / RATE)
        heard = time.perf_counter()
        found = await turns.finish()
    finished = time.perf_counter()
    voices = len({turn.speaker for turn in found})
    print(
        f"\n{hours} h: {heard - began:.0f} s to encode, {finished - heard:.1f} s to cluster, "
        f"{_peak_mb() - memory:.0f} MB, {len(found)} turns of {voices} speakers"
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(arguments: argparse.Namespace) -> None:
    runtime = Runtime(CATALOG, EngineConfig(), {"diarization": "resemblyzer"})
    encoder = runtime.use(DIARIZATION)
    assert isinstance(encoder, VoiceEncoder)
    try:
        if arguments.hours:
            await report_hours(encoder, arguments.hours)
            return
        if arguments.tuned:
            await report(encoder, "tuned on", TUNED_ON, arguments.most, arguments.count)
        else:
            await report(encoder, "held out", HELD_OUT, arguments.most, arguments.count)
        if has_voices_of_people() and not arguments.tuned:
            await report(encoder, "people", PEOPLE, 4, arguments.count)
        if SHARED.is_dir():
            await report_two_speakers(encoder)
    finally:
        await runtime.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tuned", action="store_true", help="the voices that the constants were set on")
    parser.add_argument("--most", type=int, default=4, help="speakers in a conversation")
    parser.add_argument("--count", type=int, default=5, help="conversations a number of speakers")
    parser.add_argument("--hours", type=float, default=0, help="of one long conversation of six: what it takes")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
