"""The images of a request, as an LLM that sees gets them."""

import asyncio
import base64
import io

import PIL.Image

from app.chat.collect import Turn
from models.vision.text import Image
from tasks.errors import InputError
from tasks.media.blob import Blob
from tasks.media.loader import MediaLoader

COMMON = {"image/jpeg", "image/png", "image/webp"}
"""What every LLM that sees takes; other kinds go to it as PNG."""


async def images_for_llm(turn: Turn, loader: MediaLoader, *, told: bool) -> dict[str, str]:
    """Data URLs of the turn's images, by their path in the request: the LLM's server need not reach their origins,
    and our fetcher's rules hold.

    With `told`, one that cannot be read is left out: an entry of the precontext says why. Without, it raises
    InputError.
    """
    images = {}
    for source in turn.sources:
        if ".image_url" not in source.param:
            continue
        try:
            images[source.param] = await _data_url(await loader.load(source), loader)
        except InputError:
            if not told:
                raise
    return images


async def _data_url(blob: Blob, loader: MediaLoader) -> str:
    data, media_type = blob.data, blob.media_type
    async with await loader.open_blob(blob) as document:
        if not media_type.startswith("image/"):
            raise blob.error(f"is {media_type}, no image.", code="unsupported_media_type")
        # Reads the header: what is no picture, or too large a one, goes no further.
        await document.size(1)
        if media_type not in COMMON:
            data = await asyncio.to_thread(_png, await document.picture(1))
            media_type = "image/png"
    encoded = await asyncio.to_thread(base64.b64encode, data)
    return f"data:{media_type};base64,{encoded.decode()}"


def _png(picture: Image) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
