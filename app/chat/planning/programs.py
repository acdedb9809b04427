"""Reads what chat programs write around a user's words: lists of attachments, retrieved documents, reminders, and the
instructions of a template. Recognises their prompts that ask in the background for something about a conversation: a
title, tags, follow-up questions, words to search for."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from app.chat.pasted import enclosure_in
from app.chat.planning.described_json import forms_in
from app.chat.planning.orders import asks_for_json, order_in, sure_order_in, wish_of_key
from app.chat.planning.questions import without_courtesy, without_function_words
from tasks.inputs.media_types import media_type_of_file
from tasks.schema.paths import JsonPath
from tasks.wording.message import HTML
from tasks.wording.wishes import Label

_PROGRAMS: Final = tomllib.loads(Path(__file__).with_name("programs.toml").read_text("utf-8"))
_ELEMENTS: Final[Mapping[str, Sequence[str]]] = _PROGRAMS["elements"]
_USERS: Final = frozenset(_PROGRAMS["speakers"]["user"])
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
_MAX_ORDERS: Final = 12_000
"""Orders are looked for in this many characters at the beginning of all instructions."""
_LABEL: Final = re.compile(r"^([ \t>*#\-\[(]{0,6})([^\s:：>*#\-\[(][^\n:：]{0,29})[:：]\**", re.MULTILINE)
_SIGNS_AROUND: Final = "])*' \t"
_LEAST_TURNS: Final = 3
"""Two unknown speakers who alternate are in a conversation if they speak at least this often."""
_NAME_PARTS: Final = re.compile(r"[_.:-]+")
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


@dataclass(frozen=True, slots=True)
class BackgroundPrompt:
    """A prompt about a conversation."""

    orders: str
    """The prompt without the conversation."""
    user_texts: tuple[str, ...]
    """The user's messages in the conversation, in order."""
    wish: Label
    """The likeliest of ABOUT_CONVERSATION."""

    @property
    def text(self) -> str:
        """The answer without JSON: a title, or words to search for; empty if nothing of the conversation is one."""
        if self.wish == "title":
            return self._title()
        return self.user_texts[-1] if self.wish == "queries" else ""

    def values(self, schema: Mapping[str, Any]) -> dict[JsonPath, Any]:
        """Return the values of those fields of an object that the user's own words fill, by path."""
        found: dict[JsonPath, Any] = {}
        for name, field in schema.get("properties", {}).items():
            types, wish = json.dumps(field), wish_of_key(name)
            if wish == "queries" and '"boolean"' not in types:
                found[(name,)] = [self.user_texts[-1]] if '"array"' in types else self.user_texts[-1]
            elif wish == "title" and '"array"' not in types:
                found[(name,)] = self._title()
            elif field.get("type") == ["string", "null"]:
                found[(name,)] = ""
        return found

    def _title(self) -> str:
        """Return the first words of what the user said first that name something."""
        line = without_function_words(without_courtesy(self.user_texts[0].strip().split("\n")[0]))
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
    wish = order_in(f"{instructions}\n{orders}") if user_texts else None
    if not user_texts and len(users) > 1 and (wish := sure_order_in(orders)):
        user_texts = [read_message(text).words for text in users[:-1]]
    elif not user_texts and (wish := _order_of_system(instructions)):
        orders, user_texts = "", [read_message(text).words for text in users]
    user_texts = [text for text in user_texts if any(map(str.isalnum, text))]
    if not user_texts or wish is None:
        return None
    return BackgroundPrompt(f"{instructions}\n{orders}"[:_MAX_ORDERS], tuple(user_texts), wish)


def _order_of_system(instructions: str) -> Label | None:
    """Return what a system message orders about all that the user says: a title, or JSON. It orders nothing of the kind
    if there are documents in it, over which it wants answers."""
    order = order_in(instructions)
    is_ordered = order == "title" or (order is not None and described_form(instructions) is not None)
    return order if is_ordered and not document_in_instructions(instructions) else None


def _without_conversation(message: str) -> tuple[str, list[str]]:
    """Return a message without the conversation in it, and what the user says in it."""
    if '"role"' in message and (contents := _MESSAGE_OF_USER.findall(message)):
        return message[: message.index('"role"')], [json.loads(text, strict=False) for text in contents]
    turns = _turns_in(message)
    if not any(turn.is_of_user for turn in turns):
        return message, []
    head, end, tail = message[: turns[0].begin], len(message), ""
    if opening := _OPENING.search(head):
        head = head[: opening.start()]
        closing = f"</{opening[1]}>" if opening[1] else opening[0][:3]
        if (found := message.rfind(closing, turns[-1].end)) >= 0:
            end, tail = found, message[found + len(closing) :]
    ends = [*(turn.begin for turn in turns[1:]), end]
    texts = [message[turn.end : stop] for turn, stop in zip(turns, ends, strict=True) if turn.is_of_user]
    return f"{head}\n{tail}", [read_message(text.strip(" \n-")).words for text in texts]


@dataclass(frozen=True, slots=True)
class _Turn:
    """The label of a speaker at the beginning of a line."""

    is_of_user: bool
    begin: int
    end: int


def _turns_in(message: str) -> list[_Turn]:
    """Return the labels of the speakers of a conversation; none if there is no conversation. The other speakers are
    those who follow the user. Where no label is known for the user's, two speakers alternate, and the user is first."""
    labels = list(_LABEL.finditer(message))
    names = [(label[1].strip(), label[2].strip(_SIGNS_AROUND).lower()) for label in labels]
    users = {name for name in names if name[1] in _USERS}
    if not users:
        users = {
            one
            for one, other, third in zip(names, names[1:], names[2:], strict=False)
            if one == third != other and names.count(one) + names.count(other) >= _LEAST_TURNS
        }
        users = set(names[names.index(min(users, key=names.index)) :][:1]) if users else set()
    speakers = users | {other for one, other in pairwise(names) if one in users and other[0] == one[0]}
    return [
        _Turn(name in users, label.start(), label.end())
        for name, label in zip(names, labels, strict=True)
        if name in speakers
    ]


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
