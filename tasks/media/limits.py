"""How much of an input is read. Each limit is a setting; its message names the setting and the value."""

from dataclasses import dataclass

MB = 1024 * 1024
"""Bytes in a "MB" of the settings and messages: the larger reading, so that nobody's 20 MB file is refused."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    part_bytes: int = 20 * MB
    """Decoded bytes of one data URL or base64 part (OPENFAZE_MAX_PART_MB)."""
    fetch_bytes: int = 80 * MB
    """Decoded bytes of one fetched URL (OPENFAZE_MAX_FETCH_MB)."""
    image_pixels: int = 64_000_000
    """Pixels of one picture or rendered page, before decoding (OPENFAZE_MAX_IMAGE_MEGAPIXELS)."""
    page_seconds: float = 20.0
    """Seconds that drawing one PDF page may take: a few kilobytes can hold a million strokes."""
    pages: int = 200
    """Pages one request may ask for (OPENFAZE_MAX_PAGES). Enforced by the task."""
    sources: int = 16
    """Inputs of one request (OPENFAZE_MAX_SOURCES). Enforced by whoever collects them."""
    text_chars: int = 20_000_000
    """Characters of one text-like file."""


def megabytes(size: int) -> str:
    """`size` bytes in MB, rounded up to a tenth, so that a value just above a limit never reads as the limit."""
    tenths = -(-size * 10 // MB)
    return f"{tenths / 10:g} MB"


def megapixels(pixels: int) -> str:
    """`pixels` in megapixels, rounded up to a tenth."""
    tenths = -(-pixels * 10 // 1_000_000)
    return f"{tenths / 10:g} megapixels"
