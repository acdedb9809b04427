"""Checks answers against a client's JSON schema of any draft, trusting neither the schema nor the answer.

>>> SchemaChecker({"type": "object", "required": ["total"]}).problem({"sum": 9})
"'total' is a required property"

A schema comes from outside: no reference in it is fetched, its patterns run in bounded time, and the work that it may
cause is bounded.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from functools import lru_cache, partial
from itertools import islice
from typing import Any, ParamSpec, TypeVar

import pydantic_core
from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    FormatChecker,
)
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaRegistry, specification_with

from tasks.errors import field_path
from tasks.schema.paths import referred
from tasks.schema.safe_keywords import MAX_QUOTE, SchemaRefused, bounded, counting, matcher

P = ParamSpec("P")
T = TypeVar("T")

FIELD = "response_format.json_schema.schema"
MAX_SCHEMA_BYTES = 100_000
MAX_DEPTH = 64
"""A schema or an answer has at most this many levels, because the validator needs 6–7 stack frames per level of
references."""
MAX_VALUES = 20_000
"""A schema has at most this many objects, lists, texts and numbers together. 5,000 properties with type and description
are 15,000 values."""
MAX_FIELDS = 10_000
"""A schema has at most this many properties when each reference is replaced by its target."""
DEEPEST_FIELD = 8
"""If references form a circle, fields are counted in at most this many levels of objects."""
MAX_PATTERNS = 64
_LARGEST: int = 10**4000
"""An integer in a schema is at most this large, because Python converts at most 4,300 digits to text."""
MAX_PREPARED = 16
"""At most this many schemas stay prepared. The largest one takes a few megabytes."""
MAX_VALUE = 60
"""A value in an error message has at most this many characters."""
DRAFTS: dict[str, type[Validator]] = {
    str(draft.META_SCHEMA["$schema"]).rstrip("#"): draft
    for draft in (Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator)
}
_PANIC = "PanicException"
"""Name of the exception by which a library in Rust panics (PyO3)."""
_OF_EACH_TYPE: tuple[Any, ...] = (None, 0, "", [], {})
"""An empty value of each JSON type except booleans. Checking these values finds a circle of references before there is
an answer."""


class SchemaChecker:
    """Checks answers against one schema. Synchronous; threads may share a checker."""

    def __init__(self, schema: Mapping[str, Any], field: str = FIELD) -> None:
        """Prepare a checker. `$schema` chooses the draft (draft 4 or later). If it is missing or unknown, the draft is
        2020-12. `format` is not asserted. `field` is named in errors.

        This takes up to some seconds, so do not do it on an event loop.

        Raises InputError for a schema that is too large, too deep or malformed, for a reference that leaves the
        schema, and for a pattern that no engine here supports.
        """
        self._field = field
        try:
            self._validator: Any = _validator_of(schema)
            self._errors: Callable[[Any], Iterable[ValidationError]] = self._validator.iter_errors
            with counting():
                for value in _OF_EACH_TYPE:
                    _refuse_endless(self._validator.is_valid, value)
        except SchemaRefused as refusal:
            raise refusal.as_input_error(field) from None

    def of_part(self, part: Mapping[str, Any]) -> "SchemaChecker":
        """Return a checker of values for a part of the schema. It shares everything that is prepared, so that it takes
        some microseconds, however large the schema is.

        `part` is a part as it stands in the schema, or the keywords of several such parts together. Its references are
        those of the whole schema.
        """
        of_part = copy(self)
        # With `$schema`, the validator would choose the draft again, and lose the bounds.
        anonymous = {key: value for key, value in part.items() if key != "$schema"}
        of_part._errors = partial(self._validator.descend, schema=anonymous)
        return of_part

    def accepts(self, answer: Any) -> bool:
        """True if an answer satisfies the schema. Raises InputError like `problem`."""
        return self.problem(answer) is None

    def problem(self, answer: Any) -> str | None:
        """Return the main fault of the answer, in words for the model, or None if the answer satisfies the schema.

        Raises InputError for a schema that refers to itself without end or requires too much work.
        """
        if is_deeper(answer, MAX_DEPTH):
            return f"the JSON is nested more than {MAX_DEPTH} levels deep"
        try:
            with counting():
                error = _refuse_endless(lambda: best_match(self._errors(answer)))
        except SchemaRefused as refused:
            raise refused.as_input_error(self._field) from None
        except Unresolvable:
            # A part may combine the keywords of parts with different `$id`s.
            refusal = SchemaRefused("a reference in one of its parts points to nothing in the schema.")
            raise refusal.as_input_error(self._field) from None
        if error is None:
            return None
        path = "".join(f"/{step}" for step in error.absolute_path)
        place = f"at {_cut(path, MAX_VALUE)}: " if path else ""
        return place + _short(error)


def refuse_large(schema: Mapping[str, Any], field: str = FIELD) -> None:
    """Raise InputError, as SchemaChecker does, for a schema that is too large or too deep."""
    try:
        _check_text(schema)
    except SchemaRefused as refusal:
        raise refusal.as_input_error(field) from None


def prepared_checker(schema: Mapping[str, Any], field: str = FIELD) -> SchemaChecker:
    """Return a checker of `schema`. The checkers that were used last are kept, because clients send many documents with
    one schema. `field` is named in errors. Raises InputError like SchemaChecker."""
    refuse_large(schema, field)
    return _kept_checker(json.dumps(schema), field)


@lru_cache(maxsize=MAX_PREPARED)
def _kept_checker(schema: str, field: str) -> SchemaChecker:
    return SchemaChecker(json.loads(schema), field)


def _refuse_endless(check: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Return the result of `check`. Raises SchemaRefused for an endless recursion."""
    try:
        return check(*arguments, **named)
    except RecursionError:
        raise SchemaRefused("its references form a circle.") from None
    except BaseException as error:
        # The registry of references is written in Rust. If the recursion limit is reached in it, it panics with an
        # exception that is not an Exception and cannot be imported.
        if type(error).__name__ != _PANIC:
            raise
        raise SchemaRefused("its references form a circle.") from None


def is_deeper(value: Any, limit: int) -> bool:
    """True if objects and arrays in `value` are nested more than `limit` levels deep."""
    return next(islice(_levels(value), limit + 1, None), None) is not None


def _levels(value: Any) -> Iterator[list[Any]]:
    """Yield the values at each level of nesting, `value` itself first."""
    level = [value]
    while level:
        yield level
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]


def _validator_of(schema: Mapping[str, Any]) -> Validator:
    _check_text(schema)
    dialect = schema.get("$schema")
    draft = DRAFTS.get(dialect.rstrip("#") if isinstance(dialect, str) else "", Draft202012Validator)
    _check_fields(schema)
    _check_well_formed(draft, schema)
    # With `$schema`, the validator would look up the draft again at each reference to the root, and lose the bounds.
    anonymous = {key: value for key, value in schema.items() if key != "$schema"}
    try:
        registry = _check_parts(draft, anonymous)
    except ValueError as error:
        raise SchemaRefused(f"an '$id' or a reference in it is not a URI ({error}).") from None
    return bounded(draft)(anonymous, registry=registry)


def _check_text(schema: Mapping[str, Any]) -> None:
    if is_deeper(schema, MAX_DEPTH):
        raise SchemaRefused(f"the schema is nested more than {MAX_DEPTH} levels deep.")
    values = [value for level in _levels(schema) for value in level]
    if not all(map(_is_writable, values)):
        raise SchemaRefused("a number in it is infinite or has more than 4000 digits.")
    if len(pydantic_core.to_json(schema)) > MAX_SCHEMA_BYTES:
        raise SchemaRefused(f"the schema is larger than {MAX_SCHEMA_BYTES} bytes.")
    if len(values) > MAX_VALUES:
        raise SchemaRefused(f"the schema has {len(values)} values, more than {MAX_VALUES}.")


def _is_writable(value: Any) -> bool:
    """True if a message can quote `value`. Python can neither divide infinite numbers nor write out integers of
    more than 4,300 digits."""
    return math.isfinite(value) if isinstance(value, float) else not isinstance(value, int) or abs(value) < _LARGEST


def _check_fields(schema: Mapping[str, Any]) -> None:
    """Refuse a schema whose objects refer to each other so that a few kilobytes mean millions of fields."""
    known: dict[tuple[int, int], int] = {}

    def count(part: Any, left: int) -> int:
        """Count the fields in `left` levels of objects. A part counts as 0 while it is being counted, so circles of
        references end. The schema keeps every part alive, so no two parts have the same `id`."""
        if not isinstance(part, Mapping) or not left:
            return 0
        key = id(part), left
        if key not in known:
            known[key] = 0
            properties = part.get("properties")
            inner = properties.values() if isinstance(properties, Mapping) else ()
            members = part["allOf"] if isinstance(part.get("allOf"), list) else []
            reference = part.get("$ref")
            same = [part.get("items"), *members, referred(schema, reference) if isinstance(reference, str) else None]
            found = sum(1 + count(child, left - 1) for child in inner) + sum(count(one, left) for one in same)
            known[key] = min(found, MAX_FIELDS + 1)
        return known[key]

    try:
        found = count(schema, DEEPEST_FIELD)
    except RecursionError:
        raise SchemaRefused("too many of its references follow one another.") from None
    if found > MAX_FIELDS:
        raise SchemaRefused(f"with its references followed, the schema has more than {MAX_FIELDS} properties.")


def _check_well_formed(draft: type[Validator], schema: Any) -> None:
    try:
        # Formats are not checked, because the format `regex` would pass the patterns to Python's engine.
        draft.check_schema(schema, format_checker=FormatChecker(formats=()))  # type: ignore[call-arg]
    except SchemaError as error:
        raise SchemaRefused(_short(error), field_path(tuple(error.absolute_path))) from None


def _check_parts(draft: type[Validator], schema: Mapping[str, Any]) -> SchemaRegistry:
    """Check the parts of a schema that the metaschema cannot: references and their targets, patterns, nested drafts.

    Returns the registry in which the validator finds the parts by their names.
    """
    specification = specification_with(str(draft.META_SCHEMA["$schema"]))
    root = specification.create_resource(schema)
    # Without the crawl, each look-up of an anchor would search the whole schema.
    registry: SchemaRegistry = Registry().with_resource(root.id() or "", root).crawl()
    parts = [(root, registry.resolver_with_root(root))]
    references: list[tuple[str, Any]] = []
    seen: set[int] = set()
    keywords: set[str] = set()
    patterns: set[str] = set()
    while parts or references:
        if not parts:
            reference, resolver = references.pop()
            try:
                target = resolver.lookup(reference)
            except (Unresolvable, TypeError):  # TypeError: the pointer goes on below a number or null
                why = (
                    "points to nothing in the schema"
                    if reference.startswith("#")
                    else "leads out of the schema, and nothing is fetched"
                )
                raise SchemaRefused(f"the reference '{reference[:MAX_QUOTE]}' {why}.") from None
            if id(target.contents) not in seen:
                # The target may be in a place that is not meant for schemas, so that the metaschema does not check it.
                _check_well_formed(draft, target.contents)
                parts.append((specification.create_resource(target.contents), target.resolver))
            continue
        resource, resolver = parts.pop()
        part = resource.contents
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        keywords |= part.keys()
        if "$schema" in part:
            raise SchemaRefused("'$schema' is allowed at its root only.")
        patterns |= {part["pattern"]} if "pattern" in part else set()
        patterns |= part.get("patternProperties", {}).keys()
        references += [(part[word], resolver) for word in ("$ref", "$dynamicRef") if isinstance(part.get(word), str)]
        parts += [(child, resolver.in_subresource(child)) for child in resource.subresources()]
    if len(patterns) > MAX_PATTERNS:
        raise SchemaRefused(f"it has more than {MAX_PATTERNS} different patterns.")
    for pattern in patterns:
        matcher(pattern)
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        # `unevaluatedProperties` itself matches patterns, with Python's engine.
        raise SchemaRefused("'patternProperties' and 'unevaluatedProperties' cannot be combined.")
    return registry


def _short(error: ValidationError | SchemaError) -> str:
    """Return the library's message, with long values cut."""
    value = repr(error.instance)
    sentence = error.message
    if len(value) > MAX_VALUE:
        sentence = sentence.replace(value, _cut(json.dumps(error.instance, ensure_ascii=False), MAX_VALUE))
    return _cut(sentence, MAX_QUOTE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
