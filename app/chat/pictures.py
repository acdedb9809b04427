"""Prepares the images for an LLM. They are pictures and frames of videos, reduced to fit into the LLM's context
together."""

import asyncio
import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import PIL.Image

from app.chat.inputs import Turn
from app.chat.trim import fair_shares
from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.document import Document
from tasks.inputs.kinds import kind_of
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import DEMUXERS, VIDEOS
from tasks.inputs.source import Blob, Source

COMMON_TYPES = {"image/jpeg", "image/png", "image/webp"}
"""Types of pictures that every LLM with vision accepts. A picture of another type is sent as PNG, or as JPEG if it is
reduced."""
FRAME_SIDE = 1024
"""The longer side of a video frame is reduced to this many pixels for the LLM, because a video has many frames. OCR
reads the frames at full size."""
MAX_PICTURES = 16
"""Videos show fewer frames, but at least one each, to keep a prompt within this many pictures. The number is the
`limit-mm-per-prompt` in docker/cards."""
TOKEN_SIDE = 28
"""Side, in pixels, of the square that one token stands for. It is 28 for Qwen2.5-VL and InternVL, 32 for Qwen3-VL, and
39 for GPT-4o.

With this value, the count of tokens is an upper bound for all of these models. (Pixtral, at 16, takes three times as
many.)
"""
LEAST_TOKENS = 256
"""Every picture is counted as at least this many tokens. Every picture takes exactly this many tokens in Gemma 3, and
the smallest pictures do in InternVL."""
_QUALITY = 85

_IMAGES = ("image_url", "file_id")
"""Fields of content parts that may be images."""

PartPlace = tuple[int, int]
"""Index of a message, and index of a part in the message."""


@dataclass(frozen=True, slots=True)
class LlmImage:
    """An image that replaces a content part, or shows one moment of a video."""

    url: str
    """Data URL. With the image's own URL, the LLM's server would have to fetch the image, and could do so from
    addresses that this server's rules forbid."""
    label: str = ""
    """Text for the LLM before the image."""
    tokens: int = 0
    """Upper bound of the tokens of the LLM's context that the image takes."""


@dataclass(frozen=True, slots=True)
class _MeasuredMedium:
    """An image or a video of the turn that was measured but not decoded yet."""

    blob: Blob
    parts: Sequence[PartPlace]
    """Places in which the medium is shown."""
    sizes: Sequence[tuple[int, int]]
    """Width and height of each frame as shown."""

    @property
    def is_video(self) -> bool:
        return self.blob.media_type in VIDEOS


async def images_for_llm(
    turn: Turn, loader: MediaLoader, room: int, *, omits_unreadable: bool, omits_metadata: bool = False
) -> dict[PartPlace, Sequence[LlmImage]]:
    """Return the images for each part of the turn that is an image or a video.

    The images take at most `room` tokens together, but each takes at least `LEAST_TOKENS`. To fit, large pictures are
    reduced, and videos show fewer frames.

    With `omits_unreadable`, an unreadable medium is left out, because an entry of the precontext states the reason.
    Otherwise, it raises InputError. With `omits_metadata`, pictures are encoded again, without the places, names and
    notes that a file may have.
    """
    seen: list[_MeasuredMedium] = []
    for source in turn.sources:
        try:
            if (one := await _measure(source, loader)) is not None:
                seen.append(one)
        except InputError:
            if not omits_unreadable:
                raise
    frames = _thin_out(seen, max(1, room // LEAST_TOKENS))
    sizes = [(one, number) for one, numbers in zip(seen, frames, strict=True) for number in numbers]
    shares = iter(fair_shares([_tokens(*one.sizes[number]) for one, number in sizes for _ in one.parts], room))
    images: dict[PartPlace, Sequence[LlmImage]] = {}
    for one, numbers in zip(seen, frames, strict=True):
        max_frames = [min(next(shares) for _ in one.parts) for _ in numbers]
        try:
            images |= dict.fromkeys(
                one.parts, await _encode_frames(one, numbers, max_frames, loader, omits_metadata=omits_metadata)
            )
        except InputError:
            if not omits_unreadable:
                raise
    return images


def tokens_of_pictures(images: Mapping[PartPlace, Sequence[LlmImage]]) -> int:
    """Return an upper bound of the tokens that all images take together."""
    return sum(shown.tokens for several in images.values() for shown in several)


def _tokens(width: int, height: int) -> int:
    return max(LEAST_TOKENS, math.ceil(width / TOKEN_SIDE) * math.ceil(height / TOKEN_SIDE))


async def _measure(source: Source, loader: MediaLoader) -> _MeasuredMedium | None:
    """Return the measured medium of a source, or None if no content part shows the source as an image or a video, or if
    the file contains only sound."""
    is_video = kind_of(source) == "video"
    parts = [
        (origin.message, origin.part)
        for origin in (source.origin, *source.also)
        if origin.message is not None
        and origin.part is not None
        and (origin.field in _IMAGES or (is_video and not origin.is_text))
    ]
    if not parts:
        return None
    blob = await loader.load(source)
    if is_video and blob.media_type in DEMUXERS and blob.media_type not in VIDEOS:
        # Its name, type or first bytes suggested a video, but the tracks in the file show that it is nothing but sound.
        return None
    async with await loader.open_blob(blob) as document:
        if blob.media_type in VIDEOS:
            sizes = [_fit_within(await document.size(1), FRAME_SIDE)] * document.total_pages
        elif blob.media_type.startswith("image/"):
            # Only the header is read. It shows whether the file is a picture, and whether it is too large.
            sizes = [await document.size(1)]
        else:
            raise blob.error(f"is {blob.media_type}, not an image.", code="unsupported_media_type")
    return _MeasuredMedium(blob, parts, sizes)


def _thin_out(seen: Sequence[_MeasuredMedium], room: int) -> list[list[int]]:
    """Return, for each medium, the indexes of the frames to show. The frames are few enough to fit, and those of a
    video are evenly distributed."""
    videos = sum(len(one.parts) for one in seen if one.is_video)
    stills = sum(len(one.parts) for one in seen if not one.is_video)
    largest = max(1, (min(room, MAX_PICTURES) - stills) // max(1, videos))
    return [_spread_evenly(len(one.sizes), largest) for one in seen]


def _spread_evenly(total: int, limit: int) -> list[int]:
    kept = min(total, limit)
    return [(2 * index + 1) * total // (2 * kept) for index in range(kept)]


async def _encode_frames(
    one: _MeasuredMedium, numbers: Sequence[int], limit: Sequence[int], loader: MediaLoader, *, omits_metadata: bool
) -> Sequence[LlmImage]:
    """Return the frames with these indexes. Each takes at most its number of tokens in `limit`, or LEAST_TOKENS if that
    is more."""
    shown: list[LlmImage] = []
    async with await loader.open_blob(one.blob) as document:
        for number, tokens in zip(numbers, limit, strict=True):
            width, height = one.sizes[number]
            fits = _tokens(width, height) <= max(tokens, LEAST_TOKENS)
            size = (width, height) if fits else _shrink_to(width, height, max(tokens, LEAST_TOKENS))
            url = await _encode_frame(one, document, number, size, is_whole=fits, omits_metadata=omits_metadata)
            label = f"[video at {document.timestamp(number + 1):g} s]" if one.is_video else ""
            shown.append(LlmImage(url, label, _tokens(*size)))
    return shown


async def _encode_frame(
    one: _MeasuredMedium,
    document: Document,
    number: int,
    size: tuple[int, int],
    *,
    is_whole: bool,
    omits_metadata: bool,
) -> str:
    blob = one.blob
    if one.is_video or not is_whole or (omits_metadata and blob.media_type == "image/jpeg"):
        return await asyncio.to_thread(_jpeg, await document.picture(number + 1), size)
    if omits_metadata or blob.media_type not in COMMON_TYPES:
        return await asyncio.to_thread(_png, await document.picture(1))
    return await asyncio.to_thread(_to_data_url, blob.data, blob.media_type)


def _fit_within(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _shrink_to(width: int, height: int, tokens: int) -> tuple[int, int]:
    """Return the largest size, in the same proportions, that takes at most `tokens` tokens."""
    scale = TOKEN_SIDE * math.sqrt(tokens / (width * height))
    while True:
        size = max(1, int(width * scale)), max(1, int(height * scale))
        if size == (1, 1) or _tokens(*size) <= tokens:
            return size
        scale *= 0.98


def _png(picture: Image) -> str:
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG")
    return _to_data_url(file.getvalue(), "image/png")


def _jpeg(picture: Image, size: tuple[int, int]) -> str:
    file = io.BytesIO()
    frame = PIL.Image.fromarray(picture)
    frame.thumbnail(size)
    frame.save(file, "JPEG", quality=_QUALITY)
    return _to_data_url(file.getvalue(), "image/jpeg")


def _to_data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
