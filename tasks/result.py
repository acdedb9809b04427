"""The result of a task: a JSON value, with methods by which other code reads it without knowing its shape. Every place
in a picture is given as Bounds.

Each task defines its own `Result`. Results are never changed in place, because several requests may share one.
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
from tasks.read_table import ReadTable
from tasks.redaction import Redactor

CORNERS: tuple[Literal["top_left", "top_right", "bottom_right", "bottom_left"], ...] = (
    "top_left",
    "top_right",
    "bottom_right",
    "bottom_left",
)


Box = tuple[int, int, int, int]
"""An upright rectangle: left, top, right, bottom."""
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""The line ends that `str.splitlines` knows."""
LONGEST_LINK = 200
"""A warning quotes at most this many characters of a URL."""
_LINE = re.compile(rf"[^{LINE_ENDS}]*(?:\r\n|[{LINE_ENDS}]|\Z)")


class Corner(TypedDict):
    x: int
    y: int


class Bounds(TypedDict):
    """A quadrilateral in pixels of the source picture; the order of the keys is part of the contract.

    Bounds are dictionaries because a page has hundreds: building and serialising dataclasses takes three times as long.
    """

    top_left: Corner
    top_right: Corner
    bottom_right: Corner
    bottom_left: Corner
    width: float
    """Mean length of the top and bottom sides, in steps of 0.5; an `int` if whole."""
    height: float
    """Mean length of the left and right sides, in steps of 0.5; an `int` if whole."""


def bounds_of(quad: Quad, width: int, height: int) -> Bounds:
    """Round `quad` to the pixels of a picture of `width` × `height`. Points outside are moved to the edge."""
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
        "width": _rounded_mean(hypot(bx - ax, by - ay), hypot(cx - dx, cy - dy)),
        "height": _rounded_mean(hypot(dx - ax, dy - ay), hypot(cx - bx, cy - by)),
    }


def edges_of(bounds: Bounds) -> str:
    """Return the upright bounding box as text for a language model: `(left, top, right, bottom)`."""
    corners = [bounds[name] for name in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return f"({min(xs)}, {min(ys)}, {max(xs)}, {max(ys)})"


def _rounded_mean(first: float, second: float) -> float:
    twice = round(first + second)
    return twice / 2 if twice % 2 else twice // 2


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
"""Keys of a result that describe the place of its texts and are not texts themselves. Each has a check of the value's
form, because the data of a web page may use the same keys for other things."""


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A line of a result as a language model reads it. A line is either kept or omitted as a whole."""

    text: str
    heading: str = ""
    """The page or search result that the line belongs to. It is shown once, above the lines that share it."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a result with the place of every word."""

    words: tuple[str, ...]
    pointer: str
    """JSON pointer (RFC 6901) to the line's text in the result."""
    place: Mapping[str, Any]
    """Place of the whole line: page, timestamp, speaker, url; and also bounds and confidence if the words have none."""
    bounds: tuple[Bounds, ...] = ()
    """Bounds of each word; empty if unknown."""
    confidences: tuple[float, ...] = ()
    continues: bool = True
    """True if the next line may continue a sentence of this line."""
    written: str = ""
    """The line as written, with its white space; empty if the words have bounds."""
    row: int = 0
    """Number of lines above this one in the same text, including empty ones."""
    boxes: tuple[Box, ...] = ()
    """Place of each word on the upright, flat page, if the page is not upright and flat in the source."""


@dataclass(frozen=True, slots=True)
class SourceCode:
    """A barcode or a two-dimensional code on a page. Its text is data: nothing that it names is opened."""

    kind: str
    """Name of the symbology: `EAN-13`, `QR Code`, `PDF417`."""
    text: str
    is_gs1: bool
    """True if the text consists of GS1 element strings."""
    pointer: str
    """JSON pointer to the page in the result."""
    place: Mapping[str, Any]
    """Page and bounds."""


DataT = TypeVar("DataT")


@dataclass(frozen=True)
class Result(ABC, Generic[DataT]):
    data: DataT
    """JSON value that clients see, made of types that `pydantic_core.to_json` serialises."""

    def text(self) -> str:
        """Return the text for later steps and for reading out; "" if the result has none."""
        return ""

    def markdown(self) -> str:
        """Return the text in Markdown."""
        return self.text()

    def pieces(self) -> Iterator[ResultLine]:
        """Yield all lines that a language model can use, at least one. Pixels are left out."""
        pieces = self._result_lines()
        yield next(pieces, ResultLine("nothing found"))
        yield from pieces

    @property
    def is_empty(self) -> bool:
        """True if the task found nothing."""
        return next(self._result_lines(), None) is None

    @abstractmethod
    def _result_lines(self) -> Iterator[ResultLine]:
        """Yield the result's lines; nothing if the task found nothing."""

    def warnings(self) -> Iterator[str]:
        """Yield sentences for the caller about properties of the result that are not visible in its data."""
        return iter(())

    def kept(self) -> Any:
        """Return the JSON from which `tasks.base.Specialist.restore` rebuilds the result."""
        return self.data

    def passages(self) -> Iterator[Iterator[SourceLine]]:
        """Yield the result's running texts, each as its lines in order. Evidence is searched for in them.

        Each line is made only when it is taken, because all lines of a text of millions of lines would take gigabytes
        and many seconds.
        """
        yield lines_below(self.data)

    def tables(self) -> Iterator[ReadTable]:
        """Yield the tables that have places on a page. Tables in texts are found in `passages`."""
        return iter(())

    def codes(self) -> Iterator[SourceCode]:
        """Yield the barcodes and two-dimensional codes on the pages."""
        return iter(())

    def texts_for_guard(self) -> Iterator[str]:
        """Yield all texts for a guard. Members of the data that only repeat other texts may be left out."""
        return texts_in(self.data)

    def pictures(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the data URL of each picture that the task has made, which a guard has to judge."""
        return iter(())

    def mapped(self, redactor: Redactor) -> "Result[DataT]":
        """Return the result without personal data."""
        return type(self)(redactor.value(self.data))


class JsonResult(Result[Any]):
    """A result of unknown shape."""

    def text(self) -> str:
        match self.data:
            case {"text": str(text), **others} if not others:
                return text
        return ""

    def _result_lines(self) -> Iterator[ResultLine]:
        match self.data:
            case {"text": str(text), **others} if not others:
                yield from pieces_under("", text)
            case _:
                yield ResultLine(json_text(self.data))


@dataclass(frozen=True)
class Failure(Result[None]):
    """The result of a task that failed."""

    data: None = field(default=None, init=False)
    message: str
    link: str | None = None
    """URL that the user's text mentions, if the task failed because it could not be read."""

    def _result_lines(self) -> Iterator[ResultLine]:
        yield ResultLine(f"failed: {self.message}")

    def warnings(self) -> Iterator[str]:
        if self.link is None:
            yield self.message
        else:
            name = "" if self.link in self.message else f" '{self.link[:LONGEST_LINK]}'"
            yield f"The link{name} in the text was not read: {self.message}"

    def passages(self) -> Iterator[Iterator[SourceLine]]:
        return iter(())

    def texts_for_guard(self) -> Iterator[str]:
        yield self.message

    def mapped(self, redactor: Redactor) -> Result[None]:
        link = None if self.link is None else redactor.text(self.link)
        return Failure(redactor.text(self.message), link)


def pieces_under(heading: str, *texts: str) -> Iterator[ResultLine]:
    """Return the lines of `texts`, all under `heading`."""
    return (ResultLine(line, heading) for text in texts for line in text_lines(text))


def json_text(data: Any) -> str:
    return pydantic_core.to_json(data).decode()


def text_lines(text: str) -> Iterator[str]:
    """Yield the non-blank lines."""
    return (line.rstrip() for _, line in _written_lines(text))


def texts_in(value: Any, left_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the strings in a JSON value. The members `left_out` of an object are skipped if the value is the object
    itself or a list of such objects."""
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
    """Yield every text, number and boolean in `value`, in order. Places of texts are skipped, apart from a `url`, and
    so are the members `left_out` of `value` itself. Texts are split into lines."""
    place = place or {}
    match value:
        case dict():
            shared_place = {key: place[key] for key in ("page", "url") if key in place}
            own = {key: value[key] for key, is_place in _PLACE.items() if key in value and is_place(value[key])}
            for key, child in value.items():
                if key == "url" or not (key in own or key in left_out):
                    yield from lines_below(child, f"{pointer}/{escape(key)}", {**shared_place, **own})
        case list():
            for index, child in enumerate(value):
                yield from lines_below(child, f"{pointer}/{index}", place)
        case bool() | int() | float() | str():
            lines = _written_lines(str(value).lower() if isinstance(value, bool) else str(value))
            following = next(lines, None)
            while following is not None:
                (row, line), following = following, next(lines, None)
                # A sentence of a speaker may continue from one chunk of a transcript to the next.
                continues = following is not None or "timestamp" in place
                yield SourceLine(tuple(line.split()), pointer, place, continues=continues, written=line, row=row)


def _written_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text that are not blank, each with the number of lines above it. Each line is made only when
    it is taken, because all lines of megabytes would take gigabytes."""
    for row, found in enumerate(_LINE.finditer(text)):
        line = found[0].rstrip(LINE_ENDS)
        if line and not line.isspace():
            yield row, line


def escape(key: str) -> str:
    """Escape `key` for use in a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
