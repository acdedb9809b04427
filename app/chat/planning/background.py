"""Recognises the prompts of chat programs that ask in the background for something about a conversation: a title, tags,
follow-up questions, words to search for."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final

from app.chat.planning.orders import described_form, order_in, sure_order_in, wish_of_key
from app.chat.planning.programs import PROGRAMS, document_in_instructions, read_message
from app.chat.planning.questions import without_opening
from tasks.schema.paths import JsonPath
from tasks.wording.wishes import Label

MAX_TITLE_WORDS, MAX_TITLE_CHARS = 5, 50
"""A title has at most this many words and characters."""
_MAX_ORDERS: Final = 12_000
"""Orders are looked for in this many characters at the beginning of all instructions."""
_LABEL: Final = re.compile(r"^([ \t>*#\-\[(]{0,6})([^\s:：>*#\-\[(][^\n:：]{0,29})[:：]\**", re.MULTILINE)
_SIGNS_AROUND: Final = "])*' \t"
_USERS: Final = frozenset(PROGRAMS["speakers"]["user"])
_OPENING: Final = re.compile(r"(?:<([^\s<>/]{1,60})[^<>]*>|```\w*|\"\"\")\s*\Z")
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
        line = without_opening(self.user_texts[0].strip().split("\n")[0])
        title = " ".join(line.split()[:MAX_TITLE_WORDS])[:MAX_TITLE_CHARS].strip(" ¿?!.,:;\"'“”？。")
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
    alternating = (one for one, other, third in zip(names, names[1:], names[2:], strict=False) if one == third != other)
    users = {name for name in names if name[1] in _USERS} or {*islice(alternating, 1)}
    speakers = users | {other for one, other in pairwise(names) if one in users and other[0] == one[0]}
    return [
        _Turn(name in users, label.start(), label.end())
        for name, label in zip(names, labels, strict=True)
        if name in speakers
    ]
