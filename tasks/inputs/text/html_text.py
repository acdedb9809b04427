"""HTML as Markdown: what a reader of the page sees, with its headings, lists, links and tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

from tasks.inputs.text import text_file

_UNSEEN = ["script", "style", "template", "noscript", "head", "svg", "math[display=none]", "object", "iframe"]
_HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_DEPTH = 120
"""Elements within each other that are told apart; the converter recurses twice for each. Pages have 10 to 40."""
_IN_LAYOUT = ["table", "h1", "h2", "h3", "h4", "h5", "h6", "pre"]
_MAX_SPAN = 1000
"""As browsers have it (HTML, 4.9.11)."""
_MAX_FILL = 200_000
"""Cells that spans may add to a page."""
_NO_WORDS = re.compile(r"(?:picture|image)? ?\d*|[^\s/]+\.\w{3,4}", re.IGNORECASE)
_LINE = re.compile(r"\n(?=[^\n])")
_LINK = re.compile(r"(?:https?|mailto|tel|ftp):", re.IGNORECASE)

PictureText = Callable[[Tag], str]
"""What stands for an `img` element."""


def alternative_text(img: Tag) -> str:
    """An `img` as readers know it who do not see it."""
    return picture_mention(str(img.get("alt") or ""))


def picture_mention(alt: str) -> str:
    """What an author says of a picture; "" where a program said it, with a number or the name of a file."""
    alt = text_file.one_line(alt).replace("[", "(").replace("]", ")")
    return "" if _NO_WORDS.fullmatch(alt) else f"[Picture: {alt}]"


def html_to_markdown(html: str, picture: PictureText = alternative_text) -> str:
    """Scripts, styles and what is hidden left out; emphasis too, for its signs would break words. Of links only those
    to other documents are kept. A cell that spans several has its text in the first of them.

    RecursionError is not raised, however deep the elements are.
    """
    soup = BeautifulSoup(html, "lxml")
    title = soup.title.get_text() if soup.title else ""
    _drop_unseen(soup)
    _flatten(soup)
    _dissolve_layout_tables(soup)
    text = _Converter(picture).convert_soup(soup).strip()
    title = "" if soup.find("h1") else text_file.one_line(title)
    return "\n\n".join(filter(None, [title and f"# {title}", text]))


class _Converter(MarkdownConverter):
    def __init__(self, picture: PictureText) -> None:
        super().__init__(
            heading_style="ATX", bullets="-", escape_asterisks=False, escape_underscores=False, escape_misc=False
        )
        self._picture = picture
        self._cells: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self._fill = _MAX_FILL

    def convert_b(self, _el: Tag, text: str, **_: object) -> str:
        return text

    convert_strong = convert_i = convert_em = convert_s = convert_del = convert_b
    convert_code = convert_kbd = convert_samp = convert_b

    def convert_sup(self, el: Tag, text: str, **_: object) -> str:
        """Exponents keep a sign, references (in brackets already) and ordinals do not need one."""
        return f"^{text}" if re.fullmatch(r"[-−+]?\d+", text.strip()) and not el.find("a") else text

    def convert_a(self, el: Tag, text: str, **_: object) -> str:
        if text.strip() == "↑" and str(el.get("href", "")).startswith("#"):
            return ""
        if not _LINK.match(str(el.get("href") or "")) or "\n" in text.strip():
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}[{text.strip()}]({el['href']}){after}" if text.strip() else text

    def convert_br(self, _el: Tag, _text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_img(self, el: Tag, _text: str, **_: object) -> str:
        return self._picture(el)

    def convert_input(self, el: Tag, _text: str, **_: object) -> str:
        if el.get("type") in ("checkbox", "radio"):
            return "☒ " if el.has_attr("checked") else "☐ "
        return str(el.get("value") or "") if el.get("type") != "hidden" else ""

    def convert_option(self, _el: Tag, text: str, **_: object) -> str:
        return f"{text.strip()} "

    def convert_li(self, el: Tag, text: str, **_: object) -> str:
        """As the base class has it, which counts an item's elder siblings anew for each."""
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
        return "\n\n".join(["", *filter(None, [above, text_file.table(self._grid(el))]), ""])

    def _grid(self, table: Tag) -> list[list[str]]:
        covered: dict[int, int] = {}  # column: rows that a cell above still reaches into
        rows = []
        for tr in table.find_all("tr"):
            row: list[str] = []
            for cell in [*tr.find_all(["td", "th"], recursive=False), None]:
                while covered.get(len(row), 0) > 0:
                    covered[len(row)] -= 1
                    row.append("")
                if cell is None:
                    break
                across, down = _span(cell, "colspan"), _span(cell, "rowspan")
                if across * down > self._fill:
                    across = down = 1
                self._fill -= across * down - 1
                covered.update({len(row) + column: down - 1 for column in range(across)})
                row += [self._cells.pop(id(cell), ""), *[""] * (across - 1)]
            rows.append(row)
        return [row for row in rows if any(cell.strip() for cell in row)]


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "")
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() and len(value) < 9 else 1


def _drop_unseen(soup: BeautifulSoup) -> None:
    def unseen(tag: Any) -> bool:
        return (
            tag.name in _UNSEEN or tag.has_attr("hidden") or bool(_HIDDEN_STYLE.search(str(tag.attrs.get("style", ""))))
        )

    for tag in soup.find_all(unseen):
        if not tag.decomposed:
            tag.decompose()


def _flatten(soup: BeautifulSoup) -> None:
    """Leave only the text of what is nested deeper than anybody means it."""
    depths = {id(soup): 0}
    for tag in soup.find_all(True):
        above = depths.get(id(tag.parent))
        if above is None:  # in what has been flattened
            continue
        depths[id(tag)] = above + 1
        if above + 1 == _DEPTH:
            text = tag.get_text(" ", strip=True)
            tag.clear()
            tag.append(text)


def _dissolve_layout_tables(soup: BeautifulSoup) -> None:
    """Make blocks of the tables that only lay out a page: with tables or headings in them, or of a single column."""
    for table in soup.find_all("table"):
        cells = [row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr")]
        if max(map(len, cells), default=0) < 2 or table.find(_IN_LAYOUT):
            for part in [table, *table.find_all(["thead", "tbody", "tfoot", "tr", "td", "th"])]:
                if part is table or part.find_parent("table") is None:
                    part.name = "div"
