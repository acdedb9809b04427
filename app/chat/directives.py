"""Reads the directives `<task>` and `<guard>` in system messages, removes them from these messages, and warns of what
has no effect in a request."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.chat.inputs import texts_of
from app.errors import BadRequest
from app.wire.parse import find_misspelt
from app.wire.request import ASKS_NOTHING, FIELDS_WITHOUT_EFFECT, KNOWN_FIELDS, ChatRequest
from models.safety.guard import CODES
from tasks.catalog import ALIASES, TASK_NAMES
from tasks.code_sandbox import CodeSandboxTask

# The pattern excludes "<" from names, so that the search stays linear in texts full of unclosed tags. With re.ASCII,
# the Kelvin sign does not match K.
_TASK = re.compile(r"<task>([^<]{0,200})</task>", re.IGNORECASE | re.ASCII)
_GUARD = re.compile(r"<guard>([^<]{0,2000})</guard>", re.IGNORECASE | re.ASCII)
_TAG_REMAINDERS = ("<task>", "</task>")
"""The remainders of an incomplete tag, in small letters."""
_GUARD_LIKE = re.compile(r"<[^\w<>]{0,8}guard(?![a-z]{2})", re.IGNORECASE)
"""Pattern of a tag that may be meant as a guard. The tag `<guardrails>` is excluded, because prompts use it for other
purposes."""
_SEARCHED, _MAX_SEARCHED = 1000, 16
"""Tags without an effect are searched for in the first `_SEARCHED` characters of each of the user's last
`_MAX_SEARCHED` texts."""
_SWITCHES = {CodeSandboxTask.name: "OPENFAZE_CODE_SANDBOX=on"}
"""Settings that switch on tasks that are off by default, by task."""
_SHOWN = 40
"""An error message quotes at most this many characters of an unknown code."""

_ALL = "ALL"
"""Code that stands for all codes that can be judged."""


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
        if _GUARD_LIKE.search(_GUARD.sub("", text)):
            raise BadRequest(
                "a system message contains '<guard' in an unknown form; write <guard>S1, S9</guard>, "
                "its codes alone between the two tags",
                param="messages",
            )
    tasks: dict[str, str] = {}
    for content in (content for text in texts for content in _TASK.findall(text)):
        if task := _parse_task(content, task_names):
            tasks.setdefault(ALIASES.get(task, task), task)
    task, *ignored = tasks.values() or (None,)
    named = {code for text in texts for content in _GUARD.findall(text) for code in _parse_codes(content)}
    codes = set(CODES) if _ALL in named else named
    stripped = map(without_directives, texts)
    return Directives(
        task=task,
        ignored=tuple(filter(None, ignored)),
        guard=tuple(code for code in CODES if code in codes),
        optional_codes=frozenset(codes - named),
        system=tuple(text for text in stripped if text),
        has_broken_task=any(tag in _TASK.sub("", text).lower() for text in texts for tag in _TAG_REMAINDERS),
    )


def warnings_of(request: ChatRequest, directives: Directives) -> Iterator[str]:
    """Yield the warnings of a request, a sentence each."""
    if directives.ignored:
        others = ", ".join(f"'{task}'" for task in directives.ignored)
        yield f"There are several <task> tags: only the first, '{directives.task}', is used; ignored: {others}."
    if directives.has_broken_task:
        yield "A system message contains an incomplete <task> tag, which has no effect. Write <task>ocr</task>."
    if any(_TASK.search(text, 0, _SEARCHED) for text in texts_of(request, "user")[-_MAX_SEARCHED:]):
        yield "A user message contains a <task> tag, which has an effect only in a system message."
    if request.is_only_flagged and not directives.guard:
        yield "Field 'guard_mode' has no effect without guard codes: send <guard>ALL</guard> in a system message."
    sent = request.model_extra or {}
    for name, reason in FIELDS_WITHOUT_EFFECT.items():
        if sent.get(name) not in ASKS_NOTHING:
            yield f"Field '{name}' has no effect here: {reason}."
    yield from find_misspelt(request, KNOWN_FIELDS)


def without_directives(text: str) -> str:
    return _GUARD.sub("", _TASK.sub("", text)).strip()


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
