"""Finds texts and pictures in DrawingML, the format of shapes in all office files."""

from collections.abc import Iterator

from lxml.etree import _Element

from tasks.inputs.office import equations

_MAIN = (
    "http://schemas.openxmlformats.org/drawingml/2006/main",
    "http://purl.oclc.org/ooxml/drawingml/main",
)
_RELATIONSHIPS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_TEXT = frozenset(f"{{{main}}}t" for main in _MAIN)
_BREAK = frozenset(f"{{{main}}}{name}" for main in _MAIN for name in ("br", "tab"))
_EQUATION = frozenset(f"{{{math}}}oMath" for math in equations.NAMESPACES)


def paragraphs(element: _Element) -> list[str]:
    """Return the non-empty paragraphs in `element`, in the file's order."""
    found = (paragraph_text(p) for p in element.iter(*(f"{{{main}}}p" for main in _MAIN)))
    return [text for text in found if text]


def paragraph_text(paragraph: _Element) -> str:
    return " ".join("".join(_paragraph_runs(paragraph)).split())


def pictures(element: _Element) -> Iterator[tuple[str, str]]:
    """Yield the relationship id and the author's description of each embedded picture in `element`."""
    for blip in element.iter(*(f"{{{main}}}blip" for main in _MAIN)):
        for relationships in _RELATIONSHIPS:
            if relationship := blip.get(f"{{{relationships}}}embed"):
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
        if child.tag in _TEXT:
            yield child.text or ""
        elif child.tag in _BREAK:
            yield " "
        elif child.tag in _EQUATION:
            yield equations.equation_text(child)
        else:
            yield from _paragraph_runs(child)
