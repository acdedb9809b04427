"""Finds what a request holds that has no effect, so that its client can be warned of it."""

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

_OF_OPENAI = (
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
)
"""Fields of chat completions that are accepted and have no effect here: none that an answer would show."""
_WITHOUT_EFFECT = {
    "audio": "answers are text",
    "function_call": "send 'tool_choice'",
    "functions": "send 'tools'",
    "modalities": "answers are text",
    "prediction": "the answer is written anew",
    "store": "only /v1/responses keeps its answers",
    "verbosity": "say in words how long the answer should be",
    "web_search_options": "the model searches the web where it needs to, or run <task>web_search</task>",
}
"""Fields that would change an answer and have no effect here, with what to do instead."""
_ASKS_NOTHING: Sequence[Any] = (None, False, "", [], {}, "none", ["text"], "medium")
"""Values of these fields that change nothing."""
_KNOWN: Mapping[str, Sequence[str]] = {
    "": (*PASSED_ON, *_OF_OPENAI, *_WITHOUT_EFFECT),
    "stream_options": ("include_obfuscation",),
    "response_format.json_schema": ("description",),
}
"""Fields that an object may hold besides those that its class declares, by the object's path."""
_MOST, _MOST_COMPARED = 1000, 16
"""Objects of a request and fields of an object that are looked at, and unknown fields that are compared, which takes up
to half a millisecond."""
_SEARCHED, _MOST_SEARCHED = 1000, 16
"""Characters of a user's text in which a tag is looked for, and the latest texts that are searched."""
_LONGEST = 40
"""Characters. No field's name is longer."""
_LIKENESS = 0.85
"""The least ratio (difflib's) of two names that are alike: `temprature` and `temperature` have 0.95, `top_k` and
`top_p` 0.8."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def warnings_of(request: ChatRequest, directives: Directives) -> Iterator[str]:
    """The warnings of a request, a sentence each."""
    if directives.ignored:
        others = ", ".join(f"'{task}'" for task in directives.ignored)
        yield f"There are several <task> tags: only the first, '{directives.task}', counts, and not {others}."
    if directives.has_broken_task:
        yield "A system message holds half of a <task> tag, which has no effect. Write <task>ocr</task>."
    if any(has_task_tag(text, _SEARCHED) for text in texts_of(request, "user")[-_MOST_SEARCHED:]):
        yield "A user message holds a <task> tag, which has no effect there: it counts in system messages alone."
    sent = request.model_extra or {}
    for name, instead in _WITHOUT_EFFECT.items():
        if sent.get(name) not in _ASKS_NOTHING:
            yield f"Field '{name}' has no effect here: {instead}."
    yield from misspelt(request)


def misspelt(request: BaseModel, known: Mapping[str, Sequence[str]] = _KNOWN) -> Iterator[str]:
    """Unknown fields beside which none of the name that they resemble was sent, in the request or an object in it;
    `known`: what the objects may hold besides what their classes declare."""
    objects = (one for one in islice(_objects(request, ""), _MOST) if one[1].model_extra)
    compared = (pair for path, sent in objects for pair in _unknown(path, sent, known.get(path, ())))
    for name, absent, place in islice(compared, _MOST_COMPARED):
        for meant in get_close_matches(_letters(name), absent, n=1, cutoff=_LIKENESS):
            yield f"Field '{place}{name}' is not known and has no effect. Did you mean '{place}{absent[meant]}'?"


def _objects(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    """The request and the objects in it, with their paths."""
    if isinstance(value, BaseModel):
        yield path, value
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield from _objects(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _objects(one, f"{path}[{number}]")


def _unknown(path: str, sent: BaseModel, known: Sequence[str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """The fields that the object does not know, each with the names that it lacks, by their letters, and its place."""
    extra = sent.model_extra or {}
    declared = {field.alias or name: name in sent.model_fields_set for name, field in type(sent).model_fields.items()}
    places = {name: declared.get(name, name in extra) for name in (*declared, *known)}
    absent = {_letters(name): name for name, is_there in places.items() if not is_there}
    for name in islice(extra, _MOST):
        if name not in places and len(name) <= _LONGEST:
            yield name, absent, f"{path}." if path else ""


def _letters(name: str) -> str:
    """A field's name by its letters: `maxTokens` and `max-tokens` are `max_tokens`."""
    return _SEPARATORS.sub("", name.lower())
