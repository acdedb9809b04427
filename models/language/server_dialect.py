"""What an OpenAI-compatible server has turned out not to take."""

import re
from collections.abc import Mapping
from typing import Any

from models.language.openai_faults import Complaint

# Which options of a call a server does not know. Found out when it refuses one, then remembered.
#
# What is remembered holds for every caller, so nothing is that is only about one call: a value out of range, a message
# that happens to hold the word `user`, or a sentence that quotes what the caller wrote.
RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""A server that refuses the one takes the other."""

ESSENTIAL = frozenset({"model", "messages", "stream", "tools", "tool_choice", "response_format"})
"""Never left out: the answer would be to another question."""

UNKNOWN_CODES = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden"})

_BEGINS = r"(?:[\w ]{0,80}(?:error|type|request|body)[.:] |invalid json payload received\. )?"

_KIND = r"(?P<kind>(?:(?:request|input|keyword|body) )?(?:parameter|argument|field|option|property|name)s?)"

_NAME = r"""(?P<quote>['"`]?)(?P<name>\w+)(?P=quote)"""

_SUPPORTED = r"not (?:currently )?(?:supported|permitted|allowed|recogni[sz]ed)"

_ENDS = r"(?:\s*$|[.,;:!)]| (?:with|by|for|in|on) (?:this|the) (?:model|server|endpoint|api|engine|backend)\b)"
"""Else a condition follows: that it cannot be negative, or not beside another option."""

_SENTENCES = tuple(
    re.compile(sentence, re.IGNORECASE)
    for sentence in (
        rf"{_BEGINS}(?:unsupported|unknown|unrecogni[sz]ed|unexpected)(?: {_KIND})?(?: supplied| provided)?:? {_NAME}"
        rf"(?: is {_SUPPORTED})?{_ENDS}",
        rf"{_BEGINS}(?:{_KIND} )?{_NAME} is (?:unsupported|unknown|unrecogni[sz]ed|{_SUPPORTED}){_ENDS}",
        rf"[\w./: -]{{1,80}} does(?: not|n't) support (?:the )?(?:{_KIND}:? )?{_NAME}{_ENDS}",
        rf"{_BEGINS}{_NAME}(?P<kind>:) extra (?:inputs|fields)(?: are)? not permitted",
        rf"\[\{{'(?P<kind>type)': 'extra_forbidden', 'loc': \('body', {_NAME}\)",
    )
)
"""Matched from the first character on: anywhere else, the words may be a caller's."""

_UNKNOWN_PARAM = re.compile(r"extra (?:inputs|fields)(?: are)? not permitted|un(?:known|recogni[sz]ed)\b", re.I)
"""Begins a message whose object names the option beside it."""


class ServerDialect:
    def __init__(self) -> None:
        self._refused: set[str] = set()

    def translate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` without what the server has refused before."""
        spoken = dict(body)
        for option in self._refused & spoken.keys():
            self._leave_out(spoken, option)
        return spoken

    def concede(self, body: dict[str, Any], complaint: Complaint) -> bool:
        """Takes out of `body` the option that the server refuses to know. False when it is about something else.

        Remembered, unless it is only this value of it that the server does not take.
        """
        options = body.keys() - ESSENTIAL
        if complaint.code == "unsupported_value" and complaint.param in options:
            del body[complaint.param]
        elif (unknown := _unknown_option(complaint)) in options:
            self._refused.add(unknown)
            self._leave_out(body, unknown)
        else:
            return False
        return True

    def _leave_out(self, body: dict[str, Any], option: str) -> None:
        value = body.pop(option)
        other = RENAMED.get(option)
        if other is not None and other not in self._refused:
            body.setdefault(other, value)


def _unknown_option(complaint: Complaint) -> str:
    """The option that the server says it does not know at all; empty when it says nothing that plain."""
    found = next(filter(None, (sentence.match(complaint.message) for sentence in _SENTENCES)), None)
    name = "" if found is None else found["name"]
    if complaint.param:
        plain = complaint.code in UNKNOWN_CODES or _UNKNOWN_PARAM.match(complaint.message) or name == complaint.param
        return complaint.param if plain else ""
    # A bare `user` or `stop` may be no more than a word.
    return name if found is not None and (found["quote"] or found["kind"] or "_" in name) else ""
