"""The parts of a picture that a network of fixed size looks at."""

import math

import numpy as np

from models.vision.text import Image

LONG = 3.0
"""Times its shorter side: squeezed into a square, what a longer picture shows is too narrow to be recognised."""
LONG_WHERE_CUT = 1.25
"""For networks that see the middle square of a picture."""
_MOST = 8
"""Parts of one picture; of a still longer one, each is longer than it is wide."""


def views(picture: Image, longest: float = LONG) -> list[Image]:
    """`picture`, and for one longer than `longest` times its shorter side (a strip of pictures, a screenshot of a whole
    page) the squares along it, which overlap where its length is no multiple of its width. Nothing is copied."""
    height, width = picture.shape[:2]
    short, long = min(height, width), max(height, width)
    if long <= longest * short:
        return [picture]
    count = min(_MOST, math.ceil(long / short))
    length = max(short, math.ceil(long / count))
    starts = np.linspace(0, long - length, count).round().astype(int).tolist()
    if height > width:
        return [picture, *(picture[start : start + length] for start in starts)]
    return [picture, *(picture[:, start : start + length] for start in starts)]
