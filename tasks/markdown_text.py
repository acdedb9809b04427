"""Escapes text for Markdown, so that it is rendered as it stands in its source.

To escape a character, the noncharacter `ESCAPE` is put before it. A text with such marks is a marked text. Two forms
are made of a marked text: `plain_form` without the marks, and `markdown_form` with backslashes, for a renderer.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable

ESCAPE = "\ufdd2"
"""Mark before a character that would be markup. It is a Unicode noncharacter, reserved for internal use."""
ATTACHMENTS, ATTACHMENT = "Attachments:", "Attachment:"
"""First words of the lines of an e-mail with the names of its attached files, all together and each."""
_MARKS = re.compile(ESCAPE)
_PUNCTUATION = r"[!-/:-@\[-`{-~]"
_INLINE = re.compile(
    rf"\\(?={_PUNCTUATION}|$)"
    r"|`|~(?=~)|(?<=~)~"
    r"|(?<=\S)\*|\*(?!\s|$)"
    r"|(?<![^\W_])_(?!\s|$)|(?<=\S)_(?![^\W_])"
    r"|<(?=[A-Za-z/!?])|&(?=#?\w{1,40};)"
    r"|\](?=[(\[:])"
    r"|(?<!\S)#(?=#*\s*$)"
)
"""Pattern of the characters that begin or end markup in a line: escapes, code, strikethrough, emphasis, HTML, entities,
links and their definitions, the end of a heading. A `_` within a word, a `*` between spaces and a lone `[` do not
match, because they are text for Markdown, too."""
_PART = re.compile(rf"{_INLINE.pattern}|[*_~<!\]]$|&(?=#?\w{{0,40}}$)|^[(:]|^[.)](?=\s|$)")
"""Pattern of markup in a part of a line. In addition to what _INLINE matches, it matches characters at the part's
beginning or end that may be markup together with the unknown text beside the part."""
_BEGINNING = re.compile(
    r"(?=#{1,6}(?:\s|$)|>|[+*_-](?:\s|$)|=+\s*$|--[\s-]*$|\|?\s*:?-{3,}|[|\s]*:?-+:?\s*(?:\||$)|~~~)"
)
_ORDINAL = re.compile(r"\A(\d{1,9})(?=[.)](?:\s|$))")
_BRACKET = re.compile(rf"(?<!{ESCAPE})[\[\]]")
_IN_ADDRESS = re.compile(r"[()<>\\`]|&(?=#?\w{1,40};)")
_SAFE = re.compile(r"(?:https?|mailto|tel|ftp):", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def plain_form(marked: str) -> str:
    """Return the text without its escapes."""
    return marked.replace(ESCAPE, "")


def markdown_form(marked: str) -> str:
    """Return the text with its escapes as backslashes."""
    return marked.replace(ESCAPE, "\\")


def positions_in_marked(marked: str, positions: Iterable[int]) -> dict[int, int]:
    """Return where the `positions`, counted in the plain form, are in the marked text. A mark belongs to the character
    after it."""
    marks = [place - index for index, place in enumerate(found.start() for found in _MARKS.finditer(marked))]
    return {position: position + bisect_left(marks, position) for position in positions}


def escape_inline(text: str) -> str:
    """Mark the characters of a line, or of a line without its beginning, that would be markup. Those that are markup
    only at a line's beginning stay as they are."""
    return _INLINE.sub(rf"{ESCAPE}\g<0>", plain_form(text))


def escape_beginning(text: str) -> str:
    """Mark the beginning of a line, or of a list item, that has a meaning in Markdown. A number cannot be escaped, but
    the sign after it can."""
    return f"{ESCAPE}{text}" if _BEGINNING.match(text) else _ORDINAL.sub(rf"\1{ESCAPE}", text, count=1)


def escape_line(text: str) -> str:
    """Mark what would be markup in a whole line."""
    return escape_beginning(escape_inline(text))


def escape_read_text(text: str) -> str:
    """Mark what would be markup in the lines of a page. Bars are marked, too, because a line may become a table's
    cell."""
    return "\n".join([escape_line(line.strip()).replace("|", f"{ESCAPE}|") for line in text.split("\n")])


def escape_part(text: str, *, begins: bool) -> str:
    """Mark what would be markup in a text that is a part of one or several lines, if the text around it is not known.
    `begins` is False if the text cannot begin a block, because it is in a heading or in a table's cell."""
    lines = []
    for line in plain_form(text).split("\n"):
        bare = line.lstrip()
        marked = _PART.sub(rf"{ESCAPE}\g<0>", bare)
        lines.append(line[: len(line) - len(bare)] + (escape_beginning(marked) if begins else marked))
    return "\n".join(lines)


def is_safe(address: str) -> bool:
    """True if `address` is a web, FTP, mail or telephone address. Others, such as scripts, are not safe to open."""
    return _SAFE.match(address) is not None


def link(text: str, address: str) -> str:
    """Return a Markdown link. `text` must be escaped already. As in browsers, tabs and line breaks in `address` are
    removed, and spaces and other control characters are percent-encoded."""
    label = _BRACKET.sub(rf"{ESCAPE}\g<0>", text)
    encoded = _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", _BREAKS.sub("", plain_form(address).strip()))
    escaped = _IN_ADDRESS.sub(rf"{ESCAPE}\g<0>", encoded)
    return f"[{label}]({escaped})"
