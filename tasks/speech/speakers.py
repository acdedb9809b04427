"""Speaker diarization: a recording's speech in, who speaks when out.

Overlapping speech is nobody's twice: where two talk at once, the turn is that of the one who is heard better.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.speech.voices import SAMPLE_RATE, WINDOW, Diarizer, Samples, VoiceEncoder
from tasks.speech.channels import ChannelLevels
from tasks.speech.clustering import find_voices
from tasks.speech.resegmentation import FRAME, Region, turns_in
from tasks.speech.turns import Turn, in_order

_HOP = WINDOW // 2
_FRAME = int(SAMPLE_RATE * FRAME)


class _Method(Protocol):
    async def add(self, samples: Samples, start: float) -> None: ...
    async def finish(self, speakers: int | None) -> Sequence[Turn]: ...
    def close(self) -> None: ...


class SpeakerTurns:
    """The speakers of one recording, fed while it streams.

    >>> with SpeakerTurns(runtime.voice_encoder(), channels=recording.channels) as speakers:
    ...     async for block in recording.blocks():
    ...         await speakers.listen(block)
    ...         for start, region in speech_regions(block):
    ...             await speakers.add(region, start)
    ...     turns = await speakers.finish(None)
    """

    def __init__(self, voices: VoiceEncoder | Diarizer, *, channels: int = 1) -> None:
        self._method: _Method = _ByPipeline(voices) if isinstance(voices, Diarizer) else _ByVoices(voices)
        self._levels = ChannelLevels() if channels == 2 else None
        self._regions: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._method.close()

    async def listen(self, block: NDArray[np.float32]) -> None:
        """The recording's next block, float32 [channels, n] at 16 kHz, silence included: two channels may be two
        speakers. Of no use for a mono recording."""
        if self._levels is not None:
            await asyncio.to_thread(self._levels.add, block)

    async def add(self, samples: Samples, start: float) -> None:
        """The next stretch of speech, mono, which begins `start` seconds into the recording. Raises ModelError."""
        if not len(samples):
            return
        self._regions.append((start, start + len(samples) / SAMPLE_RATE))
        await self._method.add(samples, start)

    async def finish(self, speakers: int | None = None) -> Sequence[Turn]:
        """Turns in order of time that do not overlap, speakers numbered from 0 in order of first speech. `speakers` is
        their number, where it is known. Raises ModelError."""
        if not self._regions:
            return []
        if self._levels is not None and speakers in (None, 2) and self._levels.are_speakers:
            return in_order(self._levels.turns(self._regions))
        return in_order(await self._method.finish(speakers))


class _ByVoices:
    """Windows of 1.6 s, half a window apart, are clustered by voice; then each region is cut at the changes."""

    def __init__(self, encoder: VoiceEncoder) -> None:
        self._encoder = encoder
        self._regions: list[Region] = []

    async def add(self, samples: Samples, start: float) -> None:
        begins = np.array(list(_begins(len(samples))))
        windows = [samples[begin : begin + WINDOW] for begin in begins]
        voices = await self._encoder.embed(windows)
        centres = start + (begins + min(WINDOW, len(samples)) / 2) / SAMPLE_RATE
        self._regions.append(Region(start, start + len(samples) / SAMPLE_RATE, centres, voices, _loudness(samples)))

    async def finish(self, speakers: int | None) -> Sequence[Turn]:
        return await asyncio.to_thread(self._turns, speakers)

    def close(self) -> None:
        self._regions.clear()

    def _turns(self, speakers: int | None) -> Sequence[Turn]:
        regions = _reliable(self._regions)
        voices = find_voices(np.concatenate([region.voices for region in regions]), _seconds(regions), speakers)
        return [turn for region in self._regions for turn in turns_in(region, voices)]


class _ByPipeline:
    """The speech goes to a file, silence where there was none, for an engine that wants the whole recording."""

    def __init__(self, diarizer: Diarizer) -> None:
        self._diarizer = diarizer
        self._file = tempfile.NamedTemporaryFile(suffix=".f32")  # noqa: SIM115 - closed by close()

    async def add(self, samples: Samples, start: float) -> None:
        await asyncio.to_thread(self._write, samples, start)

    async def finish(self, speakers: int | None) -> Sequence[Turn]:
        found = await self._diarizer.diarize(Path(self._file.name), speakers)
        numbers = {name: number for number, name in enumerate(dict.fromkeys(turn.speaker for turn in found))}
        return [Turn(turn.start, turn.end, numbers[turn.speaker]) for turn in found]

    def close(self) -> None:
        self._file.close()

    def _write(self, samples: Samples, start: float) -> None:
        self._file.seek(round(start * SAMPLE_RATE) * samples.itemsize)
        self._file.write(samples.astype("<f4").tobytes())
        self._file.flush()


def _begins(count: int) -> Iterator[int]:
    """Where windows begin in a region of `count` samples; the last ends where it ends."""
    yield from range(0, max(1, count - WINDOW + 1), _HOP)
    if count > WINDOW and (count - WINDOW) % _HOP:
        yield count - WINDOW


def _loudness(samples: Samples) -> NDArray[np.float32]:
    """Root mean square of each frame; a last one that is not whole counts as one."""
    padded = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
    loudness: NDArray[np.float32] = np.sqrt(np.mean(np.square(padded), axis=1))
    return loudness


def _reliable(regions: Sequence[Region]) -> Sequence[Region]:
    """Those of a whole window or more, as long as they make up half of the speech: shorter ones tell little."""
    whole = [region for region in regions if region.end - region.start >= WINDOW / SAMPLE_RATE]
    return whole if 2 * _seconds(whole) >= _seconds(regions) else regions


def _seconds(regions: Sequence[Region]) -> float:
    return sum(region.end - region.start for region in regions)
