"""Finds parts of a request that have no effect, so that the client can be warned."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Any

from pydantic import BaseModel

from app.chat.directives import Directives, has_task_tag
from app.chat.inputs import texts_of
from app.chat.tool_loop import PASSED_ON
from app.wire.request import ChatRequest

_OPENAI_FIELDS = (
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
)
"""Fields of OpenAI's chat completions that have no effect here. No warning is needed, because they have no visible
effect on an answer elsewhere, either."""
_WITHOUT_EFFECT = {
    "audio": "answers are text",
    "function_call": "send 'tool_choice'",
    "functions": "send 'tools'",
    "modalities": "answers are text",
    "prediction": "the answer is written from scratch",
    "store": "only /v1/responses keeps its answers",
    "verbosity": "say in words how long the answer should be",
    "web_search_options": "the model searches the web where it needs to, or run <task>web_search</task>",
}
"""Fields without an effect here that would change an answer at another server, each with the reason or an
alternative."""
_ASKS_NOTHING: Sequence[Any] = (None, False, "", [], {}, "none", ["text"], "medium")
"""Values with which the fields of `_WITHOUT_EFFECT` request nothing, so that no warning is needed."""
_KNOWN_FIELDS: Mapping[str, Sequence[str]] = {
    "": (*PASSED_ON, *_OPENAI_FIELDS, *_WITHOUT_EFFECT),
    "stream_options": ("include_obfuscation",),
    "response_format.json_schema": ("description",),
}
"""Fields that an object may have in addition to the fields of its class, by the object's path."""
_MAX_OBJECTS, _MAX_COMPARED = 1000, 16
"""At most `_MAX_OBJECTS` objects of a request, and as many fields of an object, are examined. At most `_MAX_COMPARED`
unknown fields are compared with known names, because a comparison takes up to half a millisecond."""
_SEARCHED, _MAX_SEARCHED = 1000, 16
"""Tags are searched for in the first `_SEARCHED` characters of each of the user's last `_MAX_SEARCHED` texts."""
_LONGEST = 40
"""Only field names with at most this many characters are compared. No known name is longer."""
_LIKENESS = 0.85
"""Two names are alike if their ratio by difflib is at least this. It is 0.95 for `temprature` and `temperature`, and
0.8 for `top_k` and `top_p`, which are different options."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def warnings_of(request: ChatRequest, directives: Directives) -> Iterator[str]:
    """Yield the warnings of a request, a sentence each."""
    if directives.ignored:
        others = ", ".join(f"'{task}'" for task in directives.ignored)
        yield f"There are several <task> tags: only the first, '{directives.task}', is used; ignored: {others}."
    if directives.has_broken_task:
        yield "A system message contains an incomplete <task> tag, which has no effect. Write <task>ocr</task>."
    if any(has_task_tag(text, _SEARCHED) for text in texts_of(request, "user")[-_MAX_SEARCHED:]):
        yield "A user message contains a <task> tag, which has an effect only in a system message."
    if request.is_only_flagged and not directives.guard:
        yield "Field 'guard_mode' has no effect without guard codes: send <guard>ALL</guard> in a system message."
    sent = request.model_extra or {}
    for name, reason in _WITHOUT_EFFECT.items():
        if sent.get(name) not in _ASKS_NOTHING:
            yield f"Field '{name}' has no effect here: {reason}."
    yield from find_misspelt(request)


def find_misspelt(request: BaseModel, known: Mapping[str, Sequence[str]] = _KNOWN_FIELDS) -> Iterator[str]:
    """Yield a warning for each unknown field of the request, or of an object in it, if the field's name resembles that
    of a known field that was not sent.

    `known` lists additional fields that objects may have.
    """
    objects = (one for one in islice(_objects(request, ""), _MAX_OBJECTS) if one[1].model_extra)
    compared = (pair for path, sent in objects for pair in _unknown(path, sent, known.get(path, ())))
    for name, absent, place in islice(compared, _MAX_COMPARED):
        for similar in get_close_matches(_normalise_name(name), absent, n=1, cutoff=_LIKENESS):
            yield f"Field '{place}{name}' is not known and has no effect. Did you mean '{place}{absent[similar]}'?"


def _objects(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    """Yield the request and the objects in it, with their paths."""
    if isinstance(value, BaseModel):
        yield path, value
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield from _objects(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _objects(one, f"{path}[{index}]")


def _unknown(path: str, sent: BaseModel, known: Sequence[str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each unknown field of an object, the known fields that were not sent (by their normalised names), and the
    object's path."""
    extra = sent.model_extra or {}
    declared = {field.alias or name: name in sent.model_fields_set for name, field in type(sent).model_fields.items()}
    places = {name: declared.get(name, name in extra) for name in (*declared, *known)}
    absent = {_normalise_name(name): name for name, is_there in places.items() if not is_there}
    for name in islice(extra, _MAX_OBJECTS):
        if name not in places and len(name) <= _LONGEST:
            yield name, absent, f"{path}." if path else ""


def _normalise_name(name: str) -> str:
    """Return a field's name in lower case and without separators: `maxTokens`, `max-tokens` and `max_tokens` are then
    equal."""
    return _SEPARATORS.sub("", name.lower())
