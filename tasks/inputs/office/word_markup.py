"""Rewrites the markup of a Word document so that mammoth reads what Word shows: no hidden text, the choice of an
alternative, the results of fields without their codes, and text within elements that mammoth does not know."""

from collections.abc import Iterable

from lxml import etree

_READ_THROUGH = "smartTag"
"""An element of which mammoth reads no more than its content."""
_CONTAINERS = ("fldSimple", "dir", "bdo", "ruby", "rubyBase")
"""Elements whose content is shown, but which mammoth does not know."""
_MADE_BY_PROGRAMS = ("pgNum", "dayShort", "dayLong", "monthShort", "monthLong", "yearShort", "yearLong")
"""Elements that a program shows as a number or a day, which is not in the file."""
_TABS = ("ptab", *_MADE_BY_PROGRAMS)
_NO_CONTENT = ("rPr", "fldChar", "instrText", "delInstrText")
"""Elements of a run that show nothing themselves."""
_OFF = ("0", "false", "off")
_LONGEST_CHAIN = 20
"""A style is based on at most this many others, one on the next."""


def hidden_styles(parts: Iterable[etree._Element], namespace: str) -> set[str]:
    """Return the styles that hide text, by themselves or by a style that they are based on (ECMA-376, part 1, 17.7.4).
    `parts` are the roots of the document's parts, one of which may have its styles."""
    name = f"{{{namespace}}}"
    styles = {
        style.get(f"{name}styleId", ""): (_is_hidden(style, name), _style_of(style, name, "basedOn"))
        for root in parts
        for style in root.findall(f"{name}style")
    }
    hidden = set()
    for style in styles:
        based_on = style
        for _ in range(_LONGEST_CHAIN):
            is_hidden, based_on = styles.get(based_on, (False, ""))
            if is_hidden is not None:
                break
        if is_hidden:
            hidden.add(style)
    return hidden


def drop_hidden(root: etree._Element, namespace: str, styles: set[str]) -> None:
    """Remove the content of runs that are hidden, by their own properties (17.3.2.41) or by one of these styles."""
    name = f"{{{namespace}}}"
    kept = [f"{name}{kind}" for kind in _NO_CONTENT]
    for run in list(root.iter(f"{name}r")):
        is_hidden = _is_hidden(run, name)
        if is_hidden is None and styles:
            paragraph = next(run.iterancestors(f"{name}p"), None)
            own = _style_of(run.find(f"{name}rPr"), name, "rStyle")
            around = None if paragraph is None else paragraph.find(f"{name}pPr")
            is_hidden = not styles.isdisjoint([own, _style_of(around, name, "pStyle")])
        for one in [one for one in run if one.tag not in kept] if is_hidden else ():
            run.remove(one)


def _is_hidden(element: etree._Element, name: str) -> bool | None:
    """Return whether the properties of a run or a style hide its text; None if they do not say."""
    vanish = element.find(f"{name}rPr/{name}vanish")
    return None if vanish is None else vanish.get(f"{name}val") not in _OFF


def _style_of(properties: etree._Element | None, name: str, kind: str) -> str:
    style = None if properties is None else properties.find(f"{name}{kind}")
    return "" if style is None else style.get(f"{name}val", "")


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
    """Put the content that Word shows in the place of an element with alternatives: the first choice, or else the
    fallback, whose pictures and boxes mammoth reads, if it has the same text."""
    choice = next(alternative.iterchildren("{*}Choice"), None)
    fallback = next(alternative.iterchildren("{*}Fallback"), None)
    chosen = fallback if choice is None else choice
    if choice is not None and fallback is not None and _letters_in(choice, name) == _letters_in(fallback, name):
        chosen = fallback
    for one in [] if chosen is None else list(chosen):
        alternative.addprevious(one)
    next(alternative.iterancestors()).remove(alternative)


def _letters_in(element: etree._Element, name: str) -> str:
    return "".join("".join(one.text or "" for one in element.iter(f"{name}t")).split())


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
    unread = (f"{name}del", f"{name}moveFrom")
    runs = [run for run in root.iter(f"{name}r") if next(run.iterancestors()).tag not in unread]
    content = [one for run in runs for one in run]
    kinds = [one.get(f"{name}fldCharType") for one in content]
    if kinds.count("begin") != kinds.count("end"):  # a field may have no end
        return
    no_content = {f"{name}{kind}" for kind in _NO_CONTENT}
    in_codes: list[bool] = []
    """True for each open field whose code has not ended yet."""
    for one, kind in zip(content, kinds, strict=True):
        if kind == "begin":
            in_codes.append(True)
        elif kind == "separate" and in_codes:
            in_codes[-1] = False
        elif kind == "end" and in_codes:
            in_codes.pop()
        elif any(in_codes) and one.tag not in no_content:
            next(one.iterancestors()).remove(one)
