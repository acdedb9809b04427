"""Decodes the tracks of an audio or video file: sound in blocks along the file's timeline, frames by their time."""

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
from tasks.inputs.av import SAMPLE_RATE
from tasks.inputs.av.containers import (
    AUDIO_CODECS,
    VIDEO_CODECS,
    announced_wav_bytes,
    damaged,
    has_mp3_length,
    open_container,
    origin,
    packets,
    pictures_of,
    select_stream,
    size_options,
    sound_of,
    translated_errors,
)
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob

_LEAST_RATE, _MAX_RATE = 1_000, 768_000
"""Permitted sample rates in Hz. A resampler's tables grow with the ratio of the rates."""
_MAX_CHANNELS = 64
"""FFmpeg's resampler can mix at most this many channels (SWR_CH_MAX)."""
_TOLERANCE_S = 0.1
"""Errors of frame times up to this, in seconds, are ignored. Containers round times, and recorders' clocks jitter. The
value is FFmpeg's own (aresample's min_hard_comp)."""
_LONGEST_GAP_S = 600
"""A gap between times counts as a pause of the recording if it is at most this long, in seconds. A longer one is an
error in the file."""
_FIRST_PACKETS = 50
"""At least one of this many packets at the beginning of a file must be decodable."""
_LOST_PACKETS = 10_000
"""Reading stops after this many consecutive packets that cannot be decoded."""

Samples = NDArray[np.float32]
_MAX_FRAMES = 2_000_000
"""At most this many frames are listed: nine hours at 60 per second."""
_MAX_STRETCH = Fraction(4)
"""Largest ratio of a pixel's sides; beyond it the header is wrong."""
_THUMBNAIL = (64, 36)
"""Size in pixels of the pictures that are compared to find changes."""


class AudioTrack:
    """The sound of a file. The constructor decodes the first frame. Raises InputError for a file without sound
    (`no_audio`), an unsupported codec or a damaged file."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._container = open_container(blob, limits)
        try:
            if not self._container.streams.audio:
                raise blob.error("has no audio track.", code="no_audio")
            stream = sound_of(self._container)
            if stream is None:
                raise damaged(blob)
            select_stream(stream, AUDIO_CODECS, blob)
            self._stream = stream
            self._origin = origin(self._container)
            self._frames = self._decoded()
            with translated_errors(blob):
                self._first = next(self._frames, None)
            layout = self._first.layout if self._first else stream.layout
            self.channels = 2 if layout.nb_channels == 2 else 1
            self._written = 0
            """Number of samples on the timeline so far."""
        except BaseException:
            self._container.close()
            raise

    @property
    def claimed_seconds(self) -> float | None:
        """Length that the header states, or an estimate based on it, in seconds."""
        duration = self._container.duration
        return duration / 1_000_000 if duration and duration > 0 else None

    @property
    def announced_seconds(self) -> float | None:
        """Length that the file was meant to have by its own header, in seconds; None if no header says so, as in a
        recording that was sent while it was made."""
        stream, data = self._stream, self._blob.data
        match self._container.format.name.split(",")[0]:
            case "wav" | "w64":  # FFmpeg shortens the length to what is there
                codec = stream.codec_context
                size = announced_wav_bytes(data)
                return 8 * size / codec.bit_rate if size and codec.bit_rate else None
            case "mp3" if not has_mp3_length(data):  # FFmpeg estimates the length
                return None
            case "mp3" | "flac" | "mov":
                return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
            case "matroska" if len(self._container.streams) == 1:
                return self.claimed_seconds
        return None

    def blocks(self) -> Iterator[Samples]:
        """Yield the whole sound once, in small blocks of float32 [channels, n] at 16 kHz. Sample i is heard at i /
        16000 seconds of the file; gaps are filled with silence. Raises InputError."""
        with translated_errors(self._blob):
            for block in self._timeline():
                self._written += block.shape[1]
                yield block

    def close(self) -> None:
        self._container.close()

    def _timeline(self) -> Iterator[Samples]:
        piece = _Piece(self.channels)
        late = -self._origin
        """Seconds to be added to a frame's time to get its place on the timeline."""
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
        """Yield the decodable frames."""
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
        if not _LEAST_RATE <= rate <= _MAX_RATE:
            raise self._unsupported(f"a sample rate of {rate} Hz; {_LEAST_RATE} to {_MAX_RATE} are read")
        if not 1 <= channels <= _MAX_CHANNELS:
            raise self._unsupported(f"{channels} channels; at most {_MAX_CHANNELS} are read")

    def _unsupported(self, what: str) -> InputError:
        return self._blob.error(f"has {what}.", code="unsupported_media_type")


def count_seconds(blob: Blob, limits: MediaLimits) -> float:
    """Return the length of the audio packets of `blob` without decoding them. Raises InputError."""
    with translated_errors(blob), open_container(blob, limits) as container:
        stream = sound_of(container)
        if stream is None or stream.time_base is None:
            return 0.0
        select_stream(stream, AUDIO_CODECS, blob)
        return float(sum(packet.duration or 0 for packet in packets(container, stream)) * stream.time_base)


class _Piece:
    """Consecutive frames of one format without gaps, resampled as one signal."""

    def __init__(self, channels: int, start: Fraction = Fraction(0)) -> None:
        self.end = start
        """Exact end on the timeline in seconds."""
        self._channels = channels
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None

    def takes(self, frame: AudioFrame) -> bool:
        return self._form is None or self._form == _sample_format(frame)

    def resampled(self, frame: AudioFrame) -> Iterator[Samples]:
        if self._resampler is None:
            self._form = _sample_format(frame)
            # Samples are interleaved because PyAV reads beyond the planes of a frame with more than eight.
            self._resampler = AudioResampler("flt", self._layout(frame), SAMPLE_RATE)
        self.end += Fraction(frame.samples, frame.sample_rate)
        yield from self._arrays(self._resampler.resample(frame))

    def rest(self) -> Iterator[Samples]:
        """Yield the samples that the resampler still holds."""
        if self._resampler is not None:
            yield from self._arrays(self._resampler.resample(None))

    def _layout(self, frame: AudioFrame) -> str:
        """Return the resampler's output layout. If the positions of the channels are unknown, all channels are kept
        here, and mixed after resampling."""
        name = frame.layout.name
        return name if name.endswith("channels") else ("mono", "stereo")[self._channels - 1]

    def _arrays(self, frames: list[AudioFrame]) -> Iterator[Samples]:
        for frame in frames:
            # A resampler without work to do returns its input, and also the final None.
            if frame is None or not frame.samples:
                continue
            array = frame.to_ndarray().reshape(frame.samples, -1).T.astype(np.float32, copy=False)
            if array.shape[0] != self._channels:
                array = np.broadcast_to(array.mean(axis=0, keepdims=True), (self._channels, array.shape[1]))
            yield array


def _sample_format(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


class VideoTrack:
    """The frames of a video. The constructor raises InputError for a file without video (`no_video`), an unsupported
    codec, a damaged file or frames of more than `limits.image_pixels`."""

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
        """Time stamp of the last decoded frame, as long as decoding can continue from it."""

    @property
    def pixels(self) -> int:
        """Number of pixels of a coded frame: the cost of decoding it."""
        return self._stream.codec_context.width * self._stream.codec_context.height

    @property
    def times(self) -> list[float]:
        """Times of all frames in seconds of the file's timeline, ascending."""
        return [self._seconds(moment) for moment in self._moments]

    @property
    def key_times(self) -> list[float]:
        """Times of the key frames (frames that can be decoded without others) in seconds, ascending."""
        return [self._seconds(moment) for moment in self._keys]

    def cost(self, index: int) -> int:
        """Return the number of pixels that are decoded to get frame `index`, starting at the key frame before it."""
        key = bisect_right(self._moments, self._key_before(self._moments[index])) - 1
        return (index - key + 1) * self.pixels

    def frame(self, index: int) -> VideoFrame | None:
        """Return frame `index`. If it cannot be decoded, return the next decodable frame, or else the last frame that
        was decoded on the way to it, or else None. Decoding continues from the current position if this is before the
        frame but not before the frame's key frame."""
        moment = self._moments[index]
        key = self._key_before(moment)
        if self._position is None or not key <= self._position < moment:
            self._seek(key)
        last = None
        for frame in self._frames:
            self._position = _time_stamp(frame)
            last = frame
            if self._position is not None and self._position >= moment:
                return frame
        self._position = None
        return last

    def picture(self, frame: VideoFrame) -> Image:
        """Return the frame as RGB, upright, with square pixels."""
        shown = frame.reformat(self.width, self.height, "rgb24", threads=1).to_ndarray()
        return np.ascontiguousarray(np.rot90(shown, self.quarter_turns(frame)))

    @staticmethod
    def quarter_turns(frame: VideoFrame) -> int:
        """Return how many quarter turns anticlockwise, 0 to 3, show a frame upright: those next to the angle of its
        display matrix, which may be any in a damaged file."""
        return round(frame.rotation / 90) % 4

    def thumbnail(self, frame: VideoFrame) -> NDArray[np.uint8]:
        return frame.reformat(*_THUMBNAIL, "gray", threads=1).to_ndarray().astype(np.uint8, copy=False)

    def close(self) -> None:
        self._container.close()

    def _chosen(self) -> VideoStream:
        stream = pictures_of(self._container)
        if stream is None:
            raise self._blob.error("has no video track.", code="no_video")
        select_stream(stream, VIDEO_CODECS, self._blob)
        stream.codec_context.options = size_options(self._limits)
        stream.codec_context.thread_type = ThreadType.AUTO
        return stream

    def _shown_size(self) -> tuple[int, int]:
        """Return the size of a frame with square pixels."""
        codec = self._stream.codec_context
        width, height = codec.width, codec.height
        if not width or not height:
            raise damaged(self._blob)
        shape = codec.sample_aspect_ratio or Fraction(1)
        if 1 / _MAX_STRETCH <= shape <= _MAX_STRETCH:
            width = max(1, round(width * shape))
        self._blob.check_pixels(width, height, self._limits.image_pixels, has="has frames of")
        return width, height

    def _listed(self) -> list[int]:
        """Return the time stamps of all frames in order of display. Only packets are read, nothing is decoded."""
        moments: set[int] = set()
        for packet in packets(self._container, self._stream):
            moment = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or packet.is_discard or moment is None:
                continue
            moments.add(moment)
            if packet.is_keyframe:
                self._keys.append(moment)
            if len(moments) >= _MAX_FRAMES:
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
            # The file may have no index, so it is read from the beginning.
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


def _time_stamp(frame: VideoFrame) -> int | None:
    return frame.pts if frame.pts is not None else frame.dts
