"""Defines the limits on inputs. An error names the limit, its value, and its setting if there is one."""

from dataclasses import dataclass

TEXT_CHARS = 10_000_000
"""The messages of a request have at most this many characters together, and so have its files."""
MB = 1024 * 1024
"""Bytes per "MB" in settings and messages. The larger definition is used, so that no file of 20 MB is refused."""


LONGEST_SIDE = 65_535
"""A side of a picture has at most this many pixels, which is the maximum of JPEG. The sides are bounded in addition to
the area, because the work also grows with rows, tiles and their edges."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    part_bytes: int = 20 * MB
    """Decoded bytes of one data URL or base64 part (OPENFAZE_MAX_PART_MB)."""
    fetch_bytes: int = 80 * MB
    """Decoded bytes of one fetched URL (OPENFAZE_MAX_FETCH_MB)."""
    image_pixels: int = 64_000_000
    """Pixels of one picture or rendered page, checked before decoding (OPENFAZE_MAX_IMAGE_MEGAPIXELS)."""
    decoded_bytes: int = 1024 * MB
    """Total size of decoded pictures in the process."""
    pages: int = 200
    """Pages per request (OPENFAZE_MAX_PAGES). Enforced by the tasks."""
    words: int = 200_000
    """Words of all pages of a request together."""
    pages_at_once: int = 4
    """Pages of one request that are processed in parallel: enough to keep an engine's batches full. Each holds a
    decoded picture in memory."""
    audio_seconds: float = 240 * 60
    """Seconds of one recording, checked while it is decoded (OPENFAZE_MAX_AUDIO_MINUTES)."""
    video_frames: int = 16
    """Frames taken from one video, for OCR and for an LLM with vision."""
    sources: int = 16
    """Inputs per request (OPENFAZE_MAX_SOURCES). Enforced where a request's inputs are collected."""
    office_bytes: int = 256 * MB
    """Unpacked bytes of one office file."""
    cells: int = 1_000_000
    """Non-empty cells of one workbook, or all cells of one table in a text."""
    json_depth: int = 200
    """Depth of arrays and objects in one JSON file."""
    text_chars: int = TEXT_CHARS
    """Characters of one text-like file, and of all text-like files of a request together."""
    wording_chars: int = 20_000
    """Characters of a request's text in which wishes are searched for."""


def megabytes(size: int) -> str:
    """Format `size` bytes in MB, rounded up to a tenth, so that a value just above a limit never looks like the
    limit."""
    tenths = -(-size * 10 // MB)
    return f"{tenths / 10:g} MB"


def megapixels(pixels: int) -> str:
    """Format `pixels` in megapixels, rounded up to a tenth."""
    tenths = -(-pixels * 10 // 1_000_000)
    return f"{tenths / 10:g} megapixels"
