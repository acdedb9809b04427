"""Decodes sound files block by block, so that the decoded sound of a whole file is never in memory."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputTooLarge
from tasks.inputs.av import SAMPLE_RATE
from tasks.inputs.decode import DecodedBudget, OpenFile
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob

_MAX_SAMPLES = 300 * SAMPLE_RATE
"""At most this many samples are decoded at a time. If the worker process was needed for another file meanwhile, the
sound is decoded again from the beginning, so these pieces are long."""
_LEAST_MISSING_S = 1.0
_LEAST_MISSING_SHARE = 0.02
"""A file is cut off if more seconds are missing than this many, and than this share of the announced length."""
_FLOAT = 4
"""Bytes per sample."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    claimed_seconds: float | None
    """Length that the header states, which may be wrong; None if it states none."""
    channels: int
    """Number of channels that are read, 1 or 2. If a file has more, they are mixed into one."""
    announced_seconds: float | None = None
    """Length that the file was meant to have; None if its header does not say so for certain."""


class AudioDecoder:
    """Reads the sound of one audio or video file. The constructor raises InputError for a file without sound
    (`no_audio`), a damaged file or an unsupported codec."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        self._open()

    def _open(self) -> None:
        # Imported late, so that FFmpeg is loaded only in processes that decode.
        from tasks.inputs.av.tracks import AudioTrack

        self._track = AudioTrack(self._blob, self._limits)
        self._blocks = self._track.blocks()
        self._pending = self._empty_block()
        self._position = 0

    def info(self) -> AudioInfo:
        return AudioInfo(self._track.claimed_seconds, self._track.channels, self._track.announced_seconds)

    def counted_seconds(self) -> float:
        """Return the total length of all packets without decoding them, which is more reliable than the header."""
        from tasks.inputs.av.tracks import count_seconds

        return count_seconds(self._blob, self._limits)

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Return float32 [channels, n] at 16 kHz from sample `start` of the file's timeline. n is `count`, but at most
        five minutes; at the end of the file it may be smaller.

        Reading on from the last block is fast; any other `start` decodes from the beginning.
        """
        count = min(count, _MAX_SAMPLES)
        if start != self._position:
            self._restart(start)
        if start != self._position:
            return self._empty_block()
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

    def _empty_block(self) -> NDArray[np.float32]:
        return np.zeros((self._track.channels, 0), np.float32)


class Recording(AbstractAsyncContextManager["Recording"]):
    """The sound of a file. It is an async context manager that frees the file when the block ends:

    async with await loader.open_recording(source) as recording:
        async for block in recording.blocks(30.0):
            ...  # float32 [recording.channels, n] at 16 kHz
    """

    def __init__(
        self, blob: Blob, info: AudioInfo, file: OpenFile[AudioDecoder], limits: MediaLimits, budget: DecodedBudget
    ) -> None:
        self.media_type = blob.media_type
        self.param = blob.param
        self.label = blob.label
        """Name of the recording in messages: its file name, or else the request's field."""
        self.channels = info.channels
        """Number of channels, 1 or 2."""
        self.claimed_seconds = info.claimed_seconds
        """Length that the file's header states, which may be wrong; None if it states none. Apart from a first check of
        the limit, it only serves to show progress."""
        self._announced_seconds = info.announced_seconds
        self._file = file
        self._limits = limits
        self._budget = budget

    def missing_seconds(self, seconds: float) -> float:
        """Return the seconds that are missing at the end of the file, if it has `seconds`, by the length that its
        header announces; 0.0 for what rounding and padding explain."""
        announced = self._announced_seconds or 0.0
        missing = announced - seconds
        return missing if missing > max(_LEAST_MISSING_S, _LEAST_MISSING_SHARE * announced) else 0.0

    @classmethod
    async def of_file(
        cls, blob: Blob, file: OpenFile[AudioDecoder], limits: MediaLimits, budget: DecodedBudget
    ) -> Self:
        """Wrap `file`, which the recording will close.

        Raises InputTooLarge (`audio_too_long`) if the header states more than `limits.audio_seconds` and the packets
        confirm it, so that the client learns it before hours of speech have been transcribed.
        """
        try:
            recording = cls(blob, await file.run(AudioDecoder.info), file, limits, budget)
            if (recording.claimed_seconds or 0.0) > limits.audio_seconds:
                # Headers can be wrong, and counting packets costs far less than decoding.
                recording._check(await file.run(AudioDecoder.counted_seconds))
        except BaseException:
            await file.close()
            raise
        return recording

    async def blocks(self, seconds: float = 30.0) -> AsyncIterator[NDArray[np.float32]]:
        """Yield the sound from the beginning as float32 [channels, n] at 16 kHz, in blocks of `seconds` (at most 60),
        the last one shorter. Sample i of the whole is heard at i / 16000 seconds of the file.

        Raises InputTooLarge (`audio_too_long`) beyond `limits.audio_seconds`, InputError for a file that cannot be
        decoded, and Overloaded.
        """
        count = max(1, round(seconds * SAMPLE_RATE))
        start, at_once = 0, max(_MAX_SAMPLES // count, 1) * count
        while True:
            piece = await self._budget.hold(
                self.channels * at_once * _FLOAT, partial(self._file.run, AudioDecoder.read, start, at_once)
            )
            if not piece.shape[1]:
                return
            for first in range(0, piece.shape[1], count):
                block = piece[:, first : first + count]
                start += block.shape[1]
                self._check(start / SAMPLE_RATE)
                yield block

    async def close(self) -> None:
        await self._file.close()

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
