"""Converts HTML to Markdown: the visible content with its headings, lists, links and tables."""

from __future__ import annotations

import re
from collections.abc import Callable

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from markdownify import MarkdownConverter

from tasks.inputs.text import text_file
from tasks.inputs.text.formulas import write_in_line
from tasks.inputs.text.page_styles import Effect, Effects, PageStyles
from tasks.markdown_text import escape_line, escape_part, is_safe, link, plain_form

_CLOSED = {
    *("script", "style", "template", "noscript", "noembed", "noframes", "head", "svg", "object", "iframe"),
    *("datalist", "canvas", "video", "audio"),
}
"""Elements that browsers do not show, or not as text."""
_STRUCK = {"s", "del", "strike"}
_TEXTLESS = ("img", "input", "hr")
"""Elements that are read although they have no text."""
_TEXTLESS_INPUTS = ("hidden", "file", "color", "range", "image", "password")
"""Types of `input` elements that do not show their values as text."""
_NEVER_WRAPPED = _STRUCK | {"table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "dl", "html", "body"}
"""Elements whose contents are not put into a `del` element: elements for struck text, tables with their sections and
rows, lists, and the page."""
_DEPTH = 120
"""Elements are kept to at most this depth, because the converter recurses twice per level. Pages have 10 to 40
levels."""
_IN_LAYOUT = ["table", "h1", "h2", "h3", "h4", "h5", "h6", "pre"]
_MAX_SPAN = 1000
"""A cell spans at most this many rows or columns, as in browsers (HTML, 4.9.11)."""
_NO_WORDS = re.compile(r"(?:picture|image)? ?\d*|[^\s/]+\.\w{3,4}", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_NUMBER = re.compile(r"[ \t\n\f\r]*([-+]?[0-9]{1,9})(?![0-9])")
"""Pattern of the beginning of an attribute that browsers read as a whole number."""
_ORDINAL = re.compile(r"\d{1,9}[.)]")
"""Pattern of a number that begins an item of a list in Markdown."""
NUMBER = "\ufdd8"
"""Surrounds a number that a program shows before a paragraph. It is a Unicode noncharacter, reserved for internal
use."""
_LINE = re.compile(r"\n(?=[^\n])")

_UNUSED = ["noscript", "template"]

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
    soup = BeautifulSoup(html.encode(errors="replace").decode(), "lxml", multi_valued_attributes={"*": ["class"]})
    title_tag = soup.head.find("title") if soup.head else None
    title = title_tag.get_text() if title_tag else ""
    _drop_hidden(soup)
    _flatten(soup)
    write_in_line(soup)
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
        kind = str(el.get("type") or "").lower()
        if kind in ("checkbox", "radio"):
            return "☒ " if el.has_attr("checked") else "☐ "
        if kind in _TEXTLESS_INPUTS:
            return ""
        return escape_line(text_file.one_line(str(el.get("value") or "")))

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
        label, rest = text.strip()[1:].split(NUMBER, 1) if text.lstrip().startswith(NUMBER) else ("", text)
        if _ORDINAL.fullmatch(label):
            bullet, text = f"{label} ", rest
        elif label:
            text = label + rest
        elif _holds_only_a_list(el):
            bullet = ""
        elif el.parent is not None and el.parent.name == "ol":
            items = el.parent
            number = _stated_number(el, "value")
            if number is None:
                number = self._numbers.get(id(items), _stated_number(items, "start"))
            if number is None:
                number = 1
            self._numbers[id(items)] = number + 1
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
        return "\n\n".join(["", *filter(None, [above, text_file.table(self._grid(el))]), ""])

    def _grid(self, table: Tag) -> list[list[str]]:
        """Place the cells as browsers do (HTML, 4.9.12)."""
        rows = []
        for section in _sections(table):
            covered: dict[int, int] = {}  # number of rows, per column, into which a cell above still extends
            for left, tr in zip(range(len(section), 0, -1), section, strict=True):
                row: list[str] = []
                for cell in [*tr.find_all(["td", "th"], recursive=False), None]:
                    while covered.get(len(row), 0) > 0:
                        covered[len(row)] -= 1
                        row.append("")
                    if cell is None:
                        break
                    across, down = _cell_span(cell, "colspan"), min(_cell_span(cell, "rowspan") or left, left)
                    columns = range(len(row), len(row) + across)
                    text = self._cells.pop(id(cell), "")
                    covered.update({column: max(down, covered.get(column, 0)) - 1 for column in columns})
                    row += [text, *[""] * (across - 1)]
                rows.append(row)
        return [row for row in rows if any(cell.strip() for cell in row)]


def _sections(table: Tag) -> list[list[Tag]]:
    """Return the rows of each section of a table in the order in which browsers draw these: the first head is above
    all others, and the first foot below them. Cells end with their section."""
    sections: list[tuple[Tag | None, list[Tag]]] = []
    for tr in table.find_all("tr"):
        if not sections or sections[-1][0] is not tr.parent:
            sections.append((tr.parent, []))
        sections[-1][1].append(tr)
    head = next((one for one in sections if one[0] is not None and one[0].name == "thead"), None)
    foot = next((one for one in sections if one[0] is not None and one[0].name == "tfoot"), None)
    body = [one for one in sections if one is not head and one is not foot]
    return [rows for _, rows in filter(None, [head, *body, foot])]


def _holds_only_a_list(item: Tag) -> bool:
    """True for the item around the items of a level whose upper level has none of its own here."""
    contents = [one for one in item.children if str(one).strip()]
    return len(contents) == 1 and isinstance(contents[0], Tag) and contents[0].name in ("ol", "ul")


def _is_verbatim(parent_tags: set[str]) -> bool:
    """True if the text below elements with these tags is shown as it is, between fences."""
    return "pre" in parent_tags and "_inline" not in parent_tags


def _stated_number(tag: Tag, name: str) -> int | None:
    number = _NUMBER.match(str(tag.get(name) or ""))
    return int(number[1]) if number else None


def _cell_span(cell: Tag, name: str) -> int:
    """Return how many cells a cell spans; 0 for all rows that are left in its section."""
    number = _stated_number(cell, name)
    least = 0 if name == "rowspan" else 1
    return 1 if number is None or number < least else min(number, _MAX_SPAN)


def _drop_hidden(soup: BeautifulSoup) -> None:
    """Remove what attributes and styles of the page hide, put content that is struck through into `del` elements, and
    turn a `span` that a style makes a block or a cell into a block."""
    sheets = [(one.get_text(), one.attrs) for one in soup.find_all("style") if not one.find_parent(_UNUSED)]
    styles = PageStyles(sheets, has_scripts=soup.find("script") is not None)
    effects = {id(tag): styles.effects_on(tag.name, tag.attrs, tag.get("class") or ()) for tag in soup.find_all(True)}
    hidden = _hidden_in(soup, effects)
    is_hidden = {id(node) for node in hidden}
    if not any(text for text in _texts_in(soup) if is_hidden.isdisjoint(id(one) for one in (text, *text.parents))):
        # The page shows its text in a way that is not known here.
        hidden = [tag for tag in soup.find_all(True) if _is_closed(tag)]
    for node in hidden:
        node.extract()
    for span in soup.find_all("span"):
        if effects[id(span)].get(Effect.APART) and span.find_parent("pre") is None:
            span.name = "div"
    _mark_struck(soup, {key for key, own in effects.items() if own.get(Effect.STRUCK)})


def _hidden_in(soup: BeautifulSoup, effects: dict[int, Effects]) -> list[PageElement]:
    """Return the elements that are hidden with all that they contain, and the texts and pictures that are not drawn
    within others."""
    hidden: list[PageElement] = []
    states: dict[int, tuple[bool, bool]] = {}  # whether each displayed element is invisible, and of zero size
    for tag in soup.find_all(True):
        own = effects[id(tag)]
        if tag.parent is not soup and id(tag.parent) not in states:
            continue
        if _is_closed(tag) or (own.get(Effect.NOT_DISPLAYED) and tag.name not in ("html", "body")):
            hidden.append(tag)
            continue
        invisible, zero_size = states.get(id(tag.parent), (False, False))
        invisible, zero_size = own.get(Effect.INVISIBLE, invisible), own.get(Effect.ZERO_SIZE, zero_size)
        states[id(tag)] = invisible, zero_size
        if invisible and tag.name in _TEXTLESS:
            hidden.append(tag)
        elif invisible or zero_size:
            hidden += [one for one in tag.contents if isinstance(one, NavigableString)]
    return hidden


def _is_closed(tag: Tag) -> bool:
    """True for an element that browsers do not show as long as no script opens it."""
    is_closed_dialog = tag.name == "dialog" and not tag.has_attr("open")
    return tag.name in _CLOSED or tag.has_attr("hidden") or tag.has_attr("popover") or is_closed_dialog


def _texts_in(tag: Tag) -> list[NavigableString]:
    """Return the texts within an element that are not blank, without comments."""
    return [text for text in tag.find_all(string=True) if text.strip() and not isinstance(text, PreformattedString)]


def _mark_struck(soup: BeautifulSoup, struck: set[int]) -> None:
    within: set[int] = set()
    outermost = []
    for tag in soup.find_all(True):
        if id(tag.parent) in within:
            within.add(id(tag))
        elif id(tag) in struck and tag.name not in _NEVER_WRAPPED:
            within.add(id(tag))
            outermost.append(tag)
    for tag in outermost:
        inner = soup.new_tag("del")
        inner.extend(list(tag.contents))
        tag.append(inner)


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
