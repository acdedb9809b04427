"""Sound files, decoded block by block: never whole in memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits

if TYPE_CHECKING:
    from tasks.inputs.av.audio_track import AudioTrack

SAMPLE_RATE = 16_000
"""Hz of what is read, whatever the file's is: what speech models hear."""
_MOST = 60 * SAMPLE_RATE
"""Samples of one block at most."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    claimed_seconds: float | None
    """By the header, which may be wrong; None where it does not say."""
    channels: int
    """1 or 2, of what is read: a file's more channels are mixed into one."""
    sample_rate: int
    """Hz, of the file."""
    codec: str
    """As FFmpeg names its decoder."""


class AudioDecoder:
    """Reads the sound of one audio or video file. Raises InputError: `no_audio`, damaged, unsupported."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        self._track = self._opened()
        self._blocks = self._track.blocks()
        self._position = 0
        self._pending = self._nothing()

    def about(self) -> AudioInfo:
        track = self._track
        return AudioInfo(track.claimed_seconds, track.channels, track.sample_rate, track.codec)

    def counted_seconds(self) -> float:
        """The length of all packets together, without decoding them: nearer to the truth than what a header claims."""
        from tasks.inputs.av.audio_track import count_seconds

        return count_seconds(self._blob, self._limits)

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """float32 [channels, n] at 16 kHz from sample `start` of the file's timeline; n < `count` at the end only,
        or where `count` is more than a minute.

        Reading on from the last block is what is fast: any other `start` decodes from the beginning.
        """
        count = min(count, _MOST)
        if start != self._position:
            self._restart(start)
        if start != self._position:
            return self._nothing()
        parts, missing = [self._pending], count - self._pending.shape[1]
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            missing -= block.shape[1]
        found = np.concatenate(parts, axis=1)
        self._pending = found[:, count:].copy()
        self._position += min(count, found.shape[1])
        return np.ascontiguousarray(found[:, :count])

    def close(self) -> None:
        self._track.close()

    def _restart(self, start: int) -> None:
        self._track.close()
        self._track = self._opened()
        self._blocks, self._pending, self._position = self._track.blocks(), self._nothing(), 0
        while self._position < start and self.read(self._position, start - self._position).shape[1]:
            pass

    def _nothing(self) -> NDArray[np.float32]:
        return np.zeros((self._track.channels, 0), np.float32)

    def _opened(self) -> "AudioTrack":
        # FFmpeg is loaded where something is decoded, and not by whoever names this class.
        from tasks.inputs.av.audio_track import AudioTrack

        return AudioTrack(self._blob, self._limits)
