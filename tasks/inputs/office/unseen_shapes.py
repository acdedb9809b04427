"""Removes the text of slides that a reader does not see: off the slide, under another shape, tiny, or in the colour of
what it stands on (ECMA-376, part 1, 19.3 and 21.1)."""

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate, islice
from typing import Any, NamedTuple

from lxml import etree
from pptx.opc.constants import RELATIONSHIP_TYPE

from tasks.inputs.contrast import WHITE, Color, is_seen, mixed
from tasks.inputs.office import (
    alternatives,
    animations,
    colors,
    drawings,
    fills,
    shifted_text,
    slide_charts,
    usual_slides,
)
from tasks.inputs.office.alternatives import doubt
from tasks.inputs.office.colors import Grounds, Theme
from tasks.inputs.office.measures import EMU, LETTER_WIDTH, is_overprinted, is_tiny, points
from tasks.inputs.office.slide_lines import Frame, Paragraph
from tasks.inputs.office.slide_tables import SlideTableStyles, TableLook
from tasks.inputs.sight import Sight

_MOST_SHAPES = 100
"""Only this many shapes of a slide, the largest, are looked through for those behind or in front of text."""
_MOST_COLORS = 50
"""A ground with more colours is not judged."""
_MOST_PARAGRAPHS = 300
"""A slide has hardly room for more paragraphs below each other; what is behind these is doubtful."""
_SMALL = 4.0
"""Smaller text, in points, is perhaps not seen."""
_LEAST_OVERLAP = 6.0
"""A shape that covers fewer points of a text in width or height does not hide a part of it."""
_LEAST_GRAPHIC = 36.0
"""Charts and diagrams with shorter sides, in points, are not legible."""
_LEAST_SHARE = 0.8
"""The share of a chart or diagram that is on the slide at least, counted from its middle."""
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RECTANGLES = ("rect", "roundRect")
_SHAPES = ("sp", "pic", "graphicFrame", "grpSp", "AlternateContent")
_TEXT_STYLES = {"title": "titleStyle", "ctrTitle": "titleStyle"}
_OUTLINES = ("body", "obj", "subTitle")
_SIZE = 18.0
"""The size of text in points if nothing sets one."""
_HUNDREDTHS = 100
_HUNDRED_PERCENT = 100_000
_LINE = 1.2
"""The height of a line, for a size of 1."""
_MARGINS = {"lIns": 7.2, "tIns": 3.6, "rIns": 7.2, "bIns": 3.6}
_INSETS_OF_CELLS = {"marL": "lIns", "marT": "tIns", "marR": "rIns", "marB": "bIns"}
"""Names that the insets of a cell have in other shapes."""
_DEGREE = 60_000
_HALF_TURN = 180 * _DEGREE
_ON = ("1", "true")
_MOST_OUTLINE = 1 / 12
"""The share of its size up to which the width of its outline leaves a letter legible."""


class Rectangle(NamedTuple):
    """A rectangle on a slide, in points."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)

    def touches(self, other: "Rectangle") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def overlap(self, other: "Rectangle") -> float:
        """Return the smaller side of the area that both have."""
        width = min(self.right, other.right) - max(self.left, other.left)
        return max(0.0, min(width, min(self.bottom, other.bottom) - max(self.top, other.top)))

    def shrunk(self, share: float) -> "Rectangle":
        """Return the middle of the rectangle that has this share of its width and height."""
        across, down = ((1 - share) / 2 * side for side in (self.right - self.left, self.bottom - self.top))
        return Rectangle(self.left + across, self.top + down, self.right - across, self.bottom - down)

    def contains(self, other: "Rectangle") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class _Scale(NamedTuple):
    """The place of a group's shapes on the slide: `x` on the slide is left + across * x."""

    left: float = 0.0
    top: float = 0.0
    across: float = 1.0
    down: float = 1.0
    is_turned: bool = False


class _Shape(NamedTuple):
    element: etree._Element
    box: Rectangle | None
    is_upright: bool
    group: Grounds
    """The colours of the group that the shape is in."""
    fill: Grounds = ()
    """The colours of the shape, none if it has no fill."""
    is_opaque: bool = False

    @property
    def is_rectangle(self) -> bool:
        geometry = self.element.find("{*}spPr/{*}prstGeom")
        return self.is_upright and geometry is not None and geometry.get("prst") in _RECTANGLES


class UnseenShapes:
    """Removes what is unseen from the slides of a presentation."""

    def __init__(self, presentation: Any) -> None:
        width, height = (points(str(side), EMU) for side in (presentation.slide_width, presentation.slide_height))
        self._window = Rectangle(0.0, 0.0, width or math.inf, height or math.inf)
        self._styles = _Styles(presentation.part._element.find("{*}defaultTextStyle"))
        self._tables = SlideTableStyles(_related(presentation.part, RELATIONSHIP_TYPE.TABLE_STYLES))
        self._themes: dict[str, Theme] = {}
        self._layers: dict[str, _ShapeLayer] = {}

    def remove_from(self, slide: Any) -> set[etree._Element]:
        """Remove what is unseen from a slide, and mark what is perhaps unseen. Return the frames of the charts and
        diagrams that are perhaps unseen, whose text is not in the slide itself."""
        _remove_hidden(slide._element)
        alternatives.settle(slide._element)
        layout = slide.slide_layout
        master = layout.slide_master
        name = str(master.part.partname)
        if name not in self._themes:
            self._themes[name] = _theme_of(master)
        theme = self._themes[name]
        layers = self._layer(layout), self._layer(master, theme.root)
        is_doubted = usual_slides.doubt_unusual(slide._element)
        if _has_own_theme(slide) or not (self._styles.are_usual and all(layer.is_usual for layer in layers)):
            doubt(slide._element)
            is_doubted = True
        view = _SlideView(slide, layers, theme, self._window, self._styles, self._tables)
        view.clear()
        return set(slide._element.iter("{*}graphicFrame")) if is_doubted else view.doubted_graphics

    def _layer(self, layer: Any, theme: etree._Element | None = None) -> "_ShapeLayer":
        name = str(layer.part.partname)
        if name not in self._layers:
            self._layers[name] = _ShapeLayer(layer, theme)
        return self._layers[name]


def remove_from_sheet(root: etree._Element, theme: Theme) -> None:
    """Remove what is unseen from the shapes on a sheet: those that are hidden, and text in the colour of its shape."""
    _remove_hidden(root)
    for shape in root.iter("{*}sp"):
        # Cells of any colour may lie behind a shape without a fill.
        grounds = fills.of_shape(shape, theme, colors.UNKNOWN)
        for run in list(shape.iter("{*}r")):
            for properties in run.iterchildren("{*}rPr"):
                fill = properties.find("{*}solidFill")
                found = None if fill is None else theme.read(fill)
                if found is not None and not _has_effect(properties) and not _is_seen(found, grounds):
                    _remove(run)


class _ShapeLayer:
    """A layout or a master, with what all slides on it have from it."""

    def __init__(self, layer: Any, theme: etree._Element | None) -> None:
        self.element = layer._element
        self.is_usual = not _has_own_theme(layer) and all(
            root is None or usual_slides.is_usual(root) for root in (self.element, theme)
        )
        """True if nothing in it, or in its theme, makes the slides doubtful."""
        self.by_index, self.by_type = _placeholders(self.element)
        self.shapes: list[_Shape] | None = None
        """The largest shapes that it draws; None until a slide asks for them."""


class _Styles:
    """The properties of text that styles of a presentation have, each read once for all slides."""

    def __init__(self, defaults: etree._Element | None) -> None:
        self.defaults = defaults
        self.are_usual = defaults is None or usual_slides.is_usual(defaults)
        self._levels: dict[etree._Element, dict[str, etree._Element]] = {}

    def levels(self, style: etree._Element) -> dict[str, etree._Element]:
        if style not in self._levels:
            self._levels[style] = _levels(style)
        return self._levels[style]


class _SlideView:
    def __init__(
        self,
        slide: Any,
        layers: tuple[_ShapeLayer, _ShapeLayer],
        theme: Theme,
        window: Rectangle,
        styles: _Styles,
        tables: SlideTableStyles,
    ) -> None:
        self._slide = slide
        self._element = slide._element
        self._layout, self._master = layers
        self._window = window
        self._all_styles = styles
        self.tables = tables
        mappings = (one.find("{*}clrMapOvr/{*}overrideClrMapping") for one in (self._element, self._layout.element))
        mapping = next((one for one in mappings if one is not None), None)
        self._theme = theme if mapping is None else theme.with_mapping(_attributes(mapping))
        self._moved = {one.get("spid") for one in self._element.iter("{*}spTgt")}
        self._doubtful = animations.doubtful_targets(self._element)
        self._styles: dict[tuple[str | None, ...], list[dict[str, etree._Element]]] = {}
        self.doubted_graphics: set[etree._Element] = set()
        """The frames of charts and diagrams of which a reader perhaps sees nothing."""

    def clear(self) -> None:
        tree = self._element.find("{*}cSld/{*}spTree")
        if tree is None:
            return
        own = list(self._shapes(tree, _Scale()))
        behind = [*self._shapes_of_layers(), *own]
        first = len(behind) - len(own)
        largest = [(at, behind[at]) for at in _largest(behind)]
        rivals = [(at, shape.box) for at, shape in enumerate(behind) if self._has_rival_fills(shape)]
        covers = [(at, shape.box, shape) for at, shape in largest if shape.box is not None and self._may_cover(shape)]
        for at, shape in enumerate(own, start=first):
            is_text = shape.element.tag.endswith("}sp")
            bodies = list(shape.element.iter("{*}txBody"))
            if is_text and not bodies:
                continue
            box = self._text_box(shape.box, shape, bodies[0]) if is_text and shape.box is not None else shape.box
            is_gone = box is not None and (
                not box.touches(self._window)
                or any(other > at and cover.contains(box) and self._is_opaque(one) for other, cover, one in covers)
            )
            if is_gone and not self._is_moved(shape):
                _remove(shape.element)
                continue
            in_front = [one for other, one in largest if other > at]
            grounds = [one for other, one in rivals if other <= at]
            is_doubtful = (
                is_gone
                or not (shape.box is None or shape.box.touches(self._window))
                or not self._doubtful.isdisjoint(_identifiers(shape.element))
                or len(rivals) > _MOST_SHAPES  # they are not compared one by one
                or self._has_rival_backgrounds
                or any(box is None or one is None or one.touches(box) for one in grounds)
                or (box is not None and any(self._may_hide_part(one, box) for one in in_front))
            )
            text = _Text(self, shape, (one for other, one in largest if other < at))
            if bodies:
                if is_doubtful:
                    doubt(shape.element)
                if not self._is_moved(shape):
                    text.doubt_what_is_off(bodies, self._window)
                text.clear(bodies)
            elif shape.element.tag.endswith("}graphicFrame") and (
                is_doubtful or not self._is_graphic_seen(shape, text)
            ):
                self.doubted_graphics.add(shape.element)

    def _is_graphic_seen(self, shape: _Shape, text: "_Text") -> bool:
        """True if what other parts draw in a frame is large, on the slide, and seen as it is saved."""
        box, window = shape.box, self._window
        if box is None or min(box.right - box.left, box.bottom - box.top) < _LEAST_GRAPHIC:
            return False
        if not window.contains(box.shrunk(_LEAST_SHARE)):
            return False
        for chart in shape.element.iterfind("{*}graphic/{*}graphicData/{*}chart"):
            try:
                part = self._slide.part.related_part(chart.get(f"{{{_RELATIONSHIPS}}}id"))
            except KeyError:
                return False
            own = _related(part, RELATIONSHIP_TYPE.THEME_OVERRIDE)
            theme = self._theme if own is None else Theme(own)
            return slide_charts.is_seen_as_saved(part._element, theme, text.beneath.known)
        return True

    @cached_property
    def background(self) -> Grounds:
        for layer in (self._element, self._layout.element, self._master.element):
            for background in layer.iterfind("{*}cSld/{*}bg"):
                for properties in background.iterchildren("{*}bgPr"):
                    return fills.within(properties, self._theme, (WHITE,)) or (WHITE,)
                for reference in background.iterchildren("{*}bgRef"):
                    return fills.of_reference(reference, self._theme, (WHITE,))
        return (WHITE,)

    @property
    def theme(self) -> Theme:
        return self._theme

    def about_body(self, shape: etree._Element, body: etree._Element) -> dict[str, str]:
        """Return the properties of the body of a text, with those that a placeholder has from others."""
        inherited = [one for owner in self._inherited(shape) for one in owner.iterfind("{*}txBody/{*}bodyPr")]
        nearest = [*body.iterchildren("{*}bodyPr"), *inherited]
        return {name: value for one in reversed(nearest) for name, value in _attributes(one).items()}

    def styles(self, shape: etree._Element) -> list[dict[str, etree._Element]]:
        """Return the properties of text by levels that a shape has from others, the nearest first."""
        placeholder = _placeholder(shape)
        key = shape.tag, *(("", "") if placeholder is None else (placeholder.get("type"), placeholder.get("idx")))
        if key not in self._styles:
            self._styles[key] = [self._all_styles.levels(style) for style in self._inherited_styles(shape)]
        return self._styles[key]

    def _inherited_styles(self, shape: etree._Element) -> Iterator[etree._Element]:
        for inherited in self._inherited(shape):
            yield from inherited.iterfind("{*}txBody/{*}lstStyle")
        placeholder = _placeholder(shape)
        if placeholder is not None:
            kind = placeholder.get("type", "obj")
            style = "bodyStyle" if kind in _OUTLINES else _TEXT_STYLES.get(kind, "otherStyle")
            yield from self._master.element.iterfind(f"{{*}}txStyles/{{*}}{style}")
        elif self._all_styles.defaults is not None and shape.tag.endswith("}sp"):
            # The text of tables has its colour from their style.
            yield self._all_styles.defaults

    def _inherited(self, shape: etree._Element) -> Iterator[etree._Element]:
        """Yield the placeholders of the layout and the master that a placeholder has its properties from."""
        placeholder = _placeholder(shape)
        if placeholder is None:
            return
        kind = placeholder.get("type", "obj")
        found = self._layout.by_index.get(placeholder.get("idx", "0"))
        found = self._layout.by_type.get(kind) if found is None else found
        if found is not None:
            yield found
            own = _placeholder(found)
            kind = kind if own is None else own.get("type", "obj")
        kind = "title" if kind == "ctrTitle" else "body" if kind in ("obj", "subTitle") else kind
        found = self._master.by_type.get(kind)
        if found is not None:
            yield found

    def _shapes_of_layers(self) -> Iterator[_Shape]:
        """Yield the largest shapes that the layout and the master draw beneath the slide's own ones."""
        layout, master = self._layout, self._master
        shown = [] if _hides_layers(self._element) else [layout] if _hides_layers(layout.element) else [master, layout]
        for layer in shown:
            if layer.shapes is None:
                trees = layer.element.iterfind("{*}cSld/{*}spTree")
                drawn = [one for tree in trees for one in self._shapes(tree, _Scale())]
                drawn = [one for one in drawn if _placeholder(one.element) is None]
                layer.shapes = [drawn[at] for at in _largest(drawn)]
            # Their colours may be others on each slide.
            yield from map(self._filled, layer.shapes)

    def _shapes(self, tree: etree._Element, scale: _Scale, group: Grounds = ()) -> Iterator[_Shape]:
        for element in tree.iterchildren(*(f"{{*}}{name}" for name in _SHAPES)):
            match etree.QName(element).localname:
                case "AlternateContent":
                    for at, branch in enumerate(element.iterchildren("{*}Choice", "{*}Fallback")):
                        for shape in self._shapes(branch, scale, group):
                            yield shape if at == 0 and alternatives.is_always_drawn(branch) else _unsure(shape)
                case "grpSp":
                    filling = element.find("{*}grpSpPr")
                    found = None if filling is None else fills.within(filling, self._theme, (), group=group)
                    yield from self._shapes(element, _scale_within(element, scale), group if found is None else found)
                case _:
                    box, is_upright = self._box_of(element, scale)
                    yield self._filled(_Shape(element, box, is_upright, group))

    def _filled(self, shape: _Shape) -> _Shape:
        is_filled = shape.element.tag.endswith("}sp")
        fill, is_opaque = self._fill_of(shape.element, shape.group) if is_filled else (colors.UNKNOWN, False)
        return shape._replace(fill=fill, is_opaque=is_opaque)

    def _box_of(self, element: etree._Element, scale: _Scale) -> tuple[Rectangle | None, bool]:
        for owner in (element, *self._inherited(element)):
            frame = next(_frames(owner), None)
            if frame is not None:
                return _box(frame, scale)
        return None, False

    def _fill_of(self, element: etree._Element, group: Grounds) -> tuple[Grounds, bool]:
        """Return the colours of a shape, and whether nothing is seen through it."""
        for owner in (element, *self._inherited(element)):
            if (
                owner.find("{*}style/{*}fillRef") is not None
                or next(fills.among(owner.find("{*}spPr")), None) is not None
            ):
                found = fills.of_shape(owner, self._theme, (), group)
                if found != colors.UNKNOWN:
                    return found, bool(found)
                # What is behind a shape that is not opaque is mostly the slide's background.
                return fills.of_shape(owner, self._theme, self.background, group), False
        return (), False

    def _text_box(self, box: Rectangle, shape: _Shape, body: etree._Element) -> Rectangle:
        """Return the rectangle that the text of a shape is within. It is rather too large than too small."""
        properties = body.find("{*}bodyPr")
        about = {} if properties is None else _attributes(properties)
        inset = {**_MARGINS, **{side: points(about[side], EMU) or 0.0 for side in _MARGINS if side in about}}
        wraps = about.get("wrap") != "none"
        room = max(box.right - box.left - inset["lIns"] - inset["rIns"], _SIZE)
        width = height = indent = 0.0
        for paragraph in body.iterchildren("{*}p"):
            sizes = [points(one.get("sz"), _HUNDREDTHS) or 0.0 for one in paragraph.iter("{*}rPr")]
            size = max([_SIZE, *sizes])
            long = sum(len(text.text or "") for text in paragraph.iter("{*}t")) * size * LETTER_WIDTH
            lines = math.ceil(long / room) if wraps else 1
            width, height = max(width, min(long, room) if wraps else long), height + max(lines, 1) * size * _LINE
            for one in paragraph.iterchildren("{*}pPr"):
                indent = max(indent, points(one.get("marL"), EMU) or 0.0)
        left, top = box.left + inset["lIns"] + indent, box.top + inset["tIns"]
        is_placed = any(
            True for one in body.iter("{*}*") if one.get("algn", "l") != "l" or one.get("anchor", "t") != "t"
        )
        if is_placed or not shape.is_upright or "vert" in about or _placeholder(shape.element) is not None:
            around = Rectangle(box.left - width, box.top - height, box.right + width, box.bottom + height)
            return around if not wraps or height > box.bottom - box.top else box
        return Rectangle(left, top, left + width, top + height)

    def _may_cover(self, shape: _Shape) -> bool:
        """True if nothing that lies behind a shape is seen, except for what is seen through a picture. A shape that is
        animated may come later, or go."""
        is_picture = shape.element.tag.endswith("}pic")
        is_whole = shape.is_upright if is_picture else shape.is_opaque and shape.is_rectangle
        return is_whole and not self._is_moved(shape)

    def _may_hide_part(self, shape: _Shape, box: Rectangle) -> bool:
        """True if a shape that is drawn later lies on a part of the text in the box, and something of it is filled."""
        is_filled = bool(shape.fill) or not shape.element.tag.endswith("}sp")
        if not is_filled or shape.box is None:
            return False
        return shape.box.overlap(box) > _LEAST_OVERLAP

    def _is_moved(self, shape: _Shape) -> bool:
        return bool(self._moved) and not self._moved.isdisjoint(_identifiers(shape.element))

    def _has_rival_fills(self, shape: _Shape) -> bool:
        """True if programs differ in which fill of a shape they draw."""
        groups = shape.element.iterancestors("{*}grpSp")
        owners = (shape.element, *self._inherited(shape.element), *groups)
        return any(fills.are_rivals(one) for owner in owners for one in owner.iterchildren("{*}spPr", "{*}grpSpPr"))

    @cached_property
    def _has_rival_backgrounds(self) -> bool:
        layers = (self._element, self._layout.element, self._master.element)
        return any(fills.are_rivals(one) for layer in layers for one in layer.iterfind("{*}cSld/{*}bg/{*}bgPr"))

    def _is_opaque(self, shape: _Shape) -> bool:
        """True for shapes, and for pictures that are JPEG without effects, which have no transparent places."""
        if not shape.element.tag.endswith("}pic"):
            return True
        if any(one.tag != f"{{{usual_slides.MAIN}}}extLst" for blip in shape.element.iter("{*}blip") for one in blip):
            return False
        for relationship, _ in drawings.pictures(shape.element):
            try:
                return bool(self._slide.part.related_part(relationship).content_type == "image/jpeg")
            except KeyError:
                return False
        return False


class _Ground(NamedTuple):
    """The ground of a text: the colours that are known to be there, and whether there may be others."""

    known: Grounds
    is_unsure: bool = False

    def under(self, fill: Grounds) -> "_Ground":
        """Return the ground after something with this fill was drawn over all of it."""
        if not fill:
            return self
        return self._replace(is_unsure=True) if fill == colors.UNKNOWN else _Ground(fill)

    def beside(self, fill: Grounds) -> "_Ground":
        """Return the ground after something with this fill was drawn over a part of it."""
        if fill == colors.UNKNOWN:
            return self._replace(is_unsure=True)
        return self._replace(known=tuple(dict.fromkeys((*self.known, *fill))))

    def sight(self, color: tuple[Color, float]) -> Sight:
        """Return whether text of this colour and opacity is seen. It is unsure where only something unknown may be of
        another colour."""
        if _is_seen(color, self.known):
            return Sight.SEEN
        return Sight.UNSURE if self.is_unsure else Sight.UNSEEN


class _Text:
    """The text of a shape, and what it stands on."""

    def __init__(self, view: _SlideView, shape: _Shape, behind: Iterable[_Shape]) -> None:
        self._view = view
        self._shape = shape
        self._behind = behind

    def clear(self, bodies: Iterable[etree._Element]) -> None:
        fonts = list(self._shape.element.iterfind("{*}style/{*}fontRef"))
        for body in bodies:
            factor = _font_scale(body)
            if any(fills.are_rivals(one) for one in body.itersiblings("{*}tcPr")):
                doubt(body)
            for paragraph, nearer, farther in self._paragraphs(body):
                for run in list(paragraph.iter("{*}r", "{*}fld")):
                    own = list(run.iterchildren("{*}rPr"))
                    match self._sight([*own, *nearer, *fonts, *farther], body, factor):
                        case Sight.UNSEEN:
                            _remove(run)
                        case Sight.UNSURE:
                            doubt(run)
                    if run.tag.endswith("}fld"):
                        doubt(run)  # programs compute it when they open the presentation
                shifted_text.divide(_shifts(paragraph))

    def doubt_what_is_off(self, bodies: Iterable[etree._Element], window: Rectangle) -> None:
        """Mark the paragraphs and the rows that those above may push off the slide."""
        box = self._shape.box
        if box is None:
            return
        shape = self._shape.element
        if shape.tag.endswith("}sp"):
            if not self._shape.is_upright:
                # Its own sides are not known, only that they are not longer than this.
                side = math.hypot(box.right - box.left, box.bottom - box.top)
                box = Rectangle(box.left, box.top, box.left + side, box.top + side)
            for body in bodies:
                frame = self._frame(body, self._view.about_body(shape, body), box.left, box.right)
                frame.doubt_what_is_off(window, box.top, box.bottom, is_upright=self._shape.is_upright)
        for table in shape.iterfind("{*}graphic/{*}graphicData/{*}tbl"):
            self._doubt_rows_off(table, box, window)

    def _doubt_rows_off(self, table: etree._Element, box: Rectangle, window: Rectangle) -> None:
        widths = (points(one.get("w"), EMU) or 0.0 for one in table.iterfind("{*}tblGrid/{*}gridCol"))
        edges = list(accumulate(widths, initial=box.left))
        rows = [(row, points(row.get("h"), EMU) or 0.0) for row in table.iterchildren("{*}tr")]
        # LibreOffice makes the rows so high that they fill the frame.
        stretch = max((box.bottom - box.top) / max(sum(height for _, height in rows), 1.0), 1.0)
        top = box.top
        for row, height in rows:
            if top > window.bottom:
                doubt(row)
                continue
            frames = []
            for at, cell in enumerate(row.iterchildren("{*}tc")):
                span = int(points(cell.get("gridSpan"), 1) or 1)
                left, right = (edges[min(max(edge, 0), len(edges) - 1)] for edge in (at, at + span))
                about = {
                    name: value for one in cell.iterchildren("{*}tcPr") for name, value in _attributes(one).items()
                }
                if right - left < _LEAST_OVERLAP:
                    doubt(cell)
                about = {_INSETS_OF_CELLS.get(name, name): value for name, value in about.items()}
                frames += [self._frame(body, about, left, right) for body in cell.iterchildren("{*}txBody")]
            bottom = top + max([height * stretch, *(frame.height for frame in frames)])
            for frame in frames:
                frame.doubt_what_is_off(window, top, bottom, is_upright=True)
            top = bottom

    def _frame(self, body: etree._Element, about: dict[str, str], left: float, right: float) -> Frame:
        scale = _font_scale(body)
        paragraphs = []
        for element, *levels in islice(self._paragraphs(body), _MOST_PARAGRAPHS):
            properties = [one for some in levels for one in some]
            parents = [parent for one in properties if (parent := one.getparent()) is not None]
            paragraphs.append(Paragraph(element, properties, [*element.iterchildren("{*}pPr"), *parents], scale))
        for rest in islice(body.iterchildren("{*}p"), _MOST_PARAGRAPHS, None):
            doubt(rest)
        return Frame(paragraphs, about, left, right)

    def _paragraphs(
        self, body: etree._Element
    ) -> Iterator[tuple[etree._Element, list[etree._Element], list[etree._Element]]]:
        """Yield each paragraph with the properties of its level that its shape has, and those that others have."""
        own_levels = [_levels(style) for style in body.iterchildren("{*}lstStyle")]
        styles = self._view.styles(self._shape.element)
        for paragraph in body.iterchildren("{*}p"):
            about = paragraph.find("{*}pPr")
            level = "1" if about is None else str(int(points(about.get("lvl"), 1) or 0) + 1)
            nearer, farther = ([one[level] for one in some if level in one] for some in (own_levels, styles))
            yield paragraph, nearer, farther

    def _sight(self, properties: list[etree._Element], body: etree._Element, factor: float) -> Sight:
        size = _first(properties, "sz", _SIZE) * factor
        if is_tiny(size) or is_overprinted(_first(properties, "spc", 0.0), size):
            return Sight.UNSEEN
        stands_out = any(map(_has_effect, properties))
        sight = self._sight_by_color(properties, body)
        is_outlined = any(_outline(one) > _MOST_OUTLINE * size for one in properties)
        is_unsure = (stands_out and sight == Sight.UNSEEN) or ((size < _SMALL or is_outlined) and sight == Sight.SEEN)
        return Sight.UNSURE if is_unsure else sight

    def _sight_by_color(self, properties: list[etree._Element], body: etree._Element) -> Sight:
        for one in properties:
            color = None
            if etree.QName(one).localname == "fontRef":
                color = self._view.theme.read(one)
            elif _is_link(one):
                link = self._view.theme.named("hlink")
                return Sight.SEEN if link is None else _common_sight((link, 1.0), self._grounds([one], body))
            elif fills.are_rivals(one):
                return Sight.UNSURE
            else:
                for fill in fills.among(one):
                    if fill.tag.endswith("}noFill"):
                        return Sight.UNSEEN
                    grounds = self._grounds(properties, body)
                    if not fill.tag.endswith("}solidFill"):
                        known = grounds[0].known if grounds else colors.UNKNOWN
                        inks = fills.of_fill(fill, self._view.theme, known)
                        sights = {_common_sight((ink, 1.0), grounds) for ink in inks}
                        return sights.pop() if inks != colors.UNKNOWN and len(sights) == 1 else Sight.UNSURE
                    color = self._view.theme.read(fill)
                    if color is None:
                        return Sight.UNSURE
            if color is not None:
                return _common_sight(color, self._grounds(properties, body))
        return self._sight_by_table_style(body)

    def _sight_by_table_style(self, body: etree._Element) -> Sight:
        """Return how text is seen whose colour nothing sets but the style of its table."""
        cell = _cell_of(body)
        if cell is None:
            return Sight.SEEN
        own = self._ground_of_cell(cell)
        if self._table is None:
            # Programs have a style that goes well with its own fills.
            return Sight.SEEN if own is None else Sight.UNSURE
        for look in self._table.of_cell(cell):
            ground = self.beneath.under(look.fill) if own is None else own
            if look.ink is None or ground.sight(look.ink) != Sight.SEEN:
                return Sight.UNSURE
        return Sight.SEEN

    def _grounds(self, properties: list[etree._Element], body: etree._Element) -> list[_Ground]:
        """Return the grounds that a text may have, none if they are not known."""
        grounds = self._under(body)
        for highlight in (found for one in properties for found in one.iterchildren("{*}highlight")):
            behind = self._view.theme.read(highlight)
            return [ground.under(colors.UNKNOWN if behind is None else (behind[0],)) for ground in grounds]
        return grounds

    def _under(self, body: etree._Element) -> list[_Ground]:
        cell = _cell_of(body)
        if cell is None:
            return [self.beneath.under(self._shape.fill)]
        own = self._ground_of_cell(cell)
        if own is not None:
            return [own]
        return [] if self._table is None else [self.beneath.under(look.fill) for look in self._table.of_cell(cell)]

    def _ground_of_cell(self, cell: etree._Element) -> _Ground | None:
        """Return the ground of a cell that has a fill of its own, or none on purpose."""
        for properties in cell.iterchildren("{*}tcPr"):
            if (found := fills.within(properties, self._view.theme, self.beneath.known)) is not None:
                return self.beneath if found == self.beneath.known else self.beneath.under(found)
        return None

    @cached_property
    def _table(self) -> TableLook | None:
        """The look that the shape's table has by its style; None if that is not known."""
        for table in self._shape.element.iterfind("{*}graphic/{*}graphicData/{*}tbl"):
            return self._view.tables.of_table(table, self._view.theme, self.beneath.known)
        return None

    @cached_property
    def beneath(self) -> _Ground:
        """The ground that the slide and the shapes that were drawn before put behind the text."""
        ground = _Ground((WHITE,)).under(self._view.background)
        box = self._shape.box
        for shape in self._behind:
            # Where a shape is not known to be, it may lie on any other.
            if box is None or shape.box is None or shape.box.touches(box):
                is_whole = box is not None and shape.box is not None and shape.is_rectangle and shape.box.contains(box)
                ground = ground.under(shape.fill) if is_whole else ground.beside(shape.fill)
                if len(ground.known) > _MOST_COLORS:
                    return ground.under(colors.UNKNOWN)
        return ground


def _cell_of(body: etree._Element) -> etree._Element | None:
    """Return the cell of a table that a text is in."""
    owner = body.getparent()
    return owner if owner is not None and owner.tag.endswith("}tc") else None


def _common_sight(color: tuple[Color, float], grounds: list[_Ground]) -> Sight:
    """Return whether text of this colour and opacity is seen on each of the grounds. It is unsure where they differ."""
    sights = {ground.sight(color) for ground in grounds}
    return sights.pop() if len(sights) == 1 else Sight.UNSURE


def _remove_hidden(root: etree._Element) -> None:
    """Remove the shapes, and the groups of shapes, that are switched off."""
    for shape in list(root.iter(*(f"{{*}}{name}" for name in ("sp", "pic", "graphicFrame", "grpSp", "cxnSp")))):
        if any(one.get("hidden") in ("1", "true") for one in shape.iterfind("./*/{*}cNvPr")):
            _remove(shape)


def _theme_of(master: Any) -> Theme:
    mapping = master._element.find("{*}clrMap")
    return Theme(_related(master.part, RELATIONSHIP_TYPE.THEME), {} if mapping is None else _attributes(mapping))


def _related(part: Any, kind: str) -> bytes | None:
    """Return the only related part of a kind."""
    try:
        return bytes(part.part_related_by(kind).blob)
    except KeyError:
        return None


def _has_own_theme(layer: Any) -> bool:
    """True if a slide or a layout replaces parts of the theme of its master."""
    return any(relationship.reltype.endswith("/themeOverride") for relationship in layer.part.rels.values())


def _placeholder(shape: etree._Element) -> etree._Element | None:
    for kind in ("nvSpPr", "nvPicPr", "nvGraphicFramePr"):
        found = shape.find(f"{{*}}{kind}/{{*}}nvPr/{{*}}ph")
        if found is not None:
            return found
    return None


def _placeholders(layer: etree._Element) -> tuple[dict[str, etree._Element], dict[str, etree._Element]]:
    """Return the placeholders of a layout or a master by their indexes, and by their types."""
    by_index: dict[str, etree._Element] = {}
    by_type: dict[str, etree._Element] = {}
    for shape in layer.iter("{*}sp", "{*}pic", "{*}graphicFrame"):
        found = _placeholder(shape)
        if found is not None:
            by_index.setdefault(found.get("idx", "0"), shape)
            by_type.setdefault(found.get("type", "obj"), shape)
    return by_index, by_type


def _identifiers(shape: etree._Element) -> set[str]:
    """Return the identifiers of a shape and of the groups that it is in."""
    owners = (shape, *shape.iterancestors("{*}grpSp"))
    return {str(one.get("id")) for owner in owners for one in owner.iterfind("./*/{*}cNvPr")}


def _hides_layers(layer: etree._Element) -> bool:
    return layer.get("showMasterSp") in ("0", "false")


def _shifts(paragraph: etree._Element) -> Iterator[tuple[etree._Element, float]]:
    """Yield the texts of a paragraph and the shares of their sizes by which they are raised."""
    for run in paragraph.iterchildren("{*}r", "{*}fld", "{*}br"):
        own = run.find("{*}rPr")
        raised = "" if own is None else own.get("baseline", "")
        shift = points(raised.removesuffix("%"), 100 if raised.endswith("%") else _HUNDRED_PERCENT) or 0.0
        yield from ((text, shift) for text in run.iterchildren("{*}t"))
        if run.tag.endswith("}br"):
            yield run, 0.0


def _frames(element: etree._Element) -> Iterator[etree._Element]:
    for properties in element.iterchildren("{*}spPr", "{*}grpSpPr"):
        yield from properties.iterchildren("{*}xfrm")
    yield from element.iterchildren("{*}xfrm")


def _pair(frame: etree._Element, name: str, sides: tuple[str, str]) -> tuple[float, float] | None:
    for one in frame.iterchildren(f"{{*}}{name}"):
        return points(one.get(sides[0]), EMU) or 0.0, points(one.get(sides[1]), EMU) or 0.0
    return None


def _scale_within(group: etree._Element, scale: _Scale) -> _Scale:
    """Return the scale of the shapes in a group that is itself on a scale."""
    frame = next(_frames(group), None)
    if frame is None:
        return scale
    place, size = _pair(frame, "off", ("x", "y")), _pair(frame, "ext", ("cx", "cy"))
    inner_place, inner_size = _pair(frame, "chOff", ("x", "y")), _pair(frame, "chExt", ("cx", "cy"))
    if place is None or size is None or inner_place is None or inner_size is None:
        return scale
    across = scale.across * (size[0] / inner_size[0] if inner_size[0] else 1.0)
    down = scale.down * (size[1] / inner_size[1] if inner_size[1] else 1.0)
    left, top = scale.left + scale.across * place[0], scale.top + scale.down * place[1]
    # A flipped group begins at its other side.
    if frame.get("flipH") in _ON:
        left, across = left + scale.across * size[0], -across
    if frame.get("flipV") in _ON:
        top, down = top + scale.down * size[1], -down
    return _Scale(
        left - across * inner_place[0],
        top - down * inner_place[1],
        across,
        down,
        scale.is_turned or not _is_upright(frame),
    )


def _is_upright(frame: etree._Element) -> bool:
    return (points(frame.get("rot"), 1) or 0.0) % _HALF_TURN == 0


def _box(frame: etree._Element, scale: _Scale) -> tuple[Rectangle | None, bool]:
    """Return the rectangle of a shape, and whether the shape is upright, so that the rectangle is not around it."""
    place, size = _pair(frame, "off", ("x", "y")), _pair(frame, "ext", ("cx", "cy"))
    if place is None or size is None or scale.is_turned:
        return None, False
    left, top = scale.left + scale.across * place[0], scale.top + scale.down * place[1]
    width, height = scale.across * size[0], scale.down * size[1]
    left, top, width, height = left + min(width, 0.0), top + min(height, 0.0), abs(width), abs(height)
    if _is_upright(frame):
        return Rectangle(left, top, left + width, top + height), True
    angle = math.radians((points(frame.get("rot"), _DEGREE) or 0.0) % 360)
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    across, down = width * cosine + height * sine, width * sine + height * cosine
    middle, center = left + width / 2, top + height / 2
    return Rectangle(middle - across / 2, center - down / 2, middle + across / 2, center + down / 2), False


def _area(shape: _Shape) -> float:
    return 0.0 if shape.box is None else shape.box.area


def _unsure(shape: _Shape) -> _Shape:
    """Return a shape that not all programs draw: it covers nothing, and what is on it has perhaps another ground."""
    return shape._replace(is_upright=False, is_opaque=False, fill=colors.UNKNOWN if shape.fill else ())


def _largest(shapes: list[_Shape]) -> list[int]:
    """Return the positions, in order, of the largest shapes that have a colour."""
    visible = (at for at, one in enumerate(shapes) if one.fill and one.box)
    return sorted(sorted(visible, key=lambda at: -_area(shapes[at]))[:_MOST_SHAPES])


def _levels(style: etree._Element) -> dict[str, etree._Element]:
    """Return the properties of text by levels, from 1."""
    return {
        etree.QName(level).localname[3:-3]: properties
        for level in style.iterchildren("{*}*")
        for properties in level.iterchildren("{*}defRPr")
    }


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _is_seen(found: tuple[Color, float], grounds: Grounds) -> bool:
    """True if text of a colour and an opacity is seen on one of the grounds."""
    color, opacity = found
    return any(is_seen(mixed(color, ground, opacity), (ground,)) for ground in grounds)


def _has_effect(properties: etree._Element) -> bool:
    """True if letters have an outline or a shadow, which is seen where the letters themselves are not."""
    lines = properties.iterchildren("{*}ln")
    return any(line.find("{*}noFill") is None for line in lines) or properties.find("{*}effectLst/*") is not None


def _outline(properties: etree._Element) -> float:
    """Return the width of the outline of letters in points, 0 for none."""
    lines = [one for one in properties.iterchildren("{*}ln") if one.find("{*}noFill") is None]
    return max((points(line.get("w"), EMU) or 0.0 for line in lines), default=0.0)


def _is_link(properties: etree._Element) -> bool:
    """True if text has the colour of links."""
    link = properties.find("{*}hlinkClick")
    return link is not None and all(one.get("val") != "tx" for one in link.iter("{*}hlinkClr"))


def _first(properties: Iterable[etree._Element], name: str, usual: float) -> float:
    """Return the first length in hundredths of a point that one of these has."""
    return next((found for one in properties if (found := points(one.get(name), _HUNDREDTHS)) is not None), usual)


def _attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def _font_scale(body: etree._Element) -> float:
    """Return what the size of a text is multiplied by so that it fits into its shape."""
    scaling = body.find("{*}bodyPr/{*}normAutofit")
    return 1.0 if scaling is None else _percent(scaling.get("fontScale", "100%"))


def _percent(value: str) -> float:
    found = points(value.removesuffix("%"), 1)
    if found is None:
        return 1.0
    return found / 100 if value.endswith("%") else found / 100_000
