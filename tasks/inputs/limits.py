"""How much of an input is read. Each limit is a setting; its message names the setting and the value."""

from dataclasses import dataclass

MB = 1024 * 1024
"""Bytes in a "MB" of the settings and messages: the larger reading, so that nobody's 20 MB file is refused."""


LONGEST_SIDE = 65_535
"""Pixels along one side of a picture, as many as a JPEG can have: work grows with the sides, too, by rows, tiles and
what the edge of each adds."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    part_bytes: int = 20 * MB
    """Decoded bytes of one data URL or base64 part (OPENFAZE_MAX_PART_MB)."""
    fetch_bytes: int = 80 * MB
    """Decoded bytes of one fetched URL (OPENFAZE_MAX_FETCH_MB)."""
    image_pixels: int = 64_000_000
    """Pixels of one picture or rendered page, before decoding (OPENFAZE_MAX_IMAGE_MEGAPIXELS)."""
    decoded_bytes: int = 1024 * MB
    """Decoded pictures in the whole process at a time (OPENFAZE_MAX_DECODED_MB)."""
    page_seconds: float = 20.0
    """Seconds that drawing one PDF page may take: a few kilobytes can hold a million strokes."""
    pages: int = 200
    """Pages one request may ask for (OPENFAZE_MAX_PAGES). Enforced by the task."""
    pages_at_once: int = 4
    """Pages of one request that are read or looked at side by side (OPENFAZE_PAGES_AT_ONCE): enough to keep an engine's
    batches full; each holds a decoded picture in memory."""
    audio_seconds: float = 240 * 60
    """Seconds of one recording, while it is decoded (OPENFAZE_MAX_AUDIO_MINUTES)."""
    video_frames: int = 16
    """Pictures that are taken from one video (OPENFAZE_MAX_VIDEO_FRAMES)."""
    sources: int = 16
    """Inputs of one request (OPENFAZE_MAX_SOURCES). Enforced by whoever collects them."""
    office_bytes: int = 256 * MB
    """Unpacked bytes of one office file (OPENFAZE_MAX_OFFICE_MB)."""
    cells: int = 1_000_000
    """Cells of one workbook that are not empty (OPENFAZE_MAX_CELLS)."""
    json_depth: int = 200
    """Arrays and objects within each other in one JSON file (OPENFAZE_MAX_JSON_DEPTH)."""
    text_chars: int = 20_000_000
    """Characters of one text-like file (OPENFAZE_MAX_TEXT_CHARS)."""
    wording_chars: int = 20_000
    """Characters of a request's text in which wishes are looked for (OPENFAZE_MAX_WORDING_CHARS)."""


def megabytes(size: int) -> str:
    """`size` bytes in MB, rounded up to a tenth, so that a value just above a limit never reads as the limit."""
    tenths = -(-size * 10 // MB)
    return f"{tenths / 10:g} MB"


def megapixels(pixels: int) -> str:
    """`pixels` in megapixels, rounded up to a tenth."""
    tenths = -(-pixels * 10 // 1_000_000)
    return f"{tenths / 10:g} megapixels"
