"""Finds what the paragraphs of a Word document stand on, and whether that is seen: the page, tables and text boxes."""

from itertools import accumulate
from typing import NamedTuple

from lxml import etree

from tasks.inputs.contrast import BLACK, WHITE, Color, mixed
from tasks.inputs.office import colors, fills
from tasks.inputs.office.colors import Grounds
from tasks.inputs.office.measures import TWIPS, is_tiny, points
from tasks.inputs.office.word_boxes import text_box
from tasks.inputs.office.word_pages import PaperSize

_OFF = ("0", "false", "off")
_CELL_MARGIN = 5.4
"""The space before the text of cells if nothing sets one."""


class Backs(NamedTuple):
    """The colours behind the text of a document."""

    page: Grounds = (WHITE,)
    transparent_box: Grounds | None = None
    """The colours behind the text of a box without a fill; None: those around it."""


class Place(NamedTuple):
    """The ground that paragraphs stand on."""

    grounds: Grounds
    is_unseen: bool = False
    table_style: str = ""
    is_unsure: bool = False
    """True if programs differ in whether they show what stands there."""


class _Columns(NamedTuple):
    """The beginnings of the columns of a table, in points."""

    starts: list[float]
    margin: float
    """The space before the text of its cells, unless they set another one."""
    is_fixed: bool
    """True if programs agree on the columns."""


class WordPlaces:
    """The places of the paragraphs in a part of a document."""

    def __init__(
        self,
        root: etree._Element,
        namespace: str,
        theme: colors.Theme,
        tables: dict[str, Grounds],
        default_table: str,
        backs: Backs,
    ) -> None:
        """`tables` are the colours of cells by styles of tables, of which tables that name none have the default."""
        self._name = f"{{{namespace}}}"
        self._theme = theme
        self._tables = tables
        self._default_table = default_table
        self._backs = backs
        self._body = Place(backs.page)
        self._places: dict[etree._Element, Place] = {}
        self._containers = tuple(f"{self._name}{name}" for name in ("tc", "tr", "tbl", "txbxContent"))
        self._shapes = {
            box: next(text.iterancestors())
            for text in root.iter("{*}txbx")
            for box in text.iterchildren(f"{self._name}txbxContent")
        }
        # Mammoth reads the text of boxes in the place that is for programs that do not know their format.
        for alternative in root.iter("{*}AlternateContent"):
            old_boxes = alternative.iterfind(f"{{*}}Fallback//{self._name}txbxContent")
            self._shapes.update(zip(old_boxes, alternative.iterfind("{*}Choice//{*}txbx/.."), strict=False))
        self._columns: dict[etree._Element, _Columns] = {}
        self._heights: dict[etree._Element, float] = {}
        self._cells: dict[etree._Element, tuple[float, float]] = {}
        self._pages: dict[etree._Element, PaperSize] = {}
        self._last_page = PaperSize()
        self._read_sections(root)

    def _read_sections(self, root: etree._Element) -> None:
        sections = [one for one in root.iter(f"{self._name}sectPr") if self._is_section(one)]
        pages = [self._read_page(section) for section in sections]
        self._last_page = pages[-1] if pages else self._last_page
        if len(set(pages)) < 2:
            return
        page_of, before = dict(zip(sections, pages, strict=True)), list[etree._Element]()
        for element in root.iter(*(f"{self._name}{kind}" for kind in ("p", "tbl", "sectPr"))):
            if element in page_of:
                self._pages.update(dict.fromkeys(before, page_of[element]))
                before = []
            else:
                before.append(element)

    def _is_section(self, properties: etree._Element) -> bool:
        """True for properties of a section, which ends with them, instead of former ones, or ones without effect."""
        parents = [f"{self._name}body", f"{self._name}pPr"]
        is_inner = any(True for _ in properties.iterancestors(f"{self._name}tc", f"{self._name}txbxContent"))
        return not is_inner and next(properties.iterancestors()).tag in parents

    def page_of(self, element: etree._Element) -> PaperSize:
        """Return the page of the section that a paragraph, a table or something within them is in."""
        if self._pages:
            for one in (element, *element.iterancestors(f"{self._name}p", f"{self._name}tbl")):
                if one in self._pages:
                    return self._pages[one]
        return self._last_page

    def room(self, container: etree._Element) -> tuple[float, float]:
        """Return the width and the height in which the text of a cell or a box is shown; infinite if they are not
        bounded."""
        page = self.page_of(container)
        if container in self._shapes:
            box = text_box(self._shapes[container], page)
            return (float("inf"), float("inf")) if box is None else box.room
        for row in container.iterancestors(f"{self._name}tr"):
            if row not in self._heights:
                # Without properties, all cells of the row are looked through for them.
                self._heights[row] = self._exact_height(row)
            return self._width(container) or page.width, self._heights[row]
        return page.width, float("inf")

    def _exact_height(self, row: etree._Element) -> float:
        """Return the height of a row; infinite if it is as high as its text."""
        for one in self._properties(row, "trPr"):
            if one.tag == f"{self._name}trHeight" and one.get(f"{self._name}hRule") == "exact":
                return points(one.get(f"{self._name}val"), TWIPS) or float("inf")
        return float("inf")

    def around(self, element: etree._Element) -> Place:
        """Return the place that a paragraph, or another element, is in."""
        container = next(element.iterancestors(*self._containers), None)
        if container is None:
            return self._body
        if container not in self._places:
            self._places[container] = self._place_of(container)
        return self._places[container]

    def _read_page(self, section: etree._Element) -> PaperSize:
        page = PaperSize()
        for kind, names in (
            ("pgSz", {"width": "w", "height": "h"}),
            ("pgMar", {s: s for s in ("left", "right", "top", "bottom")}),
        ):
            for one in section.iterchildren(f"{self._name}{kind}"):
                for field, name in names.items():
                    value = points(one.get(f"{self._name}{name}"), TWIPS)
                    page = page if value is None else page._replace(**{field: value})
                # Where pages are bound on the left, the text begins behind the gutter.
                page = page._replace(left=page.left + (points(one.get(f"{self._name}gutter"), TWIPS) or 0.0))
        return page

    def _place_of(self, container: etree._Element) -> Place:
        outer = self.around(container)
        match etree.QName(container).localname:
            case "tc":
                is_beside, is_unsure = self._is_cell_beside_page(container)
                is_unsure = is_unsure or any(
                    one.tag == f"{self._name}cellDel" for one in self._properties(container, "tcPr")
                )
                place = Place(self._shade(container, "tcPr") or outer.grounds, is_beside, is_unsure=is_unsure)
            case "tr":
                place = Place(outer.grounds, self._is_flat_or_hidden(container), is_unsure=self._is_moved(container))
            case "tbl":
                style = self._child_value(container, "tblPr", "tblStyle") or self._default_table
                shade = self._shade(container, "tblPr") or outer.grounds
                is_beside, is_unsure = self._is_beside_page(container)
                place = Place((*self._tables.get(style, ()), *shade), is_beside, style, is_unsure)
            case _:
                place = self._text_box(container, outer)
        return place._replace(
            is_unseen=place.is_unseen or outer.is_unseen,
            table_style=place.table_style or outer.table_style,
            is_unsure=place.is_unsure or outer.is_unsure,
        )

    def _properties(self, element: etree._Element, kind: str) -> etree._Element | tuple[()]:
        found = element.find(f"{self._name}{kind}")
        return () if found is None else found

    def _child_value(self, element: etree._Element, kind: str, name: str) -> str:
        for one in self._properties(element, kind):
            if one.tag == f"{self._name}{name}":
                return str(one.get(f"{self._name}val", ""))
        return ""

    def _shade(self, element: etree._Element, kind: str) -> Grounds:
        for one in self._properties(element, kind):
            if one.tag == f"{self._name}shd":
                return shading(one, self._name, self._theme)
        return ()

    def _is_flat_or_hidden(self, row: etree._Element) -> bool:
        for one in self._properties(row, "trPr"):
            value = one.get(f"{self._name}val")
            if one.tag == f"{self._name}del" or (one.tag == f"{self._name}hidden" and value not in _OFF):
                return True
            if one.tag == f"{self._name}trHeight" and one.get(f"{self._name}hRule") == "exact":
                height = points(value, TWIPS)
                return height is not None and is_tiny(height)
        return False

    def _is_moved(self, row: etree._Element) -> bool:
        """True if an indent of its own puts a row outside the page in some programs."""
        page = self.page_of(row)
        indents = [one for one in self._properties(row, "tblPrEx") if one.tag == f"{self._name}tblInd"]
        starts = [page.left + (points(one.get(f"{self._name}w"), TWIPS) or 0.0) for one in indents]
        return any(start < -_CELL_MARGIN or start >= page.width for start in starts)

    def _width(self, cell: etree._Element) -> float | None:
        for one in self._properties(cell, "tcPr"):
            if one.tag == f"{self._name}tcW" and one.get(f"{self._name}type", "dxa") == "dxa":
                return points(one.get(f"{self._name}w"), TWIPS)
        return None

    def _margin(self, element: etree._Element, kind: str, name: str) -> float | None:
        """Return the space before the text of a cell."""
        for margins in self._properties(element, kind):
            if margins.tag == f"{self._name}{name}":
                for one in margins.iterchildren(f"{self._name}left", f"{self._name}start"):
                    return points(one.get(f"{self._name}w"), TWIPS)
        return None

    def _columns_of(self, table: etree._Element) -> _Columns:
        if table not in self._columns:
            widths = [points(one.get(f"{self._name}w"), TWIPS) or 0.0 for one in self._properties(table, "tblGrid")]
            kinds = {one.tag: one for one in self._properties(table, "tblPr")}
            layout = kinds.get(f"{self._name}tblLayout")
            start = self._start_of(table)
            others = {f"{self._name}{kind}" for kind in ("jc", "bidiVisual", "tblpPr")}
            is_fixed = layout is not None and layout.get(f"{self._name}type") == "fixed" and others.isdisjoint(kinds)
            margin = self._margin(table, "tblPr", "tblCellMar") or 0.0
            self._columns[table] = _Columns(list(accumulate(widths, initial=start)), margin, is_fixed)
        return self._columns[table]

    def _read_cells(self, row: etree._Element, columns: _Columns) -> None:
        """Find where the cells of a row begin: by the columns of the table, and by their own widths."""
        index, left = 0, columns.starts[0]
        for one in self._properties(row, "trPr"):
            if one.tag == f"{self._name}gridBefore":
                index = _whole(one.get(f"{self._name}val", ""))
            if one.tag == f"{self._name}wBefore":
                left += points(one.get(f"{self._name}w"), TWIPS) or 0.0
        for cell in row.iter(f"{self._name}tc"):
            if next(cell.iterancestors(f"{self._name}tr")) is not row:
                continue
            self._cells[cell] = columns.starts[min(index, len(columns.starts) - 1)], left
            index += max(1, _whole(self._child_value(cell, "tcPr", "gridSpan")))
            left += self._width(cell) or 0.0

    def _is_cell_beside_page(self, cell: etree._Element) -> tuple[bool, bool]:
        """Return whether the text of a cell is outside the page, and whether it is in some programs."""
        row = next(cell.iterancestors(f"{self._name}tr"), None)
        table = None if row is None else next(row.iterancestors(f"{self._name}tbl"), None)
        if row is None or table is None:
            return False, False
        columns = self._columns_of(table)
        if cell not in self._cells:
            self._read_cells(row, columns)
        page, starts = self.page_of(table), self._cells[cell]
        margin = self._margin(cell, "tcPr", "tcMar")
        margin = columns.margin if margin is None else margin
        is_beside = columns.is_fixed and min(starts) >= page.width
        is_cut = min(starts) < -max(margin, _CELL_MARGIN) or max(starts) >= page.width
        return is_beside, is_cut or margin >= (self._width(cell) or page.width)

    def _start_of(self, table: etree._Element) -> float:
        """Return where a table begins, from the left of the page."""
        page = self.page_of(table)
        for one in self._properties(table, "tblPr"):
            if one.tag == f"{self._name}tblpPr":
                return self._position(one, page)[0]
            if one.tag == f"{self._name}tblInd" and one.get(f"{self._name}type", "dxa") == "dxa":
                return page.left + (points(one.get(f"{self._name}w"), TWIPS) or 0.0)
        return page.left

    def _position(self, placed: etree._Element, page: PaperSize) -> tuple[float, float]:
        """Return where a floating table is placed."""
        written = {str(key).removeprefix(self._name): str(value) for key, value in placed.attrib.items()}
        left, top = page.position(written, ("tblpX", "tblpY", "horzAnchor", "vertAnchor"))
        return page.left if "tblpXSpec" in written else left, page.top if "tblpYSpec" in written else top

    def _is_beside_page(self, table: etree._Element) -> tuple[bool, bool]:
        """Return whether a table is outside the page, and whether it begins above it."""
        page, left, top = self.page_of(table), self._start_of(table), 0.0
        columns = (points(one.get(f"{self._name}w"), TWIPS) for one in self._properties(table, "tblGrid"))
        width = sum(filter(None, columns)) or page.width
        for one in self._properties(table, "tblPr"):
            if one.tag == f"{self._name}tblpPr":
                _, top = self._position(one, page)
        return page.misses(left, width, top, page.height), top < 0

    def _text_box(self, content: etree._Element, outer: Place) -> Place:
        """Return the place of a text box, by the choice of it that Word shows, or else by its VML."""
        if content in self._shapes:
            return self._drawn_box(self._shapes[content], outer, self.page_of(content))
        for shape in content.iterancestors("{*}shape", "{*}rect", "{*}roundrect"):
            return self._vml_box(shape, self._backs.transparent_box or outer.grounds, self.page_of(content))
        return Place(colors.UNKNOWN)

    def _drawn_box(self, shape: etree._Element, outer: Place, page: PaperSize) -> Place:
        grounds = fills.of_shape(shape, self._theme, self._backs.transparent_box or outer.grounds)
        box = text_box(shape, page)
        if box is None:
            return Place(grounds)
        is_outside = page.misses(box.left, box.width, box.top, box.height)
        return Place(grounds, box.is_hidden or is_outside, is_unsure=box.is_unsure)

    def _vml_box(self, shape: etree._Element, under: Grounds, page: PaperSize) -> Place:
        pairs = (one.partition(":") for one in shape.get("style", "").split(";")[:100])
        style = {name.strip(): value.strip() for name, _, value in pairs}
        left, top = (points(style.get(f"margin-{side}"), 1) or 0.0 for side in ("left", "top"))
        width, height = (points(style.get(side), 1) for side in ("width", "height"))
        if style.get("mso-position-horizontal-relative") != "page":
            left += page.left
        is_fitted = any("mso-fit-shape-to-text:t" in box.get("style", "") for box in shape.iterchildren("{*}textbox"))
        is_flat = not is_fitted and any(side is not None and is_tiny(side) for side in (width, height))
        is_beside = page.misses(left, page.width if width is None else width, top, page.height)
        return Place(_vml_fill(shape, under), is_flat or is_beside or style.get("visibility") == "hidden")


def _vml_fill(shape: etree._Element, under: Grounds) -> Grounds:
    if shape.get("filled") in ("f", "false"):
        return under
    fill = next(shape.iterchildren("{*}fill"), None)
    if fill is not None and (fill.get("type", "solid") != "solid" or fill.get("opacity") is not None):
        return colors.UNKNOWN
    color = colors.of_css(shape.get("fillcolor", "white").partition(" ")[0])
    return colors.UNKNOWN if color is None else (color,)


def _whole(value: str) -> int:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else 0


def shading(element: etree._Element, name: str, theme: colors.Theme) -> Grounds:
    """Return the colours of a shade (ECMA-376, part 1, 17.3.5); none if it has none. `name` is the namespace in
    braces."""
    pattern = element.get(f"{name}val", "clear")
    fill = theme_color(element, name, theme, "fill", "themeFill")
    ink = theme_color(element, name, theme, "color", "themeColor")
    if pattern in ("clear", "nil"):
        return () if fill is None else (fill,)
    ink, fill = ink or BLACK, fill or WHITE
    if pattern == "solid":
        return (ink,)
    share = pattern.removeprefix("pct")
    # The other patterns are lines of one colour on the other.
    return (mixed(ink, fill, int(share) / 100),) if share.isdecimal() and len(share) <= 2 else (ink, fill)


def theme_color(element: etree._Element, name: str, theme: colors.Theme, plain: str, themed: str) -> Color | None:
    """Return the colour in an attribute of this plain name, or in the theme, which goes before the former; None if the
    program chooses one."""
    color = theme.named(element.get(f"{name}{themed}", ""))
    if color is None:
        return colors.of_hex(element.get(f"{name}{plain}", ""))
    tint, shade = element.get(f"{name}{themed}Tint"), element.get(f"{name}{themed}Shade")
    if themed == "themeColor":
        tint, shade = element.get(f"{name}themeTint"), element.get(f"{name}themeShade")
    if tint is not None and (share := _byte(tint)) is not None:
        color = colors.lightened(color, share, 1 - share)
    if shade is not None and (share := _byte(shade)) is not None:
        color = colors.lightened(color, share)
    return color


def _byte(value: str) -> float | None:
    try:
        return int(value[:2], 16) / 255
    except ValueError:
        return None
