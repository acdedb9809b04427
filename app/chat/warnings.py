"""What the caller of a request should know although it is answered: what of it has no effect, and was meant to."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice

from pydantic import BaseModel

from app.chat.directives import Directives, has_task_tag
from app.chat.inputs import texts_of
from app.chat.tool_loop import PASSED_ON
from app.wire.request import ChatRequest

_OF_OPENAI = (
    "audio",
    "function_call",
    "functions",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
)
"""Fields of chat completions that are accepted and have no effect here."""
_KNOWN = {
    "": (*PASSED_ON, *_OF_OPENAI),
    "stream_options": ("include_obfuscation",),
    "response_format": (),
    "response_format.json_schema": ("description",),
}
"""By the path of an object: what it may hold besides the fields that its class declares."""
_MOST, _MOST_COMPARED = 1000, 16
"""Fields of an object that are looked at, and unknown ones that are compared, which takes up to half a millisecond."""
_SEARCHED, _MOST_SEARCHED = 1000, 16
"""Characters of a user's text in which a tag is looked for, and the latest texts that are searched."""
_LONGEST = 40
"""Characters. No field's name is longer."""
_LIKENESS = 0.85
"""By difflib's ratio: `temprature` has 0.95 of `temperature`, `top_k` 0.8 of `top_p`."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def warnings_of(request: ChatRequest, directives: Directives) -> Iterator[str]:
    """A sentence for each."""
    if directives.ignored:
        others = ", ".join(f"'{task}'" for task in directives.ignored)
        yield f"There are several <task> tags: only the first, '{directives.task}', counts, and not {others}."
    if directives.has_broken_task:
        yield "A system message holds half of a <task> tag, which has no effect. Write <task>ocr</task>."
    if any(has_task_tag(text, _SEARCHED) for text in texts_of(request, "user")[-_MOST_SEARCHED:]):
        yield "A user message holds a <task> tag, which has no effect there: it counts in system messages alone."
    shape = request.response_format
    yield from _misspelt(request, "")
    yield from _misspelt(request.stream_options, "stream_options")
    yield from _misspelt(shape, "response_format")
    yield from _misspelt(shape.json_schema if shape else None, "response_format.json_schema")


def _misspelt(sent: BaseModel | None, path: str) -> Iterator[str]:
    """Unknown fields beside which none of the name that they resemble was sent."""
    if sent is None or not sent.model_extra:
        return
    declared = {field.alias or name: name in sent.model_fields_set for name, field in type(sent).model_fields.items()}
    known = {name: declared.get(name, name in sent.model_extra) for name in (*declared, *_KNOWN[path])}
    absent = {_letters(name): name for name, is_there in known.items() if not is_there}
    unknown = (name for name in islice(sent.model_extra, _MOST) if name not in known and len(name) <= _LONGEST)
    for name in islice(unknown, _MOST_COMPARED):
        meant = _nearest(name, absent)
        if meant is not None:
            place = f"{path}." if path else ""
            yield f"Field '{place}{name}' is not known and has no effect. Did you mean '{place}{absent[meant]}'?"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(_letters(name), known, n=1, cutoff=_LIKENESS)), None)


def _letters(name: str) -> str:
    """`maxTokens` and `max-tokens` are `max_tokens`."""
    return _SEPARATORS.sub("", name.lower())
