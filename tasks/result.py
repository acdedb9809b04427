"""What a task answers: a value of JSON, and what everything that works on it needs to know of its shape. Where
something stands in a picture, every task reports as Bounds.

Each task has its own `Result` beside it. Nothing is changed in place: a result may be shared with other requests.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import hypot
from typing import Any, Generic, Literal, TypeVar

import pydantic_core
from typing_extensions import TypedDict

from models.vision.text import Quad
from tasks.redaction import Redactor

CORNERS: tuple[Literal["top_left", "top_right", "bottom_right", "bottom_left"], ...] = (
    "top_left",
    "top_right",
    "bottom_right",
    "bottom_left",
)


class Corner(TypedDict):
    x: int
    y: int


class Bounds(TypedDict):
    """A quadrilateral in pixels of the source picture; the order of the keys is part of the contract.

    A dictionary and not a class because a page has hundreds: built and serialised, dictionaries take a third
    of the time of dataclasses.
    """

    top_left: Corner
    top_right: Corner
    bottom_right: Corner
    bottom_left: Corner
    width: float
    """The mean of the top and the bottom side, in steps of 0.5; an `int` where whole."""
    height: float
    """The mean of the left and the right side, likewise."""


def bounds_of(quad: Quad, width: int, height: int) -> Bounds:
    """`quad` on the pixel grid of a picture of `width` × `height`; what sticks out is moved to the edge."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = [(round(x), round(y)) for x, y in quad]
    if not (min(ax, bx, cx, dx) >= 0 and max(ax, bx, cx, dx) <= width):
        ax, bx, cx, dx = [min(max(x, 0), width) for x in (ax, bx, cx, dx)]
    if not (min(ay, by, cy, dy) >= 0 and max(ay, by, cy, dy) <= height):
        ay, by, cy, dy = [min(max(y, 0), height) for y in (ay, by, cy, dy)]
    return {
        "top_left": {"x": ax, "y": ay},
        "top_right": {"x": bx, "y": by},
        "bottom_right": {"x": cx, "y": cy},
        "bottom_left": {"x": dx, "y": dy},
        "width": _mean(hypot(bx - ax, by - ay), hypot(cx - dx, cy - dy)),
        "height": _mean(hypot(dx - ax, dy - ay), hypot(cx - bx, cy - by)),
    }


def edges_of(bounds: Bounds) -> str:
    """Left, top, right and bottom, as they are told to a language model."""
    corners = [bounds[name] for name in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return f"({min(xs)}, {min(ys)}, {max(xs)}, {max(ys)})"


def _mean(one: float, other: float) -> float:
    twice = round(one + other)
    return twice / 2 if twice % 2 else twice // 2


_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""Between the ends of lines that `str.splitlines` knows."""


def _is_corner(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("x"), int) and isinstance(value.get("y"), int)


_PLACE: dict[str, Callable[[Any], bool]] = {
    "bounds": lambda value: isinstance(value, dict) and all(_is_corner(value.get(name)) for name in CORNERS),
    "page": lambda value: isinstance(value, int),
    "timestamp": lambda value: isinstance(value, list | tuple) and len(value) == 2,
    "speaker": lambda value: isinstance(value, str),
    "url": lambda value: isinstance(value, str),
    "confidence": lambda value: isinstance(value, int | float),
}
"""Keys of a result that say where its texts stand, and are none themselves; a web page's data may mean other things
by them, in another form."""


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A line of a result as a language model reads it; the least that is kept or left out."""

    text: str
    heading: str = ""
    """What it stands under: a page, a search result. Shown once before the pieces that share it."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a result whose every word knows where it stands."""

    words: tuple[str, ...]
    pointer: str
    """Where its text is in the result (RFC 6901)."""
    place: Mapping[str, Any]
    """What holds for the whole line: page, timestamp, speaker, url; bounds and confidence where words have none."""
    bounds: tuple[Bounds, ...] = ()
    """The bounds of each word, or nothing."""
    confidences: tuple[float, ...] = ()
    continues: bool = True
    """Whether the next line may go on with the same sentence."""
    written: str = ""
    """The line as its text has it, blanks between the words included; empty where the words have bounds."""
    row: int = 0
    """How many lines of its text, empty ones too, stand above it."""


DataT = TypeVar("DataT")


@dataclass(frozen=True)
class Result(ABC, Generic[DataT]):
    data: DataT
    """The value of JSON that clients see, made of what `pydantic_core.to_json` serialises."""

    def text(self) -> str:
        """What a step after it works on, and what is read out; "" where there is no such text."""
        return ""

    def pieces(self) -> Iterator[ResultLine]:
        """All that it says, for a language model, without the pixels that it cannot use; at least one."""
        pieces = self._pieces()
        yield next(pieces, ResultLine("nothing found"))
        yield from pieces

    @abstractmethod
    def _pieces(self) -> Iterator[ResultLine]:
        """None where nothing was found."""

    def kept(self) -> Any:
        """What has to be kept, as JSON, to have the same result again; see `tasks.base.Reading`."""
        return self.data

    def passages(self) -> Iterator[list[SourceLine]]:
        """Its running texts, the lines of each in order: what evidence is looked for in."""
        yield list(lines_below(self.data))

    def said(self) -> Iterator[str]:
        """All its texts, for a guard: without what says the same again, and what is no words."""
        return texts_in(self.data)

    def mapped(self, redactor: Redactor) -> "Result[DataT]":
        """The same result without personal data."""
        return type(self)(redactor.value(self.data))


class JsonResult(Result[Any]):
    """One whose shape is not known."""

    def _pieces(self) -> Iterator[ResultLine]:
        match self.data:
            case {"text": str(text), **others} if not others:
                yield from pieces_under("", text)
            case _:
                yield ResultLine(json_text(self.data))


@dataclass(frozen=True)
class Failure(Result[None]):
    """Stands where there is no result."""

    data: None = field(default=None, init=False)
    message: str

    def _pieces(self) -> Iterator[ResultLine]:
        yield ResultLine(f"failed: {self.message}")

    def passages(self) -> Iterator[list[SourceLine]]:
        return iter(())

    def said(self) -> Iterator[str]:
        yield self.message

    def mapped(self, redactor: Redactor) -> "Failure":
        return Failure(redactor.text(self.message))


def pieces_under(heading: str, *texts: str) -> Iterator[ResultLine]:
    """The lines of `texts`, one by one."""
    return (ResultLine(line, heading) for text in texts for line in text_lines(text))


def json_text(data: Any) -> str:
    return pydantic_core.to_json(data).decode()


def text_lines(text: str) -> Iterator[str]:
    """Those with something on them, one by one: all at once, megabytes of short lines hold up every thread."""
    return (line for found in _LINE.finditer(text) if (line := found[0].rstrip()))


def texts_in(value: Any, left_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """The strings in a value of JSON, but for the members `left_out`."""
    match value:
        case str():
            yield value
        case Mapping():
            for key, member in value.items():
                if key not in left_out:
                    yield from texts_in(member)
        case list() | tuple():
            for one in value:
                yield from texts_in(one, left_out)


def lines_below(
    value: Any, pointer: str = "", place: Mapping[str, Any] | None = None, left_out: frozenset[str] = frozenset()
) -> Iterator[SourceLine]:
    """Every text and number below `value`, in order, but for its members `left_out`; a text's lines one by one."""
    place = place or {}
    match value:
        case dict():
            around = {key: place[key] for key in ("page", "url") if key in place}
            own = {key: value[key] for key, is_place in _PLACE.items() if key in value and is_place(value[key])}
            for key, child in value.items():
                if key == "url" or not (key in own or key in left_out):
                    yield from lines_below(child, f"{pointer}/{escape(key)}", {**around, **own})
        case list():
            for index, child in enumerate(value):
                yield from lines_below(child, f"{pointer}/{index}", place)
        case bool() | int() | float() | str():
            written = str(value).lower() if isinstance(value, bool) else str(value)
            lines = [(row, line) for row, line in enumerate(written.splitlines()) if line and not line.isspace()]
            for number, (row, line) in enumerate(lines, 1):
                # Somebody's sentence runs on over the chunks of a transcript.
                continues = number < len(lines) or "timestamp" in place
                yield SourceLine(tuple(line.split()), pointer, place, continues=continues, written=line, row=row)


def escape(key: str) -> str:
    """`key` as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
