"""Rewrites the markup of a Word document so that mammoth reads what Word shows: the right choice of an alternative, the
results of fields without their codes, and text within elements that mammoth does not know."""

from collections.abc import Iterable, Iterator

from lxml import etree

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
    last."""
    chosen, fallback = None, None
    for branch in alternative.iterchildren("{*}Choice", "{*}Fallback"):
        if etree.QName(branch).localname == "Fallback":
            fallback = branch
        elif chosen is None and _is_known(branch):
            chosen = branch
    chosen = fallback if chosen is None else chosen
    parent = alternative.getparent()
    if parent is None:
        return
    if chosen is not None:
        letters = _letters_of(chosen.iter(f"{name}t"))
        if fallback is not None and _letters_of(fallback.iter(f"{name}t")) == letters:
            chosen = _with_boxes_of(fallback, chosen, name)
        for one in list(chosen):
            alternative.addprevious(one)
    parent.remove(alternative)


def _with_boxes_of(fallback: etree._Element, choice: etree._Element, name: str) -> etree._Element:
    """Return the fallback, which has the pictures in a form that mammoth reads, with the text boxes that are shown; or
    the choice that is shown, if it has other text, too."""
    boxes, old_boxes = ([*branch.iter(f"{name}txbxContent")] for branch in (choice, fallback))
    in_boxes = _letters_of(text for box in boxes for text in box.iter(f"{name}t"))
    if len(boxes) != len(old_boxes) or in_boxes != _letters_of(choice.iter(f"{name}t")):
        return choice
    for box, old_box in zip(boxes, old_boxes, strict=True):
        next(old_box.iterancestors()).replace(old_box, box)
    return fallback


def _letters_of(texts: Iterable[etree._Element]) -> str:
    return "".join("".join(one.text or "" for one in texts).split())


def _is_known(choice: etree._Element) -> bool:
    """True if Word shows a choice of an alternative, unless it shows one before it."""
    return _KNOWN_NAMESPACES.issuperset(choice.nsmap.get(prefix) for prefix in choice.get("Requires", "").split())


def _rewrite_text(root: etree._Element, name: str) -> None:
    """Open the elements whose content mammoth does not read, and put signs that it knows into the places of others."""
    for reading in list(root.iter(f"{name}rt", f"{name}rubyPr")):
        next(reading.iterancestors()).remove(reading)
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


def _keep_results_of_fields(root: etree._Element, name: str) -> None:
    """Remove what stands in the codes of fields.

    Of a field from its mark "begin" to its mark "end", only what follows the mark "separate" is shown (ECMA-376,
    part 1, 17.16.18).
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
    open_: list[tuple[int, bool]] = []  # where each field begins, and whether its result has begun
    codes = 0  # number of fields that end, whose codes are around
    for index, (one, kind) in enumerate(zip(story, kinds, strict=True)):
        match kind:
            case "begin":
                open_.append((index, False))
                codes += index in ended
            case "separate" if open_ and not open_[-1][1]:
                codes -= open_[-1][0] in ended
                open_[-1] = open_[-1][0], True
            case "end" if open_:
                codes -= not open_.pop()[1]
            case None if codes and one.tag not in no_content:
                next(one.iterancestors()).remove(one)
