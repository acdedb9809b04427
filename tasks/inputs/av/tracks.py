"""What one file of sound or video holds: its sound, decoded block by block onto the file's timeline, and its pictures,
found by their times."""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.codec.context import ThreadType
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.av.audio import SAMPLE_RATE
from tasks.inputs.av.containers import (
    AUDIO_CODECS,
    VIDEO_CODECS,
    bounds,
    damaged,
    only,
    open_container,
    origin,
    packets,
    pictures_of,
    reading,
    sound_of,
)
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob

_LEAST_RATE, _MOST_RATE = 1_000, 768_000
"""Hz. A resampler's tables grow with the ratio of the rates."""
_MOST_CHANNELS = 64
"""What FFmpeg's resampler can mix (SWR_CH_MAX)."""
_TOLERANCE_S = 0.1
"""What the times of frames may be off before the timeline is set right: FFmpeg's own (aresample, min_hard_comp).
Containers round them, and recorders' clocks shake."""
_LONGEST_GAP_S = 600
"""A longer gap is no pause of a recording but a wrong time."""
_FIRST_PACKETS = 50
"""A file of which none of so many packets can be decoded is damaged from its beginning."""
_LOST_PACKETS = 10_000
"""So many packets in a row that cannot be decoded end what can be read of a file."""

Samples = NDArray[np.float32]


class AudioTrack:
    """The first sound is decoded at once. Raises InputError: `no_audio`, unsupported, or none of it can be decoded."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._container = open_container(blob, limits)
        try:
            if not self._container.streams.audio:
                raise blob.error("has no audio track.", code="no_audio")
            stream = sound_of(self._container)
            if stream is None:
                raise damaged(blob)
            only(stream, AUDIO_CODECS, blob)
            self._stream = stream
            self._origin = origin(self._container)
            self._frames = self._decoded()
            with reading(blob):
                self._first = next(self._frames, None)
            layout = self._first.layout if self._first else stream.layout
            self.channels = 2 if layout.nb_channels == 2 else 1
            self._written = 0
            """Samples on the timeline so far."""
        except BaseException:
            self._container.close()
            raise

    @property
    def claimed_seconds(self) -> float | None:
        """As the header says, or an estimate from it."""
        duration = self._container.duration
        return duration / 1_000_000 if duration and duration > 0 else None

    def blocks(self) -> Iterator[Samples]:
        """All of it, once: float32 [channels, n] at 16 kHz, n small. Sample i is what is heard at i / 16000 seconds of
        the file: silence stands where it has no sound. Raises InputError."""
        with reading(self._blob):
            for block in self._timeline():
                self._written += block.shape[1]
                yield block

    def close(self) -> None:
        self._container.close()

    def _timeline(self) -> Iterator[Samples]:
        piece = _Piece(self.channels)
        late = -self._origin
        """What is added to a frame's time to have its place."""
        while (frame := self._first or next(self._frames, None)) is not None:
            first, self._first = self._first is not None, None
            gap = Fraction(0)
            if frame.pts is not None and frame.time_base is not None:
                gap = frame.pts * frame.time_base + late - piece.end
            is_gap = 0 < gap <= _LONGEST_GAP_S and (first or gap > _TOLERANCE_S)
            if abs(gap) > _TOLERANCE_S and not is_gap:
                late -= gap
            if is_gap or not piece.takes(frame):
                start = piece.end + (gap if is_gap else 0)
                yield from piece.rest()
                yield from self._silence(round(start * SAMPLE_RATE) - self._written)
                piece = _Piece(self.channels, start)
            yield from piece.resampled(frame)
        yield from piece.rest()

    def _silence(self, count: int) -> Iterator[Samples]:
        for start in range(0, count, SAMPLE_RATE):
            yield np.zeros((self.channels, min(SAMPLE_RATE, count - start)), np.float32)

    def _decoded(self) -> Iterator[AudioFrame]:
        """The frames, without those that are lost."""
        seen = heard = lost = 0
        for packet in packets(self._container, self._stream):
            seen += bool(packet.size)
            try:
                frames = self._stream.decode(packet)
            except FFmpegError as error:
                if not is_fault_of_file(error):
                    raise
                lost += 1
                if not heard and seen >= _FIRST_PACKETS:
                    break
                if lost >= _LOST_PACKETS:
                    return
                continue
            for frame in frames:
                if frame.samples:
                    self._check(frame)
                    heard, lost = heard + 1, 0
                    yield frame
        if not heard and (seen or self._stream.duration):
            raise damaged(self._blob)

    def _check(self, frame: AudioFrame) -> None:
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not _LEAST_RATE <= rate <= _MOST_RATE:
            raise self._unsupported(f"a sample rate of {rate} Hz; {_LEAST_RATE} to {_MOST_RATE} are read")
        if not 1 <= channels <= _MOST_CHANNELS:
            raise self._unsupported(f"{channels} channels; at most {_MOST_CHANNELS} are read")

    def _unsupported(self, what: str) -> InputError:
        return self._blob.error(f"has {what}.", code="unsupported_media_type")


def count_seconds(blob: Blob, limits: MediaLimits) -> float:
    """The length of the audio packets of `blob`, none of which is decoded. Raises InputError."""
    with reading(blob), open_container(blob, limits) as container:
        stream = sound_of(container)
        if stream is None or stream.time_base is None:
            return 0.0
        only(stream, AUDIO_CODECS, blob)
        return float(sum(packet.duration or 0 for packet in packets(container, stream)) * stream.time_base)


class _Piece:
    """Frames of one form that follow each other without a gap, resampled as one signal."""

    def __init__(self, channels: int, start: Fraction = Fraction(0)) -> None:
        self.end = start
        """Seconds on the timeline, exactly."""
        self._channels = channels
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None

    def takes(self, frame: AudioFrame) -> bool:
        return self._form is None or self._form == _form(frame)

    def resampled(self, frame: AudioFrame) -> Iterator[Samples]:
        if self._resampler is None:
            self._form = _form(frame)
            # Interleaved: PyAV reads beyond the planes of a frame that has more than eight.
            self._resampler = AudioResampler("flt", self._layout(frame), SAMPLE_RATE)
        self.end += Fraction(frame.samples, frame.sample_rate)
        yield from self._arrays(self._resampler.resample(frame))

    def rest(self) -> Iterator[Samples]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._arrays(self._resampler.resample(None))

    def _layout(self, frame: AudioFrame) -> str:
        """Channels that have no known places cannot be mixed by them: they are mixed here, after resampling."""
        name = frame.layout.name
        return name if name.endswith("channels") else ("mono", "stereo")[self._channels - 1]

    def _arrays(self, frames: list[AudioFrame]) -> Iterator[Samples]:
        for frame in frames:
            # One that had nothing to do hands over what it is given, also the None that ends it.
            if frame is None or not frame.samples:
                continue
            array = frame.to_ndarray().reshape(frame.samples, -1).T.astype(np.float32, copy=False)
            if array.shape[0] != self._channels:
                array = np.broadcast_to(array.mean(axis=0, keepdims=True), (self._channels, array.shape[1]))
            yield array


def _form(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


_MOST_FRAMES = 2_000_000
"""Nine hours at 60 a second; more is not listed, however small the file's packets are."""
_MOST_STRETCH = Fraction(4)
"""Pixels may be wider than high, or higher than wide, so much; beyond it the header is wrong."""
_THUMBNAIL = (64, 36)
"""Pixels: what is compared to find changes."""


class VideoTrack:
    """Raises InputError: `no_video`, unsupported, damaged, or more pixels than `limits.image_pixels`."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        self._container = open_container(blob, limits)
        try:
            self._stream = self._chosen()
            self._unit = self._stream.time_base or Fraction(1, 1_000_000)
            self._origin = origin(self._container)
            self.width, self.height = self._shown_size()
            self._keys: list[int] = []
            self._moments = self._listed()
        except BaseException:
            self._container.close()
            raise
        self._frames: Iterator[VideoFrame] = iter(())
        self._position: int | None = None
        """The moment of the frame that was decoded last, while decoding can go on from it."""

    @property
    def pixels(self) -> int:
        """The pixels of a frame as it is coded: what decoding one costs."""
        return self._stream.codec_context.width * self._stream.codec_context.height

    @property
    def times(self) -> list[float]:
        """Seconds of the file's timeline at which each frame is seen, ascending."""
        return [self._seconds(moment) for moment in self._moments]

    @property
    def key_times(self) -> list[float]:
        """The times of the frames that can be decoded without others, ascending."""
        return [self._seconds(moment) for moment in self._keys]

    def cost(self, index: int) -> int:
        """Pixels to decode until frame `index` is there, coming from the key frame before it."""
        key = bisect_right(self._moments, self._key_before(self._moments[index])) - 1
        return (index - key + 1) * self.pixels

    def frame(self, index: int) -> VideoFrame | None:
        """Frame `index`, or the next one that can be decoded, or the last. Going on to a later one before the next key
        frame decodes only what is between."""
        moment = self._moments[index]
        key = self._key_before(moment)
        if self._position is None or not key <= self._position < moment:
            self._seek(key)
        last = None
        for frame in self._frames:
            self._position = _moment(frame)
            last = frame
            if self._position is not None and self._position >= moment:
                return frame
        self._position = None
        return last

    def picture(self, frame: VideoFrame) -> Image:
        """RGB, upright, as a player shows it."""
        shown = frame.reformat(self.width, self.height, "rgb24", threads=1).to_ndarray()
        # Degrees, against the clock.
        return np.ascontiguousarray(np.rot90(shown, frame.rotation // 90))

    def thumbnail(self, frame: VideoFrame) -> NDArray[np.uint8]:
        return frame.reformat(*_THUMBNAIL, "gray", threads=1).to_ndarray().astype(np.uint8, copy=False)

    def close(self) -> None:
        self._container.close()

    def _chosen(self) -> VideoStream:
        stream = pictures_of(self._container)
        if stream is None:
            raise self._blob.error("has no video track.", code="no_video")
        only(stream, VIDEO_CODECS, self._blob)
        stream.codec_context.options = bounds(self._limits)
        stream.codec_context.thread_type = ThreadType.AUTO
        return stream

    def _shown_size(self) -> tuple[int, int]:
        """The size of a frame whose pixels have been made square."""
        codec = self._stream.codec_context
        width, height = codec.width, codec.height
        if not width or not height:
            raise damaged(self._blob)
        shape = codec.sample_aspect_ratio or Fraction(1)
        if 1 / _MOST_STRETCH <= shape <= _MOST_STRETCH:
            width = max(1, round(width * shape))
        self._blob.check_pixels(width, height, self._limits.image_pixels, has="has frames of")
        return width, height

    def _listed(self) -> list[int]:
        """The moments of all frames, in the order in which they are seen: the packets tell, and nothing is decoded."""
        moments: set[int] = set()
        for packet in packets(self._container, self._stream):
            moment = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or packet.is_discard or moment is None:
                continue
            moments.add(moment)
            if packet.is_keyframe:
                self._keys.append(moment)
            if len(moments) >= _MOST_FRAMES:
                break
        if not moments:
            raise damaged(self._blob)
        self._keys = sorted(set(self._keys)) or [min(moments)]
        return sorted(moments)

    def _key_before(self, moment: int) -> int:
        return self._keys[max(0, bisect_right(self._keys, moment) - 1)]

    def _seek(self, moment: int) -> None:
        try:
            self._container.seek(moment, stream=self._stream)
        except FFmpegError as error:
            if not is_fault_of_file(error):
                raise
            # A file without an index, say: from its beginning.
            self._container.close()
            self._container = open_container(self._blob, self._limits)
            self._stream = self._chosen()
        self._frames, self._position = self._decoded(), None

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in packets(self._container, self._stream):
            try:
                frames = self._stream.decode(packet)
            except FFmpegError as error:
                if not is_fault_of_file(error):
                    raise
                continue
            yield from frames

    def _seconds(self, moment: int) -> float:
        return float(moment * self._unit - self._origin)


def _moment(frame: VideoFrame) -> int | None:
    return frame.pts if frame.pts is not None else frame.dts
