"""Writing the equations of office files (OMML) as text on one line."""

from collections.abc import Iterable

from lxml.etree import _Element

NAMESPACES = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
)


def in_line(equation: _Element) -> str:
    """Return the text of an `m:oMath` or `m:oMathPara`, or of a part of one."""
    return "".join(map(_text, equation))


def _text(node: _Element) -> str:
    name = _name(node)
    match name:
        case "t":
            return node.text or ""
        case "f":
            return f"{_grouped(_part(node, 'num'))}/{_grouped(_part(node, 'den'))}"
        case "sSup" | "sSub" | "sSubSup":
            return _part(node, "e") + _scripts(node)
        case "sPre":
            return _scripts(node) + _part(node, "e")
        case "rad":
            return f"{_part(node, 'deg')}√({_part(node, 'e')})"
        case "nary":
            return f"{_property(node, 'chr', '∫')}{_scripts(node)} {_part(node, 'e')}"
        case "d":
            inner = _property(node, "sepChr", "|").join(in_line(part) for part in _parts(node, "e"))
            return _property(node, "begChr", "(") + inner + _property(node, "endChr", ")")
        case "func":
            return f"{_part(node, 'fName')} {_part(node, 'e')}"
        case "limLow" | "limUpp":
            return f"{_part(node, 'e')}{'_' if name == 'limLow' else '^'}{_grouped(_part(node, 'lim'))}"
        case "m":
            rows = (", ".join(in_line(cell) for cell in _parts(row, "e")) for row in _parts(node, "mr"))
            return "; ".join(rows)
        case "acc":
            return _part(node, "e") + _property(node, "chr", "\u0302")
        case _ if name.endswith("Pr"):
            return ""
        case _:
            return in_line(node)


def _scripts(node: _Element) -> str:
    scripts = ((sign, _part(node, name)) for sign, name in (("_", "sub"), ("^", "sup")))
    return "".join(sign + _grouped(text) for sign, text in scripts if text)


def _part(node: _Element, name: str) -> str:
    return "".join(map(in_line, _parts(node, name)))


def _parts(node: _Element, name: str) -> Iterable[_Element]:
    return [child for child in node if _name(child) == name]


def _property(node: _Element, name: str, default: str) -> str:
    for properties in node:
        if _name(properties).endswith("Pr"):
            for child in _parts(properties, name):
                return next((str(value) for value in child.attrib.values()), "")
    return default


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.isalnum() else f"({text})"


def _name(node: _Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "comment"
