"""Reads what chat programs write around a user's words: lists of attachments, retrieved documents, reminders, and the
instructions of a template."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.chat.pasted import enclosure_in
from tasks.inputs.media_types import media_type_of_file
from tasks.wording.message import HTML

PROGRAMS: Final = tomllib.loads(Path(__file__).with_name("programs.toml").read_text("utf-8"))
_ELEMENTS: Final[Mapping[str, Sequence[str]]] = PROGRAMS["elements"]
_TAG: Final = re.compile(r"<([^\W\d][\w.:-]{0,60})((?:\s[^<>]{0,1000})?)>", re.DOTALL)
_TAGS_ALONE: Final = re.compile(r"<[^<>]*>")
_TAG_OF_PROGRAM: Final = re.compile(r"<[^\W\d][\w.:-]*(?:\s[^<>]*|/)>")
"""Pattern of a tag with attributes, or of an element without a text. Pasted XML rarely has one."""
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_BRACKETED: Final = re.compile(
    r"^[ \t]*\[([^\[\]\n]{1,40})\]:?[ \t]*\n(.*?)\n[ \t]*\[(?:END |/)\1\][ \t]*$", re.DOTALL | re.MULTILINE
)
_PLACEHOLDER: Final = re.compile(r"^[ \t]*\[[^\[\]\n]{1,60}\][ \t]*$\n?|<\|[^<>|\n]{1,40}\|>", re.MULTILINE)
"""Pattern of a line in brackets, such as the name of a file, and of a place for a picture: `<|image_1|>`."""
_FENCE: Final = re.compile(r"^[^\n]{0,100}:[ \t]*\n```[^\n]{0,30}\n(.*?)\n```[ \t]*$", re.DOTALL | re.MULTILINE)
_TEMPLATE: Final = re.compile(r"^(?:#{1,6} |-{3,}\s*$)", re.MULTILINE)
_MAX_TAGS: Final = 200
"""At most this many tags of a text are examined."""
_RUNNING: Final = 60
"""A text with at least this many characters, or with several lines, is running text, and no name of a file."""
_NAME_PARTS: Final = re.compile(r"[_.:-]+")


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of markup at the beginning of a line."""

    name: str
    text: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message of a user, without the markup of a chat program."""

    words: str
    """The user's own words."""
    document: str = ""
    """The texts that the program attached; empty if there are none."""


def read_message(text: str) -> WrittenMessage:
    """Return the user's own words in a message, and the documents that a chat program put into elements beside them.

    The words are outside of all elements, or in one that is named after them. A text with headings beside other words
    is the program's template. A message without such elements, or with a single one around what the user pasted, is
    returned as it is.
    """
    if "<" not in text and "[" not in text:
        return WrittenMessage(text)
    bare = _PLACEHOLDER.sub("", _with_elements(text))
    # A short text in an element is the user's own, unless the name tells of a program.
    elements = [one for one in _elements_of(bare) if _is_empty(one) or _document_in(one) or _is_named(one)]
    if not elements:
        return WrittenMessage(bare if bare.strip() else text)
    named = [one.text.strip() for one in elements if _names_words(one.name)]
    documents = [*filter(None, map(_document_in, elements))]
    ends = [0, *(one.end for one in elements)]
    begins = [*(one.begin for one in elements), len(bare)]
    outside = [bare[end:begin].strip() for end, begin in zip(ends, begins, strict=True)]
    outside = [part for part in outside if any(map(str.isalnum, part))]
    own = [part for part in outside if not _TEMPLATE.search(part)]
    is_own = len(elements) == 1 and not _names_document(elements[0].name)
    is_pasted = is_own and documents == [elements[0].text.strip()] and len(own) == len(outside)
    words = "\n".join(filter(None, named)) or "\n".join(own or outside)
    if not words or (is_pasted and enclosure_in(text) is not None):
        return WrittenMessage(text)
    return WrittenMessage(words, "\n\n".join(documents))


def document_in_instructions(text: str) -> str:
    """Return the documents that a chat program put into a system message; empty if there are none."""
    bare = _with_elements(text)
    found = [_document_in(one) for one in _elements_of(bare) if _names_document(one.name)]
    found += [fence[1] for fence in _FENCE.finditer(bare) if _names_document(fence[0].split("\n")[0])]
    return "\n\n".join(filter(None, found))


def _with_elements(text: str) -> str:
    """Return the text without comments, and with elements instead of texts between `[NAME]` and `[END NAME]`."""
    if "<!--" in text:
        text = _COMMENT.sub("", text)
    return _BRACKETED.sub(r"<context>\n\2\n</context>", text) if "[END " in text or "[/" in text else text


def _elements_of(text: str) -> Iterator[_Element]:
    """Yield the outermost elements at beginnings of lines, or behind each other. HTML's elements mark up a text of the
    user and do not count."""
    position = 0
    for _ in range(_MAX_TAGS):
        tag = _TAG.search(text, position)
        if tag is None:
            return
        position = tag.end()
        line_begin = text.rfind("\n", 0, tag.start()) + 1
        if tag[1].lower() in HTML or text[line_begin : tag.start()].rstrip()[-1:] not in ("", ">"):
            continue
        closing = -1 if tag[2].endswith("/") else text.find(f"</{tag[1]}>", position)
        if closing >= 0:
            inner = text[position:closing]
            position = closing + len(tag[1]) + 3
            yield _Element(tag[1], inner, tag.start(), position)
        elif tag[2].endswith("/") or not text[position:].split("\n", 1)[0].strip():
            yield _Element(tag[1], "", tag.start(), position)


def _is_empty(element: _Element) -> bool:
    return not _TAGS_ALONE.sub("", element.text).strip()


def _document_in(element: _Element) -> str:
    """Return the text in an element, without the tags in it if some have attributes. Return an empty text for an
    element whose name says that it is not a document, and for one without running text that is the name of a file, or
    whose own name does not say that it is a document."""
    text = element.text.strip()
    alone = _TAGS_ALONE.sub("", text).strip()
    is_running = len(alone) >= _RUNNING or ("\n" in text and text == alone)
    is_handed = bool(alone) and _names_document(element.name) and media_type_of_file(alone) is None
    if not (is_running or is_handed) or _names_words(element.name) or _names_aside(element.name):
        return ""
    return alone if _TAG_OF_PROGRAM.search(text) else text


def _is_named(element: _Element) -> bool:
    """True if programs use the element's name."""
    return any(names(element.name) for names in (_names_words, _names_aside, _names_document))


def _names_words(name: str) -> bool:
    parts = set(_NAME_PARTS.split(name.lower()))
    return not parts.isdisjoint(_ELEMENTS["words"]) and parts.issubset([*_ELEMENTS["words"], *_ELEMENTS["whose"]])


def _names_aside(name: str) -> bool:
    return any(part.startswith(tuple(_ELEMENTS["aside"])) for part in _NAME_PARTS.split(name.lower()))


def _names_document(name: str) -> bool:
    return any(word in name.lower() for word in _ELEMENTS["document"])
