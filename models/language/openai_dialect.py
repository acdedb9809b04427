"""Remembers which options an OpenAI-compatible server does not accept."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from models.language.openai_faults import ServerError

RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Pairs of names for the same option: a server that refuses one name may accept the other."""
ESSENTIAL = frozenset({"model", "messages", "stream", "tools", "tool_choice", "response_format"})
"""Options that are never left out, because without them the server would answer a different question."""

# Each sentence must begin at the first character, because later words may be quoted from a caller. Text after the
# name, other than these ends, states a condition: the value cannot be negative, or not be combined with another.
_START = r"(?:[\w ]{0,80}(?:error|type|request|body)[.:] |invalid json payload received\. )?"
_KIND = r"(?P<kind>(?:(?:request|input|keyword|body) )?(?:parameter|argument|field|option|property|name)s?)"
_NAME = r"""(?P<quote>['"`]?)(?P<name>\w+)(?P=quote)"""
_SUPPORTED = r"not (?:currently )?(?:supported|permitted|allowed|recogni[sz]ed)"
_END = r"(?:\s*$|[.,;:!)]| (?:with|by|for|in|on) (?:this|the) (?:model|server|endpoint|api|engine|backend)\b)"
_REFUSALS = tuple(
    re.compile(sentence, re.IGNORECASE)
    for sentence in (
        rf"{_START}(?:unsupported|unknown|unrecogni[sz]ed|unexpected)(?: {_KIND})?(?: supplied| provided)?:? {_NAME}"
        rf"(?: is {_SUPPORTED})?{_END}",
        rf"{_START}(?:{_KIND} )?{_NAME} is (?:unsupported|unknown|unrecogni[sz]ed|{_SUPPORTED}){_END}",
        rf"[\w./: -]{{1,80}} does(?: not|n't) support (?:the )?(?:{_KIND}:? )?{_NAME}{_END}",
        rf"{_START}{_NAME}(?P<kind>:) extra (?:inputs|fields)(?: are)? not permitted",
        rf"\[\{{'(?P<kind>type)': 'extra_forbidden', 'loc': \('body', {_NAME}\)",
    )
)
_UNKNOWN_CODES = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden"})
_UNKNOWN_PARAM = re.compile(r"extra (?:inputs|fields)(?: are)? not permitted|un(?:known|recogni[sz]ed)\b", re.I)
"""Beginning of a message that refuses the option named in the `param` of its error object."""


class ServerDialect:
    """The options that one server does not accept. They are left out for every caller, so nothing is remembered from a
    refusal that concerns only one call, such as that of a value out of range."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def translate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return `body` without the options that the server has refused before, or with their other names."""
        spoken = dict(body)
        for option in self._refused & spoken.keys():
            self._leave_out(spoken, option)
        return spoken

    def drop_refused_option(self, body: dict[str, Any], complaint: ServerError) -> bool:
        """Remove or rename the option in `body` that the server does not accept, and remember it unless only this value
        is refused. Return False if the error has a different cause."""
        options = body.keys() - ESSENTIAL
        if complaint.code == "unsupported_value" and complaint.param in options:
            del body[complaint.param]
        elif (unknown := _unknown_option(complaint)) in options:
            self._refused.add(unknown)
            self._leave_out(body, unknown)
        else:
            return False
        return True

    def options_left_out(self, options: Iterable[str]) -> list[str]:
        """Return those of `options` that the server does not get under any name."""
        return [name for name in options if name in self._refused and RENAMED.get(name, name) in self._refused]

    def _leave_out(self, body: dict[str, Any], option: str) -> None:
        value = body.pop(option)
        other = RENAMED.get(option)
        if other is not None and other not in self._refused:
            body.setdefault(other, value)


def _unknown_option(complaint: ServerError) -> str:
    """Return the option that the server does not know, according to its error; an empty string if there is none."""
    found = next(filter(None, (sentence.match(complaint.message) for sentence in _REFUSALS)), None)
    name = "" if found is None else found["name"]
    if complaint.param:
        plain = complaint.code in _UNKNOWN_CODES or _UNKNOWN_PARAM.match(complaint.message) or name == complaint.param
        return complaint.param if plain else ""
    # Without quotes or a word like "parameter", `user` or `stop` may be ordinary words.
    return name if found is not None and (found["quote"] or found["kind"] or "_" in name) else ""
