"""Sets a template's rows on a page, as an OCR engine would find them there.

A template consists of rows of text. In a row, ` | ` separates cells, and braces contain a part to be printed:

    {total} {$total} {=total}   a fact; with its currency; only a mention of it, which is not the field's place
    {#total} {#total:} {@thanks}   the label of a field; with the document's colon; one of the phrases
    {total^}                    in capitals
    & total   &a total          label and value, arranged as in the whole document, or by the letter (_PAIRS)

Signs before a row or a cell: ^ centred, > right, ! larger, ~ smaller, " as one paragraph, ? left out now and then. A
row or cell that refers to a fact that the document lacks is omitted.

Directives begin with a dot: `.cols 0 50 80` states where cells begin, in percent of the width; `.gap 2` leaves a gap.
Groups end with `.end` and have branches separated by `.next`: `.side 0 55` (next to each other), `.pick` (one of them),
`.shuffle` (in any order), `.maybe`, and `.rows items` (once for each row of that table).
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from training.extraction.facts import Fact, Rows
from training.extraction.marked import Marked, joined

_REFERENCE = re.compile(r"\{([=#@$]*)([\w.]+)(:?)(\^?)\}")
_PAIR = re.compile(r"&([a-z]?) (\$?)([\w.]+)(\^?)")
_FLAGS = re.compile(r'((?:[\^>!~"?]+ )+)(.*)')
_PAIRS = {"i": "inline", "w": "wide", "r": "right", "a": "above", "b": "below", "d": "dots", "c": "colon"}
_NARROW, _WIDE = frozenset("ijltfrI.,:;'|!()[]/- "), frozenset("mwMW@%&—☐☒☑□■")


def width_of(text: str, size: float, *, mono: bool) -> float:
    """Return the approximate width of a text in a sans-serif typeface, in pixels."""
    if mono:
        return 0.6 * size * len(text)
    ems = 0.0
    for letter in text:
        if letter in _NARROW:
            ems += 0.34
        elif letter in _WIDE:
            ems += 0.92
        else:
            ems += 0.7 if letter.isupper() else 0.6
    return ems * size


@dataclass(frozen=True, slots=True)
class Node:
    kind: str
    said: str
    branches: tuple[tuple["Node", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a whole document."""

    size: float
    """Height of the letters, in pixels."""
    mono: bool
    pitch: float
    """Distance of consecutive lines, as a multiple of `size`."""
    colon: str
    case: str
    """Case of labels: 'as is', 'upper', 'title' or 'lower'."""
    capitals: bool
    """True if the whole document is in capitals."""
    pair: str
    tab: float
    """Position of values beside labels, as a share of the width."""
    near: float
    """Gap below which two runs of text are read as one, as a multiple of `size`."""
    currency_in_rows: bool


def drawn_style(rng: random.Random, options: Mapping[str, str]) -> Style:
    kinds = (
        options.get("pairs", "").split(",") if "pairs" in options else ["inline", "inline", "wide", "right", "colon"]
    )
    mono = options.get("font", rng.choice(("mono", "sans", "sans", "sans"))) == "mono"
    return Style(
        size=rng.uniform(13, 30),
        mono=mono,
        pitch=rng.uniform(1.3, 1.75),
        colon=rng.choice((":", ":", ":", " :", "", "")),
        case=rng.choices(("as is", "upper", "title", "lower"), (70, 18, 10, 2))[0],
        capitals=rng.random() < float(options.get("capitals", "0.05")),
        pair=rng.choice(kinds),
        tab=rng.uniform(0.3, 0.5),
        near=rng.uniform(0.8, 1.4),
        currency_in_rows=rng.random() < 0.2,
    )


@dataclass(slots=True)
class Placed:
    text: Marked
    x: float
    y: float
    size: float
    width: float
    page: int = 1


def parsed(text: str) -> tuple[Node, ...]:
    lines = iter(text.strip("\n").split("\n"))
    branches, end = _branches(lines)
    assert not end, "a group ends that did not begin"
    return branches[0]


def _branches(lines: Iterator[str]) -> tuple[list[tuple[Node, ...]], bool]:
    branches: list[tuple[Node, ...]] = []
    nodes: list[Node] = []
    for line in lines:
        word, _, said = line.partition(" ")
        if word in (".side", ".pick", ".shuffle", ".maybe", ".rows"):
            inner, ended = _branches(lines)
            assert ended, f"{line} has no end"
            nodes.append(Node(word, said, tuple(inner)))
        elif word == ".end":
            return [*branches, tuple(nodes)], True
        elif word == ".next":
            branches.append(tuple(nodes))
            nodes = []
        elif word in (".cols", ".gap"):
            nodes.append(Node(word, said))
        else:
            assert not line.startswith("."), f"no directive is called {line}"
            nodes.append(Node("row", line))
    return [*branches, tuple(nodes)], False


@dataclass(slots=True)
class Setter:
    rng: random.Random
    style: Style
    kind: str
    facts: dict[str, Fact]
    tables: Mapping[str, Rows]
    labels: Mapping[str, str]
    phrases: Mapping[str, Sequence[str]]
    page_height: float = 0.0
    """0 means no limit: everything is on one page."""
    margin: float = 0.0
    placed: list[Placed] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    """Tags of the facts whose printed place has been marked."""
    mentioned: set[str] = field(default_factory=set)
    _labels: dict[str, str] = field(default_factory=dict)
    _prefix: str = ""
    _row_names: frozenset[str] = frozenset()
    _page: int = 1
    _deep: int = 0

    def block(self, nodes: Sequence[Node], left: float, right: float, top: float) -> float:
        """Return the y position below the block."""
        columns: tuple[float, ...] = ()
        for node in nodes:
            if node.kind == ".cols":
                columns = tuple(float(one) / 100 for one in node.said.split())
            elif node.kind == ".gap":
                top += float(node.said) * self.style.size * self.style.pitch
            elif node.kind == "row":
                top = self._row(node.said, columns, left, right, top)
            elif node.kind == ".side":
                top = self._side(node, left, right, top)
            elif node.kind == ".rows":
                top = self._rows(node, columns, left, right, top)
            else:
                branches = list(node.branches)
                if node.kind == ".maybe":
                    branches = branches if self.rng.random() < 0.55 else []
                elif node.kind == ".pick":
                    branches = [self.rng.choice(branches)]
                else:
                    self.rng.shuffle(branches)
                for branch in branches:
                    top = self.block(branch, left, right, top)
        return top

    def _side(self, node: Node, left: float, right: float, top: float) -> float:
        starts = [left + (right - left) * float(one) / 100 for one in node.said.split()]
        self._deep += 1
        bottom = top
        for start, end, branch in zip(starts, [*starts[1:], right], node.branches, strict=True):
            edge = end - 1.5 * self.style.size if end < right else end
            bottom = max(bottom, self.block(branch, start, edge, top))
        self._deep -= 1
        return bottom

    def _rows(self, node: Node, columns: tuple[float, ...], left: float, right: float, top: float) -> float:
        outer = self.facts
        inner = node.branches[0]
        if columns:
            inner = (Node(".cols", " ".join(str(100 * one) for one in columns)), *inner)
        for number, row in enumerate(self.tables.get(node.said, ())):
            self.facts, self._prefix, self._row_names = {**outer, **row}, f"{node.said}.{number}.", frozenset(row)
            top = self.block(inner, left, right, top)
        self.facts, self._prefix, self._row_names = outer, "", frozenset()
        return top

    def _row(self, said: str, columns: tuple[float, ...], left: float, right: float, top: float) -> float:
        size, align, drop, whole, said = self._flags(said, self.style.size, "left")
        if drop:
            return top
        if not said.strip():
            return top + 0.7 * size * self.style.pitch
        if not self._deep and self.page_height and top > self.page_height:
            self._page, top = self._page + 1, self.margin
        cells = said.split(" | ")
        starts = columns or tuple(number / len(cells) for number in range(len(cells)))
        edges = [left + (right - left) * start for start in starts[: len(cells)]]
        bottom = top
        for cell, start, end in zip(cells, edges, [*edges[1:], right], strict=True):
            bottom = max(bottom, self._cell(cell, start, end, top, size, align, whole=whole))
        return bottom

    def _flags(self, said: str, size: float, align: str) -> tuple[float, str, bool, bool, str]:
        found = _FLAGS.fullmatch(said)
        if not found:
            return size, align, False, False, said
        flags = found[1]
        size *= 1.45 ** flags.count("!") * 0.8 ** flags.count("~")
        align = "centre" if "^" in flags else "right" if ">" in flags else align
        return size, align, "?" in flags and self.rng.random() < 0.4, '"' in flags, found[2]

    def _cell(self, cell: str, left: float, right: float, top: float, size: float, align: str, *, whole: bool) -> float:
        size, align, drop, joined_up, cell = self._flags(cell.strip(), size, align)
        if drop or not cell:
            return top
        if pair := _PAIR.fullmatch(cell):
            return self._pair(pair, left, right, top, size)
        room = right - left if right - left < 0.9 * self.margin or align != "left" else right - left - 0.5 * size
        for part in self.written(cell, in_parts=not (whole or joined_up)):
            lines = self._wrapped(part, room, size) if align != "right" else [part]
            for line in lines:
                top = self._put(line, left, right, top, size, align)
        return top

    def _pair(self, pair: re.Match[str], left: float, right: float, top: float, size: float) -> float:
        how, currency, name, capitals = pair.groups()
        if name not in self.facts:
            return top
        style = _PAIRS[how] if how else self.style.pair
        label = Marked(self.label(name) + (self.style.colon if style not in ("above", "below", "colon") else ""))
        parts = self.written(f"{{{currency}{name}{capitals}}}", in_parts=style != "inline")
        if style in ("above", "below"):
            pieces = [line for part in parts for line in self._wrapped(part, right - left, size)]
            small = 0.8 * size if self.rng.random() < 0.8 else size
            if style == "above":
                top = self._put(label, left, right, top, small, "left")
            for line in pieces:
                top = self._put(line, left, right, top, size, "left")
            if style == "below":
                top = self._put(label, left, right, top, small, "left")
            return top + 0.3 * size
        if style == "inline":
            for line in self._wrapped(label + " " + parts[0], right - left, size):
                top = self._put(line, left, right, top, size, "left")
            return top
        if style == "dots":
            dots = int(0.55 * (right - left) / self._width(".", size) - len(label.text))
            label = label + "." * max(dots, 2)
        self._put(label, left, right, top, size, "left")
        if style in ("right", "dots"):
            for part in parts:
                beside = self._width(label.text, size) + self._width(part.text, size) + 0.4 * size > right - left
                top = self._put(part, left, right, top + (size * self.style.pitch if beside else 0), size, "right")
            return top
        start = left + max(self.style.tab * (right - left), self._width(label.text, size) + 1.2 * size)
        for number, part in enumerate(parts):
            said = Marked(": ") + part if style == "colon" and not number else part
            for line in self._wrapped(said, right - start, size):
                top = self._put(line, start, right, top, size, "left")
        return top

    def _put(self, text: Marked, left: float, right: float, top: float, size: float, align: str) -> float:
        start = len(text.text) - len(text.text.lstrip())
        text = text.cut(start, len(text.text.rstrip()))
        if not text.text:
            return top
        width = self._width(text.text, size)
        spare = right - left - width
        x = left + (spare / 2 if align == "centre" else spare if align == "right" else 0)
        self.placed.append(Placed(text, max(x, 2.0), top, size, width, self._page))
        return top + size * self.style.pitch

    def _width(self, text: str, size: float) -> float:
        return width_of(text, size, mono=self.style.mono)

    def _wrapped(self, text: Marked, room: float, size: float) -> list[Marked]:
        if self._width(text.text, size) <= room:
            return [text]
        lines, start, end = [], 0, 0
        for word in re.finditer(r"\S+", text.text):
            if end > start and self._width(text.text[start : word.end()], size) > room:
                lines.append(text.cut(start, end))
                start = word.start()
            end = word.end()
        return [*lines, text.cut(start, end)]

    def written(self, said: str, *, in_parts: bool) -> list[Marked]:
        """Return the lines of a cell. A fact may have several lines; if a fact is missing, there are no lines."""
        if phrase := re.fullmatch(r"\{@(\w+)\}", said):
            said = self._phrase(phrase[1])
        needed = [found[2] for found in _REFERENCE.finditer(said) if not set(found[1]) & set("#@")]
        if any(name not in self.facts for name in needed):
            return []
        only = _REFERENCE.fullmatch(said)
        if only and in_parts and needed:
            return self._fact(only, in_parts=True)
        whole, at = Marked(""), 0
        for found in _REFERENCE.finditer(said):
            whole = whole + said[at : found.start()]
            if "#" in found[1]:
                label = self.label(found[2]) + (self.style.colon if found[3] else "")
                whole = whole + (label.upper() if found[4] else label)
            elif "@" in found[1]:
                whole = whole + joined(self.written(self._phrase(found[2]), in_parts=False))
            else:
                whole = whole + self._fact(found, in_parts=False)[0]
            at = found.end()
        whole = whole + said[at:]
        return [whole.upper() if self.style.capitals else whole]

    def _phrase(self, name: str) -> str:
        """Return a random phrase that needs no missing facts, or an empty text if there is no such phrase."""
        choices = [
            one for one in self.phrases[name] if all(found[2] in self.facts for found in _REFERENCE.finditer(one))
        ]
        return self.rng.choice(choices) if choices else ""

    def _fact(self, found: re.Match[str], *, in_parts: bool) -> list[Marked]:
        how, name, _, capitals = found.groups()
        fact = self.facts[name]
        own = self._prefix if name in self._row_names else ""
        priced = fact.priced if "$" in how or (own and self.style.currency_in_rows) else None
        parts = [priced] if priced else list(fact.parts)
        if not in_parts and len(parts) > 1:
            whole = parts[0]
            for part in parts[1:]:
                whole = whole + (" " if whole.text.endswith((",", ".")) else ", ") + part
            inner = tuple(mark for mark in whole.marks if mark[2])
            parts = [Marked(whole.text, ((0, len(whole.text), ""), *inner))]
        if "=" in how:
            self.mentioned.add(own + name)
            parts = [part.plain() for part in parts]
        else:
            parts = [self._told(part, name, own) for part in parts]
            self.told.update(tag for part in parts for _, _, tag in part.marks)
        return [part.upper() for part in parts] if capitals or self.style.capitals else parts

    def _told(self, part: Marked, name: str, own: str) -> Marked:
        """Return `part` with marks for those facts of the document that are printed here for the first time."""
        marks = []
        for start, end, tag in part.marks:
            tag = own + name if not tag else tag if not own and tag in self.facts else ""
            if tag and tag not in self.told:
                marks.append((start, end, tag))
        return Marked(part.text, tuple(marks))

    def label(self, name: str) -> str:
        if name not in self._labels:
            said = self.labels.get(f"{self.kind}.{name}") or self.labels[name]
            label = self.rng.choice(said.split(" / "))
            if self.style.case == "upper" or self.style.capitals:
                label = label.upper()
            elif self.style.case == "lower":
                label = label.lower()
            elif self.style.case == "title" and not label.isupper():
                label = " ".join(word[:1].upper() + word[1:] for word in label.split())
            self._labels[name] = label
        return self._labels[name]

    def lines(self) -> list[Placed]:
        """Return the lines on the page from top to bottom; runs that nearly touch are one line."""
        rows: dict[tuple[int, int, int], list[Placed]] = {}
        for one in self.placed:
            rows.setdefault((one.page, round(one.y), round(one.size)), []).append(one)
        runs = []
        for row in rows.values():
            row.sort(key=lambda one: one.x)
            run = row[0]
            for one in row[1:]:
                if one.x - run.x - run.width < self.style.near * one.size:
                    text = run.text + " " + one.text
                    run = replace(run, text=text, width=max(one.x + one.width - run.x, run.width))
                else:
                    runs.append(run)
                    run = one
            runs.append(run)
        return sorted(runs, key=lambda one: (one.page, round(one.y), one.x))
