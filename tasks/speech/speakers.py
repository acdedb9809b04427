"""Determines who speaks when in a recording (diarization).

Overlapping speech is assigned only to the speaker who is heard better.
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
from tasks.speech.turns import SpeakerTurn, in_order

# Clustering finds the number of voices and their mean vectors. Windows are joined bottom-up by the mean cosine between
# their vectors (average linkage). The windows of clusters with too little speech join the nearest other clusters. The
# constants were measured with `eval/diarization.py`.
Vectors = NDArray[np.float32]
"""Matrix n × d of unit vectors."""

SAME_VOICE = 0.26
"""Largest cosine distance between clusters of one voice. Windows of 1.6 s of one speaker are 0.15 to 0.25 apart; those
of two speakers are 0.25 (two voices of one synthesiser) to 0.6 apart."""
MAX_SPEAKERS = 20

_MAX_WINDOWS = 2000
"""At most this many windows are compared: their distances take 32 MB and a second. More windows are sampled evenly."""
_LEAST_SECONDS = 3.0
"""A cluster has at least this many seconds of speech. If a tenth of all speech is less, that tenth is the bound."""
_LEAST_SHARE = 0.003
"""A cluster has at least this share of all speech, which is the bound only for long recordings."""
_NARROWER, _WIDER = 0.9, 1.03
"""Factors by which the distance changes in the search for the requested number of speakers."""
_NARROWEST = 0.08
"""The search ends at this distance if more speakers are requested than are found."""
FRAME = 0.05
"""Resolution of turns in seconds."""
_CHANGE_COST = 0.6
"""Cost of a change of speaker, in cosine similarity × frames. At this cost, the other voice must be more similar by 0.1
for 0.3 s."""
_CHANGE_COST_IN_PAUSE = 0.25
_PAUSE_LEVEL = 0.15
"""A frame is a pause, where a change of speaker costs less, if its loudness is below this share of the region's
median."""
_HOP = WINDOW // 2
_FRAME = int(RATE * FRAME)


def find_voices(vectors: Vectors, seconds: float, speakers: int | None = None) -> Vectors:
    """Return the mean voice of each speaker as unit vectors. There are at most `speakers` of them, or at most
    MAX_SPEAKERS if `speakers` is None. `vectors` are in order of time and cover `seconds` of speech.

    >>> find_voices(np.eye(2, dtype=np.float32).repeat(9, axis=0), 14.4).shape
    (2, 2)
    """
    # Imported late, because a server that labels no speakers need not spend the memory.
    from scipy.cluster.hierarchy import fcluster, leaders, linkage
    from scipy.spatial.distance import squareform

    sample = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), _MAX_WINDOWS)).astype(int)]
    if speakers == 1 or len(sample) < 2:
        return _cluster_means(sample, np.zeros(len(sample), int))
    least = max(_LEAST_SHARE * seconds, min(_LEAST_SECONDS, seconds / 10)) * len(sample) / seconds
    tree = linkage(squareform(np.clip(1 - sample @ sample.T, 0, None), checks=False), "average")

    def clusters_at(distance: float) -> NDArray[np.int64]:
        clusters = fcluster(tree, distance, "distance")
        # Each cluster is numbered by the join in the tree that completes it, so that of two equally small clusters the
        # one that was completed first is merged first.
        joins, names = leaders(tree, clusters)
        return _merge_small_clusters(sample, joins[np.argsort(names)][clusters - 1], least)

    distance = SAME_VOICE
    labels = clusters_at(distance)
    if speakers is not None:
        while labels.max() + 1 < speakers and distance > _NARROWEST:
            distance *= _NARROWER
            labels = clusters_at(distance)
        while labels.max() + 1 > speakers:
            distance *= _WIDER
            joined = clusters_at(distance)
            if joined.max() + 1 < speakers:
                break
            labels = joined
    return _merge_nearest_clusters(sample, labels, speakers or MAX_SPEAKERS)


def _merge_small_clusters(vectors: Vectors, labels: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """Dissolve clusters of fewer than `least` vectors, beginning with the smallest. Each of their vectors joins the
    nearest other cluster. Return the labels, numbered from 0."""
    while True:
        names, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        smallest = sizes.argmin()
        if len(names) == 1 or sizes[smallest] >= least:
            return labels
        members = labels == smallest
        likeness = vectors[members] @ _cluster_means(vectors, labels).T
        likeness[:, smallest] = -1
        labels[members] = likeness.argmax(axis=1)


def _merge_nearest_clusters(vectors: Vectors, labels: NDArray[np.int64], limit: int) -> Vectors:
    """Join the two nearest clusters until there are at most `limit`, and return their means."""
    while True:
        means = _cluster_means(vectors, labels)
        if len(means) <= limit:
            return means
        likeness = means @ means.T
        np.fill_diagonal(likeness, -1)
        one, other = np.unravel_index(likeness.argmax(), likeness.shape)
        _, labels = np.unique(np.where(labels == other, one, labels), return_inverse=True)


def _cluster_means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    order = labels.argsort(kind="stable")
    sums = np.add.reduceat(vectors[order], np.searchsorted(labels[order], np.arange(labels.max() + 1)))
    means: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means


@dataclass(frozen=True, slots=True)
class SpeechRegion:
    """An unbroken stretch of speech as it was heard."""

    start: float
    end: float
    """Start and end are in seconds of the recording."""
    centres: NDArray[np.float64]
    """Centre of each window in seconds of the recording."""
    voices: NDArray[np.float32]
    """Voice in each window, n × 256."""
    loudness: NDArray[np.float32]
    """Root mean square of each frame."""


def turns_in(region: SpeechRegion, speakers: NDArray[np.float32]) -> list[SpeakerTurn]:
    """Return the turns in `region` of the `speakers`, given by their mean voices.

    A frame's similarity to a speaker is interpolated between the windows around it. The Viterbi path through the frames
    weighs the similarity against the cost of changes.
    """
    frames = len(region.loudness)
    times = region.start + (np.arange(frames) + 0.5) * FRAME
    likeness = region.voices @ speakers.T
    gains = np.stack([np.interp(times, region.centres, column) for column in likeness.T], axis=1)
    pauses = region.loudness < _PAUSE_LEVEL * np.median(region.loudness)
    path = _best_path(gains, np.where(pauses, _CHANGE_COST_IN_PAUSE, _CHANGE_COST))
    starts = [0, *(np.flatnonzero(np.diff(path)) + 1), frames]
    edges = [region.start + FRAME * begin for begin in starts[:-1]] + [region.end]
    return [
        SpeakerTurn(start, end, int(path[begin]))
        for start, end, begin in zip(edges[:-1], edges[1:], starts[:-1], strict=True)
    ]


def _best_path(gains: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the speaker of each frame. `gains` is frames × speakers; `costs` is the cost of a change per frame."""
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


class _DiarizationMethod(Protocol):
    async def add(self, samples: Samples, start: float) -> None: ...
    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]: ...
    def close(self) -> None: ...


class SpeakerTurns:
    """Finds who speaks when in one recording.

    >>> with SpeakerTurns(runtime.use(DIARIZATION)) as speakers:
    ...     for start, region in speech_regions(recording):
    ...         await speakers.add(region, start)
    ...     turns = await speakers.finish(None)
    """

    def __init__(self, voices: VoiceEncoder | Diarizer) -> None:
        self._method: _DiarizationMethod = (
            _DiarizationPipeline(voices) if isinstance(voices, Diarizer) else _VoiceClustering(voices)
        )
        self._has_speech = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._method.close()

    async def add(self, samples: Samples, start: float) -> None:
        """Add the next stretch of mono speech, which begins at `start` seconds of the recording. Raises ModelError."""
        if not len(samples):
            return
        self._has_speech = True
        await self._method.add(samples, start)

    async def finish(self, speakers: int | None = None) -> Sequence[SpeakerTurn]:
        """Return turns in order of time and without overlaps. Speakers are numbered from 0 in the order in which they
        first speak. `speakers` is their number, if known. Raises ModelError."""
        return in_order(await self._method.finish(speakers)) if self._has_speech else []


class _VoiceClustering:
    """Clusters windows of 1.6 s, half a window apart, by voice, and then cuts each region at the changes."""

    def __init__(self, encoder: VoiceEncoder) -> None:
        self._encoder = encoder
        self._regions: list[SpeechRegion] = []

    async def add(self, samples: Samples, start: float) -> None:
        starts = np.array(list(_window_starts(len(samples))))
        windows = [samples[begin : begin + WINDOW] for begin in starts]
        voices = await self._encoder.embed(windows)
        centres = start + (starts + min(WINDOW, len(samples)) / 2) / RATE
        self._regions.append(
            SpeechRegion(start, start + len(samples) / RATE, centres, voices, _frame_loudness(samples))
        )

    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]:
        return await asyncio.to_thread(self._turns, speakers)

    def close(self) -> None:
        self._regions.clear()

    def _turns(self, speakers: int | None) -> Sequence[SpeakerTurn]:
        regions = _reliable_regions(self._regions)
        voices = find_voices(np.concatenate([region.voices for region in regions]), _total_seconds(regions), speakers)
        return [turn for region in self._regions for turn in turns_in(region, voices)]


class _DiarizationPipeline:
    """Writes the speech, with silence between its parts, to a file for an engine that needs the whole recording."""

    def __init__(self, diarizer: Diarizer) -> None:
        self._diarizer = diarizer
        self._file = tempfile.NamedTemporaryFile(suffix=".f32")  # noqa: SIM115 - closed by close()

    async def add(self, samples: Samples, start: float) -> None:
        await asyncio.to_thread(self._write, samples, start)

    async def finish(self, speakers: int | None) -> Sequence[SpeakerTurn]:
        found = await self._diarizer.diarize(Path(self._file.name), speakers)
        numbers = {name: index for index, name in enumerate(dict.fromkeys(turn.speaker for turn in found))}
        return [SpeakerTurn(turn.start, turn.end, numbers[turn.speaker]) for turn in found]

    def close(self) -> None:
        self._file.close()

    def _write(self, samples: Samples, start: float) -> None:
        self._file.seek(round(start * RATE) * samples.itemsize)
        self._file.write(samples.astype("<f4").tobytes())
        self._file.flush()


def _window_starts(count: int) -> Iterator[int]:
    """Yield the starts of the windows in a region of `count` samples; the last window ends with the region."""
    yield from range(0, max(1, count - WINDOW + 1), _HOP)
    if count > WINDOW and (count - WINDOW) % _HOP:
        yield count - WINDOW


def _frame_loudness(samples: Samples) -> NDArray[np.float32]:
    """Return the root mean square of each frame, including an incomplete last frame."""
    padded = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
    loudness: NDArray[np.float32] = np.sqrt(np.mean(np.square(padded), axis=1))
    return loudness


def _reliable_regions(regions: Sequence[SpeechRegion]) -> Sequence[SpeechRegion]:
    """Return only the regions of at least a whole window, if these make up half of the speech, because shorter regions
    are unreliable. Otherwise return all regions."""
    whole = [region for region in regions if region.end - region.start >= WINDOW / RATE]
    return whole if 2 * _total_seconds(whole) >= _total_seconds(regions) else regions


def _total_seconds(regions: Sequence[SpeechRegion]) -> float:
    return sum(region.end - region.start for region in regions)
