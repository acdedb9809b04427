"""Reads what chat programs write around a user's words: lists of attachments, retrieved documents, reminders, and the
instructions of a template. Recognises their prompts that ask in the background for something about a conversation: a
title, tags, follow-up questions, words to search for."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.chat.pasted import enclosure_in
from app.chat.planning.described_json import forms_in
from app.chat.planning.questions import is_question, without_opening
from tasks.inputs.media_types import media_type_of_file
from tasks.schema.paths import JsonPath
from tasks.wording.message import CODE, HTML
from tasks.wording.phrases import compiled

PROGRAMS: Final[dict[str, dict[str, str]]] = tomllib.loads(Path(__file__).with_name("programs.toml").read_text("utf-8"))
"""Regular expressions for `compiled`, by group and name."""
_TAGS: Final = PROGRAMS["tags"]
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
MAX_WORDS, MAX_CHARS = 5, 50
"""A title has at most this many words and characters."""
_CONVERSATION, _JSON = PROGRAMS["conversation"], PROGRAMS["json"]
_MAX_ORDERS: Final = 12_000
"""Orders are looked for in this many characters at the beginning of all instructions."""
_SPEAKER: Final = f"(?:(?P<user>{_CONVERSATION['user']})|{_CONVERSATION['other']})"
_LABEL: Final = rf"(?m)^[ \t>*#\-\[(]{{0,6}}{_SPEAKER}\b[\])*' \t]{{0,6}}[:：]\**"
_OPENING: Final = re.compile(r"(?:<([^\s<>/]{1,60})[^<>]*>|```\w*|\"\"\")\s*\Z")
_BOOLEAN: Final = re.compile(r"(?:true|false)\b", re.IGNORECASE)
_MESSAGE_OF_USER: Final = re.compile(
    r'"role"\s*:\s*"user".{0,400}?"(?:content|\w*text)"\s*:\s*("(?:[^"\\]|\\.){0,20000}+")', re.DOTALL | re.IGNORECASE
)


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
    elements = [one for one in _elements_of(bare) if _is_empty(one) or _document_in(one) or _is_named(one, *_TAGS)]
    if not elements:
        return WrittenMessage(bare if bare.strip() else text)
    named = [one.text.strip() for one in elements if _is_named(one, "words")]
    documents = [*filter(None, map(_document_in, elements))]
    ends = [0, *(one.end for one in elements)]
    begins = [*(one.begin for one in elements), len(bare)]
    outside = [bare[end:begin].strip() for end, begin in zip(ends, begins, strict=True)]
    outside = [part for part in outside if any(map(str.isalnum, part))]
    own = [part for part in outside if not _TEMPLATE.search(part)]
    is_own = len(elements) == 1 and not _is_named(elements[0], "document")
    is_pasted = is_own and documents == [elements[0].text.strip()] and len(own) == len(outside)
    words = "\n".join(filter(None, named)) or "\n".join(own or outside)
    if not words or (is_pasted and enclosure_in(text) is not None):
        return WrittenMessage(text)
    return WrittenMessage(words, "\n\n".join(documents))


def document_in_instructions(text: str) -> str:
    """Return the documents that a chat program put into a system message; empty if there are none."""
    bare = _with_elements(text)
    found = [_document_in(one) for one in _elements_of(bare) if _is_named(one, "document")]
    speaks_of_document = compiled(_TAGS["document"]).search
    found += [fence[1] for fence in _FENCE.finditer(bare) if speaks_of_document(fence[0].split("\n")[0])]
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
    is_handed = bool(alone) and _is_named(element, "document") and media_type_of_file(alone) is None
    if not (is_running or is_handed) or _is_named(element, "words", "aside"):
        return ""
    return alone if _TAG_OF_PROGRAM.search(text) else text


def _is_named(element: _Element, *kinds: str) -> bool:
    """True if programs use the element's name for any of these kinds."""
    return any(compiled(_TAGS[kind]).search(element.name) for kind in kinds)


@dataclass(frozen=True, slots=True)
class BackgroundPrompt:
    """A prompt about a conversation."""

    orders: str
    """The prompt without the conversation."""
    user_texts: tuple[str, ...]
    """The user's messages in the conversation, in order."""

    @property
    def text(self) -> str:
        """The answer without JSON: a title, or words to search for; empty if nothing of the conversation is one."""
        if _says(self.orders, "title"):
            return self._title()
        return self.user_texts[-1] if _says(self.orders, "query") else ""

    def values(self, schema: Mapping[str, Any]) -> dict[JsonPath, Any]:
        """Return the values of those fields of an object that the user's own words fill, by path."""
        found: dict[JsonPath, Any] = {}
        for name, field in schema.get("properties", {}).items():
            types = json.dumps(field)
            if compiled(_CONVERSATION["query_keys"]).fullmatch(name) and '"boolean"' not in types:
                found[(name,)] = [self.user_texts[-1]] if '"array"' in types else self.user_texts[-1]
            elif compiled(_CONVERSATION["title_keys"]).fullmatch(name) and '"array"' not in types:
                found[(name,)] = self._title()
            elif field.get("type") == ["string", "null"]:
                found[(name,)] = ""
        return found

    def _title(self) -> str:
        """Return the first words of what the user said first that name something."""
        line = without_opening(self.user_texts[0].strip().split("\n")[0])
        title = " ".join(line.split()[:MAX_WORDS])[:MAX_CHARS].strip(" ¿?!.,:;\"'“”？。")
        return title[:1].upper() + title[1:]


def read_background_prompt(system: Sequence[str], users: Sequence[str]) -> BackgroundPrompt | None:
    """Return what the texts of the system and the user messages ask about a conversation, or None if they ask for
    something else.

    The conversation is in the last message, with the names of the speakers before what they say; or it is the request
    itself, if the last message asks about it; or the system message asks about all that the user says.
    """
    if not users:
        return None
    orders, user_texts = _without_conversation(users[-1])
    instructions = "\n".join(system)[:_MAX_ORDERS]
    if not user_texts and _says(orders, "ours"):
        user_texts = [read_message(text).words for text in users[:-1]]
    elif not user_texts and _says(instructions, "named") and _orders_result(instructions):
        orders, user_texts = "", [read_message(text).words for text in users]
    orders = f"{instructions}\n{orders}"[:_MAX_ORDERS]
    user_texts = [text for text in user_texts if any(map(str.isalnum, text))]
    is_wished = any(_says(orders, wish) for wish in ("title", "query", "more"))
    return BackgroundPrompt(orders, tuple(user_texts)) if user_texts and is_wished else None


def _says(text: str, subject: str) -> bool:
    return compiled(_CONVERSATION[subject]).search(text) is not None


def _orders_result(instructions: str) -> bool:
    """True if a system message orders a title or JSON, and not an answer over the documents in it."""
    is_wished = _says(instructions, "title") or described_form(instructions) is not None
    return is_wished and not document_in_instructions(instructions)


def _without_conversation(message: str) -> tuple[str, list[str]]:
    """Return a message without the conversation in it, and what the user says in it."""
    if '"role"' in message and (contents := _MESSAGE_OF_USER.findall(message)):
        return message[: message.index('"role"')], [json.loads(text, strict=False) for text in contents]
    labels = list(compiled(_LABEL).finditer(message))
    if not any(label["user"] for label in labels):
        return message, []
    head, end, tail = message[: labels[0].start()], len(message), ""
    if opening := _OPENING.search(head):
        closing = f"</{opening[1]}>" if opening[1] else opening[0][:3]
        if (found := message.rfind(closing, labels[-1].end())) >= 0:
            end, tail = found, message[found + len(closing) :]
    # A question about a conversation is one about a document.
    if not asks_for_json(f"{head}\n{tail}") and is_question(CODE.sub(" ", tail if tail.strip() else head).strip()):
        return message, []
    ends = [*(label.start() for label in labels[1:]), end]
    turns = [(label["user"], message[label.end() : stop]) for label, stop in zip(labels, ends, strict=True)]
    return f"{head}\n{tail}", [read_message(text.strip(" \n-")).words for is_user, text in turns if is_user]


def asks_for_json(orders: str) -> bool:
    """True if the orders want to be answered with JSON, and do not only speak of some."""
    return bool(compiled(_JSON["asked"]).search(orders)) and not compiled(_JSON["worked_on"]).search(orders)


def asks_only_for_json(orders: str) -> bool:
    return asks_for_json(orders) and compiled(_JSON["only"]).search(orders) is not None


def described_form(orders: str) -> Any:
    """Return the longest example of the JSON with which the orders want to be answered, or None if they show none. An
    object counts rather than a list."""
    found = (one.value if one.is_json else _example_of(one.value) for one in forms_in(orders))
    forms = sorted(found, key=lambda form: (isinstance(form, dict), len(str(form))))
    return forms[-1] if forms and asks_for_json(orders) else None


def _example_of(notes: Mapping[str, str]) -> dict[str, Any]:
    """Return an example of the object that an unfinished form describes by a note on each key."""
    return {
        name: [""] if note.startswith("[") else 0 if note[:1].isdigit() else False if _BOOLEAN.match(note) else ""
        for name, note in notes.items()
    }
