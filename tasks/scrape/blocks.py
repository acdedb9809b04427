"""An element of a page as plain text, the way it stands on the screen."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark meter nobr output "
    "progress q rp rt ruby s samp small span strike strong sub sup time tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split()) | {"hi", "ref"}
"""Of HTML, and of the XML that trafilatura makes of it."""
_CELLS = frozenset({"td", "th", "cell"})
_CELL = "\x1f"


def text_of(element: HtmlElement) -> str:
    """A line for each paragraph, heading, list item and table row, whose cells stand between bars; what is preformatted
    keeps its lines."""
    text = "".join(_pieces(element))
    lines = []
    for line in text.split("\n"):
        if _CELL in line:
            cells = [" ".join(cell.split()) for cell in line.split(_CELL)]
            line = " | ".join(cells).strip(" |")
        line = line.rstrip()
        if line.strip():
            lines.append(line)
    return "\n".join(lines)


def _pieces(root: HtmlElement) -> Iterator[str]:
    """Without recursion: `(element, is_end)` on a stack."""
    stack: list[tuple[HtmlElement, bool]] = [(root, False)]
    pre = 0
    while stack:
        element, is_end = stack.pop()
        tag = element.tag
        is_block = tag not in _INLINE and tag not in _CELLS
        if is_end:
            pre -= _is_verbatim(element)
            if is_block:
                yield "\n"
            if element is not root:
                yield _plain(element.tail, pre)
            continue
        pre += _is_verbatim(element)
        if tag in _CELLS:
            yield _CELL
        elif is_block:
            yield "\n"
        yield _plain(element.text, pre)
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element) if isinstance(child.tag, str))


def _is_verbatim(element: HtmlElement) -> bool:
    """`code` stands in `pre` in HTML, and alone in the XML that trafilatura makes of it."""
    return element.tag == "pre" or (element.tag == "code" and "\n" in (element.text or ""))


def _plain(text: str | None, pre: int) -> str:
    if not text or pre:
        return text or ""
    return re.sub(r"\s+", " ", text)


def size_of(text: str) -> int:
    """Characters that are no white space: a measure of text in any script."""
    return len("".join(text.split()))


def size_within(element: HtmlElement) -> int:
    return size_of("".join(element.itertext()))
