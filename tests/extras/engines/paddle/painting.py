"""Pages in the script of colours that the test networks read."""

import numpy as np

from models.vision.text import Image

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255))
"""RGB of the first letter of an alphabet, of the second, …"""
GREY = (128, 128, 128)

HEIGHT = 48
"""The height of a line, in pixels: what the recogniser scales every line to."""
CELL = 32
"""Width of a letter or a space and of the black between two of them."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom"""


def blank_page(width: int = 640, height: int = 320) -> Image:
    return np.full((height, width, 3), 255, np.uint8)


def paint(page: Image, text: str, x: int, y: int, *, alphabet: str = "abcdef", fade: str = "") -> list[Box]:
    """Paints `text`, letters in `fade` half-way to black, and returns where the words are.

    Words begin and end with the black that belongs to their outer letters; only the ends of a line have no more
    than half a cell of it.
    """
    boxes: list[Box] = []
    page[y : y + HEIGHT, x : x + CELL // 2] = 0
    left = x
    for index, letter in enumerate(text):
        start = x + CELL // 2 + 2 * CELL * index
        page[y : y + HEIGHT, start : start + 2 * CELL] = 0
        colour = np.array(GREY if letter == " " else COLOURS[alphabet.index(letter)])
        page[y : y + HEIGHT, start : start + CELL] = colour * 0.65 if letter in fade else colour
        if letter == " ":
            boxes.append((left, y, start - CELL / 2, y + HEIGHT))
            left = int(start + 1.5 * CELL)
    end = x + CELL // 2 + 2 * CELL * len(text) - CELL // 2
    page[y : y + HEIGHT, end : end + CELL] = 255
    boxes.append((left, y, end, y + HEIGHT))
    return boxes


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
