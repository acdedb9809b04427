"""Splits a message by its structure into what it tells to do and what it brings along. No word decides: only fences,
markup, quotation marks, colons, blank lines and lengths."""

import re
from dataclasses import dataclass
from typing import Final

from tasks.inputs.source import urls_in

QUOTE: Final = "❝"
"""Mark that replaces a quotation, or data in brackets, in an instruction."""
LINK: Final = "\N{LINK SYMBOL}"
"""Mark that replaces a URL in an instruction."""
LONGEST_HEAD: Final = 200
"""A text after a colon is material only if the colon ends at most this many characters."""
LONGEST_INSTRUCTION: Final = 400
"""An instruction has at most this many characters at each end of a message."""
LEAST_LINES: Final = 4
"""A block with at least this many lines is a document: only its first and its last line can be instructions."""
_MAX_SEARCHED: Final = 16_000
"""A fence, a quotation or a colon is looked for in this many characters, half of them at each end of a message."""

_ENCLOSURE: Final = re.compile(
    r"```[^\n`]{0,30}\n(?P<fence>.*?)(?:\n```|\Z)|\"\"\"(?P<quotes>.*?)\"\"\"|<(?P<tag>[^\W\d][\w.:-]{0,60})(?:\s[^<>]{0,300})?>(?P<text>.*?)</(?P=tag)>"
    r"|(?P<data>\bdata:(?:text|application)/[\w.+-]+[;,][^\s\"'`<>()\[\]{}|]+)",
    re.DOTALL,
)
_HTML: Final = """
a abbr b big blockquote body br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 head hr html i img ins
kbd li mark ol p pre q s samp script small span strike strong style sub sup table tbody td tfoot th thead title tr
tt u ul var
"""
HTML: Final = frozenset(_HTML.split())
"""Names of HTML's elements, which mark up a text and never enclose what a message brings along."""
QUOTED: Final = re.compile(
    r'"[^"\n]{1,300}"|“[^”\n]{1,300}”|„[^“”\n]{1,300}[“”]|«[^»\n]{1,300}»|「[^」\n]{1,300}」|『[^』\n]{1,300}』'
    r"|‘[^’\n]{1,300}’|'(?<!\w')[^'\n]{1,300}'(?!\w)|`[^`\n]{1,300}`"
)
_LEAST_BRACKETED: Final = 42
"""Brackets of one line with at least this many characters, their own included, are JSON or other data."""
CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{0,300}`", re.DOTALL)
_BLOCKS: Final = re.compile(r"\n[ \t]*\n+")
_COLON: Final = re.compile(r"[:：](?=\s|$)|：")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？؟])|\n+")


@dataclass(frozen=True, slots=True)
class Message:
    """A user's message, split by its structure."""

    head: str = ""
    """The part of the message that tells what to do, up to a colon."""
    tail: str = ""
    """The text after the colon of the head: the material of an order, or the question after "Answer briefly:"."""
    document: str = ""
    """The text that the message brings in a fence, in markup, in a data URL, or as a block of its own; empty if there
    is none."""

    @property
    def words(self) -> str:
        """The message without the document in it."""
        return f"{self.head} {self.tail}".strip()

    @property
    def links(self) -> list[str]:
        return urls_in(self.words)

    @property
    def followed(self) -> list[str]:
        """The links that the message may ask to open: not those in code, in a document, or within a quotation."""
        return urls_in(QUOTED.sub(_link_alone, self.words))

    @property
    def quotations(self) -> list[str]:
        return [found[1:-1] for found in QUOTED.findall(self.words)]

    @property
    def instruction(self) -> str:
        """The head with marks in place of quotations, links and data in brackets."""
        return _masked(self.head)

    @property
    def material(self) -> str:
        """The tail with marks in place of quotations, links and data in brackets."""
        return _masked(self.tail)


def blocks_of(text: str) -> list[str]:
    """Return the paragraphs of a text: what blank lines part."""
    return [part for part in _BLOCKS.split(text.strip()) if part.strip()]


def split_message(text: str) -> Message:
    """Return the parts of a message."""
    outside, document = without_enclosure(text.strip())
    if not document:
        outside, document = _without_blocks(outside)
    blanked = QUOTED.sub(lambda found: QUOTE * len(found[0]), outside[:_MAX_SEARCHED])
    for link in sorted(urls_in(blanked), key=len, reverse=True):
        blanked = blanked.replace(link, LINK * len(link))
    colon = _COLON.search(blanked, 0, LONGEST_HEAD)
    # A colon of JSON comes after a name in quotation marks. Data after a colon end before the order does: "Our sales:
    # [3, 4]. Forecast the next."
    if colon is not None and (
        not any(map(str.isalpha, blanked[: colon.start()])) or _begins_with_data(outside[colon.end() :].lstrip())
    ):
        colon = None
    # After a colon at the end of a line came the document.
    if colon is None or not outside[colon.end() :].strip() or (document and outside[colon.end()] == "\n"):
        return Message(outside.strip(), "", document)
    return Message(outside[: colon.end()].strip(), outside[colon.end() :].strip(), document)


def sentences_in(text: str) -> list[str]:
    """Return the sentences and the lines of a text that are not blank."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def _link_alone(quoted: re.Match[str]) -> str:
    content = quoted[0][1:-1].strip()
    return f" {content} " if quoted[0][0] != "`" and urls_in(content) == [content] else " "


def _masked(text: str) -> str:
    text = text[:_MAX_SEARCHED]
    for link in sorted(urls_in(text), key=len, reverse=True):
        text = text.replace(link, LINK)
    return "\n".join(map(_without_data, QUOTED.sub(QUOTE, text).split("\n")))


def _data_in(line: str) -> tuple[int, int] | None:
    """Return where the data in brackets of a line begin and end, or None if it has none."""
    begin = min((at for at in (line.find("["), line.find("{")) if at >= 0), default=len(line))
    end = max(line.rfind("]"), line.rfind("}")) + 1
    return (begin, end) if end - begin >= _LEAST_BRACKETED else None


def _begins_with_data(text: str) -> bool:
    found = _data_in(text.partition("\n")[0])
    return found is not None and not found[0]


def _without_data(line: str) -> str:
    found = _data_in(line)
    return f"{line[: found[0]]}{QUOTE}{line[found[1] :]}" if found else line


def without_enclosure(text: str) -> tuple[str, str]:
    """Return the text outside all fences, quotations of several lines, elements of a program and data URLs, and the
    text in them."""
    found = [one for one in _ENCLOSURE.finditer(text) if (one["tag"] or "").lower() not in HTML]
    if not found:
        return text, ""
    outside, end, inside = [], 0, []
    for one in found:
        outside.append(text[end : one.start()])
        inside.append((one["fence"] or one["quotes"] or one["text"] or one["data"] or "").strip())
        end = one.end()
    outside.append(text[end:])
    rest = "\n".join(part.strip() for part in outside if part.strip())
    return rest, "\n\n".join(part for part in inside if part)


def _without_blocks(text: str) -> tuple[str, str]:
    """Return the blocks or lines that can be instructions, and the others."""
    parts = blocks_of(text)
    joint = "\n\n"
    if len(parts) == 1:
        parts, joint = [line for line in text.splitlines() if line.strip()], "\n"
    if len(parts) < (2 if joint == "\n\n" else LEAST_LINES):
        return text, ""
    ends = [parts[0], parts[-1]]
    short = [part for part in ends if len(part) <= LONGEST_INSTRUCTION and part.count("\n") < LEAST_LINES]
    if not short:
        return f"{text[:LONGEST_INSTRUCTION]}\n{text[-LONGEST_INSTRUCTION:]}", text
    if parts[0] in short and parts[0].rstrip()[-1:] in ":：" and (len(parts) < 3 or parts[-1] not in short):
        return parts[0], joint.join(parts[1:])
    begin, end = parts[0] in short, parts[-1] in short
    middle = parts[begin : len(parts) - end]
    if sum(map(len, middle)) < 1:
        return text, ""
    return joint.join([*parts[:begin], *parts[len(parts) - end :]]), joint.join(middle)
