"""Collects the texts that a guard judges: plain words without formatting, and windows across the boundary of two texts,
because a question may be split between them."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import unquote

from app.chat.guard.prohibitions import without_prohibitions
from app.chat.inputs import text_of
from app.wire.request import ChatMessage, ChatRequest
from models.fair_executor import Slices
from tasks.inputs.media_types import media_type_of_file
from tasks.inputs.source import Source
from tasks.precontext import Entry
from tasks.result import texts_in

SPEAKERS = ("system", "developer")
"""Roles of messages that contain instructions."""


_SIDE = 500
"""Number of characters on either side of a boundary that are judged together. A window contains at most four times as
many."""
_JOINTS = re.compile(r"[^\w\u200b-\u200f]+|[_\d]+|(?<=[^\W\d_A-Z])(?=[A-Z])")
"""Pattern of the gaps between the words in the name of a file or a speaker: other characters, digits, or the place
before a capital letter that follows a small letter."""
_ESCAPES = re.compile(r"""(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+""")


def text_of_json(json_text: str) -> str:
    """Return JSON, whole or truncated, with the escapes in its strings decoded. Lone surrogates are replaced."""
    unescaped = _ESCAPES.sub(lambda run: str(json.loads(f'"{run[0]}"')), json_text)
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def texts_of_messages(request: ChatRequest) -> list[tuple[str, str]]:
    """Return the texts of the messages, each with its place."""
    return [(f"messages[{at}].content", text_of(message)) for at, message in enumerate(request.messages)]


def texts_beside_messages(request: ChatRequest) -> Iterator[tuple[str, str]]:
    """Yield the other texts that an LLM reads: the client's tools, the schema of the answer, and the arguments of
    calls."""
    for at, message in enumerate(request.messages):
        for place, call in enumerate(message.tool_calls or ()):
            text = f"{call.function.name} {text_of_json(call.function.arguments)}"
            yield f"messages[{at}].tool_calls[{place}]", text
    for at, tool in enumerate(request.tools or ()):
        function = tool.function
        texts = (function.name, function.description or "", *texts_in(function.parameters))
        yield f"tools[{at}]", "\n".join(filter(None, texts))
    form = request.response_format
    if form is not None and form.json_schema is not None:
        yield "response_format", "\n".join(texts_in(form.json_schema.schema_))


def texts_of_file_names(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """Return the words in the names of files, each with its place. Names reach results and an LLM, too."""
    texts = []
    for one in sources:
        name = unquote(one.filename or "")
        # A suffix that only states the file's type would distract from the meaning of the words.
        if media_type_of_file(name) is not None:
            name = name.rpartition(".")[0] or name
        if words := _words_in(name):
            texts.append((f"{one.param.rpartition('.')[0] or one.param}.filename", words))
    return texts


def names_of_speakers(messages: Sequence[ChatMessage]) -> list[tuple[str, str]]:
    """Return the names in the messages, each with its place."""
    return [(f"messages[{at}].name", message.name) for at, message in enumerate(messages) if message.name]


def texts_of_speakers(messages: Sequence[ChatMessage]) -> Slices[list[str]]:
    """Return the words in the name of each message; they are empty if it has none."""
    texts = []
    for message in messages:
        texts.append(_words_in(message.name or ""))
        yield
    return texts


def _words_in(name: str) -> str:
    return " ".join(_JOINTS.sub(" ", name).split())


def texts_of_others(messages: Sequence[ChatMessage]) -> Slices[list[tuple[str, str]]]:
    """Return the instructions of system messages and the texts of assistants and tools, each with its place."""
    texts = []
    for at, message in enumerate(messages):
        text = text_of(message)
        if message.role in SPEAKERS:
            text = yield from without_prohibitions(text)
        if message.role != "user":
            texts.append((f"messages[{at}].content", text))
        yield
    return texts


def texts_of_results(entries: Sequence[Entry]) -> Slices[list[tuple[str, str]]]:
    """Return the texts of each entry, without repetitions, one per line."""
    texts = []
    for one in entries:
        texts.append((one.name, "\n".join(dict.fromkeys(one.result.said()))))
        yield
    return texts


def windows_across_joints(
    words: str, texts: Sequence[tuple[str, str]], before: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """Return windows across the boundaries between the user's `words` and each `(source, text)`, and between each text
    and the next.

    The texts in `before` precede `texts`.
    """
    windows = [(f"messages and {source}", window) for source, text in texts for window in windows_across(words, text)]
    for (source, text), (following, other) in pairwise([*before, *texts]):
        windows += [(f"{source} and {following}", window) for window in windows_across(text, other)]
    return windows


def windows_across(one: str, other: str) -> list[str]:
    """Return the end of `one` with the beginning of `other`, and the end of `other` with the beginning of `one`.

    If `other` is short, one window covers both boundaries. The list is empty if either text is blank.
    """
    if not one or one.isspace() or not other or other.isspace():
        return []
    end, beginning = one[-_SIDE:], one[:_SIDE]
    if len(other) <= 2 * _SIDE:
        return [f"{end}\n{other}\n{beginning}"]
    return [f"{end}\n{other[:_SIDE]}", f"{other[-_SIDE:]}\n{beginning}"]
