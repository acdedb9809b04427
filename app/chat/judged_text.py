"""What a guard is to judge of a result or of JSON: the words as they are read, without the signs of their form, which
would stand between them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.wire.response import PrecontextEntry

_SAID_ELSEWHERE: Mapping[str, frozenset[str]] = {
    "ocr": frozenset({"sections"}),
    "stt": frozenset({"chunks"}),
    "scraper": frozenset({"markdown"}),
    "web_search": frozenset({"snippets"}),
    "gui_detection": frozenset({"type"}),
    "code_sandbox": frozenset({"images"}),
}
"""By the entry's name: keys of a result, or of each of several, that say what another one says as well, or no words."""
_ESCAPES = re.compile(r"""(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+""")


def text_of_result(entry: PrecontextEntry) -> str:
    """All that the result of a task says, each text once, a line each; of a failure, its message."""
    if entry.error is not None:
        return entry.error
    found = entry.result["gui_elements"] if entry.name == "gui_detection" else entry.result
    return "\n".join(dict.fromkeys(texts_in(found, _SAID_ELSEWHERE.get(entry.name, frozenset()))))


def texts_in(value: Any, left_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """The strings in a value of JSON, but for the members `left_out`."""
    match value:
        case str():
            yield value
        case Mapping():
            for key, member in value.items():
                if key not in left_out:
                    yield from texts_in(member)
        case list() | tuple():
            for one in value:
                yield from texts_in(one, left_out)


def text_of_json(json_text: str) -> str:
    """JSON, whole or cut off, with what its strings escape. Halves of characters are replaced."""
    unescaped = _ESCAPES.sub(lambda run: str(json.loads(f'"{run[0]}"')), json_text)
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
