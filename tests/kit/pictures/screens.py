"""Drawn screens and their text as OCR would read it, for tests that need neither a browser nor an OCR engine."""

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from models.vision.text import Image, TextLine, Word

Box = tuple[float, float, float, float]
INK = (33, 37, 41)
BLUE = (13, 110, 253)
EDGE = (206, 212, 218)


@dataclass
class DrawnScreen:
    """Window of a light page on which tests draw."""

    width: int = 900
    height: int = 640
    scale: int = 1
    ground: tuple[int, int, int] = (255, 255, 255)
    ink: tuple[int, int, int] = INK
    lines: list[TextLine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._picture = PIL.Image.new("RGB", (self.width * self.scale, self.height * self.scale), self.ground)
        self._pen = PIL.ImageDraw.Draw(self._picture)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: tuple[int, int, int] | None = None,
        size: int = 16,
        anchor: str = "ls",
    ) -> Box:
        """Write text with its `anchor` at (x, y), and return the box of the ink."""
        font = PIL.ImageFont.load_default(size * self.scale)
        place = (x * self.scale, y * self.scale)
        self._pen.text(place, text, fill=colour or self.ink, font=font, anchor=anchor)
        left, top, right, bottom = self._pen.textbbox(place, text, font=font, anchor=anchor)
        words, start = [], float(left)
        for word in text.split():
            end = start + font.getlength(word)
            words.append(Word(word, ((start, top), (end, top), (end, bottom), (start, bottom)), 0.99))
            start = end + font.getlength(" ")
        self.lines.append(TextLine(tuple(words), ((left, top), (right, top), (right, bottom), (left, bottom))))
        return (left, top, right, bottom)

    def button(self, x: float, y: float, text: str, width: float = 130, height: float = 38) -> Box:
        box = self._box(x, y, width, height)
        self._pen.rounded_rectangle(box, 6 * self.scale, fill=BLUE)
        self.text(x + width / 2, y + height / 2, text, (255, 255, 255), anchor="mm")
        return box

    def field(self, x: float, y: float, text: str = "", width: float = 300, height: float = 38) -> Box:
        box = self._box(x, y, width, height)
        self._pen.rounded_rectangle(box, 6 * self.scale, fill=(255, 255, 255), outline=EDGE, width=self.scale)
        if text:
            self.text(x + 12, y + height / 2, text, INK, anchor="lm")
        return box

    def checkbox(self, x: float, y: float, label: str, side: float = 16) -> Box:
        box = self._box(x, y, side, side)
        self._pen.rounded_rectangle(
            box, 3 * self.scale, fill=(255, 255, 255), outline=(150, 155, 160), width=self.scale
        )
        self.text(x + side + 8, y + side / 2, label, anchor="lm")
        return box

    def patch(self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int]) -> Box:
        """Draw a patch of a single colour."""
        left, top, right, bottom = box = self._box(x, y, width, height)
        self._pen.rectangle((left, top, right - 1, bottom - 1), fill=colour)
        return box

    @property
    def image(self) -> Image:
        return np.asarray(self._picture)

    @property
    def png(self) -> bytes:
        buffer = BytesIO()
        self._picture.save(buffer, "PNG")
        return buffer.getvalue()

    def _box(self, x: float, y: float, width: float, height: float) -> Box:
        return (x * self.scale, y * self.scale, (x + width) * self.scale, (y + height) * self.scale)


@dataclass(frozen=True)
class SignUp:
    """Sign-up form, with the places of its parts."""

    screen: DrawnScreen
    boxes: dict[str, Box]


def sign_up(scale: int = 1) -> SignUp:
    screen = DrawnScreen(scale=scale)
    screen.text(300, 80, "Create your account", size=28)
    screen.text(300, 130, "Email address")
    boxes = {"email": screen.field(300, 142, "anna@example.org")}
    screen.text(300, 216, "Password")
    boxes["password"] = screen.field(300, 228)
    boxes["terms"] = screen.checkbox(300, 290, "I accept the terms of use")
    boxes["create"] = screen.button(300, 340, "Create account", width=150)
    return SignUp(screen, boxes)
