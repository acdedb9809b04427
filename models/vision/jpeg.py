"""Encodes pictures for language models that see."""

import base64
import io
import math

import PIL.Image

from models.vision.text import Image

_LONGEST, _SHORTEST = 4096, 32
"""Longest and shortest side of a picture, in pixels. Some vision models refuse sides of fewer than 28 pixels, and
pictures whose sides have a ratio of more than 200 : 1."""
_QUALITY = 90


def data_url(picture: Image, max_pixels: int) -> str:
    """Return `picture` as a data URL of a JPEG with at most `max_pixels`, and with sides that vision models accept. Run
    it in a thread."""
    height, width = picture.shape[:2]
    scale = min(1.0, math.sqrt(max_pixels / (width * height)), _LONGEST / max(width, height))
    image = PIL.Image.fromarray(picture)
    if scale < 1:
        image = image.resize((max(1, int(width * scale)), max(1, int(height * scale))), reducing_gap=2.0)
    if min(image.size) < _SHORTEST:
        background = PIL.Image.new("RGB", (max(_SHORTEST, image.width), max(_SHORTEST, image.height)), "gray")
        background.paste(image)
        image = background
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
