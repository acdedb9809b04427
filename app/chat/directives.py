"""Reads the directives `<task>` and `<guard>` in system messages, and removes them from these messages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import BadRequest
from models.safety.guard import CODES
from tasks.catalog import ALIASES, TASK_NAMES
from tasks.code_sandbox import CodeSandboxTask

# The pattern excludes "<" from names, so that the search stays linear in texts full of unclosed tags. With re.ASCII,
# the Kelvin sign does not match K.
_TASK = re.compile(r"<task>([^<]{0,200})</task>", re.IGNORECASE | re.ASCII)
_GUARD = re.compile(r"<guard>([^<]{0,2000})</guard>", re.IGNORECASE | re.ASCII)
_TAG_REMAINDER = re.compile(r"</?task>", re.IGNORECASE | re.ASCII)
"""Pattern of the remainder of an incomplete tag."""
_GUARD_LIKE = re.compile(r"<[^\w<>]{0,8}guard(?![a-z]{2})", re.IGNORECASE)
"""Pattern of a tag that may be meant as a guard. The tag `<guardrails>` is excluded, because prompts use it for other
purposes."""
_LONGEST_TAG = 2_020
"""A match of one of the patterns has at most this many characters."""
_SLICE = 65_536
"""Only about this many characters are searched at a time, because no other thread runs during a search."""
_SWITCHES = {CodeSandboxTask.name: "OPENFAZE_CODE_SANDBOX=on"}
"""Settings that switch on tasks that are off by default, by task."""
_SHOWN = 40
"""An error message quotes at most this many characters of an unknown code."""

_ALL = "ALL"
"""Code that stands for all codes that can be judged."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Directives:
    task: str | None
    """Name of the task as the client wrote it, but in lower case: `stt` stays `stt`."""
    ignored: tuple[str, ...]
    """Other tasks, named by later tags."""
    guard: tuple[str, ...]
    """Codes to check, in the order of CODES. Empty if there is no guard."""
    optional_codes: frozenset[str]
    """Codes of `guard` that only `ALL` includes. They count where they can be judged."""
    system: tuple[str, ...]
    """System messages without their directives, in order. A message without any other text is left out."""
    has_broken_task: bool = False
    """True if the system messages contain half of a `<task>` tag, which counts as plain text."""


def read_directives(system_messages: Iterable[str], task_names: Sequence[str] = TASK_NAMES) -> Directives:
    """Return the directives in system messages.

    Raises BadRequest for an unknown task or code, for several tasks in one tag, and for a malformed guard: ignoring it
    would leave the answer unguarded.
    """
    texts = list(system_messages)
    for text in texts:
        if _contains(_GUARD_LIKE, _without(_GUARD, text)):
            raise BadRequest(
                "a system message contains '<guard' in an unknown form; write <guard>S1, S9</guard>, "
                "its codes alone between the two tags",
                param="messages",
            )
    tasks: dict[str, str] = {}
    for content in (content for text in texts for content in _contents(_TASK, text)):
        if task := _parse_task(content, task_names):
            tasks.setdefault(ALIASES.get(task, task), task)
    task, *ignored = tasks.values() or (None,)
    named = {code for text in texts for content in _contents(_GUARD, text) for code in _parse_codes(content)}
    codes = set(CODES) if _ALL in named else named
    stripped = map(without_directives, texts)
    return Directives(
        task=task,
        ignored=tuple(filter(None, ignored)),
        guard=tuple(code for code in CODES if code in codes),
        optional_codes=frozenset(codes - named),
        system=tuple(text for text in stripped if text),
        has_broken_task=any(_contains(_TAG_REMAINDER, _without(_TASK, text)) for text in texts),
    )


def has_task_tag(text: str, chars: int) -> bool:
    """True if the first `chars` characters of `text` contain a whole `<task>` tag."""
    return _contains(_TASK, text[:chars])


def without_directives(text: str) -> str:
    return _without(_GUARD, _without(_TASK, text)).strip()


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches that `pattern.finditer` would yield, by short searches, between which other threads can run."""
    position = 0
    while position < len(text):
        found = pattern.search(text, position, position + _SLICE + _LONGEST_TAG)
        if found is None or found.start() >= position + _SLICE:
            position += _SLICE
        else:
            yield found
            position = found.end()


def _contains(pattern: re.Pattern[str], text: str) -> bool:
    return any(True for _ in _matches(pattern, text))


def _contents(pattern: re.Pattern[str], text: str) -> list[str]:
    return [found[1] for found in _matches(pattern, text)]


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Return the text without what `pattern` matches."""
    position, kept = 0, []
    for found in _matches(pattern, text):
        kept.append(text[position : found.start()])
        position = found.end()
    return "".join([*kept, text[position:]])


def _parse_task(content: str, task_names: Sequence[str]) -> str | None:
    names = content.replace(",", " ").split()
    if len(names) > 1:
        raise BadRequest(
            f"only one task may be specified per request, got {len(names)}: {', '.join(names)}",
            param="messages",
        )
    if not names:
        return None
    name = names[0].lower()
    if name not in task_names and name not in ALIASES:
        off = f": this server runs it only with {_SWITCHES[name]}" if name in _SWITCHES else ""
        raise BadRequest(f"invalid task '{names[0]}'{off}. Supported tasks: {', '.join(task_names)}", param="messages")
    return name


def _parse_codes(content: str) -> Sequence[str]:
    codes = content.replace(",", " ").upper().split()
    for code in codes:
        if code not in CODES and code != _ALL:
            known = ", ".join(CODES)
            raise BadRequest(f"invalid guard code '{code[:_SHOWN]}'. Valid codes: {known}, {_ALL}", param="messages")
    return codes
