"""Sound files, decoded block by block: never whole in memory."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputTooLarge
from tasks.inputs.decode.budget import DecodedBudget
from tasks.inputs.decode.channel import Session
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob

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


class AudioDecoder:
    """Reads the sound of one audio or video file. Raises InputError: `no_audio`, damaged, unsupported."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        self._open()

    def _open(self) -> None:
        # FFmpeg is loaded where something is decoded, and not by whoever names this class.
        from tasks.inputs.av.tracks import AudioTrack

        self._track = AudioTrack(self._blob, self._limits)
        self._blocks = self._track.blocks()
        self._pending = self._nothing()
        self._position = 0

    def about(self) -> AudioInfo:
        return AudioInfo(self._track.claimed_seconds, self._track.channels)

    def counted_seconds(self) -> float:
        """The length of all packets together, without decoding them: nearer to the truth than what a header claims."""
        from tasks.inputs.av.tracks import count_seconds

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
        self._open()
        while self._position < start and self.read(self._position, start - self._position).shape[1]:
            pass

    def _nothing(self) -> NDArray[np.float32]:
        return np.zeros((self._track.channels, 0), np.float32)


_FLOAT = 4
"""Bytes of a sample."""


class Recording(AbstractAsyncContextManager["Recording"]):
    """The sound of a file. An async context manager: leaving it frees the file.

    async with await loader.open_recording(source) as recording:
        async for block in recording.blocks(30.0):
            ...  # float32 [recording.channels, n] at 16 kHz
    """

    def __init__(
        self, blob: Blob, info: AudioInfo, session: Session[AudioDecoder], limits: MediaLimits, budget: DecodedBudget
    ) -> None:
        self.media_type = blob.media_type
        self.param = blob.param
        self.label = blob.label
        """How messages name the recording: its filename, else the field it came in."""
        self.channels = info.channels
        """1 or 2."""
        self.claimed_seconds = info.claimed_seconds
        """By the file's header, which may be wrong; None where it does not say. For progress, and for nothing else."""
        self._session = session
        self._limits = limits
        self._budget = budget

    @classmethod
    async def of_session(
        cls, blob: Blob, session: Session[AudioDecoder], limits: MediaLimits, budget: DecodedBudget
    ) -> Self:
        """`session`, which the recording closes from now on.

        Raises InputTooLarge (`audio_too_long`) where the file's packets are longer than `limits.audio_seconds`, so that
        the client hears of it now and not after hours of speech.
        """
        try:
            recording = cls(blob, await session.run(AudioDecoder.about), session, limits, budget)
            if (recording.claimed_seconds or 0.0) > limits.audio_seconds:
                # Headers lie: a second look costs far less than decoding.
                recording._check(await session.run(AudioDecoder.counted_seconds))
        except BaseException:
            await session.close()
            raise
        return recording

    async def blocks(self, seconds: float = 30.0) -> AsyncIterator[NDArray[np.float32]]:
        """The sound from the beginning, float32 [channels, n] at 16 kHz, in blocks of `seconds` (at most 60), the last
        one shorter. Sample i of all is heard at i / 16000 seconds of the file.

        Raises InputTooLarge (`audio_too_long`) once it is longer than `limits.audio_seconds`, InputError for a file
        that cannot be decoded, Overloaded.
        """
        start, count = 0, max(1, round(seconds * SAMPLE_RATE))
        while True:
            block = await self._budget.hold(
                self.channels * count * _FLOAT, partial(self._session.run, AudioDecoder.read, start, count)
            )
            if not block.shape[1]:
                return
            start += block.shape[1]
            self._check(start / SAMPLE_RATE)
            yield block

    async def close(self) -> None:
        await self._session.close()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _check(self, seconds: float) -> None:
        limit = self._limits.audio_seconds
        if seconds > limit:
            raise InputTooLarge(
                f"'{self.label}' is longer than {limit / 60:g} minutes (OPENFAZE_MAX_AUDIO_MINUTES).",
                code="audio_too_long",
                param=self.param,
            )
