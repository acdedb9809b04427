"""Simulation of reading errors in lines: confused letters, lost spaces, joined or split rows, and inexact boxes.

The marks in a line keep their text.
"""

import math
import random
from dataclasses import replace

from training.extraction.layout import Placed
from training.extraction.marked import Marked

_TAKEN_FOR = {
    "0": "O", "O": "0", "1": "l", "l": "1", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "2": "Z", "6": "G",
    ",": ".", ".": ",", "é": "e", "ü": "u", "ö": "o", "ß": "B", "ç": "c", "ñ": "n", "’": "'", "☐": "□", "☒": "X",
}  # fmt: skip


def read(lines: list[Placed], rng: random.Random, noise: float) -> list[Placed]:
    """Return the lines with reading errors; `noise` is 0 (no errors) to 1 (a bad photo)."""
    if not noise:
        return lines
    found: list[Placed] = []
    for line in lines:
        before = found[-1] if found else None
        if before and _beside(before, line) and rng.random() < 0.15 * noise:
            width = line.x + line.width - before.x
            found[-1] = replace(before, text=before.text + " " + line.text, width=width)
        else:
            found.append(line)
    parted = [part for line in found for part in _parted(line, rng, noise)]
    right = max(line.x + line.width for line in parted)
    turn = math.radians(rng.uniform(-1.5, 1.5) * noise)
    return [_moved(replace(line, text=_misread(line.text, rng, noise)), right / 2, turn, rng, noise) for line in parted]


def _beside(first: Placed, second: Placed) -> bool:
    near = second.x - first.x - first.width < 8 * first.size
    return first.page == second.page and abs(first.y - second.y) < 0.3 * first.size and second.x > first.x and near


def _parted(line: Placed, rng: random.Random, noise: float) -> list[Placed]:
    spaces = [at for at, letter in enumerate(line.text.text) if letter == " "]
    if not spaces or rng.random() >= 0.06 * noise:
        return [line]
    at = rng.choice(spaces)
    first = line.width * at / len(line.text.text)
    return [
        replace(line, text=line.text.cut(0, at), width=first),
        replace(
            line,
            text=line.text.cut(at + 1, len(line.text.text)),
            x=line.x + first + 0.3 * line.size,
            width=max(line.width - first - 0.3 * line.size, 1.0),
        ),
    ]


def _misread(text: Marked, rng: random.Random, noise: float) -> Marked:
    for at in range(len(text.text) - 1, -1, -1):
        letter = text.text[at]
        if letter in _TAKEN_FOR and rng.random() < 0.02 * noise:
            text = text.replaced(at, at + 1, _TAKEN_FOR[letter])
        elif letter == " " and rng.random() < (0.2 if text.text[at - 1 : at] == ":" else 0.015) * noise:
            text = text.replaced(at, at + 1, "")
        elif letter == ":" and rng.random() < 0.1 * noise:
            text = text.replaced(at, at, " ")
    return text


def _moved(line: Placed, middle: float, turn: float, rng: random.Random, noise: float) -> Placed:
    jitter = 0.08 * noise * line.size
    sideways = line.x + line.width / 2 - middle
    return replace(
        line,
        x=max(line.x - turn * line.y + rng.uniform(-jitter, jitter), 0.0),
        y=max(line.y + turn * sideways + rng.uniform(-jitter, jitter), 0.0),
        width=line.width + rng.uniform(-jitter, jitter),
    )
