"""Converts HTML to Markdown: the visible content with its headings, lists, links and tables."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, Stylesheet
from markdownify import MarkdownConverter
from PIL import ImageColor

from tasks.inputs.text import text_file
from tasks.inputs.text.style_rules import MAX_CHARS, CustomProperties, StyledNames, without_spaces
from tasks.inputs.text.unseen_styles import (
    BACKED,
    COLOURED,
    CUT_OFF,
    FAINT,
    FLAT,
    MOVING,
    NO_SIZE,
    OUTSIDE,
    SOME_SIZE,
    WHITE,
)
from tasks.markdown_text import escape_line, escape_part, is_safe, link, plain_form

_UNSEEN = {
    *("script", "style", "template", "noscript", "noembed", "noframes", "head", "svg", "object", "iframe"),
    *("datalist", "canvas", "video", "audio"),
}
_STRUCK = {"s", "del", "strike"}
_HIDDEN = re.compile(rf"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|{OUTSIDE})")
_HIDDEN_BY_SHEET = re.compile(rf"(?:^|;)(?:display:none(?:;|!|$)|{OUTSIDE})")
_INVISIBLE = re.compile(r"(?:^|;)visibility:(?:hidden|collapse)")
_SHOWN = re.compile(r"(?:^|;)display:(?!none)")
_OPAQUE = re.compile(r"(?<!-)opacity:(?:0?\.[1-9]|[1-9])|(?:^|;)(?:animation|transition)")
_NOT_WHITE = re.compile(rf"(?!{WHITE.pattern}){COLOURED.pattern}")
_COLOUR, _GROUND = re.compile(r"(?:^|;)color:([^;!]+)"), re.compile(r"(?:^|;)background(?:-color|-image)?:([^;!]+)")
_LONGEST_COLOUR = 100
_MOST_DIM = 0.5
_MOST_ALIKE = 12
"""Greatest difference, in 255ths of a channel, between a colour and a ground on which nobody sees it."""
_CROSSED = re.compile(r"(?:^|;)text-decoration(?:-line)?:[^;]*line-through")
_NOT_CROSSED = re.compile(r"(?:^|;)text-decoration(?:-line)?:(?![^;]*line-through)")
"""Patterns of declarations without white space. An element that a style sheet hides by `visibility` is kept if anything
on the page is `visible`, because that may be an element within it."""
_NEVER_WRAPPED = _STRUCK | {"table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "dl", "html", "body"}
"""Elements whose contents are not put into a `del` element: elements for struck text, tables with their sections and
rows, lists, and the page."""
_DEPTH = 120
"""Elements are kept to at most this depth, because the converter recurses twice per level. Pages have 10 to 40
levels."""
_IN_LAYOUT = ["table", "h1", "h2", "h3", "h4", "h5", "h6", "pre"]
_MAX_SPAN = 1000
"""A cell spans at most this many rows or columns, as in browsers (HTML, 4.9.11)."""
_LONGEST_BLANK = 100
"""At most this many consecutive white-space characters are kept. The converter's patterns take quadratic time for
longer runs, which only `pre` would show."""
_LONG_BLANK = re.compile(rf"(?<![ \t\r\n])[ \t\r\n]{{{_LONGEST_BLANK + 1},}}")
_NO_WORDS = re.compile(r"(?:picture|image)? ?\d*|[^\s/]+\.\w{3,4}", re.IGNORECASE)
_IMPORTED = re.compile(r"@import\s+(?:url\(\s*)?[\"']?(data:[^\"')\s]+)[\"')]*\s*(?:;|$)", re.IGNORECASE)
_VISIBLE = re.compile(r"visibility\s*:\s*(?:visible|var)", re.IGNORECASE)
_USES_VALUE, _DECLARES_VALUE = re.compile(r"var\(", re.IGNORECASE), re.compile(r"--[\w-]+\s*:")
_BACKTICKS = re.compile(r"`+")
_LINE = re.compile(r"\n(?=[^\n])")

PictureText = Callable[[Tag], str]
"""Function that returns the text for an `img` element."""


def alternative_text(img: Tag) -> str:
    """Return the text that stands for an `img` without its picture."""
    return picture_mention(str(img.get("alt") or ""))


def picture_mention(alt: str) -> str:
    """Return the author's description of a picture in brackets; "" for a generated one, such as a number or a file
    name."""
    alt = text_file.one_line(alt).replace("[", "(").replace("]", ")")
    return "" if _NO_WORDS.fullmatch(alt) else f"[Picture: {escape_part(alt, begins=False)}]"


def html_to_markdown(html: str, picture: PictureText = alternative_text) -> str:
    """Convert HTML without scripts, styles and parts that an attribute or a style sheet within the page hides. Emphasis
    is left out because its signs would break words, but text that is struck through is marked (`~~80.00~~`).
    Only links to other documents are kept. The text of a cell that spans several cells is placed in the first of them.
    Characters that would be markup are marked with `ESCAPE`.

    RecursionError is never raised, however deeply the elements are nested.
    """
    soup = BeautifulSoup(html, "lxml")
    title = soup.title.get_text() if soup.title else ""
    _shorten_blanks(soup)
    _replace_custom_properties(soup)
    _drop_unreadable(soup)  # first, because it needs the style sheets
    _drop_unseen(soup)
    _flatten(soup)
    _dissolve_layout_tables(soup)
    text = _Converter(picture).convert_soup(soup).strip()
    title = "" if soup.find("h1") else text_file.one_line(title)
    return "\n\n".join(filter(None, [title and f"# {escape_part(title, begins=False)}", text]))


class _Converter(MarkdownConverter):
    def __init__(self, picture: PictureText) -> None:
        super().__init__(heading_style="ATX", bullets="-")
        self._picture = picture
        self._cells: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self._spanned = text_file.EmptyCells()
        self._filling = text_file.EmptyCells()

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        """Convert a text. In `code`, which becomes ordinary text, the base class would escape no characters."""
        tags = parent_tags or set()
        text: str = super().process_text(el, tags if _is_verbatim(tags) else tags - {"_noformat"})  # type: ignore[misc]
        if _STRUCK.isdisjoint(tags) or _is_verbatim(tags) or not text.strip():
            return text
        return text.replace(text.strip(), f"~~{text.strip()}~~", 1)

    def escape(self, text: str, parent_tags: set[str]) -> str:
        return escape_part(text, begins="_inline" not in parent_tags)

    def convert_b(self, _el: Tag, text: str, **_: object) -> str:
        return text

    convert_strong = convert_i = convert_em = convert_s = convert_del = convert_b
    convert_code = convert_kbd = convert_samp = convert_b

    def convert_sup(self, el: Tag, text: str, **_: object) -> str:
        """Mark exponents with `^`: whole numbers that are not links to notes."""
        return f"^{text}" if re.fullmatch(r"[-−+]?\d+", text.strip()) and not el.find("a") else text

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if text.strip() == "↑" and str(el.get("href", "")).startswith("#"):
            return ""
        address = str(el.get("href") or "")
        if not is_safe(address) or "\n" in text.strip() or _is_verbatim(parent_tags):
            return text
        text_before, text_after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{text_before}{link(text.strip(), address)}{text_after}" if text.strip() else text

    def convert_br(self, _el: Tag, _text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_img(self, el: Tag, _text: str, **_: object) -> str:
        return self._picture(el)

    def convert_input(self, el: Tag, _text: str, **_: object) -> str:
        if el.get("type") in ("checkbox", "radio"):
            return "☒ " if el.has_attr("checked") else "☐ "
        return escape_line(text_file.one_line(str(el.get("value") or ""))) if el.get("type") != "hidden" else ""

    def convert_video(self, _el: Tag, text: str, **_: object) -> str:
        return text

    def convert_dd(self, _el: Tag, text: str, **_: object) -> str:
        """Convert a definition. The base class would indent its paragraphs, and Markdown would show them as code."""
        return f":   {text.strip()}\n" if text.strip() else "\n"

    def convert_pre(self, _el: Tag, text: str, parent_tags: set[str]) -> str:
        """Convert a preformatted text without the blank lines around it. The base class takes quadratic time for such
        lines."""
        if "pre" in parent_tags or "_inline" in parent_tags:
            return text
        blank = text[: len(text) - len(text.lstrip(" \n"))]
        text = plain_form(text[blank.rfind("\n") + 1 :].rstrip(" \n"))
        fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
        return f"\n\n{fence}\n{text}\n{fence}\n\n" if text else ""

    def convert_option(self, _el: Tag, text: str, **_: object) -> str:
        return f"{text.strip()} "

    def convert_li(self, el: Tag, text: str, **_: object) -> str:
        """Convert a list item. The base class would count the preceding siblings of every item."""
        bullet = "- "
        if el.parent is not None and el.parent.name == "ol":
            start = str(el.parent.get("start") or "")
            number = self._numbers.get(id(el.parent), int(start) if start.isdecimal() and len(start) < 9 else 1)
            self._numbers[id(el.parent)] = number + 1
            bullet = f"{number}. "
        text = text.strip()
        return bullet + _LINE.sub("\n" + " " * len(bullet), text) + "\n" if text else "\n"

    def convert_td(self, el: Tag, text: str, **_: object) -> str:
        self._cells[id(el)] = text
        return ""

    convert_th = convert_td

    def convert_tr(self, _el: Tag, text: str, **_: object) -> str:
        return text

    def convert_table(self, el: Tag, text: str, **_: object) -> str:
        above = text.strip()  # a caption
        return "\n\n".join(["", *filter(None, [above, text_file.table(self._grid(el), self._filling)]), ""])

    def _grid(self, table: Tag) -> list[list[str]]:
        covered: dict[int, int] = {}  # number of rows, per column, into which a cell above still extends
        rows = []
        for tr in table.find_all("tr"):
            row: list[str] = []
            for cell in [*tr.find_all(["td", "th"], recursive=False), None]:
                while covered.get(len(row), 0) > 0:
                    covered[len(row)] -= 1
                    row.append("")
                if cell is None:
                    break
                across, down = _cell_span(cell, "colspan"), _cell_span(cell, "rowspan")
                if not self._spanned.take(across * down - 1):
                    across = down = 1
                covered.update({len(row) + column: down - 1 for column in range(across)})
                row += [self._cells.pop(id(cell), ""), *[""] * (across - 1)]
            rows.append(row)
        return [row for row in rows if any(cell.strip() for cell in row)]


def _is_verbatim(parent_tags: set[str]) -> bool:
    """True if the text below elements with these tags is shown as it is, between fences."""
    return "pre" in parent_tags and "_inline" not in parent_tags


def _cell_span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "")
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() and len(value) < 9 else 1


def _shorten_blanks(soup: BeautifulSoup) -> None:
    """Shorten long runs of white space. If a run has line breaks, one empty line and the blanks after the last break
    remain."""

    def shortened(blank: re.Match[str]) -> str:
        _, line_break, last = blank[0].rpartition("\n")
        return 2 * line_break + last[:_LONGEST_BLANK]

    for text in soup.find_all(string=_LONG_BLANK):
        text.replace_with(type(text)(_LONG_BLANK.sub(shortened, str(text))))


def _drop_unseen(soup: BeautifulSoup) -> None:
    """Remove elements that a browser does not show, and put content that it strikes through into `del` elements.

    On a page with scripts, elements that a style sheet hides are kept, because a script may show them.
    """
    css = _style_sheets(soup)
    may_show = _VISIBLE.search(css) is not None or soup.find(style=_VISIBLE) is not None

    def hides(declared: str) -> bool:
        is_unseen = _HIDDEN_BY_SHEET.search(declared) or _is_cut_to_nothing(declared)
        return bool(is_unseen or (not may_show and _INVISIBLE.search(declared)))

    hidden = StyledNames("" if soup.find("script") else css, hides, _SHOWN.search)
    found = hidden.find_in(soup)
    crossed = StyledNames(css, _CROSSED.search, _NOT_CROSSED.search)
    unseen, by_sheet, struck = [], [], []
    within_struck: set[int] = set()  # identities of elements that are struck through, or that are within one
    for tag in soup.find_all(True):
        style = without_spaces(str(tag.attrs.get("style") or ""))
        is_hidden_by_sheet = not _SHOWN.search(style) and (
            (bool(hidden) and hidden.apply_to(*_names_of(tag)))
            or (id(tag) in found and not hidden.is_other(_signed_names_of(tag)))
        )
        if _is_closed(tag) or _HIDDEN.search(style) or _is_cut_to_nothing(style):
            unseen.append(tag)
        elif is_hidden_by_sheet:
            by_sheet.append(tag)
        elif id(tag.parent) in within_struck:
            within_struck.add(id(tag))
        elif tag.name not in _NEVER_WRAPPED and (
            _CROSSED.search(style) or (crossed and not _NOT_CROSSED.search(style) and crossed.apply_to(*_names_of(tag)))
        ):
            within_struck.add(id(tag))
            struck.append(tag)
    for tag in unseen:
        if not tag.decomposed:
            tag.decompose()
    _drop_unless_all(soup, by_sheet)
    for tag in struck:
        if not tag.decomposed:
            inner = soup.new_tag("del")
            inner.extend(list(tag.contents))
            tag.append(inner)


def _is_cut_to_nothing(declared: str) -> bool:
    return FLAT.search(declared) is not None and CUT_OFF.search(declared) is not None


def _is_faint(declared: str) -> bool:
    """True for a faint style, or one with a text in the colour of its own ground."""
    if FAINT.search(declared):
        return True
    colours, grounds = _COLOUR.findall(declared), _GROUND.findall(declared)
    return bool(colours and grounds) and _are_alike(_rgb_of(colours[-1]), _rgb_of(grounds[-1]))


def _drop_unless_all(soup: BeautifulSoup, hidden: Sequence[Tag]) -> None:
    """Remove elements that a style sheet hides, unless the page has no other text: it then shows them in a way that is
    unknown here."""
    within = {id(element) for tag in hidden if not tag.decomposed for element in (tag, *tag.descendants)}
    is_other = (text.strip() and id(text) not in within for text in soup.find_all(string=True))
    if not any(is_other):
        return
    for tag in hidden:
        if not tag.decomposed:
            tag.decompose()


def _is_closed(tag: Tag) -> bool:
    """True for an element that browsers do not show as long as no script opens it."""
    is_closed_dialog = tag.name == "dialog" and not tag.has_attr("open")
    return tag.name in _UNSEEN or tag.has_attr("hidden") or tag.has_attr("popover") or is_closed_dialog


def _drop_unreadable(soup: BeautifulSoup) -> None:
    """Remove text in a font of no size, and text that is transparent, or white on nothing, by a style or a style sheet.

    Transparent and white texts are kept if they are all of the page. A page with scripts or with style sheets from
    elsewhere keeps them if they make up half of it: it is then waiting for a script, or has its background from there.
    """
    css = "" if soup.find("script") else _style_sheets(soup)
    # The page's style sheets are not read well enough to tell behind which elements they put a background.
    may_be_backed = soup.find("link", rel="stylesheet") is not None or BACKED.search(_declarations(css)) is not None
    no_size, faint, white = (
        StyledNames(css, style, other.search)
        for style, other in ((NO_SIZE.search, SOME_SIZE), (_is_faint, _OPAQUE), (WHITE.search, _NOT_WHITE))
    )
    of_no_size, of_faint, of_white = (one.find_in(soup) for one in (no_size, faint, white))
    states: dict[int, _Sight] = {}
    tiny: list[NavigableString] = []
    dim: list[NavigableString] = []
    for tag in soup.find_all(True):
        style = without_spaces(str(tag.attrs.get("style") or ""))
        names = _names_of(tag)
        around = states.get(id(tag.parent), _Sight())
        has_no_size, is_faint, is_white, is_backed, ink, ground = around
        if SOME_SIZE.search(style):
            has_no_size = False
        elif NO_SIZE.search(style) or (no_size and no_size.apply_to(*names)):
            has_no_size = True
        elif has_no_size or id(tag) in of_no_size:
            # A rule of the style sheet may give its own size to an element within one of no size.
            has_no_size = not no_size.is_other(_signed_names_of(tag))
        if not MOVING.search(style):
            is_faint |= FAINT.search(style) is not None or bool(faint and faint.apply_to(*names))
            is_faint |= id(tag) in of_faint and not faint.is_other(_signed_names_of(tag))
        colour = f"color:{without_spaces(str(tag.attrs['color']))}" if tag.attrs.get("color") else style
        is_white_by_sheet = (white and white.apply_to(*names)) or (
            id(tag) in of_white and not white.is_other(_signed_names_of(tag))
        )
        if COLOURED.search(colour) or is_white_by_sheet:
            is_white = WHITE.search(colour) is not None or not COLOURED.search(colour)
        is_backed |= BACKED.search(style) is not None or bool(tag.attrs.get("bgcolor") or tag.attrs.get("background"))
        if named := _COLOUR.findall(colour):
            ink = _rgb_of(named[-1])
        if named := _GROUND.findall(style) or list(
            filter(None, [tag.attrs.get("background"), tag.attrs.get("bgcolor")])
        ):
            ground = _rgb_of(str(named[-1]))
        states[id(tag)] = _Sight(has_no_size, is_faint, is_white, is_backed, ink, ground)
        if has_no_size:
            tiny += tag.find_all(string=True, recursive=False)
        elif is_faint or (is_white and not is_backed and not may_be_backed) or _are_alike(ink, ground):
            dim += tag.find_all(string=True, recursive=False)
    is_static = soup.find("script") is None and soup.find("link", rel="stylesheet") is None
    most = 1.0 if is_static else _MOST_DIM
    if sum(len(text.strip()) for text in dim) >= most * len(soup.get_text(strip=True)):
        dim = []
    for text in [*tiny, *dim]:
        text.extract()


Rgb = tuple[int, int, int]


class _Sight(NamedTuple):
    """The sight that a reader has of the texts in an element."""

    has_no_size: bool = False
    is_faint: bool = False
    is_white: bool = False
    is_backed: bool = False
    ink: Rgb | None = None
    ground: Rgb | None = None
    """Colours of the text and of what is behind it; None if unknown."""


@lru_cache(maxsize=512)
def _rgb_of(colour: str) -> Rgb | None:
    """Return red, green and blue, 0 to 255, of a colour in CSS; None for one that is not opaque or not plain."""
    try:
        red, green, blue, *opacity = ImageColor.getrgb(colour[:_LONGEST_COLOUR])
    except ValueError:
        return None
    return (red, green, blue) if opacity in ([], [255]) else None


def _are_alike(ink: Rgb | None, ground: Rgb | None) -> bool:
    """True if nobody sees a text of this colour on this ground."""
    if ink is None or ground is None:
        return False
    return all(abs(one - other) <= _MOST_ALIKE for one, other in zip(ink, ground, strict=True))


def _declarations(css: str) -> str:
    return ";".join(without_spaces(css).replace("{", ";").split("}"))


def _style_sheets(soup: BeautifulSoup) -> str:
    """Return the style sheets within a page that a browser applies on every screen: those of `style` elements, and
    those in data URLs."""
    sheets = []
    for sheet in soup.find_all(["style", "link"]):
        if (
            str(sheet.get("type") or "text/css").strip().casefold() != "text/css"
            or str(sheet.get("media") or "all").strip().casefold() not in ("all", "screen")
            or sheet.find_parent(["noscript", "template"]) is not None
        ):
            continue
        if sheet.name == "style":
            sheets += [*map(_text_in_url, _IMPORTED.findall(sheet.get_text()[:MAX_CHARS])), sheet.get_text()]
        elif _is_sheet_in_use(sheet):
            sheets.append(_text_in_url(str(sheet.get("href") or "")))
    return "\n".join(sheets)


def _is_sheet_in_use(link: Tag) -> bool:
    """True for a link to a style sheet, unless it is disabled or an `alternate` one, which a reader has to choose."""
    return [str(kind).casefold() for kind in link.get_attribute_list("rel")] == ["stylesheet"] and not link.has_attr(
        "disabled"
    )


def _text_in_url(url: str) -> str:
    """Return the text in a data URL; "" for other URLs."""
    head, comma, data = url.strip()[:MAX_CHARS].partition(",")
    if not comma or not head.casefold().startswith("data:"):
        return ""
    content = unquote_to_bytes(data)
    if head.casefold().endswith(";base64"):
        try:
            content = b64decode(b"".join(content.split()) + b"==")
        except ValueError:
            return ""
    return content.decode("utf-8", "replace")


def _replace_custom_properties(soup: BeautifulSoup) -> None:
    """Put the values of custom properties into the style sheets and styles of a page."""
    sheets = [sheet for sheet in soup.find_all("style") if "var(" in sheet.get_text().lower()]
    styled = list(soup.find_all(style=_USES_VALUE))
    if not sheets and not styled:
        return
    declared = [_style_sheets(soup), *(str(tag["style"]) for tag in soup.find_all(style=_DECLARES_VALUE))]
    properties = CustomProperties("\n".join(declared))
    for sheet in sheets:
        text = properties.replace_in(sheet.get_text())
        sheet.clear()
        sheet.append(Stylesheet(text))
    for tag in styled:
        tag["style"] = properties.replace_in(str(tag["style"]))


def _names_of(tag: Tag) -> tuple[str, str, list[str]]:
    """Return the tag, the id and the classes of an element."""
    classes: str | list[str] = tag.get("class") or []
    return tag.name, str(tag.attrs.get("id") or ""), classes.split() if isinstance(classes, str) else classes


def _signed_names_of(tag: Tag) -> list[str]:
    """Return the id and the classes of an element with their signs in selectors."""
    _, element_id, classes = _names_of(tag)
    return [*(f".{name}" for name in classes), f"#{element_id}"]


def _flatten(soup: BeautifulSoup) -> None:
    """Replace everything below the depth limit by its text."""
    depths = {id(soup): 0}
    for tag in soup.find_all(True):
        above = depths.get(id(tag.parent))
        if above is None:  # an element of flattened content
            continue
        depths[id(tag)] = above + 1
        if above + 1 == _DEPTH:
            text = tag.get_text(" ", strip=True)
            tag.clear()
            tag.append(text)


def _dissolve_layout_tables(soup: BeautifulSoup) -> None:
    """Turn tables that only serve the page's layout into blocks. A table counts as such if it contains tables, headings
    or preformatted text, or has a single column."""
    for table in soup.find_all("table"):
        cells = [row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr")]
        if max(map(len, cells), default=0) < 2 or table.find(_IN_LAYOUT):
            for part in [table, *table.find_all(["thead", "tbody", "tfoot", "tr", "td", "th"])]:
                if part is table or part.find_parent("table") is None:
                    part.name = "div"
