"""What belongs to an object, as a polygon and as a picture."""

import base64
import io

import cv2
import numpy as np
import PIL.Image

from models.vision.detection.detector import Mask
from tasks.bounds import Corner

_STRAIGHT = 0.004
"""How far a polygon may be from the mask's edge, as a part of its length."""


def polygon_of(mask: Mask) -> list[Corner]:
    """The outline of the mask's largest part, in the pixels of the picture; empty for an empty mask."""
    contours, _ = cv2.findContours(mask.pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    largest = max(contours, key=cv2.contourArea)
    corners = cv2.approxPolyDP(largest, _STRAIGHT * cv2.arcLength(largest, closed=True), closed=True)[:, 0]
    return [{"x": int(x) + mask.left, "y": int(y) + mask.top} for x, y in corners]


def png_of(mask: Mask, left: int, top: int, right: int, bottom: int) -> str:
    """The mask from (left, top) to (right, bottom) as a base64 PNG of one bit a pixel: white belongs to the object."""
    canvas = np.zeros((bottom - top, right - left), bool)
    rows, columns = mask.pixels.shape
    x0, y0 = max(left, mask.left), max(top, mask.top)
    x1, y1 = min(right, mask.left + columns), min(bottom, mask.top + rows)
    if x1 > x0 and y1 > y0:
        inside = mask.pixels[y0 - mask.top : y1 - mask.top, x0 - mask.left : x1 - mask.left]
        canvas[y0 - top : y1 - top, x0 - left : x1 - left] = inside
    buffer = io.BytesIO()
    PIL.Image.fromarray(canvas).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
