"""The images and videos of a request, as an LLM that sees gets them."""

import asyncio
import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import PIL.Image

from app.chat.inputs import Turn
from app.chat.planning.wants import kind_of
from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blob import Blob
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import DEMUXERS, VIDEOS
from tasks.inputs.source import Source

COMMON = {"image/jpeg", "image/png", "image/webp"}
"""What every LLM that sees takes; other kinds go to it as PNG."""

FRAME_SIDE = 1024
"""Pixels of the longer side of a video's frame at most: there are many, and OCR sees them as they are."""
_FRAME_QUALITY = 85

_IMAGES = ("image_url", "file_id")
"""Fields of parts that are images, by their type."""

Part = tuple[int, int]
"""A message and a part of it, counted from 0."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An image that stands for a part, or for a moment of it."""

    url: str
    """A data URL: the LLM's server need not reach the origin, and our fetcher's rules hold."""
    label: str = ""
    """What the LLM is told of it."""


async def images_for_llm(turn: Turn, loader: MediaLoader, *, told: bool) -> dict[Part, Sequence[Shown]]:
    """What is shown for each part of the turn that is an image or a video.

    With `told`, one that cannot be read is left out: an entry of the precontext says why. Without, it raises
    InputError.
    """
    images: dict[Part, Sequence[Shown]] = {}
    for source in turn.sources:
        is_video = kind_of(source) == "video"
        parts = [
            (origin.message, origin.part)
            for origin in (source.origin, *source.also)
            if origin.message is not None
            and origin.part is not None
            and (origin.field in _IMAGES or (is_video and not origin.is_text))
        ]
        try:
            if parts:
                images |= dict.fromkeys(parts, await _shown(source, loader, is_video=is_video))
        except InputError:
            if not told:
                raise
    return images


async def _shown(source: Source, loader: MediaLoader, *, is_video: bool) -> Sequence[Shown]:
    blob = await loader.load(source)
    if blob.media_type in VIDEOS:
        return await _frames(blob, loader)
    if is_video and blob.media_type in DEMUXERS:
        return ()  # only its tracks show that it is sound alone
    return (Shown(await _data_url(blob, loader)),)


async def _frames(blob: Blob, loader: MediaLoader) -> Sequence[Shown]:
    frames = []
    async with await loader.open_blob(blob) as document:
        for number in range(1, document.total_pages + 1):
            picture = await document.picture(number)
            frames.append(
                Shown(await asyncio.to_thread(_jpeg, picture), f"[video at {document.timestamp(number):g} s]")
            )
    return frames


async def _data_url(blob: Blob, loader: MediaLoader) -> str:
    data, media_type = blob.data, blob.media_type
    async with await loader.open_blob(blob) as document:
        if not media_type.startswith("image/"):
            raise blob.error(f"is {media_type}, no image.", code="unsupported_media_type")
        # Reads the header: what is no picture, or too large a one, goes no further.
        await document.size(1)
        if media_type not in COMMON:
            return await asyncio.to_thread(_png, await document.picture(1))
    return await asyncio.to_thread(_encoded, data, media_type)


def _png(picture: Image) -> str:
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG")
    return _encoded(file.getvalue(), "image/png")


def _jpeg(picture: Image) -> str:
    file = io.BytesIO()
    frame = PIL.Image.fromarray(picture)
    frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    frame.save(file, "JPEG", quality=_FRAME_QUALITY)
    return _encoded(file.getvalue(), "image/jpeg")


def _encoded(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
