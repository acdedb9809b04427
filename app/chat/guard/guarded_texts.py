"""Collects the texts that a guard judges. They are plain words without formatting. The guard also judges windows across
the boundary of two texts, because a harmful question may be split between the two."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from app.chat.guard.prohibitions import without_prohibitions
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
"""Pattern of the gaps between the words in the name of a file or a speaker: characters other than letters, or the empty
gap before a word's capital letter."""
_SEPARATORS = re.compile(rf"[\s_./:-]+|{_CAPITALS}")
"""Pattern of the gaps between the words of a key or an id. Digits make no gap, because they may stand for letters."""
_DIGITS = re.compile(r"(?<=[^\W\d_])\d+(?=[^\W\d_])")
"""Pattern of digits between letters. They may stand for letters or for gaps, so both readings are judged."""
_JOINED = re.compile(rf"{_CAPITALS}|{_DIGITS.pattern}")
"""Pattern of the gaps in a tool's name that the name does not show as it is written, such as the gap in `readFile`."""
_LONGEST_NAME = 3
"""A key with at most this many words counts as a name; a longer one counts as a text."""
_VOCABULARY = frozenset(
    [
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "dependentRequired",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "function",
        "if",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "name",
        "not",
        "oneOf",
        "parameters",
        "pattern",
        "patternProperties",
        "prefixItems",
        "properties",
        "required",
        "strict",
        "then",
        "title",
        "type",
        "uniqueItems",
    ]
)
"""Keys that belong to the format of tools and schemas. They are not judged, because clients do not choose them."""
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
    tools, the schema of the answer, and calls. The texts contain all keys except short names; `names_beside_messages`
    returns short names."""
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


def names_beside_messages(request: ChatRequest) -> list[tuple[str, str]]:
    """Return the words of the names that an LLM reads in addition to the messages' contents: keys, names of tools, and
    ids of calls.

    The keys of each tool or schema form one text, because a sentence may be spread over several keys. If there are
    several tools, their names form another text, and so do the keys of all tools.
    """
    texts = []
    for source, names in _names(request):
        words = _words_of_all(names)
        texts.append((source, words))
        parted = _DIGITS.sub(" ", words)
        if parted != words:
            texts.append((source, parted))
    return texts


def _names(request: ChatRequest) -> Iterator[tuple[str, Iterable[str]]]:
    tool_texts: list[str] = []
    for source, value in _definitions(request):
        keys = [key for key, is_key in _strings_in(value) if is_key and key not in _VOCABULARY]
        yield source, keys
        if source != "response_format":
            tool_texts += keys
    function_names = [tool.function.name for tool in request.tools or ()]
    if len(function_names) > 1:
        yield "tools", function_names
        yield "tools", dict.fromkeys(tool_texts)
    else:
        # The text of a single tool contains its name as it is written. The name is yielded only if it has gaps that
        # this form does not show.
        yield "tools", filter(_JOINED.search, function_names)
    yield "tool_calls", dict.fromkeys(one for message in request.messages for one in _ids_of(message))


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
    return key.isascii() and " " not in key and len(_split_key(key).split()) <= _LONGEST_NAME


def _split_key(key: str) -> str:
    return " ".join(_SEPARATORS.sub(" ", key).split())


def _words_of_all(keys: Iterable[str]) -> str:
    return " ".join(filter(None, map(_split_key, keys)))


def _ids_of(message: ChatMessage) -> Iterator[str]:
    yield from (call.id for call in message.tool_calls or ())
    if message.tool_call_id is not None:
        yield message.tool_call_id


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


def texts_of_speakers(messages: Sequence[ChatMessage]) -> list[str]:
    """Return the words in the name of each message's speaker; an empty text for a message without a name."""
    return [_words_in(message.name or "") for message in messages]


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
