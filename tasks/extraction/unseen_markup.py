"""Finds what a reader of rendered Markdown does not see. Comments are left out. Lines with other markup that may carry
a text become unsure, because a reader of the source sees them. So do lines of which that reader sees other figures, or
sees them struck, and lines of which control characters or wide spaces hide a part from readers of the source."""

import html
import re
from collections.abc import Sequence
from dataclasses import replace

from models.fair_executor import Slices
from tasks.markdown_text import WIDE_SPACE
from tasks.result import SourceLine

_LINES_AT_ONCE = 500
"""One slice of the work examines this many lines."""
_LONG_LINE = 20_000
"""A line with more characters than this is examined in a slice of its own."""
_COMMENT, _COMMENT_END = "<!--", "-->"
_COMMENT_MARKS = re.compile(f"({_COMMENT}|{_COMMENT_END})")
_NO_BEGINNING = re.compile(r"[\\`]<!--|<!---?>")
"""Pattern of marks that begin no comment, or only for some renderers."""
_MAY_BE_MARKUP = re.compile(r"!\[|\][(\[:]|<[A-Za-z/?!]|```|~~~")
_INDENT = r"^[ \t>*+\-0-9.)]{0,20}"
_NAME = r"[A-Za-z][\w-]*+(?::[\w-]++)?"
_UNSEEN = re.compile(
    rf"""
    !\[(?!\])                                                               # the description of an image
    | \]\(\s*+(?:[<"'(]|(?:[^\s()\\]|\\.|\([^\s()]*\))*+(?:\s*+$|\s++["'(]))  # a link with a title
    | \]\((?!(?:https?|mailto|tel|ftp):|[#/.<]|[^\s():]*\.[A-Za-z]|[^()]*\s)[^()]*\d  # a link to no known address
    | \]\[(?!\d*\]|["'][^\s\]]*\])                                          # a link that names its definition
    | {_INDENT}\[(?:[^\]\\]|\\.)*+\]:\s*+(?:$|\S++\s*+(?:$|["'(]))          # the definition of a link
    | ^\*\[[^\]]+\]:                                                        # what an abbreviation stands for
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
    (re.compile(rf"{_INDENT}\[[^\]]*$"), re.compile(r"^[^\[\]]*+\]:")),
    (re.compile(rf"</?{_NAME}(?:[\s/][^<>]*)?$"), re.compile("^[^<>]*+>")),
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
_MAY_BE_EXTENSION = re.compile(r"\{|%%|:::|\$\$|```|~~~|\\[A-Za-z]{2}")
_HIDING_EXTENSION = re.compile(
    rf"""
    \{{(?:%|\#[\s-]|::|\{{[\#^!]|>>|--|~~)                                     # a template, a comment of an editor
    | \{{(?:[^{{}}"]|="[^"{{}}]*"){{0,200}}?(?<=[\s{{:])(?:\.[A-Za-z]|(?:hidden|(?:class|style)\s*=))  # attributes
    | (?<!\S)%%(?!%)                                                          # a comment of a notebook
    | {_INDENT}:::                                                          # a block with a class
    | {_INDENT}\$\$ | \\[A-Za-z]{{2,}}\*?(?:\[[^\[\]]{{0,100}}\])?\{{                  # formulas and commands of TeX
    | {_INDENT}(?:```|~~~)[~` \t]*(?:\{{|(?:dot|geojson|graphviz|latex|math|mermaid|plantuml|stl|tex|topojson)\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Pattern of what some renderers add to Markdown, by which they may leave text out that stands around it or after
it."""
_ENDS_OF_FRONT_MATTER = {"---": ("---", "..."), "+++": ("+++",), ";;;": (";;;",)}
"""Lines that end the data at the beginning of a text, by the line that begins them."""

_STRUCK_TAG = re.compile(r"<(/?)(?:s|del|strike)(?:\s[^<>]*)?>", re.IGNORECASE)
_TILDES = re.compile(r"(?<!~)~~(?!~)")
_OPENING_TILDE, _CLOSING_TILDE = re.compile(r"(?<![\w~])~(?=[^\s~])"), re.compile(r"(?<=[^\s~])~(?![\w~])")
_CELL_END = re.compile(r"(?<!\\)\|")
_RULE_OF_TABLE = re.compile(r"[ \t>]*+[|:-][|: \t-]*+$")
"""Pattern of the row between the header of a table and the others (GFM 0.29, 4.10)."""
_FENCE = re.compile(rf"{_INDENT}(?:```|~~~)")
_FOOTNOTE = re.compile(rf"{_INDENT}\[\^([^\]\s]+)\]:")
_FOOTNOTE_MARK = re.compile(r"\[\^([^\[\]\s]+)\]")
_CHARACTER = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});")
_SIGNS = frozenset(".,-+%−½¼¾")
_CUT_NUMBER = re.compile(
    r"""
    \d(\*{1,3}|`{1,2}|~{1,2}|==|\^)[\d.,]++\1          # emphasis of some figures of a number, also as a power
    | (\*{1,3}|`{1,2}|~{1,2}|==|\^)[\d.,]++\2\d
    | \d</?(?:b|em|i|mark|small|span|strong|u)>\d      # a tag within a number
    | \d&\#?\w{1,32};\d                               # a character reference within a number
    | \d\\[\d.,]                                      # an escape within a number
    | \d(?:!\[|\[[\d.,]+\]\() | \[[\d.,]+\]\([^\s()]*\)[\d.,]*\d     # a picture or a link within a number
    | \$(?=\S)(?=[^$\\{}^_%~&]*+[\\{}^_%~&])[^$]*+(?<=[^\sA-Z])\$(?!\d)  # a formula
    """,
    re.VERBOSE,
)
"""Pattern of markup within a number, which is shown as one, and of formulas, whose figures are drawn."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
"""Pattern of the control characters other than white space."""
_HIDING_SEQUENCE = re.compile(r"\x1b(?!\[(?:(?:[0134]|2[2-4]|[34]9|[39][1-6])?(?:;|(?=m)))*+m)|[\x90\x98\x9b\x9d-\x9f]")
"""Pattern of escape sequences except those of colours that are seen on white and on black (ECMA-48, 8.3.117)."""


def without_unseen_markup(lines: list[SourceLine]) -> Slices[list[SourceLine]]:
    """Return the lines of a text without comments (`<!-- … -->`). Lines that a reader of rendered Markdown perhaps does
    not see are unsure; all of them, if HTML in the text may hide others. What looks like markup in a picture or in
    speech is none."""
    unseen = yield from _unseen_lines(lines)
    for find in (
        *(_front_matter, _behind_extensions, _behind_open_comment, _struck_lines, _beyond_header, _unused_footnotes),
        *(_lines_of_other_figures, _lines_beyond_sight),
    ):
        unseen |= yield from find(lines)
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
        if _begins_paragraph(lines, index):
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


def _behind_extensions(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of all lines if an extension of Markdown may hide some of them."""
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if _MAY_BE_EXTENSION.search(line.written) and _HIDING_EXTENSION.search(line.written):
            return {index for index, line in enumerate(lines) if line.written}
    return set()


def _front_matter(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines of data at the beginning of each text, which most renderers do not show."""
    found: set[int] = set()
    first, ends = 0, tuple[str, ...]()
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0:
            yield
        if index == 0 or line.pointer != lines[index - 1].pointer:
            first, ends = index, _ENDS_OF_FRONT_MATTER.get(line.written.rstrip(), ())
        elif line.written.rstrip() in ends:
            found.update(range(first, index + 1))
            ends = ()
    return found


def _may_hide_others(text: str) -> bool:
    """True if HTML in a text may hide what stands around it or between its tags."""
    if "<" not in text:
        return False
    is_hiding = _TAG.search(text) is not None and _HIDING_ATTRIBUTE.search(text) is not None
    return is_hiding or _HIDING_ELEMENT.search(text) is not None


def _behind_open_comment(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines from a comment on that has no end, which may go to the end of the text
    (CommonMark 0.31, 4.6)."""
    for index in range(len(lines) - 1, -1, -1):
        if index % _LINES_AT_ONCE == 0:
            yield
        written = lines[index].written
        if _COMMENT in written or _COMMENT_END in written:
            is_open = written.rfind(_COMMENT) > written.rfind(_COMMENT_END)
            return set(range(index, len(lines))) if is_open else set()
    return set()


def _struck_lines(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines that marks of deleted text on different lines strike through."""
    found: set[int] = set()
    depth, opened, lowered = 0, -1, -1
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if _begins_paragraph(lines, index):
            opened, lowered = -1, -1
        if "~" in line.written:
            opening = _OPENING_TILDE.search(line.written)
            closings = [sign.start() for sign in _CLOSING_TILDE.finditer(line.written)]
            lowered = index if opening and lowered < 0 else lowered
            if closings and lowered >= 0 and (lowered < index or (opening and opening.start() < closings[-1])):
                found.update(range(lowered, index + 1))
                lowered = index if opening else -1
        if "~~" in line.written and len(_TILDES.findall(line.written)) % 2:
            if opened >= 0:
                found.update(range(opened, index + 1))
            opened = index if opened < 0 else -1
        before = depth
        for tag in _STRUCK_TAG.finditer(line.written) if "<" in line.written else ():
            depth = max(depth - 1, 0) if tag[1] else depth + 1
        if before or depth:
            found.add(index)
    return found


def _beyond_header(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the rows with more cells than the header of their table: the rest is not shown (GFM 0.29,
    4.10)."""
    found: set[int] = set()
    columns = 0
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if _begins_paragraph(lines, index):
            columns = 0
        elif "|" not in line.written:
            continue
        elif columns:
            if _cells(line.written) > columns:
                found.add(index)
        elif "-" in line.written and _RULE_OF_TABLE.match(line.written):
            header = _cells(lines[index - 1].written)
            columns = header if header == _cells(line.written) else 0
    return found


def _cells(row: str) -> int:
    row = row.strip(" \t>").removeprefix("|")
    return len(_CELL_END.findall(row)) + (not row.endswith("|"))


def _unused_footnotes(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines of footnotes that no mark refers to, or that have the name of another one."""
    used: set[str] = set()
    definitions: dict[int, str] = {}
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if "[^" in line.written:
            definition = _FOOTNOTE.match(line.written)
            if definition:
                definitions[index] = definition[1].casefold()
            marks = _FOOTNOTE_MARK.finditer(line.written, definition.end() if definition else 0)
            used.update(mark[1].casefold() for mark in marks)
    found: set[int] = set()
    is_unused = False
    for index, line in enumerate(lines if definitions else ()):
        if index % _LINES_AT_ONCE == 0:
            yield
        if index in definitions:
            is_unused = definitions[index] not in used
            used.discard(definitions[index])
        elif _begins_paragraph(lines, index) and not line.written.startswith((" ", "\t")):
            is_unused = False
        if is_unused:
            found.add(index)
    return found


def _lines_of_other_figures(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines with markup within numbers, or with character references of letters, figures and
    signs, which nobody needs to write so."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if _CUT_NUMBER.search(line.written) or ("&" in line.written and _has_needless_reference(line.written)):
            found.add(index)
    return found


def _has_needless_reference(text: str) -> bool:
    """True if a character reference stands for a letter of English, a figure, or a sign that belongs to numbers."""
    characters = (html.unescape(reference[0]) for reference in _CHARACTER.finditer(text))
    return any(one in _SIGNS or one.isdecimal() or (one.isascii() and one.isalpha()) for one in characters)


def _lines_beyond_sight(lines: Sequence[SourceLine]) -> Slices[set[int]]:
    """Return the indices of the lines with control characters, or with so much space that what follows is beyond the
    edge of a window; of all lines if escape sequences may move, hide or overwrite text of others on a terminal."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0 or len(line.written) > _LONG_LINE:
            yield
        if WIDE_SPACE.search(line.written):
            found.add(index)
        if _CONTROL.search(line.written):
            found.add(index)
            if _HIDING_SEQUENCE.search(line.written):
                return {index for index, line in enumerate(lines) if line.written}
    return found


def _begins_paragraph(lines: Sequence[SourceLine], index: int) -> bool:
    """True for the first line of a text, and behind an empty line."""
    line, before = lines[index], lines[index - 1]
    return index == 0 or line.row > before.row + 1 or line.pointer != before.pointer


def _without_comments(lines: list[SourceLine]) -> Slices[list[SourceLine]]:
    """Return the lines without the comments of Markdown and HTML in them. What perhaps begins no comment, such as in
    code, is kept, and the lines up to its end are unsure."""
    starts = [index for index, line in enumerate(lines) if line.written and _COMMENT in line.written]
    if not starts:
        return lines
    last = max((index for index, line in enumerate(lines) if _COMMENT_END in line.written), default=-1)
    found: list[SourceLine] = []
    is_inside = is_unsure = is_fenced = False
    for index, line in enumerate(lines):
        if index % _LINES_AT_ONCE == 0:
            yield
        is_fenced ^= not is_inside and _FENCE.match(line.written) is not None
        if index < starts[0] or not line.written:
            found.append(line)
            continue
        was_unsure = is_unsure
        seen: list[str] = []
        parts = _COMMENT_MARKS.split(line.written)
        last_end = max((place for place, part in enumerate(parts) if part == _COMMENT_END), default=-1)
        is_code = is_fenced or line.written.startswith(("    ", "\t"))
        is_code |= _NO_BEGINNING.search(line.written) is not None
        backticks = 0
        for place, part in enumerate(parts):
            backticks += part.count("`")
            if part == _COMMENT_END and is_inside:
                is_inside = False
            elif part == _COMMENT and not is_inside and (index < last or place < last_end):
                # A comment without an end is none.
                is_unsure = is_code or backticks % 2 == 1
                was_unsure |= is_unsure
                is_inside = not is_unsure
                seen += [part] if is_unsure else []
            elif not is_inside:
                is_unsure &= part != _COMMENT_END
                seen.append(part)
        written = "".join(seen)
        if was_unsure:
            line = replace(line, place={**line.place, "unsure": True})
        if len(seen) == len(parts):
            found.append(line)
        elif words := tuple(written.split()):
            found.append(replace(line, words=words, confidences=(), written=written))
    return found
