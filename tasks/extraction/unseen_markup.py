"""Finds what a reader of rendered Markdown does not see. Comments are left out. Lines with other markup that may carry
a text become unsure, because a reader of the source sees them."""

import re
from collections.abc import Sequence
from dataclasses import replace

from models.fair_executor import Slices
from tasks.result import SourceLine

_LINES_AT_ONCE = 500
"""One slice of the work examines this many lines."""
_LONG_LINE = 20_000
"""A line with more characters than this is examined in a slice of its own."""
_COMMENT, _COMMENT_END = "<!--", "-->"
_COMMENT_MARKS = re.compile(f"({_COMMENT}|{_COMMENT_END})")
_MAY_BE_MARKUP = re.compile(r"!\[|\][(\[:]|<[A-Za-z/?!]|```|~~~")
_INDENT = r"^[ \t>*+\-0-9.)]{0,20}"
_NAME = r"[A-Za-z][\w-]*+(?::[\w-]++)?"
_UNSEEN = re.compile(
    rf"""
    !\[(?!\])                                                               # the description of an image
    | \]\(\s*+(?:[<"'(]|(?:[^\s()\\]|\\.|\([^\s()]*\))*+(?:\s*+$|\s++["'(]))  # a link with a title
    | \]\[(?!\d*\]|["'][^\s\]]*\])                                          # a link that names its definition
    | {_INDENT}\[(?:[^\]\\]|\\.)*+\]:\s*+(?:$|\S++\s*+(?:$|["'(]))          # the definition of a link
    | </?{_NAME}[\s/]++(?!>)[^<>]*>                                         # an HTML tag with attributes
    | <\?|<![A-Za-z]|<!\[CDATA                                              # an instruction, a declaration
    | {_INDENT}(?:```|~~~).                                                 # the language of a block of code
    """,
    re.VERBOSE,
)
"""Pattern of the beginning of markup with a text that is not shown (CommonMark 0.31, 4.5, 4.7, 6.3 to 6.6)."""
_WHOLE = re.compile(
    rf"""
    !\[[^\[\]\\`<]*(?=\]\()
    | \]\([^\s()<\\`]*+\s++(?:"[^"\\`<]*"|'[^'\\`<]*')\)
    | \]\[[^\[\]\\`<]*\]
    | {_INDENT}\[[^\[\]\\`<]*\]:\s*+[^\s<]++\s++(?:"[^"\\]*"|'[^'\\]*'|\([^()\\]*\))\s*+$
    | </?[A-Za-z][^<>"']*+(?:"[^"<>]*"[^<>"']*+|'[^'<>]*'[^<>"']*+)*+>
    | {_INDENT}(?:```|~~~).*
    """,
    re.VERBOSE,
)
"""Pattern of such markup that certainly ends in its line."""
_ACROSS_LINES = (
    (re.compile(rf"{_INDENT}\[[^\]]*$"), re.compile(r"[^\[\]]*\]:")),
    (re.compile(rf"</?{_NAME}(?:[\s/][^<>]*)?$"), re.compile("[^<>]*>")),
)
"""Patterns of the first and the last line of a definition's label, and of a tag, that have several lines."""
_TAG = re.compile(rf"<{_NAME}[\s/]")
_HIDING_ATTRIBUTE = re.compile(r"\b(?:hidden|popover|(?:style|class|color|bgcolor|background)\s*=)", re.IGNORECASE)
_HIDING_ELEMENT = re.compile(
    r"<(?:audio|canvas|datalist|details|dialog|font|head|iframe|link|marquee|math|noembed|noframes|noscript|object|rp"
    r"|script|select|style|svg|template|title|video)(?![\w:-])",
    re.IGNORECASE,
)
"""Pattern of the elements that are not shown, or not as text."""


def without_unseen_markup(lines: list[SourceLine]) -> Slices[list[SourceLine]]:
    """Return the lines of a text without comments (`<!-- … -->`). Lines that a reader of rendered Markdown perhaps does
    not see are unsure; all of them, if HTML in the text may hide others. What looks like markup in a picture or in
    speech is none."""
    unseen = yield from _unseen_lines(lines)
    marked: list[SourceLine] = []
    for index, line in enumerate(lines if unseen else ()):
        if index % _LINES_AT_ONCE == 0:
            yield
        marked.append(replace(line, place={**line.place, "unsure": True}) if index in unseen else line)
    return (yield from _without_comments(marked or lines))


def _unseen_lines(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines that a reader of rendered Markdown perhaps does not see."""
    found: set[int] = set()
    begun: dict[int, int] = {}
    is_inside = False
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if index and (line.row > lines[index - 1].row + 1 or line.pointer != lines[index - 1].pointer):
            begun, is_inside = {}, False  # Behind an empty line, no markup goes on but HTML that hides other text.
        first = index
        for kind, (begin, end) in enumerate(_ACROSS_LINES):
            if kind in begun and end.match(line.written):
                first, is_inside = min(first, begun.pop(kind)), True
            elif kind not in begun and begin.search(line.written):
                begun[kind] = index
        if not is_inside and not _MAY_BE_MARKUP.search(line.written):
            continue
        if _may_hide_others("\n".join(one.written for one in lines[first : index + 1])):
            return {index for index, line in enumerate(lines) if line.written}
        if is_inside or _UNSEEN.search(line.written):
            found.update(range(first, index + 1))
            is_inside = is_inside or _UNSEEN.search(_WHOLE.sub("", line.written)) is not None
    return found


def _may_hide_others(text: str) -> bool:
    """True if HTML in a text may hide what stands around it or between its tags."""
    if "<" not in text:
        return False
    is_hiding = _TAG.search(text) is not None and _HIDING_ATTRIBUTE.search(text) is not None
    return is_hiding or _HIDING_ELEMENT.search(text) is not None


def _without_comments(lines: list[SourceLine]) -> Slices[list[SourceLine]]:
    """Return the lines without the comments of Markdown and HTML in them."""
    starts = [index for index, line in enumerate(lines) if line.written and _COMMENT in line.written]
    if not starts:
        return lines
    last = max((index for index, line in enumerate(lines) if _COMMENT_END in line.written), default=-1)
    found = lines[: starts[0]]
    is_inside = False
    for index in range(starts[0], len(lines)):
        if index % _LINES_AT_ONCE == 0:
            yield
        line = lines[index]
        if not line.written:
            found.append(line)
            continue
        seen: list[str] = []
        parts = _COMMENT_MARKS.split(line.written)
        last_end = max((place for place, part in enumerate(parts) if part == _COMMENT_END), default=-1)
        for place, part in enumerate(parts):
            if part == _COMMENT_END and is_inside:
                is_inside = False
            elif part == _COMMENT and (index < last or place < last_end):  # A comment without an end is none.
                is_inside = True
            elif not is_inside:
                seen.append(part)
        written = "".join(seen)
        if len(seen) == len(parts):
            found.append(line)
        elif words := tuple(written.split()):
            found.append(replace(line, words=words, confidences=(), written=written))
    return found
