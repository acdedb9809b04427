"""Forms with boxes and circles to tick, drawn for the tests in several faces and hands."""

import random
from dataclasses import dataclass, field
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tests.kit.papers.pages import typeface_of

FACES = ("sans", "vera", "serif", "times")
SQUARES = ("tick", "cross", "check", "hand", "fill", "stroke")
"""Marks in square boxes: a tick, a cross, a large tick that leaves the box, a hand's cross, all ink, one stroke."""
QUESTIONS = (
    ("Smoker", ("yes", "no")),
    ("Newsletter", ("Yes", "No")),
    ("Sex", ("male", "female", "diverse")),
    ("Payment", ("cash", "card", "bank transfer")),
    ("Raucher", ("ja", "nein")),
    ("Marital status", ("single", "married", "divorced")),
    ("Fumeur", ("oui", "non")),
    ("Membership", ("monthly", "yearly")),
)


@dataclass
class DrawnForm:
    picture: NDArray[np.uint8]
    boxes: list[tuple[tuple[int, int, int, int], bool]] = field(default_factory=list)
    """Each box with its place and True if it is ticked."""
    answers: dict[str, str] = field(default_factory=dict)
    """The ticked option of each question."""


def form_of(seed: int, *, rounds: bool = False, size: int = 0, width: int = 1240, rows: int = 8) -> DrawnForm:
    """Return a form of `rows` questions whose options have a box each, of which one is ticked."""
    rng = random.Random(seed)
    size = size or rng.choice((20, 24, 28, 34))
    face = typeface_of(rng.choice(FACES), size)
    sheet = Pillow.new("L", (width, 200 + rows * 3 * size), rng.choice((255, 255, 244)))
    draw = ImageDraw.Draw(sheet)
    form = DrawnForm(np.empty(0, np.uint8))
    draw.text((80, 60), "Registration form", 20, typeface_of("sans", size + 8))
    mark = rng.choice(("dot", "cross", "tick") if rounds else SQUARES)
    line, side, is_behind = rng.choice((1, 2, 3)), round(size * rng.uniform(0.8, 1.2)), rng.random() < 0.3
    for row in range(rows):
        question, options = QUESTIONS[row % len(QUESTIONS)]
        top = 150 + row * 3 * size
        draw.text((80, top), f"{question}:", 20, face)
        left, chosen = 80 + 9 * size, rng.randrange(len(options))
        for at, option in enumerate(options):
            wide = face.getlength(option)
            box_left = round(left + wide + 0.5 * size) if is_behind else left
            box = (box_left, top + round(0.65 * size - side / 2), side)
            draw.text((left if is_behind else left + side + 0.5 * size, top), option, 20, face)
            _draw_box(draw, box, line, rounds=rounds, corner=rng.choice((0, 0, 3)) if not rounds else 0)
            if at == chosen:
                _draw_mark(draw, box, mark, rng)
            form.boxes.append(((box[0], box[1], box[0] + side, box[1] + side), at == chosen))
            left += round(wide + side + 2.2 * size)
        form.answers[question] = options[chosen]
    noise = np.random.default_rng(seed).normal(0, 4, (sheet.height, sheet.width))
    grey = np.clip(np.asarray(sheet) + noise, 0, 255).astype(np.uint8)
    form.picture = np.repeat(grey[:, :, None], 3, axis=2)
    return form


def _draw_box(draw: ImageDraw.ImageDraw, box: tuple[int, int, int], line: int, *, rounds: bool, corner: int) -> None:
    left, top, side = box
    place = (left, top, left + side, top + side)
    if rounds:
        draw.ellipse(place, outline=30, width=line)
    else:
        draw.rounded_rectangle(place, corner, outline=30, width=line)


def _draw_mark(draw: ImageDraw.ImageDraw, box: tuple[int, int, int], mark: str, rng: random.Random) -> None:
    left, top, side = box

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * side, top + y * side

    pen = rng.choice((2, 3))
    if mark == "tick":
        draw.line([at(0.2, 0.5), at(0.42, 0.75), at(0.8, 0.22)], 40, pen, joint="curve")
    elif mark == "check":
        draw.line([at(0.1, 0.4), at(0.4, 0.85), at(1.25, -0.35)], 60, pen, joint="curve")
    elif mark == "cross":
        draw.line([at(0.15, 0.15), at(0.85, 0.85)], 30, pen)
        draw.line([at(0.85, 0.15), at(0.15, 0.85)], 30, pen)
    elif mark == "hand":
        for start, end in (((-0.15, -0.1), (1.1, 1.15)), ((1.15, -0.2), (-0.1, 1.05))):
            points = [
                at(
                    start[0] + step / 8 * (end[0] - start[0]) + 0.05 * sin(step + rng.random()),
                    start[1] + step / 8 * (end[1] - start[1]) + 0.05 * cos(step * pi / 5),
                )
                for step in range(9)
            ]
            draw.line(points, 70, pen, joint="curve")
    elif mark == "stroke":
        draw.line([at(0.15, 0.8), at(0.9, 0.15)], 40, pen)
    elif mark == "fill":
        draw.rectangle((*at(0, 0), *at(1, 1)), fill=30)
    else:
        draw.ellipse((*at(0.28, 0.28), *at(0.72, 0.72)), fill=30)
