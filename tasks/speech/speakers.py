"""Speaker diarization: a recording's speech in, who speaks when out.

Overlapping speech is nobody's twice: where two talk at once, the turn is that of the one who is heard better.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.diarization.voices import WINDOW, Diarizer, VoiceEncoder
from models.speech.transcriber import RATE, Samples
from tasks.speech.channels import ChannelLevels
from tasks.speech.turns import SpeakerTurn, in_order

# How many voices there are, and what each is like.
#
# Windows are joined bottom-up by the mean cosine between their vectors (average linkage). Clusters that hold too little
# speech to be somebody go to those they are nearest to. `bench/diarization.py` measured the constants.
Vectors = NDArray[np.float32]
"""n × d, rows of length 1."""

SAME_VOICE = 0.26
"""Cosine distance up to which clusters are one voice. Windows of 1.6 s of one speaker are 0.15 to 0.25 apart, those of
two speakers 0.25 (two voices of the same synthesiser) to 0.6."""
MOST_SPEAKERS = 20

_AT_ONCE = 2000
"""Windows whose distances are compared: 32 MB of them, a second's work. More are sampled evenly."""
_LEAST_SECONDS = 3.0
"""A cluster with less speech is nobody, or one tenth of the speech where that is less still."""
_LEAST_SHARE = 0.003
"""A cluster with less of the speech of a long recording is nobody either."""
_NARROWER, _WIDER = 0.9, 1.03
"""Steps of the distance on the way to the number of speakers that was asked for."""
_NARROWEST = 0.08
"""Where to stop when more speakers are asked for than there are."""


def find_voices(vectors: Vectors, seconds: float, speakers: int | None = None) -> Vectors:
    """The mean voice of each speaker, rows of length 1: as many as `speakers` says or, where there are not so many
    voices, as there are. `vectors` come in order of time, `seconds` is the speech that they cover.

    >>> find_voices(np.eye(2, dtype=np.float32).repeat(9, axis=0), 14.4).shape
    (2, 2)
    """
    # Imported here: a server that tells no speakers apart need not spend the memory.
    from scipy.cluster.hierarchy import fcluster, leaders, linkage
    from scipy.spatial.distance import squareform

    sample = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), _AT_ONCE)).astype(int)]
    if speakers == 1 or len(sample) < 2:
        return _means(sample, np.zeros(len(sample), int))
    least = max(_LEAST_SHARE * seconds, min(_LEAST_SECONDS, seconds / 10)) * len(sample) / seconds
    tree = linkage(squareform(np.clip(1 - sample @ sample.T, 0, None), checks=False), "average")

    def told_apart(distance: float) -> NDArray[np.int64]:
        clusters = fcluster(tree, distance, "distance")
        # By the places of their last joins in the tree: of clusters of one size, the earlier goes first.
        joins, names = leaders(tree, clusters)
        return _without_small(sample, joins[np.argsort(names)][clusters - 1], least)

    distance = SAME_VOICE
    labels = told_apart(distance)
    if speakers is not None:
        while labels.max() + 1 < speakers and distance > _NARROWEST:
            distance *= _NARROWER
            labels = told_apart(distance)
        while labels.max() + 1 > speakers:
            distance *= _WIDER
            joined = told_apart(distance)
            if joined.max() + 1 < speakers:
                break
            labels = joined
    return _nearest_joined(sample, labels, speakers or MOST_SPEAKERS)


def _without_small(vectors: Vectors, labels: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """Labels 0 … n-1 after the vectors of each cluster of fewer than `least`, the smallest first, went to the clusters
    nearest to them."""
    while True:
        names, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        smallest = sizes.argmin()
        if len(names) == 1 or sizes[smallest] >= least:
            return labels
        members = labels == smallest
        likeness = vectors[members] @ _means(vectors, labels).T
        likeness[:, smallest] = -1
        labels[members] = likeness.argmax(axis=1)


def _nearest_joined(vectors: Vectors, labels: NDArray[np.int64], most: int) -> Vectors:
    """The means of the clusters, the two nearest joined until there are at most `most`."""
    while True:
        means = _means(vectors, labels)
        if len(means) <= most:
            return means
        likeness = means @ means.T
        np.fill_diagonal(likeness, -1)
        one, other = np.unravel_index(likeness.argmax(), likeness.shape)
        _, labels = np.unique(np.where(labels == other, one, labels), return_inverse=True)


def _means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    sums = np.stack([vectors[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    means: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means


FRAME = 0.05
"""Seconds: how finely turns are cut."""

_CHANGE = 0.6
"""What a change of speaker costs, in cosine × frames: a voice must be nearer by 0.1 for 0.3 s."""
_CHANGE_IN_PAUSE = 0.25
_PAUSE_LEVEL = 0.15
"""The share of a region's median loudness below which frames are pauses: quieter frames are pauses, where a change
costs less."""


@dataclass(frozen=True, slots=True)
class SpeechRegion:
    """An unbroken stretch of speech, as it was heard."""

    start: float
    end: float
    """Seconds of the recording."""
    centres: NDArray[np.float64]
    """Seconds of the recording, of each of its windows."""
    voices: NDArray[np.float32]
    """n × 256: the voice in each."""
    loudness: NDArray[np.float32]
    """Root mean square of each frame."""


def turns_in(region: SpeechRegion, speakers: NDArray[np.float32]) -> list[SpeakerTurn]:
    """The turns in `region` of the `speakers`, whose mean voices are given.

    Each frame is as near to a speaker as the windows on both sides of it, in proportion; Viterbi's path through the
    frames weighs that against the cost of changes.
    """
    frames = len(region.loudness)
    times = region.start + (np.arange(frames) + 0.5) * FRAME
    likeness = region.voices @ speakers.T
    gains = np.stack([np.interp(times, region.centres, column) for column in likeness.T], axis=1)
    pauses = region.loudness < _PAUSE_LEVEL * np.median(region.loudness)
    path = _best_path(gains, np.where(pauses, _CHANGE_IN_PAUSE, _CHANGE))
    begins = [0, *(np.flatnonzero(np.diff(path)) + 1), frames]
    edges = [region.start + FRAME * begin for begin in begins[:-1]] + [region.end]
    return [
        SpeakerTurn(start, end, int(path[begin]))
        for start, end, begin in zip(edges[:-1], edges[1:], begins[:-1], strict=True)
    ]


def _best_path(gains: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """The speaker of each frame. `gains` is frames × speakers; `costs` is what a change into each frame costs."""
    frames, speakers = gains.shape
    stay = np.arange(speakers)
    came_from = np.empty((frames, speakers), np.int64)
    totals = gains[0].copy()
    for frame in range(1, frames):
        best = totals.argmax()
        changed = totals[best] - costs[frame]
        came_from[frame] = np.where(totals >= changed, stay, best)
        totals = np.maximum(totals, changed) + gains[frame]
    path = np.empty(frames, np.int64)
    path[-1] = totals.argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


_HOP = WINDOW // 2
_FRAME = int(RATE * FRAME)


class _Method(Protocol):
    async def add(self, samples: Samples, start: float) -> None: ...
    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]: ...
    def close(self) -> None: ...


class SpeakerTurns:
    """The speakers of one recording, fed while it streams.

    >>> with SpeakerTurns(runtime.use(DIARIZATION), channels=recording.channels) as speakers:
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
        self._regions.append((start, start + len(samples) / RATE))
        await self._method.add(samples, start)

    async def finish(self, speakers: int | None = None) -> Sequence[SpeakerTurn]:
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
        self._regions: list[SpeechRegion] = []

    async def add(self, samples: Samples, start: float) -> None:
        begins = np.array(list(_begins(len(samples))))
        windows = [samples[begin : begin + WINDOW] for begin in begins]
        voices = await self._encoder.embed(windows)
        centres = start + (begins + min(WINDOW, len(samples)) / 2) / RATE
        self._regions.append(SpeechRegion(start, start + len(samples) / RATE, centres, voices, _loudness(samples)))

    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]:
        return await asyncio.to_thread(self._turns, speakers)

    def close(self) -> None:
        self._regions.clear()

    def _turns(self, speakers: int | None) -> Sequence[SpeakerTurn]:
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

    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]:
        found = await self._diarizer.diarize(Path(self._file.name), speakers)
        numbers = {name: number for number, name in enumerate(dict.fromkeys(turn.speaker for turn in found))}
        return [SpeakerTurn(turn.start, turn.end, numbers[turn.speaker]) for turn in found]

    def close(self) -> None:
        self._file.close()

    def _write(self, samples: Samples, start: float) -> None:
        self._file.seek(round(start * RATE) * samples.itemsize)
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


def _reliable(regions: Sequence[SpeechRegion]) -> Sequence[SpeechRegion]:
    """Those of a whole window or more, as long as they make up half of the speech: shorter ones tell little."""
    whole = [region for region in regions if region.end - region.start >= WINDOW / RATE]
    return whole if 2 * _seconds(whole) >= _seconds(regions) else regions


def _seconds(regions: Sequence[SpeechRegion]) -> float:
    return sum(region.end - region.start for region in regions)
