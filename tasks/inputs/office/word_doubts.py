"""Marks the text of a Word document as unsure that a reader perhaps does not see as it is in the file, because it is in
markup that is not usual.

What is doubted is the text of the run, the paragraph, the table, the content control or the drawing that the markup is
a part of. It is the text of the whole part for an element that is not known at all, because such an element may concern
other text, as `w15:collapsed` folds away the paragraphs after a heading.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from lxml import etree

from tasks.inputs.office.drawings import mark_unsure
from tasks.inputs.office.usual_word_markup import USUAL
from tasks.inputs.office.word_markup import branches_not_shown

_OWNERS = frozenset(("r", "p", "sdt", "tbl", "bdo", "dir", "style", "lvl"))
"""Elements whose text is doubted for unusual markup in them."""
_APART = frozenset(("drawing", "pict", "object", "oMath"))
"""Elements of which even an unknown element concerns no other text, as far as nothing is drawn over that."""
_OF_OWNER_ALONE = frozenset(("sdtPr", "tcPr", "trPr"))
"""Properties of which even an unknown one concerns no text outside the content control or the table."""
_OF_RUNS = frozenset(("r", "style", "tblStylePr", "rPrDefault"))
"""Elements whose properties of runs are those of text, instead of those of the mark at the end of a paragraph."""


class _Context(NamedTuple):
    """The elements whose text is doubted for markup at a place in a part."""

    own: etree._Element
    """The element whose text is doubted for a known element that is not used as usual."""
    whole: etree._Element
    """The element whose text is doubted for an element that is not known."""
    is_shown: bool = True


def doubted_elements(root: etree._Element) -> set[etree._Element]:
    """Return the elements of a part whose text is unsure for the markup in them. The root stands for all text."""
    unusual = set(USUAL.unusual(root))
    return set(_doubted(root, unusual, branches_not_shown(root))) if unusual else set()


def mark_within(root: etree._Element, elements: AbstractSet[etree._Element]) -> None:
    """Mark the texts in some elements of a part."""
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")) if elements else ():
        if element in elements:
            depth += 1 if event == "start" else -1
        if depth and event == "start" and _local_name(element) == "t":
            mark_unsure([element])


def _doubted(
    root: etree._Element, unusual: AbstractSet[etree._Element], not_shown: AbstractSet[etree._Element]
) -> Iterator[etree._Element]:
    contexts = [_Context(root, root)]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            contexts.pop()
            continue
        outer = contexts[-1]
        here = outer._replace(is_shown=False) if element in not_shown else _context_within(element, outer, root)
        contexts.append(here)
        if here.is_shown and element in unusual:
            yield here.own if element.tag in USUAL else outer.whole


def _context_within(element: etree._Element, outer: _Context, root: etree._Element) -> _Context:
    name = _local_name(element)
    if name in _APART:
        return outer._replace(own=element, whole=element)
    if name in _OWNERS:
        return outer._replace(own=element)
    if name == "sectPr":
        return outer._replace(own=root)
    if name in _OF_OWNER_ALONE:
        return outer._replace(whole=outer.own)
    if name == "rPr":
        is_of_text = _local_name(next(element.iterancestors(), root)) in _OF_RUNS
        return outer._replace(whole=outer.own, is_shown=outer.is_shown and is_of_text)
    # Former properties have no effect.
    return outer._replace(is_shown=False) if name.endswith("Change") else outer


def _local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
