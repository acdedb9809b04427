"""Decides what is drawn of content that a slide has in several formats (ECMA-376, part 3, 7.5 to 7.7).

A program draws the first `Choice` of whose namespaces it knows all, else the `Fallback`. What every program draws is
kept as it is. Where that depends on the program, all that one may draw is kept, and text that is not the same in all of
them is marked as unsure.
"""

from collections.abc import Iterator
from typing import cast

from lxml import etree

from tasks.inputs.office.drawings import letters_of, mark_unsure

_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_OUTERMOST = etree.XPath(
    ".//mc:AlternateContent[not(ancestor::mc:AlternateContent)]", namespaces={"mc": _COMPATIBILITY}
)
_KNOWN = {
    "a14": "http://schemas.microsoft.com/office/drawing/2010/main",
    "p14": "http://schemas.microsoft.com/office/powerpoint/2010/main",
    "p15": "http://schemas.microsoft.com/office/powerpoint/2012/main",
}
"""Namespaces that all programs in use know, with their usual prefixes, which LibreOffice compares."""


def branches(root: etree._Element) -> Iterator[list[etree._Element]]:
    """Yield the choices and the fallback of each alternative that is not within another one."""
    for alternative in cast(list[etree._Element], _OUTERMOST(root)):
        yield list(alternative.iterchildren(f"{{{_COMPATIBILITY}}}Choice", f"{{{_COMPATIBILITY}}}Fallback"))


def settle(root: etree._Element) -> None:
    """Empty the text that no program draws, and mark that which only some draw."""
    for found in branches(root):
        end = next((at for at, branch in enumerate(found, start=1) if is_always_drawn(branch)), len(found))
        drawn, texts = found[:end], {letters_of(branch.iter("{*}t")) for branch in found[:end]}
        for branch in found[end:] if len(texts) > 1 else found[1:]:
            for text in branch.iter("{*}t"):
                text.text = ""
        for branch in drawn:
            if len(texts) > 1 or branch.find(f".//{{{_COMPATIBILITY}}}AlternateContent") is not None:
                doubt(branch)


def is_always_drawn(branch: etree._Element) -> bool:
    """True if all programs that come to this branch draw it."""
    if not branch.tag.endswith("}Choice"):
        return True
    names = branch.get("Requires", "").split()
    return bool(names) and all(name in _KNOWN and branch.nsmap.get(name) == _KNOWN[name] for name in names)


def doubt(element: etree._Element) -> None:
    """Mark the text of an element as one of which a reader perhaps sees nothing."""
    mark_unsure(element.iter("{*}t"))
