"""The pictures of one video file, found by their times."""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.codec.context import ThreadType
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.vision.text import Image
from tasks.inputs.av.containers import VIDEO_CODECS, bounds, damaged, only, open_container, origin, packets, pictures_of
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits

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
        except FFmpegError:
            # A file without an index, say: from its beginning.
            self._container.close()
            self._container = open_container(self._blob, self._limits)
            self._stream = self._chosen()
        self._frames, self._position = self._decoded(), None

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in packets(self._container, self._stream):
            try:
                frames = self._stream.decode(packet)
            except FFmpegError:
                continue
            yield from frames

    def _seconds(self, moment: int) -> float:
        return float(moment * self._unit - self._origin)


def _moment(frame: VideoFrame) -> int | None:
    return frame.pts if frame.pts is not None else frame.dts
