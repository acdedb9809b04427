"""Writes the equations of office files (OMML) as text on one line."""

from collections.abc import Iterable

from lxml.etree import _Element

from tasks.markdown_text import plain_form

NAMESPACE = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def equation_text(equation: _Element) -> str:
    """Return the text of an `m:oMath` or `m:oMathPara`, or of a part of one."""
    return "".join(map(_node_text, equation))


def _node_text(node: _Element) -> str:
    name = _local_name(node)
    match name:
        case "t":
            return node.text or ""
        case "f":
            return f"{_in_parentheses(_part_text(node, 'num'))}/{_in_parentheses(_part_text(node, 'den'))}"
        case "sSup" | "sSub" | "sSubSup":
            return _part_text(node, "e") + _scripts_text(node)
        case "sPre":
            return _scripts_text(node) + _part_text(node, "e")
        case "rad":
            return f"{_part_text(node, 'deg')}√({_part_text(node, 'e')})"
        case "nary":
            return f"{_property_value(node, 'chr', '∫')}{_scripts_text(node)} {_part_text(node, 'e')}"
        case "d":
            inner = _property_value(node, "sepChr", "|").join(equation_text(part) for part in _parts(node, "e"))
            return _property_value(node, "begChr", "(") + inner + _property_value(node, "endChr", ")")
        case "func":
            return f"{_part_text(node, 'fName')} {_part_text(node, 'e')}"
        case "limLow" | "limUpp":
            sign = "_" if name == "limLow" else "^"
            return f"{_part_text(node, 'e')}{sign}{_in_parentheses(_part_text(node, 'lim'))}"
        case "m":
            rows = (", ".join(equation_text(cell) for cell in _parts(row, "e")) for row in _parts(node, "mr"))
            return "; ".join(rows)
        case "acc":
            return _part_text(node, "e") + _property_value(node, "chr", "\u0302")
        case _ if name.endswith("Pr"):
            return ""
        case _:
            return equation_text(node)


def _scripts_text(node: _Element) -> str:
    scripts = ((sign, _part_text(node, name)) for sign, name in (("_", "sub"), ("^", "sup")))
    return "".join(sign + _in_parentheses(text) for sign, text in scripts if text)


def _part_text(node: _Element, name: str) -> str:
    return "".join(map(equation_text, _parts(node, name)))


def _parts(node: _Element, name: str) -> Iterable[_Element]:
    return [child for child in node if _local_name(child) == name]


def _property_value(node: _Element, name: str, default: str) -> str:
    for properties in node:
        if _local_name(properties).endswith("Pr"):
            for child in _parts(properties, name):
                return next((str(value) for value in child.attrib.values()), "")
    return default


def _in_parentheses(text: str) -> str:
    plain = plain_form(text)
    return text if len(plain) <= 1 or plain.isalnum() else f"({text})"


def _local_name(node: _Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "comment"
