"""Collects the texts that a guard judges. They are plain words without formatting."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from app.chat.directives import without_directives
from app.chat.inputs import text_of, texts_beside_content
from app.wire.request import ChatMessage, ChatRequest
from tasks.inputs.media_types import media_type_of_file
from tasks.inputs.source import Source
from tasks.precontext import Entry

SPEAKERS = ("system", "developer")
"""Roles of messages that contain instructions."""


_SIDE = 500
"""A window has this many characters from each side of a boundary. A window around a short text covers both boundaries
of this text, and has at most four times this many characters."""
_CAPITALS = r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![^\W\d_A-Z]))[^\W\d_A-Z])"
"""Pattern of the gaps before the capital letter of a word: after a small letter, or after another capital letter if a
small one follows, as in `DoIBuild`. The `s` of a plural such as `URLs` makes no gap."""
_JOINTS = re.compile(rf"[^\w\u200b-\u200f]+|[_\d]+|{_CAPITALS}")
"""Pattern of the gaps between the words in the name of a file: characters other than letters, or the empty
gap before a word's capital letter."""
_SEPARATORS = re.compile(rf"[\s_./:-]+|{_CAPITALS}")
"""Pattern of the gaps between the words of a key."""
_LONGEST_NAME = 3
"""A key with at most this many words counts as a name; a longer one counts as a text."""
_ESCAPES = re.compile(r"""(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+""")


def text_of_json(json_text: str) -> str:
    """Return a JSON text with the escapes in its strings decoded, even if the text is truncated. Lone surrogates are
    replaced."""
    pieces: list[str] = []
    end = 0
    for run in _ESCAPES.finditer(json_text):
        pieces += (json_text[end : run.start()], json.loads(f'"{run[0]}"'))
        end = run.end()
    unescaped = "".join([*pieces, json_text[end:]])
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def texts_as_sent(request: ChatRequest, sources: Sequence[Source] = ()) -> list[tuple[str, str]]:
    """Return the texts that a guard would judge, as the client sent them, each with its place. No words have been
    looked for in them, so that their length can be checked before that."""
    texts = [(one.param, one.filename) for one in sources if one.filename]
    for index, message in enumerate(request.messages):
        texts.append((f"messages[{index}].content", text_of(message)))
        texts += [(f"messages[{index}]", text) for text in texts_beside_content(message)]
    for source, value in _definitions(request):
        texts += [(source, text) for text, _ in _strings_in(value)]
    return texts


def texts_beside_messages(request: ChatRequest) -> list[tuple[str, str]]:
    """Return the texts that an LLM reads in addition to the contents of messages, each with its place: the client's
    tools, the schema of the answer, and calls. The texts contain all keys except short names, which say too little."""
    texts = []
    for index, message in enumerate(request.messages):
        for place, call in enumerate(message.tool_calls or ()):
            arguments = text_of_json(call.function.arguments)
            text = f"{call.function.name} {arguments}"
            texts.append((f"messages[{index}].tool_calls[{place}]", text))
    for source, value in _definitions(request):
        strings = (text for text, is_key in _strings_in(value) if not (is_key and _is_name(text)))
        texts.append((source, "\n".join(filter(None, strings))))
    return texts


def _definitions(request: ChatRequest) -> Iterator[tuple[str, Any]]:
    """Yield the tools and the schema as they are sent to an LLM."""
    for index, tool in enumerate(request.tools or ()):
        yield f"tools[{index}]", {**(tool.model_extra or {}), **tool.function.model_dump(exclude_unset=True)}
    form = request.response_format
    if form is not None and form.json_schema is not None:
        # The name of the schema counts as a key, because it may be an identifier, as keys are.
        yield "response_format", {form.json_schema.name or "": form.json_schema.schema_}


def _strings_in(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield the strings in a JSON value in order, each with a flag that is True for a key."""
    match value:
        case str():
            yield value, False
        case Mapping():
            for key, member in value.items():
                yield key, True
                yield from _strings_in(member)
        case list() | tuple():
            for one in value:
                yield from _strings_in(one)


def _is_name(key: str) -> bool:
    """True for a key such as `invoice_number`, which says too little to be judged by itself."""
    return key.isascii() and " " not in key and len(_SEPARATORS.sub(" ", key).split()) <= _LONGEST_NAME


def texts_of_file_names(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """Return the words in the names of files, each with its place. These names are judged, because they appear in
    results and in the prompt of an LLM."""
    texts = []
    for one in sources:
        name = unquote(one.filename or "")
        # A suffix that only states the file's type would distract from the meaning of the words.
        if media_type_of_file(name) is not None:
            name = name.rpartition(".")[0] or name
        if words := _words_in(name):
            texts.append((f"{one.param.rpartition('.')[0] or one.param}.filename", words))
    return texts


def _words_in(name: str) -> str:
    return " ".join(_JOINTS.sub(" ", name).split())


def texts_of_others(messages: Sequence[ChatMessage]) -> list[tuple[str, str]]:
    """Return the instructions of system messages and the texts of assistants and tools, each with its place."""
    texts = []
    for index, message in enumerate(messages):
        text = text_of(message)
        if message.role in SPEAKERS:
            text = without_prohibitions(text)
        if message.role != "user":
            texts.append((f"messages[{index}].content", text))
    return texts


def texts_of_results(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return, for each entry, its texts, one per line, without repetitions."""
    return [(one.name, "\n".join(dict.fromkeys(one.result.texts_for_guard()))) for one in entries]


def windows_across_joints(
    words: str, texts: Sequence[tuple[str, str]], text_before: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """Return windows across the boundaries between the user's `words` and each `(source, text)`, and between each text
    and the next.

    The texts in `text_before` precede `texts`.
    """
    windows = []
    for source, text in texts:
        windows += [(f"messages and {source}", window) for window in windows_across(words, text)]
    for (source, text), (following, other) in pairwise([*text_before, *texts]):
        windows += [(f"{source} and {following}", window) for window in windows_across(text, other)]
    return windows


def windows_across(first: str, second: str) -> list[str]:
    """Return the end of `first` with the beginning of `second`, and the end of `second` with the beginning of `first`.

    If `second` is short, one window covers both boundaries. The list is empty if either text is blank.
    """
    if not first or first.isspace() or not second or second.isspace():
        return []
    end, beginning = first[-_SIDE:], first[:_SIDE]
    if len(second) <= 2 * _SIDE:
        return [f"{end}\n{second}\n{beginning}"]
    return [f"{end}\n{second[:_SIDE]}", f"{second[-_SIDE:]}\n{beginning}"]


FILE = Path(__file__).with_name("prohibitions.json")
"""The patterns, by language.

`from` finds the beginning of a prohibition, which lasts until the end of the sentence. `whole` finds sentences that
state what to refuse. `turned` finds sentences that forbid refusals. These sentences are kept.
"""
KINDS = ("from", "whole", "turned")
_LONGEST = 1000
"""A sentence with more characters than this is judged as it is, which bounds the work of the patterns."""
_SENTENCE = re.compile(r"[^.!?…。！？।؟]+(?:[.!?…。！？।؟]+|$)|[.!?…。！？।؟]+")
_ITEM = re.compile(r"\s*(?:[-*•–]|\(?(?:\d{1,3}|[a-z])[.)])\s")


def without_prohibitions(text: str) -> str:
    """Return the text of a system message without its directives and prohibitions, in linear time."""
    lines = []
    is_list_forbidden = False
    for line in without_directives(text).split("\n"):
        if is_list_forbidden and (not line.strip() or _ITEM.match(line)):
            continue
        kept = ""
        for sentence in _SENTENCE.finditer(line):
            kept += _without_prohibition(sentence[0])
        is_list_forbidden = line.rstrip().endswith((":", "：")) and kept != line
        if kept.strip():
            lines.append(kept)
    return "\n".join(lines)


def _without_prohibition(sentence: str) -> str:
    if len(sentence) > _LONGEST:
        return sentence
    text = sentence.replace("’", "'")
    beginning, refusal, opposite = _patterns()
    if opposite.search(text):
        return sentence
    if refusal.search(text.strip()):
        return ""
    match = beginning.search(text)
    return sentence[: match.start()] if match else sentence


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    tables: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        re.compile("|".join(pattern for table in tables.values() for pattern in table[kind]), re.IGNORECASE)
        for kind in KINDS
    )
