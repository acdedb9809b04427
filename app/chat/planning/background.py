"""Recognises the prompts by which chat programs ask in the background for something about a conversation: a title,
tags, follow-up questions, words to search for. Finds the conversation in them, and the JSON that they describe."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.chat.planning.described_json import forms_in
from app.chat.planning.programs import PROGRAMS, document_in_instructions, read_message
from app.chat.planning.prose import CODE
from app.chat.planning.questions import is_question, without_courtesy, without_function_words
from tasks.schema.paths import JsonPath
from tasks.wording.phrases import compiled

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
    found = (one.value if one.is_finished else _example_of(one.value) for one in forms_in(orders))
    forms = sorted(found, key=lambda form: (isinstance(form, dict), len(str(form))))
    return forms[-1] if forms and asks_for_json(orders) else None


def _example_of(notes: Mapping[str, str]) -> dict[str, Any]:
    """Return an example of the object that an unfinished form describes by a note on each key."""
    return {
        name: [""] if note.startswith("[") else 0 if note[:1].isdigit() else False if _BOOLEAN.match(note) else ""
        for name, note in notes.items()
    }
