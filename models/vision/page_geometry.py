"""The geometry of a page: a map between the pixels of a picture and the upright, flat page that it shows.

The map is fitted to the lines of text. The direction of most text determines the turn and the skew. In the frame of
that direction, two smooth functions of the position, v and u, describe the remaining distortion: lines of text are
level in v (perspective, a curled sheet), and edges of text that align below each other are upright in u (perspective).
Both are found by linear least squares with robust weights, and with a prior of no distortion, so that a page with
little text gets little correction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Point, Quad, Ruling, TextLine, Word

Points = NDArray[np.float64]
"""Array of … × 2: x, y."""

_MAX_SHORT_CHARS = 2
"""The direction of a text with at most this many characters is unreliable."""
_TURN_RATIO = 1.5
"""A page counts as turned if its sideways or upside-down text is more than this many times as long as its upright
text."""
_FEWEST_TURNED = 3
"""A page that also has upright text counts as turned only if it has at least this many turned lines. The label of an
axis is only one line."""
_ROW_TERMS = ((1, 0), (1, 1), (2, 0), (2, 1), (1, 2), (3, 0), (4, 0))
"""Powers of x and y in v. Powers of y alone are left out, because they do not change which points are level."""
_COLUMN_TERMS = ((0, 1), (1, 1), (0, 2), (1, 2))
"""Powers of x and y in u."""
_PRIOR = 0.12
"""Standard deviation of a coefficient before any text is seen, in halves of the text's longer side."""
_LEAST_LENGTH = 2.0
"""The slope of a line counts only if the line has at least this length, in line heights."""
_FEWEST_LINES = 4
"""More than turn and skew is determined only on a page with at least this many lines of at least _LEAST_LENGTH."""
_MAX_LINES = 1000
"""A geometry is fitted to at most this many lines, taken evenly from the whole page. A dense page has about 300; more
would not improve the result, and an untrusted page may have tens of thousands."""
_NOISE = 0.08
"""Usual error of a line's end, in line heights."""
_ROW_TOLERANCE = 0.35
"""A line counts as the continuation of another line's row if it begins at the level where the other one ends, up to
this difference in line heights."""
_ROUNDS = 12
_UPRIGHT_TOLERANCE = 0.2
"""A page counts as upright if no displacement on it is larger than this, in line heights."""
_MAX_GRADIENT = 0.5
"""A displacement changes by at most this much per pixel. If it changed more, the map could fold over itself and have no
inverse."""
_MAX_PAIRS = 2000
"""At most this many pairs of left edges, and at most this many pairs of right edges, vote for the slant of columns."""
_MAX_BELOW = 39
"""The edges of a line are compared with those of at most this many lines below it."""
_PAIR_HEIGHTS = 8.0
"""The edges of two lines are compared if the lines are at most this far apart, in line heights."""
_MAX_SLANT = 0.4
"""A column slants by at most this many pixels to the side per pixel down."""
_ALIGNED = 0.2
"""Usual error of aligned edges, in line heights."""
_VOTE_RATIO, _VOTE_MARGIN = 1.25, 4.0
"""Columns count as slanted only if the votes for the slant are at least the votes for upright columns times the first
number, plus the second number."""
_MAX_REACH = 1.1
"""The distortion stays constant beyond this distance from the middle of the text, in halves of the text's longer
side."""
_GRID = 16
"""Distance, in pixels, between the points at which the flattening of a picture is computed exactly."""
_CONVERGED = 1e-9
"""Change of a position, in pixels per iteration, below which the search for it has converged."""
_MAX_AREA_RATIO = 3.0
"""The flattened picture has at most this many times the area of the picture at the same scale."""


_QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
"""Cosine and sine of zero to three quarter turns."""


@dataclass(frozen=True, slots=True)
class _Surface:
    """A displacement, as a polynomial of the place in the turned frame."""

    terms: Sequence[tuple[int, int]]
    coefficients: tuple[float, ...]

    def at(self, places: Points) -> NDArray[np.float64]:
        return np.asarray(_powers(places, self.terms) @ np.array(self.coefficients))


def _powers(places: Points, terms: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Return the terms at `places`, which are relative to the text's middle, in halves of its longer
    side."""
    x, y = ([np.ones(places.shape[:-1]), places[..., axis].clip(-_MAX_REACH, _MAX_REACH)] for axis in (0, 1))
    for axis, powers in enumerate((x, y)):
        # NumPy's own powers beyond the square take ten times as long as products.
        while len(powers) <= max(term[axis] for term in terms):
            powers.append(powers[-1] * powers[1])
    return np.stack([x[i] * y[j] for i, j in terms], axis=-1)


@dataclass(frozen=True)
class PageGeometry:
    """A map between the pixels of a picture and the pixels of the upright, flat page. Sizes stay nearly the same."""

    angle: float = 0.0
    """Direction of the text in degrees clockwise: 0 runs right, 90 runs down."""
    centre: Point = (0.0, 0.0)
    """Middle of the text in the frame turned by `angle`."""
    reach: float = 1.0
    """Half of the longer side of the text, in pixels."""
    rows: tuple[float, ...] = ()
    """Coefficients of the displacement that makes lines level; empty if turning the page is enough."""
    columns: tuple[float, ...] = ()
    """Coefficients of the displacement that makes columns upright."""
    origin: Point = (0.0, 0.0)
    """Position, in the turned frame, of the point (0, 0) of the upright page."""

    @property
    def is_upright(self) -> bool:
        return not (self.angle or self.rows or self.columns)

    def upright(self, points: Any) -> Points:
        """Return where points of the picture (… × 2) lie on the upright page."""
        places: Points = np.asarray(points, np.float64)
        if self.is_upright:
            return places
        turned = _rotated(places, -self.angle)
        return np.asarray(turned + self._displacements(turned) - self.origin)

    def source(self, points: Any) -> Points:
        """Return where `points` of the upright page (… × 2) are in the picture."""
        places: Points = np.asarray(points, np.float64)
        if self.is_upright:
            return places
        wanted = places + self.origin
        turned = wanted
        if self.rows or self.columns:
            # This is a fixed-point iteration. Each round at least halves the error (`_MAX_GRADIENT`).
            for _ in range(24):
                previous, turned = turned, wanted - self._displacements(turned)
                if np.abs(turned - previous).max(initial=0.0) < _CONVERGED:
                    break
        return _rotated(turned, self.angle)

    def upright_lines(self, lines: Sequence[TextLine]) -> Sequence[TextLine]:
        """Return `lines` with their places on the upright page."""
        if self.is_upright or not lines:
            return lines
        quads = [quad for line in lines for quad in (line.quad, *(word.quad for word in line.words))]
        moved = map(_quad, self.upright(quads).tolist())
        found = []
        for line in lines:
            own = next(moved)
            found.append(TextLine(tuple([Word(word.text, next(moved), word.confidence) for word in line.words]), own))
        return found

    def source_quad(self, quad: Quad) -> Quad:
        return quad if self.is_upright else _quad(self.source(quad).tolist())

    def numbers(self) -> list[Any]:
        """Return the geometry as a list for JSON, which `restored` reads."""
        return [self.angle, self.centre, self.reach, self.rows, self.columns, self.origin]

    @classmethod
    def restored(cls, numbers: Sequence[Any]) -> "PageGeometry":
        angle, centre, reach, rows, columns, origin = numbers
        return cls(angle, (centre[0], centre[1]), reach, tuple(rows), tuple(columns), (origin[0], origin[1]))

    @classmethod
    def of_lines(cls, lines: Iterable[TextLine]) -> "PageGeometry":
        """Fit the geometry of a page to its lines, in any order."""
        runs = [_axis_of(line.quad) for line in lines if len(line.text) > _MAX_SHORT_CHARS]
        return _fit(runs) if runs else UPRIGHT

    @cached_property
    def _surfaces(self) -> tuple[_Surface | None, _Surface | None]:
        return (
            _Surface(_COLUMN_TERMS, self.columns) if self.columns else None,
            _Surface(_ROW_TERMS, self.rows) if self.rows else None,
        )

    def _displacements(self, turned: Points) -> Points:
        places = (turned - self.centre) / self.reach
        found = np.zeros_like(turned)
        for axis, surface in enumerate(self._surfaces):
            if surface is not None:
                found[..., axis] = self.reach * surface.at(places)
        return found

    def upright_rulings(self, rulings: Sequence[Ruling]) -> Sequence[Ruling]:
        if self.is_upright or not rulings:
            return rulings
        return [((ax, ay), (bx, by)) for (ax, ay), (bx, by) in self.upright(rulings).tolist()]

    def flattened(self, picture: NDArray[np.uint8], scale: float = 1.0) -> tuple[NDArray[np.uint8], Point, float]:
        """Return the picture (grey or RGB) of the upright page, the point of the page that its corner shows, and its
        scale. The returned scale is `scale`, or less if the page would otherwise become too large."""
        import cv2

        height, width = picture.shape[:2]
        corners = self.upright([(0, 0), (width, 0), (width, height), (0, height)])
        low, high = corners.min(axis=0), corners.max(axis=0)
        size = np.maximum(1, np.ceil((high - low) * scale)).astype(int)
        shrinkage = (_MAX_AREA_RATIO * height * width * scale**2 / size.prod()) ** 0.5
        if shrinkage < 1:
            scale, size = scale * shrinkage, np.maximum(1, size * shrinkage).astype(int)
        columns, rows = (np.linspace(0, side, max(2, side // _GRID + 2)) for side in size)
        grid = np.stack(np.meshgrid(columns, rows), axis=-1) / scale + low
        places = self.source(grid).astype(np.float32)
        # Corners of a grid lie on the edges of pixels, whereas `remap` counts from their centres.
        at_x = (np.arange(size[0], dtype=np.float32) + 0.5) * (len(columns) - 1) / size[0]
        at_y = (np.arange(size[1], dtype=np.float32) + 0.5) * (len(rows) - 1) / size[1]
        x, y = np.meshgrid(at_x.astype(np.float32), at_y.astype(np.float32))
        pixel_map = cv2.remap(places, x, y, cv2.INTER_LINEAR)
        pixel_map -= 0.5
        flat = cv2.remap(picture, pixel_map, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(flat, np.uint8), (float(low[0]), float(low[1])), scale


UPRIGHT = PageGeometry()
"""The geometry of a page that lies upright and flat in its picture."""


@dataclass(frozen=True, slots=True)
class _LineAxis:
    """The middles of a line's left and right side, and its height."""

    start: Point
    end: Point
    height: float

    @property
    def angle(self) -> float:
        return degrees(atan2(self.end[1] - self.start[1], self.end[0] - self.start[0]))

    @property
    def length(self) -> float:
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])


def _axis_of(quad: Quad) -> _LineAxis:
    a, b, c, d = quad
    height = (hypot(d[0] - a[0], d[1] - a[1]) + hypot(c[0] - b[0], c[1] - b[1])) / 2
    return _LineAxis(((a[0] + d[0]) / 2, (a[1] + d[1]) / 2), ((b[0] + c[0]) / 2, (b[1] + c[1]) / 2), height)


def _fit(runs: Sequence[_LineAxis]) -> PageGeometry:
    turns: list[list[_LineAxis]] = [[], [], [], []]
    for run in runs:
        turns[round(run.angle / 90) % 4].append(run)
    turn = _page_turn(turns)
    sample = _evenly_sampled(turns[turn])
    angle = 90 * turn + _weighted_median([((run.angle - 90 * turn + 180) % 360 - 180, run.length) for run in sample])
    starts = _rotated(np.array([run.start for run in sample]), -angle)
    ends = _rotated(np.array([run.end for run in sample]), -angle)
    heights = np.array([run.height for run in sample]).clip(1.0)
    all_points = np.concatenate([starts, ends])
    low, upper = all_points.min(axis=0), all_points.max(axis=0)
    reach = max(float((upper - low).max()) / 2, 1.0)
    centre = (low + upper) / 2
    plain = PageGeometry(angle, (float(centre[0]), float(centre[1])), reach)
    rows = _level_rows((starts - centre) / reach, (ends - centre) / reach, heights / reach)
    columns = _upright_columns((starts - centre) / reach, (ends - centre) / reach, heights / reach)
    fitted = replace(plain, rows=rows, columns=columns)
    if _folds(fitted):
        fitted = plain
    if not turn and _greatest_displacement(fitted, all_points) < _UPRIGHT_TOLERANCE * float(np.median(heights)):
        return UPRIGHT
    left, top = (all_points + fitted._displacements(all_points)).min(axis=0) - heights.max()
    return replace(fitted, origin=(float(left), float(top)))


def _page_turn(turns: Sequence[Sequence[_LineAxis]]) -> int:
    """Return the number of quarter turns, clockwise, at which most of the page's text runs."""
    lengths = [sum(run.length for run in runs) for runs in turns]
    turn = max(range(4), key=lambda quarter: (lengths[quarter], -quarter))
    is_clear = not turns[0] or (len(turns[turn]) >= _FEWEST_TURNED and lengths[turn] > _TURN_RATIO * lengths[0])
    return turn if is_clear else 0


def _evenly_sampled(runs: Sequence[_LineAxis]) -> Sequence[_LineAxis]:
    """Return at most `_MAX_LINES` of `runs` from all over the page. The selection does not depend on their order."""
    if len(runs) <= _MAX_LINES:
        return runs
    ordered = sorted(runs, key=lambda run: (run.start[1], run.start[0], run.end))
    return [ordered[index * len(ordered) // _MAX_LINES] for index in range(_MAX_LINES)]


def _level_rows(starts: Points, ends: Points, heights: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the coefficients of v, for lines from `starts` to `ends` in the turned and scaled frame."""
    is_long = ends[:, 0] - starts[:, 0] >= _LEAST_LENGTH * heights
    if is_long.sum() < _FEWEST_LINES:
        return ()
    left, right = starts[is_long], ends[is_long]
    found = _fit_coefficients(left, right, heights[is_long], 1, _ROW_TERMS)
    # A second round also counts lines beside each other as one row.
    levels = [places[:, 1] + _powers(places, _ROW_TERMS) @ found for places in (starts, ends)]
    ending, following = _neighbours(starts, ends, levels, heights)
    if len(ending):
        left, right = np.concatenate([left, ends[ending]]), np.concatenate([right, starts[following]])
        sizes = np.concatenate([heights[is_long], np.maximum(heights[ending], heights[following])])
        found = _fit_coefficients(left, right, sizes, 1, _ROW_TERMS)
    return tuple(found.tolist())


def _neighbours(
    starts: Points, ends: Points, levels: Sequence[NDArray[np.float64]], heights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of lines of which the second begins at the level where the first ends, as arrays of indices."""
    order = np.argsort(levels[0], kind="stable")
    begins = levels[0][order]
    pairs = []
    for index, (level, height) in enumerate(zip(levels[1].tolist(), heights.tolist(), strict=True)):
        first, last = np.searchsorted(begins, (level - _ROW_TOLERANCE * height, level + _ROW_TOLERANCE * height))
        candidates = order[first:last]
        candidates = candidates[starts[candidates, 0] > ends[index, 0]]
        candidates = candidates[(heights[candidates] < 1.5 * height) & (heights[candidates] > height / 1.5)]
        if len(candidates):
            pairs.append((index, int(candidates[starts[candidates, 0].argmin()])))
    ending, following = np.array(pairs, np.intp).reshape(-1, 2).T
    return ending, following


def _fit_coefficients(
    first: Points, second: Points, heights: NDArray[np.float64], axis: int, terms: Sequence[tuple[int, int]],
    begin: Sequence[float] = (), noise: float = _NOISE,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the coefficients of the displacement along `axis` that makes the points `first` and `second` agree along
    this axis, by iteratively reweighted least squares (Geman and McClure's weights)."""
    steps = _powers(second, terms) - _powers(first, terms)
    differences = second[:, axis] - first[:, axis]
    errors = noise * heights
    found: NDArray[np.float64] = np.zeros(len(terms))
    found[: len(begin)] = begin
    for _ in range(_ROUNDS):
        weights = 1 / (1 + ((differences + steps @ found) / (3 * errors)) ** 2) ** 2 / errors**2
        weighted = steps * weights[:, None]
        found = np.asarray(
            np.linalg.solve(weighted.T @ steps + np.eye(len(terms)) / _PRIOR**2, -weighted.T @ differences)
        )
    return found


def _upright_columns(starts: Points, ends: Points, heights: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the coefficients of u. The left and right edges of lines vote for the slant at which they align."""
    edges = [_aligned_pairs(places, heights) for places in (starts, ends)]
    upper = np.concatenate([places[first] for places, (first, _) in zip((starts, ends), edges, strict=True)])
    lower = np.concatenate([places[second] for places, (_, second) in zip((starts, ends), edges, strict=True)])
    sizes = np.concatenate([np.maximum(heights[first], heights[second]) for first, second in edges])
    if len(upper) < 2 * _FEWEST_LINES:
        return ()
    steps = _powers(lower, _COLUMN_TERMS[:2]) - _powers(upper, _COLUMN_TERMS[:2])
    differences = lower[:, 0] - upper[:, 0]
    slants = np.linspace(-_MAX_SLANT, _MAX_SLANT, 33)
    grid = np.stack(np.meshgrid(slants, slants), axis=-1).reshape(-1, 2)
    # A pair of distant lines determines the slant more exactly than a pair of adjacent ones, but fewer of the distant
    # pairs are right.
    votes = np.exp(-(((differences + grid @ steps.T) / (_ALIGNED * sizes)) ** 2)).sum(axis=1)
    best, upright = int(votes.argmax()), len(grid) // 2
    if votes[best] < _VOTE_RATIO * votes[upright] + _VOTE_MARGIN:
        return ()
    found = _fit_coefficients(upper, lower, sizes, 0, _COLUMN_TERMS, grid[best].tolist(), _ALIGNED)
    return tuple(found.tolist())


def _aligned_pairs(places: Points, heights: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of edges that may belong to one column, as arrays of indices."""
    order = places[:, 1].argsort(kind="stable")
    below = np.arange(len(order))[:, None] + np.arange(1, _MAX_BELOW + 1)
    exists, below = below < len(order), below.clip(max=len(order) - 1)
    dx, dy = np.moveaxis(places[order][below] - places[order][:, None], -1, 0)
    height = np.maximum(heights[order][below], heights[order][:, None])
    is_near = np.logical_and.accumulate(exists & (dy <= _PAIR_HEIGHTS * height), axis=1)
    one, nth = np.nonzero(is_near & (dy > 0.7 * height) & (np.abs(dx) <= _MAX_SLANT * dy + _ALIGNED * height))
    step = len(one) // _MAX_PAIRS + 1
    return order[one[::step]], order[below[one, nth][::step]]


def _folds(geometry: PageGeometry) -> bool:
    """True if the displacement changes so quickly somewhere that it may have no inverse."""
    places = np.stack(np.meshgrid(*2 * [np.linspace(-_MAX_REACH, _MAX_REACH, 23)]), axis=-1)
    moved = geometry._displacements(places * geometry.reach + geometry.centre) / geometry.reach
    steps = 2 * _MAX_REACH / 22
    return any(float(np.abs(np.diff(moved, axis=axis)).sum(axis=-1).max()) > _MAX_GRADIENT * steps for axis in (0, 1))


def _greatest_displacement(geometry: PageGeometry, turned: Points) -> float:
    """Return the largest distance that a point of the text moves, in pixels, not counting quarter turns and a shift."""
    level = _rotated(turned, geometry.angle)
    moves = turned + geometry._displacements(turned) - level
    return float(np.ptp(moves, axis=0).max()) / 2


def _rotated(points: Points, angle: float) -> Points:
    """Rotate `points` clockwise by `angle` degrees about the origin; exact for quarter turns."""
    quarters, rest = divmod(angle, 90)
    c, s = _QUARTERS[int(quarters) % 4] if not rest else (cos(radians(angle)), sin(radians(angle)))
    return np.asarray(points @ np.array(((c, s), (-s, c)), np.float64))


def _weighted_median(values: list[tuple[float, float]]) -> float:
    values.sort()
    half = sum(weight for _, weight in values) / 2
    for value, weight in values:
        half -= weight
        if half <= 0:
            return value
    return values[-1][0]


def _quad(corners: Sequence[Sequence[float]]) -> Quad:
    a, b, c, d = [(x, y) for x, y in corners]
    return a, b, c, d
