"""XML that is safe to hand to any parser: without entities, and neither deep nor endless.

The libraries that read office files use minidom, lxml and ElementTree, each with its own idea of what to resolve.
Nothing reaches them that expat has not seen here first.
"""

import re
from xml.parsers import expat

DEPTH = 100
"""Elements within each other. Word nests some 10 for a paragraph and 3 for each table within a table; the libraries
recurse several calls for each."""
_ENCODING = re.compile(r"utf-?(8|16(le|be)?)|us-ascii|iso-8859-1", re.IGNORECASE)
"""Encodings that every parser decodes alike: in another, a parser may see a document type that expat does not."""
_NODES = "XML elements and attributes"
_CHARS = "characters (OPENFAZE_MAX_TEXT_CHARS)"
_PIECE = 1 << 16
_STREAMED = ("worksheet", "sst")
"""Roots of the parts that are read row by row and never held whole: cells, and their strings."""


def declares_entities(xml: str) -> bool:
    """Whether the document type of `xml` declares entities. Nothing behind it is read."""

    class Entities(Exception):
        pass

    class Root(Exception):
        pass

    def found(sign: type[Exception]) -> None:
        raise sign

    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = lambda *_: found(Entities)
    parser.StartElementHandler = lambda *_: found(Root)
    try:
        for at in range(0, len(xml), _PIECE):
            parser.Parse(xml[at : at + _PIECE].encode(errors="replace"), False)
    except Entities:
        return True
    except (Root, expat.ExpatError):
        return False
    return False


class XmlRefused(ValueError):
    """The message is a predicate of the file: "declares XML entities"."""


class XmlTooLarge(XmlRefused):
    """It holds more than it may."""


class XmlBudget:
    """What all the parts of one file may hold together. Each element and each attribute is a node."""

    def __init__(self, *, chars: int, nodes: int, streamed_nodes: int = 20_000_000) -> None:
        """`streamed_nodes` are those of the parts that are read row by row."""
        self._limits = chars, nodes, streamed_nodes
        self._left = [chars, nodes, streamed_nodes]

    def spend(self, *, chars: int = 0, nodes: int = 0, streamed_nodes: int = 0) -> None:
        """Raises XmlTooLarge when there is no more."""
        for at, (spent, kind) in enumerate(((chars, _CHARS), (nodes, _NODES), (streamed_nodes, _NODES))):
            self._left[at] -= spent
            if self._left[at] < 0:
                raise XmlTooLarge(f"has more than {self._limits[at]} {kind}: split it into several files")


class XmlCheck:
    """Reads a part as its bytes come in. Raises XmlRefused, at the latest from `end`."""

    def __init__(self, budget: XmlBudget) -> None:
        self._budget = budget
        self._depth = 0
        self._streamed = False
        self._parser = parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._chars

    def feed(self, data: bytes, *, end: bool = False) -> None:
        try:
            self._parser.Parse(data, end)
        except expat.ExpatError as error:
            raise XmlRefused("is damaged: its XML is malformed") from error

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not _ENCODING.fullmatch(encoding):
            raise XmlRefused(f"has XML in the encoding '{encoding[:40]}'; office files are UTF-8 or UTF-16")

    def _doctype(self, *_: object) -> None:
        raise XmlRefused("has XML with a document type, which no office file needs")

    def _start(self, name: str, attributes: list[str]) -> None:
        if not self._depth:
            self._streamed = name.rpartition(":")[2] in _STREAMED
        self._depth += 1
        if self._depth > DEPTH:
            raise XmlRefused(f"has XML elements more than {DEPTH} deep")
        nodes = 1 + len(attributes) // 2
        if self._streamed:
            self._budget.spend(streamed_nodes=nodes)
        else:
            self._budget.spend(nodes=nodes)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _chars(self, text: str) -> None:
        self._budget.spend(chars=len(text))
