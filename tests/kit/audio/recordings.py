"""Recordings and videos for the tests, made by real encoders, with sounds and pictures at exactly known times.

>>> encoded(beeps(6.3, (2.0, 5.0)), "mp3")
>>> filmed([page, other_page], "mp4", frames_each=25, sound=beeps(2.0, (1.5,)))
"""

import io
import shutil
import subprocess
import wave
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.stream import Disposition
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Picture = NDArray[np.uint8]

RATE = 44_100

AUDIO = {
    "wav": ("wav", "pcm_s16le", "audio/wav"),
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "m4a": ("ipod", "aac", "audio/mp4"),
    "mp4": ("mp4", "aac", "audio/mp4"),
    "mov": ("mov", "aac", "audio/mp4"),
    "3gp": ("3gp", "aac", "audio/3gpp"),
    "aac": ("adts", "aac", "audio/aac"),
    "ogg": ("ogg", "vorbis", "audio/ogg"),
    "opus": ("ogg", "libopus", "audio/ogg"),
    "flac": ("flac", "flac", "audio/flac"),
    "webm": ("webm", "libopus", "audio/webm"),
    "mkv": ("matroska", "aac", "audio/x-matroska"),
}
"""Muxer of FFmpeg, encoder, and media type of a file with sound alone, by extension."""

VIDEO = {
    "mp4": ("mp4", "libx264", "aac", "video/mp4"),
    "mov": ("mov", "libx264", "aac", "video/quicktime"),
    "webm": ("webm", "libvpx", "libopus", "video/webm"),
    "mkv": ("matroska", "libx264", "libmp3lame", "video/x-matroska"),
    "3gp": ("3gp", "h263", "aac", "video/3gpp"),
    "avi": ("avi", "mpeg4", "libmp3lame", "video/x-msvideo"),
}
"""Muxer, encoders of pictures and of sound, and media type, by extension."""

_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "vorbis": {"strict": "-2"},
    "libx264": {"preset": "ultrafast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
_BLOCK = 4096


def beeps(seconds: float, starts: Sequence[float], *, channels: int = 1, rate: int = RATE) -> Samples:
    """Return float32 [channels, n]: a tone of 1 kHz for a tenth of a second from each of `starts`, and silence
    between."""
    times = np.arange(round(seconds * rate)) / rate
    loud = np.zeros(times.shape, bool)
    for start in starts:
        loud |= (times >= start) & (times < start + 0.1)
    tone = (0.5 * np.sin(2 * np.pi * 1000 * times) * loud).astype(np.float32)
    return np.repeat(tone[None], channels, axis=0)


def beep_starts(samples: Samples, rate: int = 16_000) -> list[float]:
    """Return the times, in seconds, at which beeps begin in decoded samples."""
    loud = np.flatnonzero(np.abs(samples[0]) > 0.2)
    firsts = loud[np.diff(loud, prepend=-rate) > rate // 2]
    return [float(first) / rate for first in firsts]


def speech(text: str) -> bytes:
    """Return a WAV file in which espeak-ng speaks `text`."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("needs espeak-ng")
    return subprocess.run([program, "--stdout", text], check=True, capture_output=True).stdout


def plain_wav(samples: Samples, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(samples.shape[0])
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((samples.T * 32767).astype("<i2").tobytes())
    return file.getvalue()


def encoded(samples: Samples, extension: str, *, rate: int = RATE, cover: Picture | None = None, **muxer: str) -> bytes:
    """Return `samples`, [1 or 2 channels, n] at `rate`, as a file. `muxer` contains options such as
    `write_xing="0"`."""
    name, codec, _ = AUDIO[extension]
    file = io.BytesIO()
    with av.open(file, "w", format=name, options=muxer) as container:
        write = _Sound(container, codec, samples, rate)
        if cover is not None:
            _add_cover(container, cover)
        write.until(None)
    return file.getvalue()


def filmed(
    pictures: Sequence[Picture],
    extension: str,
    *,
    frames_each: int = 1,
    frame_rate: int = 25,
    sound: Samples | None = None,
    sound_from: float = 0.0,
    key_every: int = 250,
    turned: int = 0,
    **muxer: str,
) -> bytes:
    """Return a video that shows each of `pictures`, RGB of one size, for `frames_each` frames.

    The sound begins at `sound_from` seconds. Players turn the pictures by `turned` degrees anticlockwise.
    """
    name, codec, sound_codec, _ = VIDEO[extension]
    file = io.BytesIO()
    height, width = pictures[0].shape[:2]
    with av.open(file, "w", format=name, options=muxer) as container:
        options = {**_OPTIONS.get(codec, {}), "g": str(key_every)}
        stream: Any = container.add_stream(codec, rate=frame_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, frame_rate)
        if turned:
            stream.set_display_rotation(turned)
        write = _Sound(container, sound_codec, sound, RATE, sound_from) if sound is not None else None
        for number, picture in enumerate(picture for picture in pictures for _ in range(frames_each)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, frame_rate)
            container.mux(stream.encode(frame))
            if write:
                write.until(number / frame_rate)
        container.mux(stream.encode(None))
        if write:
            write.until(None)
    return file.getvalue()


class _Sound:
    """Track of `samples`, written piece by piece beside other tracks."""

    def __init__(self, container: OutputContainer, codec: str, samples: Samples, rate: int, start: float = 0.0) -> None:
        layout = "mono" if samples.shape[0] == 1 else "stereo"
        self._container = container
        self._rate = 48_000 if codec == "libopus" else rate
        self._stream: Any = container.add_stream(
            codec, rate=self._rate, layout=layout, options=dict(_OPTIONS.get(codec, {}))
        )
        self._start = start
        self._frames = self._resampled(samples, layout, rate)

    def until(self, seconds: float | None) -> None:
        """Write the samples up to `seconds`, or all samples if `seconds` is None."""
        for frame in self._frames:
            self._container.mux(self._stream.encode(frame))
            if seconds is not None and frame.pts > seconds * self._rate:
                return
        if seconds is None:
            self._container.mux(self._stream.encode(None))

    def _resampled(self, samples: Samples, layout: str, rate: int) -> Iterator[av.AudioFrame]:
        resampler = av.AudioResampler(self._stream.format, layout, self._rate)
        written = round(self._start * self._rate)
        blocks = [samples[:, start : start + _BLOCK] for start in range(0, samples.shape[1], _BLOCK)]
        for block in [*blocks, None]:
            frame = None
            if block is not None:
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", layout)
                frame.sample_rate = rate
            for part in resampler.resample(frame):
                if part is not None:
                    part.pts, part.time_base = written, Fraction(1, self._rate)
                    written += part.samples
                    yield part


def _add_cover(container: OutputContainer, cover: Picture) -> None:
    stream: Any = container.add_stream("mjpeg", rate=1)
    stream.height, stream.width = cover.shape[:2]
    stream.pix_fmt = "yuvj420p"
    stream.disposition = Disposition.attached_pic
    container.mux(stream.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
    container.mux(stream.encode(None))
