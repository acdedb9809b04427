"""Rewrites the markup of a Word document so that mammoth reads what Word shows: the right choice of an alternative, the
results of fields without their codes, and text within elements that mammoth does not know."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml import etree
from mammoth.docx.dingbats import dingbats

from tasks.inputs.office.drawings import letters_of, mark_unsure

_FIELD_DEPTH = 20
"""Fields, such as an index entry in a table of contents, are kept to this depth of nesting. The marks of deeper ones
are removed. The depth is bounded, because mammoth goes through all open fields for every run of text."""
_OFFICE_2010 = "http://schemas.microsoft.com/office/word/2010/"
_KNOWN_NAMESPACES = {
    *(f"{_OFFICE_2010}wordprocessing{kind}" for kind in ("Shape", "Group", "Canvas", "Drawing")),
    *(f"{_OFFICE_2010}wordml", "http://schemas.microsoft.com/office/word/2012/wordml"),
}
"""Namespaces that Word has known since 2010 or 2013, whose choices it shows."""
_READ_THROUGH = "smartTag"
"""An element of which mammoth reads no more than its content."""
_CONTAINERS = ("fldSimple", "dir", "bdo", "ruby", "rubyBase")
"""Elements whose content is shown, but which mammoth does not know."""
_MADE_BY_PROGRAMS = ("pgNum", "dayShort", "dayLong", "monthShort", "monthLong", "yearShort", "yearLong")
"""Elements that a program shows as a number or a day, which is not in the file."""
_TABS = ("ptab", *_MADE_BY_PROGRAMS)
_FIELD_NAME = re.compile(r"\s*(=|\w+)")
_SAVED = {
    *("=", "ADDIN", "BIBLIOGRAPHY", "CITATION", "EMBED", "FORMTEXT", "HYPERLINK", "INCLUDEPICTURE", "INCLUDETEXT"),
    *("INDEX", "LINK", "MERGEFIELD", "NOTEREF", "PAGEREF", "QUOTE", "REF", "SEQ", "STYLEREF", "TOA", "TOC"),
}
"""Fields of which programs show the saved result until a reader updates them. Others are computed when the document is
opened, or are shown without their result."""
_SHOW_NOTHING = {"", "FORMCHECKBOX", "PRIVATE", "RD", "SET", "TA", "TC", "XE"}
"""Fields that show nothing if they have no result, and the box to tick, which mammoth reads."""
_NO_CONTENT = ("rPr", "fldChar", "instrText", "delInstrText")
"""Elements of a run that show nothing themselves."""


def simplify(root: etree._Element, namespace: str) -> None:
    """Rewrite a part whose elements have this namespace."""
    name = f"{{{namespace}}}"
    for alternative in list(root.iter("{*}AlternateContent")):
        _choose(alternative, name)
    for drawing in list(root.iter(f"{name}drawing")):
        # Mammoth reads the text of boxes in VML.
        if boxes := list(drawing.iter(f"{name}txbxContent")):
            picture = etree.Element(f"{name}pict")
            picture.extend(boxes)
            drawing.addnext(picture)
    _rewrite_text(root, name)
    _keep_results_of_fields(root, name)


def _choose(alternative: etree._Element, name: str) -> None:
    """Put the content that Word shows in the place of an element with alternatives, of which mammoth would read the
    last.

    Its text is marked as unsure if a program that knows more namespaces would show another one.
    """
    passed, chosen, fallback = [], None, None
    for branch in alternative.iterchildren("{*}Choice", "{*}Fallback"):
        if etree.QName(branch).localname == "Fallback":
            fallback = branch
        elif chosen is None and is_known(branch):
            chosen = branch
        elif chosen is None:
            passed.append(branch)
    chosen = fallback if chosen is None else chosen
    parent = alternative.getparent()
    if parent is None:
        return
    if chosen is not None:
        letters = letters_of(chosen.iter(f"{name}t"))
        if fallback is not None and letters_of(fallback.iter(f"{name}t")) == letters:
            chosen = _with_boxes_of(fallback, chosen, name)
        if any(letters_of(branch.iter(f"{name}t")) != letters for branch in passed):
            mark_unsure(chosen.iter(f"{name}t"))
        for one in list(chosen):
            alternative.addprevious(one)
    parent.remove(alternative)


def _with_boxes_of(fallback: etree._Element, choice: etree._Element, name: str) -> etree._Element:
    """Return the fallback, which has the pictures in a form that mammoth reads, with the text boxes that are shown; or
    the choice that is shown, if it has other text, too."""
    boxes, old_boxes = ([*branch.iter(f"{name}txbxContent")] for branch in (choice, fallback))
    in_boxes = letters_of(text for box in boxes for text in box.iter(f"{name}t"))
    if len(boxes) != len(old_boxes) or in_boxes != letters_of(choice.iter(f"{name}t")):
        return choice
    for box, old_box in zip(boxes, old_boxes, strict=True):
        next(old_box.iterancestors()).replace(old_box, box)
    return fallback


def branches_not_shown(root: etree._Element) -> set[etree._Element]:
    """Return the choices and fallbacks of a part in whose place Word shows another one."""
    not_shown: set[etree._Element] = set()
    for alternative in root.iter("{*}AlternateContent"):
        branches = list(alternative.iterchildren("{*}Choice", "{*}Fallback"))
        shown = next((one for one in branches if one.tag.endswith("}Fallback") or is_known(one)), None)
        not_shown.update(one for one in branches if one is not shown)
    return not_shown


def is_known(choice: etree._Element) -> bool:
    """True if Word shows a choice of an alternative, unless it shows one before it."""
    return _KNOWN_NAMESPACES.issuperset(choice.nsmap.get(prefix) for prefix in choice.get("Requires", "").split())


def _rewrite_text(root: etree._Element, name: str) -> None:
    """Open the elements whose content mammoth does not read, and put signs that it knows into the places of others."""
    for reading in list(root.iter(f"{name}rt", f"{name}rubyPr")):
        next(reading.iterancestors()).remove(reading)
    signs = root.iter(f"{name}fldSimple", f"{name}sym", *(f"{name}{kind}" for kind in _MADE_BY_PROGRAMS))
    _doubt_paragraphs((one for one in signs if not _is_read(one, name)), name)
    for container in root.iter(*(f"{name}{kind}" for kind in _CONTAINERS)):
        container.tag = f"{name}{_READ_THROUGH}"
    for tab in root.iter(*(f"{name}{kind}" for kind in _TABS)):
        tab.tag = f"{name}tab"
    for line_break in root.iter(f"{name}br", f"{name}cr"):
        line_break.tag = f"{name}br"
        # Mammoth shows no others, which would join the words around a break of a page or a column.
        line_break.attrib.pop(f"{name}type", "")
    for hyphen in root.iter(f"{name}noBreakHyphen"):
        # Before a number it is a minus, as the character that mammoth would give is not.
        hyphen.tag, hyphen.text = f"{name}t", "-"


def _is_read(element: etree._Element, name: str) -> bool:
    """True if a field is shown as it is saved, or if mammoth knows the sign that a symbol shows."""
    if element.tag == f"{name}fldSimple":
        return _field_name(element.get(f"{name}instr", "")) in _SAVED and not _is_dirty(element, name)
    font, code = element.get(f"{name}font"), element.get(f"{name}char", "")
    numbers = [int(one, 16) for one in (code, code[2:]) if re.fullmatch("[0-9A-Fa-f]+", one)]
    return any((font, number) in dingbats for number in numbers)


def _doubt_paragraphs(elements: Iterable[etree._Element], name: str) -> None:
    """Mark the text of the paragraphs around elements."""
    for paragraph in {around for one in elements for around in islice(one.iterancestors(f"{name}p"), 1)}:
        mark_unsure(paragraph.iter(f"{name}t"))


def _field_name(code: str) -> str:
    found = _FIELD_NAME.match(code)
    return found[1].upper() if found else ""


def _is_dirty(mark: etree._Element, name: str) -> bool:
    """True if programs compute a field when they open the document."""
    return mark.get(f"{name}dirty", "0") not in ("0", "false", "off")


def _keep_results_of_fields(root: etree._Element, name: str) -> None:
    """Remove what stands in the codes of fields, and the marks of fields deeper than `_FIELD_DEPTH`.

    Of a field from its mark "begin" to its mark "end", only what follows the mark "separate" is shown (ECMA-376,
    part 1, 17.16.18). What follows the mark of a field without an end is marked as unsure, and so are paragraphs with
    a field of which a program perhaps shows something else.
    """
    if root.find(f".//{name}fldChar") is None:
        return
    for story in _stories(root, name):
        _keep_results(story, name)


def _stories(root: etree._Element, name: str) -> Iterator[list[etree._Element]]:
    """Yield the content of the runs in a text and in each of its boxes and notes, in its order."""
    starts = tuple(f"{name}{kind}" for kind in ("txbxContent", "footnote", "endnote", "comment"))
    unread = (f"{name}del", f"{name}moveFrom")
    open_: list[list[etree._Element]] = [[]]
    walker = etree.iterwalk(root, events=("start", "end"), tag=(*starts, *unread, f"{name}r"))
    for event, element in walker:
        if element.tag in starts:
            if event == "start":
                open_.append([])
            else:
                yield open_.pop()
        elif event == "end":
            continue
        elif element.tag == f"{name}r":
            open_[-1] += element.iterchildren("{*}*")
        else:
            walker.skip_subtree()
    yield open_[0]


@dataclass
class _WordField:
    """A field whose mark "begin" was met."""

    begin: int
    is_dirty: bool
    code: list[str] = field(default_factory=list)
    has_result: bool = False

    @property
    def is_sure(self) -> bool:
        """True if programs show the saved result, or nothing if there is none."""
        name = _field_name("".join(self.code))
        return not self.is_dirty and (name in _SAVED or (not self.has_result and name in _SHOW_NOTHING))


def _keep_results(story: list[etree._Element], name: str) -> None:
    kinds = [one.get(f"{name}fldCharType") if one.tag == f"{name}fldChar" else None for one in story]
    ended: set[int] = set()
    begun: list[int] = []
    for index, kind in enumerate(kinds):
        if kind == "begin":
            begun.append(index)
        elif kind == "end" and begun:
            ended.add(begun.pop())
    no_content = {f"{name}{kind}" for kind in _NO_CONTENT}
    open_: list[_WordField] = []
    codes = 0  # number of fields that end, whose codes are around
    doubtful = 0  # number of fields around that have no end, or of which a program perhaps shows another result
    unsure: list[etree._Element] = []
    for index, (one, kind) in enumerate(zip(story, kinds, strict=True)):
        is_too_deep = len(open_) > _FIELD_DEPTH or (len(open_) == _FIELD_DEPTH and kind == "begin")
        match kind:
            case "begin":
                open_.append(_WordField(index, _is_dirty(one, name)))
                codes += index in ended
                doubtful += index not in ended
            case "separate" if open_ and not open_[-1].has_result:
                codes -= open_[-1].begin in ended
                open_[-1].has_result = True
                doubtful += not open_[-1].is_sure
            case "end" if open_:
                closed = open_.pop()
                codes -= not closed.has_result
                if not closed.is_sure:
                    doubtful -= closed.has_result
                    unsure.append(next(one.iterancestors()))  # what it shows there is perhaps not in the file
            case None if one.tag == f"{name}instrText" and open_ and not open_[-1].has_result:
                open_[-1].code.append(one.text or "")
            case None if one.tag not in no_content:
                if codes:
                    next(one.iterancestors()).remove(one)
                elif doubtful and one.tag == f"{name}t":
                    mark_unsure([one])
        if kind is not None and is_too_deep:
            next(one.iterancestors()).remove(one)
    _doubt_paragraphs(unsure, name)
