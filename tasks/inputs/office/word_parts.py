"""Finds the parts of a Word document by what they are, instead of by the names that most programs give them."""

import posixpath
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from lxml import etree

from tasks.inputs.office.bounds import is_xml

NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_OTHERS = ("styles", "numbering", "settings")


def parsed(part: bytes) -> etree._Element:
    """Return the root of a part."""
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def spelled_out(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the members of a document, with those parts in UTF-8 and without references in which no namespace of Word
    documents can be seen otherwise. XML that cannot be parsed becomes empty."""
    return {name: _spelled_out(data) if is_xml(data) else data for name, data in members.items()}


def _spelled_out(part: bytes) -> bytes:
    if is_of_word(part):
        return part
    try:
        return etree.tostring(parsed(part), xml_declaration=True, encoding="UTF-8", standalone=True)
    except etree.XMLSyntaxError:
        return b""


def is_of_word(part: bytes) -> bool:
    """True if a part may have elements of Word documents."""
    return any(namespace.encode() in part for namespace in NAMESPACES)


def other_parts(members: Mapping[str, bytes]) -> dict[str, etree._Element]:
    """Return the roots of the parts "styles", "numbering" and "settings" that the main part of a document has."""
    paths = {name.lower(): name for name in members}
    main = next(_targets(members, "_rels/.rels", "officeDocument", paths), "word/document.xml")
    folder, _, file = main.rpartition("/")
    relationships = paths.get(f"{folder}/_rels/{file}.rels".lower().lstrip("/"), "")
    found = {
        kind: next(_targets(members, relationships, kind, paths), paths.get(f"word/{kind}.xml", "")) for kind in _OTHERS
    }
    return {kind: parsed(members[path]) for kind, path in found.items() if members.get(path)}


def _targets(members: Mapping[str, bytes], path: str, kind: str, paths: Mapping[str, str]) -> Iterator[str]:
    """Yield the members to which a part is related in this way. The case of letters does not matter in paths."""
    if not members.get(path):
        return
    folder = posixpath.dirname(posixpath.dirname(path))
    for one in parsed(members[path]).iterchildren("{*}Relationship"):
        if one.get("Type", "").rpartition("/")[2] == kind:
            target = posixpath.normpath(posixpath.join("/", folder, unquote(one.get("Target", ""))))
            if (name := paths.get(target.lstrip("/").lower())) is not None:
                yield name
