"""What is in a container of audio and video, by the marks that its tracks leave in its header: nothing is decoded."""

import re
from collections.abc import Iterator

Tracks = frozenset[str]
"""Of `audio` and `video`; empty where the header does not say, as in the first bytes of a file."""

_MOST_BOXES = 1000
_HANDLERS = {b"vide": "video", b"soun": "audio"}
_MATROSKA_HEAD = 1 << 16
"""Bytes in which the tracks of Matroska are described; clusters of sound and pictures follow."""
_MATROSKA_CODEC = re.compile(rb"\x86[\x80-\xbf]([AV])_[A-Z]")
"""The element CodecID (RFC 9559, 5.1.4.1.21), its length, and a codec's name, which begins with its kind."""
_OGG_HEAD = 4096
"""Bytes in which every stream of Ogg begins (RFC 3533, 6: the pages that begin streams come before all others)."""
_OGG_VIDEO = (b"\x80theora", b"BBCD\0", b"OVP80", b"\x01video\0\0\0")
_OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


def iso_tracks(data: bytes) -> Tracks:
    """Of ISO base media (ISO/IEC 14496-12, 8.4.3): by the handlers that the movie box names."""
    start, end = next(((start, end) for kind, start, end in _boxes(data) if kind == b"moov"), (0, 0))
    found, at = set(), data.find(b"hdlr", start, end)
    while at >= 0:
        found.add(_HANDLERS.get(data[at + 12 : at + 16], ""))
        at = data.find(b"hdlr", at + 4, end)
    return frozenset(found - {""})


def matroska_tracks(data: bytes) -> Tracks:
    kinds = set(_MATROSKA_CODEC.findall(data[:_MATROSKA_HEAD]))
    return frozenset({b"A": "audio", b"V": "video"}[kind] for kind in kinds)


def ogg_tracks(data: bytes) -> Tracks:
    head = data[:_OGG_HEAD]
    kinds = (("video", _OGG_VIDEO), ("audio", _OGG_AUDIO))
    return frozenset(kind for kind, marks in kinds if any(mark in head for mark in marks))


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the outermost boxes."""
    at = 0
    for _ in range(_MOST_BOXES):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + size if size else len(data)
        if end < at + 8 or at + 8 > len(data):
            return
        yield data[at + 4 : at + 8], at, min(end, len(data))
        at = end
