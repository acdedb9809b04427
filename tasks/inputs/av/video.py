"""Reads a video as a few pictures, one page per frame."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import Pages, TextLayer
from tasks.inputs.source import Blob

_CHANGE = 0.02
"""Two small pictures differ by more than noise if their mean difference is larger than this, as a share of the grey
range. A new page of text causes 0.03 or more, a cut nearly always over 0.1."""
_PROBES = 4
"""Number of small pictures that are compared per chosen frame."""
_SCAN_PIXELS = 1_000_000_000
"""If a video has at most this many pixels in all its frames (16 seconds of 1920 x 1080 at 30 per second), frames at
regular times are compared to find scene changes. If a video has more, only its key frames are compared."""
_REACH_PIXELS = 2_000_000_000
"""At most this many pixels are decoded to reach a frame at its exact time. If more are needed, the nearest key frame is
used."""


def grid(begin: float, end: float, count: int) -> list[float]:
    """Return `count` times in the middle of equal parts of the time from `begin` to `end`."""
    return [begin + (end - begin) * (part + 0.5) / count for part in range(count)]


def scene_changes(pictures: Sequence[NDArray[np.uint8]], limit: int) -> list[int]:
    """Return the ascending indices of at most `limit` pictures: those that differ most from their predecessors, and by
    more than noise. All pictures have the same shape."""
    changes = [
        (float(np.abs(after.astype(np.int16) - before).mean()) / 255, index)
        for index, (before, after) in enumerate(pairwise(pictures), start=1)
    ]
    changes = sorted((change for change in changes if change[0] > _CHANGE), key=lambda change: (-change[0], change[1]))
    return sorted(index for _, index in changes[:limit])


def spread(anchors: Sequence[float], end: float, count: int) -> list[float]:
    """Return `count` ascending times: all `anchors`, which are ascending and no more than `count`, and further times
    before `end` that divide the longest gaps into equal parts."""
    lengths = [text_after - text_before for text_before, text_after in zip(anchors, [*anchors[1:], end], strict=True)]
    added = [0] * len(anchors)
    for _ in range(count - len(anchors)):
        longest = max(range(len(anchors)), key=lambda index: lengths[index] / (added[index] + 1))
        added[longest] += 1
    return [
        start + length * part / (more + 1)
        for start, length, more in zip(anchors, lengths, added, strict=True)
        for part in range(more + 1)
    ]


def at_or_before(times: Sequence[float], time: float) -> int:
    """Return the index of the last of the ascending `times` that is not after `time`, or 0 if all are after it."""
    return max(0, bisect_right(times, time) - 1)


class VideoFrames(Pages):
    """At most `limits.video_frames` frames of one video, which are the same ones each time.

    The constructor raises InputError for a file without video (`no_video`), frames that are too large
    (`image_too_large`), an unsupported codec, or no decodable frame.
    """

    kind = "video"

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        # Imported late, so that FFmpeg is loaded only in processes that decode.
        from tasks.inputs.av.tracks import VideoTrack

        self._blob = blob
        self._track = VideoTrack(blob, limits)
        try:
            self._frame_times, self._key_times = self._track.times, self._track.key_times
            self._turned = False
            self._chosen = self._choose(limits.video_frames)
        except BaseException:
            self._track.close()
            raise
        self.times = tuple(round(self._frame_times[index], 2) for index in self._chosen)
        self.total = len(self._chosen)

    def size(self, number: int) -> tuple[int, int]:
        self._index(number)
        size = self._track.width, self._track.height
        return size[::-1] if self._turned else size

    def text_layer(self, number: int) -> TextLayer:
        self._index(number)
        return TextLayer()

    def picture(self, number: int) -> Image:
        frame = self._track.frame(self._index(number))
        if frame is None:
            raise self._blob.error(f"cannot be decoded at {self.times[number - 1]:g} seconds: it is damaged there.")
        return self._track.picture(frame)

    def close(self) -> None:
        self._track.close()

    def _index(self, number: int) -> int:
        if not 1 <= number <= self.total:
            raise self._blob.error(f"has no frame {number}; {self.total} were taken from it.")
        return self._chosen[number - 1]

    def _choose(self, limit: int) -> list[int]:
        """Return ascending indices of frames whose times, rounded to hundredths of a second, differ."""
        scenes = self._scenes(limit)
        times = self._frame_times
        if len(times) > limit:
            anchors = sorted({0, *scenes})
            wanted = spread([times[index] for index in anchors], times[-1], limit)
            tolerance = (times[-1] - times[0]) / limit / 4
            frames = sorted({self._reachable(time, tolerance, _REACH_PIXELS) for time in wanted})
        else:
            frames = list(range(len(times)))
        return list({round(times[index], 2): index for index in reversed(frames)}.values())[::-1]

    def _scenes(self, limit: int) -> list[int]:
        """Return the indices of frames that begin new scenes, at most half of `limit`."""
        times = self._frame_times
        if len(times) * self._track.pixels <= _SCAN_PIXELS:
            tolerance, reach = 0.0, _SCAN_PIXELS
        else:
            tolerance, reach = float("inf"), 0
        wanted = grid(times[0], times[-1], _PROBES * limit)
        probes, pictures = [], []
        for index in sorted({0, *(self._reachable(time, tolerance, reach) for time in wanted)}):
            if (frame := self._track.frame(index)) is not None:
                self._turned = self._track.quarter_turns(frame) % 2 == 1
                probes.append(index)
                pictures.append(self._track.thumbnail(frame))
        if not probes:
            raise self._blob.error("has no frame that can be decoded: it is damaged or incomplete.")
        return [probes[change] for change in scene_changes(pictures, limit // 2)]

    def _reachable(self, time: float, tolerance: float, reach: int) -> int:
        """Return the index of the frame seen at `time`. The nearest key frame is returned instead if it is at most
        `tolerance` seconds away, or if more than `reach` pixels would have to be decoded for the exact frame."""
        key_time = at_or_before(self._key_times, time)
        key = min(self._key_times[key_time : key_time + 2], key=lambda key: (abs(key - time), key))
        index = at_or_before(self._frame_times, time)
        if abs(key - time) <= tolerance or self._track.cost(index) > reach:
            return at_or_before(self._frame_times, key)
        return index
