"""Opens audio and video files with FFmpeg: only with the demuxer for their bytes, only with well-known codecs, and
without access to other files or addresses."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, Never

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file, refusing
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import DEMUXERS
from tasks.inputs.source import Blob

AUDIO_CODECS = frozenset(
    {
        *("aac", "aac_latm", "alac", "mp3float", "mp3", "mp2float", "mp2", "mp1float", "mp1"),
        *("opus", "libopus", "vorbis", "flac", "speex", "ac3", "eac3", "wmav1", "wmav2"),
        *("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb", "gsm", "gsm_ms"),
        *("pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
        *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw"),
        *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"),
    }
)
"""FFmpeg's names of the permitted decoders. FFmpeg has hundreds of decoders, few of which are well maintained."""

VIDEO_CODECS = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "theora"),
        *("mpeg4", "msmpeg4", "msmpeg4v2", "msmpeg4v1", "h263", "flv", "wmv1", "wmv2", "mpeg1video", "mpeg2video"),
        *("mjpeg", "png", "prores", "ffv1", "qtrle", "cinepak", "rawvideo"),
    }
)

THREADS = 2
"""Number of threads per decoder, which is small because several inputs are decoded in parallel."""
_STILLS = Disposition.attached_pic | Disposition.timed_thumbnails
_UNKNOWN_SIZE = 0x7FFF_0000
"""A program that does not know the size of the sound yet writes this size, or a larger one, into a WAV file."""
_WAV_HEAD = 1_000_000
"""The sound of a WAV file begins within this many bytes."""
_FIRST_FRAME = 2_048
_MAX_BREAKS = 100
"""Reading of a container stops at this many broken parts."""

Streams = AudioStream | VideoStream


def open_container(blob: Blob, limits: MediaLimits) -> InputContainer:
    """Open `blob` as a container. Its first packets are decoded, so that tracks and start times are known.

    Raises InputError for a file that is neither audio nor video, or is damaged.
    """
    demuxer = DEMUXERS.get(blob.media_type)
    if demuxer is None:
        raise blob.error(f"is {blob.media_type}, which is neither audio nor video.", code="unsupported_media_type")
    with translated_errors(blob):
        return av.open(
            io.BytesIO(blob.data),
            "r",
            format=demuxer,
            options={"codec_whitelist": ",".join(sorted(AUDIO_CODECS | VIDEO_CODECS)), **size_options(limits)},
            metadata_errors="replace",
            io_open=_refuse_open,
        )


def size_options(limits: MediaLimits) -> dict[str, str]:
    """Return decoder options that refuse covers and frames above `limits.image_pixels` before they are allocated."""
    return {"max_pixels": str(limits.image_pixels)}


def sound_of(container: InputContainer) -> AudioStream | None:
    """Return the audio track that a player would choose."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) else None


def pictures_of(container: InputContainer) -> VideoStream | None:
    """Return the video track that a player would choose. An album cover does not count as one."""
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) and not best.disposition & _STILLS else None


def origin(container: InputContainer) -> Fraction:
    """Return the beginning of the file's timeline in seconds, which is the start of its earliest track."""
    return Fraction(container.start_time or 0, av.time_base)


def select_stream(stream: Streams, codecs: frozenset[str], blob: Blob) -> None:
    """Prepare to decode `stream` and to skip all others. Raises InputError for a codec outside `codecs`."""
    codec = stream.codec_context
    if codec is None or codec.name not in codecs:
        name = f"the codec '{codec.name}'" if codec is not None else "an unknown codec"
        raise blob.error(f"is encoded with {name}, which is not supported.", code="unsupported_media_type")
    for other in stream.container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    codec.thread_count = THREADS


def packets(container: InputContainer, stream: Streams) -> Iterator["Packet[Any]"]:
    """Yield the packets of `stream`, skipping broken parts of the container if possible. Empty packets at the end flush
    the decoder."""
    for _ in range(_MAX_BREAKS):
        try:
            yield from container.demux(stream)
        except av.error.FFmpegError as error:
            if not is_fault_of_file(error):
                raise
            continue
        return


def translated_errors(blob: Blob) -> AbstractContextManager[None]:
    """Turn FFmpeg's errors about damaged bytes into InputError."""
    return refusing(damaged(blob), (av.error.FFmpegError, ValueError, ArithmeticError, LookupError))


def announced_wav_bytes(data: bytes) -> int | None:
    """Return the size of the sound that a WAV file announces; None for a size that stands for an unknown one, as in
    files that are sent while they are made."""
    position = 12
    while data[:4] == b"RIFF" and position + 8 <= len(data) and position < _WAV_HEAD:
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if name == b"data":
            return size if 0 < size < _UNKNOWN_SIZE else None
        position += 8 + size + size % 2
    return None


def has_mp3_length(data: bytes) -> bool:
    """True if the first frame of an MP3 file has the number of all frames."""
    start = 0
    if data[:3] == b"ID3":
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))
    head = data[start : start + _FIRST_FRAME]
    return any(name in head for name in (b"Xing", b"Info", b"VBRI"))


def damaged(blob: Blob) -> InputError:
    return blob.error(f"cannot be decoded as {blob.media_type}: it is damaged or incomplete.")


def _refuse_open(_url: str, _flags: int, _options: object) -> Never:
    raise PermissionError("a container may not refer to other files")
