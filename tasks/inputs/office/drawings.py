"""Finds texts and pictures in DrawingML, the format of shapes in all office files."""

from collections.abc import Iterator

from lxml.etree import _Element

from tasks.inputs.office import equations

_MAIN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
STRUCK = "\ufdd9"
"""Surrounds struck text. `with_strokes` turns it into `~~` after the text is escaped. It is a Unicode noncharacter,
reserved for internal use."""
_EQUATION = f"{{{equations.NAMESPACE}}}oMath"


def paragraphs(element: _Element) -> list[str]:
    """Return the non-empty paragraphs in `element`, in the file's order."""
    found = (paragraph_text(p) for p in element.iter(f"{_MAIN}p"))
    return [text for text in found if text]


def paragraph_text(paragraph: _Element) -> str:
    """Return the text of a paragraph with the signs for struck text."""
    return " ".join("".join(_paragraph_runs(paragraph)).replace(2 * STRUCK, "").split())


def struck(text: str) -> str:
    """Return a text with the signs for struck text."""
    bare = text.strip()
    return text.replace(bare, f"{STRUCK}{bare}{STRUCK}", 1) if bare else text


def with_strokes(markdown: str) -> str:
    """Replace the signs around struck text by `~~`."""
    return markdown.replace(STRUCK, "~~")


def pictures(element: _Element) -> Iterator[tuple[str, str]]:
    """Yield the relationship id and the author's description of each embedded picture in `element`."""
    for blip in element.iter(f"{_MAIN}blip"):
        if relationship := blip.get(f"{_RELATIONSHIPS}embed"):
            yield relationship, _description(blip, element)


def _description(blip: _Element, root: _Element) -> str:
    """Return the author's description of the picture that `blip` names: the `descr` of the nearest enclosing shape."""
    shape: _Element | None = blip
    while shape is not None:
        for child in shape:
            for properties in child.iterchildren("{*}cNvPr"):
                return properties.get("descr", "")
        shape = shape.getparent() if shape is not root else None
    return ""


def _paragraph_runs(element: _Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_MAIN}t":
            # A hyphen that keeps words together may be a minus before a number.
            yield (child.text or "").replace("\u2011", "-")
        elif child.tag in (f"{_MAIN}br", f"{_MAIN}tab"):
            yield " "
        elif child.tag == _EQUATION:
            yield equations.equation_text(child)
        elif child.tag != f"{_MAIN}r":
            yield from _paragraph_runs(child)
        else:
            properties = next(child.iterchildren("{*}rPr"), None)
            is_struck = properties is not None and properties.get("strike", "noStrike") != "noStrike"
            text = "".join(_paragraph_runs(child))
            yield struck(text) if is_struck else text
