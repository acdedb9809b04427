"""Bounded versions of JSON Schema's keywords: patterns run in bounded time, and every comparison is counted."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import re2
import regex
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from tasks.errors import InputError
from tasks.schema.awaited import check_awaited

MAX_STEPS = 300_000
"""The check of one answer makes at most this many comparisons.

A plain list of 35 KB takes 19,000 comparisons, in 14 ms. References cost most; a schema that consists only of
references is stopped after about two seconds.
"""
PATTERN_STEP = 512
"""Number of comparisons, each of a character with an instruction of a compiled pattern, that count as one step.

If the automaton of a pattern does not fit into memory, RE2 compares each character with each instruction, at about 8 ns
each.
"""
PATTERN_BYTES = 1 << 20
"""A compiled pattern takes at most this many bytes of memory. They suffice for a repetition of a few hundred
letters."""
MAX_BACKTRACKING_PATTERN = 1000
"""A pattern that RE2 does not support has at most this many characters. Compiling it takes a few milliseconds."""
BACKTRACKING_S = 0.05
"""Longest search for a pattern that RE2 does not support, in seconds of processor time. A text that takes longer is not
checked. Ordinary searches take microseconds, and the worst ones fill a gigabyte in a second."""
_STEP_S = PATTERN_STEP * 8e-9
"""Time of one step in seconds."""
MAX_QUOTE = 200
"""A message quotes at most this many characters of a schema or an answer at a time."""

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]
"""Function of a keyword. It takes the validator, the keyword's value, the instance, and the schema that contains the
keyword."""

_steps_left: ContextVar[list[int]] = ContextVar("steps_left")


class SchemaRefused(Exception):
    """Raised if a schema cannot be used, for the reason `reason`. `path` is the place of the fault within the schema;
    it is empty for the schema as a whole."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def as_input_error(self, field: str) -> InputError:
        place = f"{field}.{self.path}" if self.path else field
        return InputError(f"Field '{place}': {self.reason}", param=place)


@contextmanager
def counting(steps: int = MAX_STEPS) -> Iterator[Sequence[int]]:
    """Limit the comparisons of bounded validators in the `with` block to `steps`. A further comparison raises
    SchemaRefused. The comparisons also count in the block around it, if there is one.

    The context manager's value is a list with the number of comparisons that are left."""
    outer = _steps_left.get(None)
    most = steps if outer is None else min(steps, outer[0])
    left = [most]
    token = _steps_left.set(left)
    try:
        yield left
    finally:
        _steps_left.reset(token)
        if outer is not None:
            outer[0] -= most - left[0]


@lru_cache(maxsize=64)
def matcher(pattern: str) -> Callable[[str], object]:
    """Return a function that searches a text for `pattern` with RE2, in time linear in the text and in the pattern.
    Patterns that RE2 does not support (look-around, back references, many repetitions) are searched for by
    backtracking, with a limit on the time.

    The search works only within `counting`. Raises SchemaRefused for patterns that neither engine supports.
    """
    options = re2.Options()
    options.max_mem = PATTERN_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        if (backtracking := _backtracking_matcher(pattern)) is not None:
            return backtracking
        raise SchemaRefused(f"the pattern '{pattern[:MAX_QUOTE]}' cannot be used: {reason}.") from None

    def search(text: str) -> object:
        _charge(len(text) * compiled.programsize // PATTERN_STEP)
        return compiled.search(text)

    return search


def _backtracking_matcher(pattern: str) -> Callable[[str], object] | None:
    """Return a function that searches a text by backtracking; None for a pattern that it does not support either. The
    time of a search counts as steps."""
    if len(pattern) > MAX_BACKTRACKING_PATTERN:
        return None
    try:
        # As in JavaScript and RE2, `\d` and `\w` are ASCII.
        compiled = regex.compile(pattern, regex.ASCII)
    except (regex.error, RecursionError, OverflowError):
        return None

    def search(text: str) -> object:
        start = time.thread_time()
        try:
            return compiled.search(text, timeout=BACKTRACKING_S)
        except TimeoutError:
            return True
        finally:
            _charge(int((time.thread_time() - start) / _STEP_S))

    return search


@cache
def bounded(draft: type[Validator]) -> type[Validator]:
    """Return the validator of `draft` with patterns in linear time and every comparison counted."""
    own: dict[str, Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
        "multipleOf": _multiple_of,
    }
    keywords: dict[str, Keyword] = {**draft.VALIDATORS, **own}
    charged = {name: _charged(keyword) for name, keyword in keywords.items()}
    bounded: type[Validator] = extend(draft, charged)  # type: ignore[no-untyped-call]
    return bounded


def _charged(keyword: Keyword) -> Keyword:
    def charged(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
        _charge(1 + _size(value) + _size(instance))
        return keyword(validator, value, instance, schema)

    return charged


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) >> 6
    return len(value) if isinstance(value, dict | list) else 0


def _charge(steps: int) -> None:
    check_awaited()
    left = _steps_left.get()
    left[0] -= steps
    if left[0] < 0:
        raise SchemaRefused("checking it, or an answer against it, takes too long.")


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matcher(pattern)(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in patterns.items():
        matches = matcher(pattern)
        _charge(len(instance))
        for name, value in instance.items():
            if matches(name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    declared = schema.get("properties", {})
    matchers = [matcher(pattern) for pattern in schema.get("patternProperties", ())]
    _charge(len(instance) * len(matchers))
    extras = [name for name in instance if name not in declared and not any(matches(name) for matches in matchers)]
    if isinstance(allowed, dict):
        for name in extras:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed and extras:
        names = ", ".join(repr(name) for name in extras)
        yield ValidationError(f"properties that the schema does not allow: {names}")


def _multiple_of(_validator: Any, factor: float, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """Check `multipleOf` with the decimal numbers as they are written, so that 0.3 is a multiple of 0.1."""
    if isinstance(instance, bool) or not isinstance(instance, int | float):
        return
    is_endless = isinstance(instance, float) and not math.isfinite(instance)
    if is_endless or (Fraction(str(instance)) / Fraction(str(factor))).denominator != 1:
        yield ValidationError(f"{instance!r} is not a multiple of {factor}")


def _unique_items(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list) and len(instance) > 1:
        seen: set[object] = set()
        for item in instance:
            key = _comparable(item)
            if key in seen:
                yield ValidationError(f"{item!r} appears more than once")
                return
            seen.add(key)


def _comparable(value: Any) -> object:
    """Return a key that is equal for equal JSON values: 1 and 1.0 are equal, 1 and true are not."""
    _charge(1)
    match value:
        case bool():
            return ("bool", value)
        case dict():
            return frozenset((name, _comparable(item)) for name, item in value.items())
        case list():
            return tuple(_comparable(item) for item in value)
        case _:
            return value
