"""Finds declarations of XML entities, by which a small file can expand to gigabytes."""

import re
from xml.parsers import expat

_PIECE = 1 << 16
"""Number of characters parsed at a time."""
_BLANKS = re.compile(r"\s*")


def declares_entities(xml: str) -> bool:
    """True if the document type of `xml` declares entities. Nothing after the document type is read: a tag with half a
    million attributes would hold the interpreter for a second."""
    begin = _end_of_prolog(xml)
    if not xml.startswith("<!DOCTYPE", begin):
        return False

    class Seen(Exception):
        pass

    def seen(*, declared: bool) -> None:
        raise Seen(declared)

    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = lambda *_: seen(declared=True)
    parser.EndDoctypeDeclHandler = lambda: seen(declared=False)
    try:
        for start in range(begin, len(xml), _PIECE):
            parser.Parse(xml[start : start + _PIECE].encode(errors="replace"), False)
        # newer versions of expat may process the end of the last piece only when the parser is closed
        parser.Parse(b"", True)
    except Seen as first:
        return bool(first.args[0])
    except expat.ExpatError:
        return False
    return False


def _end_of_prolog(xml: str) -> int:
    """Return the end of the white space, processing instructions and comments at the beginning of a file."""
    end = len("\ufeff") if xml.startswith("\ufeff") else 0
    while blanks := _BLANKS.match(xml, end):
        end = blanks.end()
        closer = "?>" if xml.startswith("<?", end) else "-->" if xml.startswith("<!--", end) else ""
        found = xml.find(closer, end + len("<?")) if closer else -1
        if found < 0:
            break
        end = found + len(closer)
    return end
