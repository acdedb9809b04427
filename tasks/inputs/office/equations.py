"""Equations of office files (Office MathML, ECMA-376 part 1, 22.1) in a line of text: (a+b)/c, x^2, √(y), ∑_(i=1)^n."""

from collections.abc import Iterable

from lxml.etree import _Element

NAMESPACES = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
)
_ATOM = 1


def in_line(equation: _Element) -> str:
    """The text of an `m:oMath` or `m:oMathPara`."""
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
            return f"{_part(node, 'deg')}√{_bracketed(_part(node, 'e'))}"
        case "nary":
            return f"{_property(node, 'chr', '∫')}{_scripts(node)} {_part(node, 'e')}"
        case "d":
            inner = _property(node, "sepChr", "|").join(_inside(part) for part in _parts(node, "e"))
            return _property(node, "begChr", "(") + inner + _property(node, "endChr", ")")
        case "func":
            return f"{_part(node, 'fName')} {_part(node, 'e')}"
        case "limLow" | "limUpp":
            return f"{_part(node, 'e')}{'_' if name == 'limLow' else '^'}{_grouped(_part(node, 'lim'))}"
        case "m":
            rows = (", ".join(_inside(cell) for cell in _parts(row, "e")) for row in _parts(node, "mr"))
            return "; ".join(rows)
        case "acc":
            return _part(node, "e") + _property(node, "chr", "\u0302")
        case _ if name.endswith("Pr"):
            return ""
        case _:
            return _inside(node)


def _scripts(node: _Element) -> str:
    scripts = ((sign, _part(node, name)) for sign, name in (("_", "sub"), ("^", "sup")))
    return "".join(sign + _grouped(text) for sign, text in scripts if text)


def _inside(node: _Element) -> str:
    return "".join(map(_text, node))


def _part(node: _Element, name: str) -> str:
    return "".join(map(_inside, _parts(node, name)))


def _parts(node: _Element, name: str) -> Iterable[_Element]:
    return [child for child in node if _name(child) == name]


def _property(node: _Element, name: str, default: str) -> str:
    for properties in node:
        if _name(properties).endswith("Pr"):
            for child in _parts(properties, name):
                return next((str(value) for value in child.attrib.values()), "")
    return default


def _grouped(text: str) -> str:
    return text if len(text) <= _ATOM or text.isalnum() else _bracketed(text)


def _bracketed(text: str) -> str:
    return f"({text})"


def _name(node: _Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "comment"
