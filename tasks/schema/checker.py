"""Checks answers against a client's JSON schema of any draft, trusting neither the schema nor the answer.

>>> SchemaChecker({"type": "object", "required": ["total"]}).problem({"sum": 9})
"'total' is a required property"

A schema comes from outside: no reference in it is fetched, its patterns run in linear time, and the work that it may
cause is bounded.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from functools import cache, lru_cache, partial
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
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaRegistry, specification_with

from tasks.errors import field_path
from tasks.schema.paths import referred
from tasks.schema.safe_keywords import MAX_QUOTE, SchemaRefused, bounded, counting, matcher

P = ParamSpec("P")
T = TypeVar("T")

# Schemas are checked with an unfolded form of the metaschemas, because it is fast. A published metaschema refers to
# itself and to its vocabularies, and a validator follows some twenty references for each subschema. In the unfolded
# form, each reference is replaced by its target, so that the metaschema contains itself.
_NAMES = ("$schema", "$id", "id", "$anchor", "$dynamicAnchor")
"""Keywords by which the validator would find the published form again."""
_TO_THE_ROOT = ("$dynamicRef", "$recursiveRef")
"""Keywords of references. A metaschema uses them only for references to its root."""
_ONLY_A_TYPE = frozenset(("type", "title", "description", "format", "default", "examples"))
"""Keywords of schemas that demand no more than a type."""
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
"""Python types whose values are all of a JSON type, by the name of this type."""
FIELD = "response_format.json_schema.schema"
MAX_SCHEMA_BYTES = 100_000
MAX_DEPTH = 64
"""A schema or an answer has at most this many levels, because the validator needs 6–7 stack frames per level of
references."""
MAX_VALUES = 20_000
"""A schema has at most this many objects, lists, texts and numbers together.

A schema of this size is prepared in 0.3 s on one core; 5,000 properties with type and description are 15,000 values.
"""
MAX_FIELDS = 10_000
"""A schema has at most this many properties when each reference is replaced by its target."""
MAX_ALTERNATIVES = MAX_VALUES
"""One value is compared with at most this many parts of a schema, where each reference counts as its target."""
_KEYWORDS_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies")
"""Keywords whose value is several schemas, all of which are compared with the same value as the schema around them."""
_KEYWORDS_OF_ONE_SCHEMA = ("not", "if", "then", "else")
"""Keywords whose value is one schema that is compared with the same value as the schema around it."""
DEEPEST_FIELD = 8
"""If references form a circle, fields are counted in at most this many levels of objects."""
MAX_SCHEMA_STEPS = 3_000_000
"""A schema is checked against the metaschema in at most this many comparisons. A part that only a reference reaches is
checked, and so counted, a second time."""
MAX_ID_CHARS = 1000
"""All `$id`s of a schema have at most this many characters together. The validator joins and normalises them at every
step into a part with an `$id`."""
MAX_PATTERNS = 64
MAX_DIGITS = 4000
"""An integer in a schema has at most this many digits, because Python converts at most 4,300 digits to text."""
_FIRST_TOO_LONG: int = 10**MAX_DIGITS
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


@cache
def metaschema_validator(draft: type[Validator]) -> Validator:
    """Return a validator that accepts the schemas of `draft`. It works within `counting` only."""
    root = specification_with(str(draft.META_SCHEMA["$schema"])).create_resource(draft.META_SCHEMA)
    unfolded = _unfolded(root.contents, REGISTRY.resolver_with_root(root).lookup, {})
    for vocabulary in unfolded.pop("allOf", ()):
        unfolded["properties"].update(vocabulary["properties"])
    # Formats are not checked, because the format `regex` would pass the patterns to Python's engine.
    return bounded(draft)(unfolded, format_checker=FormatChecker(formats=()))


def _unfolded(part: Any, lookup: Callable[[str], Any], unfolded_by_id: dict[int, Any]) -> Any:
    """Return `part` with its references replaced by their targets.

    `lookup` resolves references in `part`. `unfolded_by_id` maps the `id` of each object to its unfolded form, the root
    first."""
    if isinstance(part, list):
        return [_unfolded(item, lookup, unfolded_by_id) for item in part]
    if not isinstance(part, dict):
        return part
    if id(part) in unfolded_by_id:
        return unfolded_by_id[id(part)]
    unfolded: dict[str, Any] = {}
    unfolded_by_id[id(part)] = unfolded
    for name, value in part.items():
        # If the value is not text, the name may be that of a property and not a keyword.
        if not isinstance(value, str):
            unfolded[name] = _unfolded(value, lookup, unfolded_by_id)
        elif name in _TO_THE_ROOT:
            unfolded["allOf"] = [next(iter(unfolded_by_id.values()))]
        elif name == "$ref":
            target = lookup(value)
            unfolded["allOf"] = [_unfolded(target.contents, target.resolver.lookup, unfolded_by_id)]
        elif name not in _NAMES:
            unfolded[name] = value
    if unfolded.keys() == {"allOf"} and len(unfolded["allOf"]) == 1:
        return unfolded["allOf"][0]
    return unfolded


class SchemaChecker:
    """Checks answers against one schema. Synchronous; threads may share a checker."""

    def __init__(self, schema: Mapping[str, Any], field: str = FIELD) -> None:
        """Prepare a checker. `$schema` chooses the draft (draft 4 or later). If it is missing or unknown, the draft is
        2020-12. `format` is not asserted. `field` is named in errors.

        This takes up to 0.3 s, so do not do it on an event loop.

        Raises InputError for a schema that is too large, too deep or malformed, for a reference that leaves the
        schema, and for a pattern without an equivalent that runs in linear time (look-around, back references).
        """
        self._field = field
        try:
            with counting(MAX_SCHEMA_STEPS):
                self._validator: Any = _validator_of(schema)
            self._errors: Callable[[Any], Iterable[ValidationError]] = self._validator.iter_errors
            self._accepted, self._refused = _decided_by_type(schema)
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
        of_part._accepted, of_part._refused = _decided_by_type(part)
        return of_part

    def accepts(self, answer: Any) -> bool:
        """True if an answer satisfies the schema. Raises InputError like `problem`. If the schema demands only a type,
        this is faster than `problem` for an answer of another type."""
        return type(answer) not in self._refused and self.problem(answer) is None

    def problem(self, answer: Any) -> str | None:
        """Return the main fault of the answer, in words for the model, or None if the answer satisfies the schema.

        Raises InputError for a schema that refers to itself without end or requires too much work.
        """
        if type(answer) in self._accepted:
            return None
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
    if not is_deeper(schema, MAX_DEPTH) and not _has_more_text(schema, MAX_SCHEMA_BYTES):
        written = pydantic_core.to_json(schema, inf_nan_mode="constants")
        if len(written) <= MAX_SCHEMA_BYTES:
            with suppress(ValueError):  # an integer has too many digits to be read once more, and is refused below
                return _kept_checker(written, field)
    return SchemaChecker(schema, field)


@lru_cache(maxsize=MAX_PREPARED)
def _kept_checker(schema: bytes, field: str) -> SchemaChecker:
    return SchemaChecker(json.loads(schema), field)


def _decided_by_type(schema: Mapping[str, Any]) -> tuple[frozenset[type], frozenset[type]]:
    """Return the Python types of which a schema accepts every value, and those of which it refuses every value. Both
    sets are empty unless the schema demands no more than a type.

    Checking the type alone is fifty times as fast as the validator, and forms have thousands of values to check."""
    types = schema.get("type")
    names = types if isinstance(types, list) else [types] if isinstance(types, str) else []
    if not (names and schema.keys() <= _ONLY_A_TYPE):
        return frozenset(), frozenset()
    accepted = frozenset(one for name in names for one in _PYTHON_TYPES.get(name, ()))
    # Some floats are integers.
    may_be = accepted | ({float} if int in accepted else frozenset())
    return accepted, frozenset(one for some in _PYTHON_TYPES.values() for one in some) - may_be


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


def _has_more_text(value: Any, limit: int) -> bool:
    """True if the names and texts in `value` have more than `limit` characters. This takes no time for each character,
    unlike encoding them."""
    size = 0
    for level in _levels(value):
        for part in level:
            if isinstance(part, dict):
                size += sum(map(len, part))
            elif isinstance(part, str):
                size += len(part)
        if size > limit:
            return True
    return False


def _validator_of(schema: Mapping[str, Any]) -> Validator:
    _check_text(schema)
    dialect = schema.get("$schema")
    draft = DRAFTS.get(dialect.rstrip("#") if isinstance(dialect, str) else "", Draft202012Validator)
    _check_size(draft, schema)
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
    if _has_more_text(schema, MAX_SCHEMA_BYTES) or len(pydantic_core.to_json(schema)) > MAX_SCHEMA_BYTES:
        raise SchemaRefused(f"the schema is larger than {MAX_SCHEMA_BYTES} bytes.")


def _check_size(draft: type[Validator], schema: Any) -> None:
    identifier = "id" if draft is Draft4Validator else "$id"
    values = id_chars = 0
    for level in _levels(schema):
        values += len(level)
        if not all(map(_is_writable, level)):
            raise SchemaRefused(f"a number in it is infinite or has more than {MAX_DIGITS} digits.")
        id_chars += sum(len(str(value.get(identifier, ""))) for value in level if isinstance(value, dict))
    if values > MAX_VALUES:
        raise SchemaRefused(f"the schema has {values} values, more than {MAX_VALUES}.")
    if id_chars > MAX_ID_CHARS:
        raise SchemaRefused(f"its '$id's have more than {MAX_ID_CHARS} characters together.")


def _check_fields(schema: Mapping[str, Any]) -> None:
    """Refuse a schema whose objects refer to each other so that a few kilobytes mean millions of fields."""
    known: dict[tuple[int, int], int] = {}

    def count(part: Any, left: int, *, with_items: bool) -> int:
        """Count the fields in `left` levels of objects. A part counts as 0 while it is being counted, so circles of
        references end.

        The schema keeps every part alive, so no two parts have the same `id`.
        """
        if not isinstance(part, Mapping) or not left:
            return 0
        # With items, the number of levels only bounds the recursion, so each part is counted once, whichever level it
        # is on.
        key = id(part), 0 if with_items else left
        if key not in known:
            known[key] = 0
            properties = part.get("properties")
            inner = list(properties.values()) if isinstance(properties, Mapping) else []
            inner += [part["items"]] if with_items and "items" in part else []
            found = sum(1 + count(child, left - 1, with_items=with_items) for child in inner)
            same = part["allOf"] if isinstance(part.get("allOf"), list) else []
            if isinstance(reference := part.get("$ref"), str):
                same = [*same, referred(schema, reference)]
            found += sum(count(one, left, with_items=with_items) for one in same)
            known[key] = min(found, MAX_FIELDS + 1)
        return known[key]

    try:
        in_circles = count(schema, DEEPEST_FIELD, with_items=False)
        known.clear()
        found = max(in_circles, count(schema, MAX_DEPTH, with_items=True))
    except RecursionError:
        raise SchemaRefused("too many of its references follow one another.") from None
    if found > MAX_FIELDS:
        raise SchemaRefused(f"with its references followed, the schema has more than {MAX_FIELDS} properties.")


def _is_writable(value: Any) -> bool:
    """True if a message can quote `value`. Python can neither divide infinite numbers nor write out integers of
    more than 4,300 digits."""
    match value:
        case float():
            return math.isfinite(value)
        case int():
            return abs(value) < _FIRST_TOO_LONG
        case _:
            return True


def _check_well_formed(draft: type[Validator], schema: Any) -> None:
    error = next(metaschema_validator(draft).iter_errors(schema), None)
    if error is not None:
        raise SchemaRefused(_short(error), field_path(tuple(error.absolute_path)))


def _check_parts(draft: type[Validator], schema: Mapping[str, Any]) -> SchemaRegistry:
    """Check the parts of a schema that the metaschema cannot: references and their targets, patterns, nested drafts.

    Returns the registry in which the validator finds the parts by their names.
    """
    specification = specification_with(str(draft.META_SCHEMA["$schema"]))
    root = specification.create_resource(schema)
    # Without the crawl, each look-up of an anchor would search the whole schema.
    registry: SchemaRegistry = Registry().with_resource(root.id() or "", root).crawl()
    parts = [(root, registry.resolver_with_root(root))]
    references: list[tuple[str, Any, int]] = []
    alternatives: dict[int, list[int]] = {}
    seen: set[int] = set()
    keywords: set[str] = set()
    patterns: set[str] = set()
    while parts or references:
        if not parts:
            reference, resolver, referrer = references.pop()
            try:
                target = resolver.lookup(reference)
            except (Unresolvable, TypeError):  # TypeError: the pointer goes on below a number or null
                why = (
                    "points to nothing in the schema"
                    if reference.startswith("#")
                    else "leads out of the schema, and nothing is fetched"
                )
                raise SchemaRefused(f"the reference '{reference[:MAX_QUOTE]}' {why}.") from None
            alternatives[referrer].append(id(target.contents))
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
        alternatives[id(part)] = [
            *(id(child) for word in _KEYWORDS_OF_SCHEMAS for child in _members(part.get(word))),
            *(id(part[word]) for word in _KEYWORDS_OF_ONE_SCHEMA if word in part),
        ]
        references += [
            (part[word], resolver, id(part)) for word in ("$ref", "$dynamicRef") if isinstance(part.get(word), str)
        ]
        parts += [(child, resolver.in_subresource(child)) for child in resource.subresources()]
    _check_alternatives(alternatives)
    if len(patterns) > MAX_PATTERNS:
        raise SchemaRefused(f"it has more than {MAX_PATTERNS} different patterns.")
    for pattern in patterns:
        matcher(pattern)
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        # `unevaluatedProperties` itself matches patterns, with Python's engine.
        raise SchemaRefused("'patternProperties' and 'unevaluatedProperties' cannot be combined.")
    return registry


def _members(value: Any) -> Iterable[Any]:
    """Return the schemas in a list or in an object's members."""
    return value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()


def _check_alternatives(alternatives: Mapping[int, Sequence[int]]) -> None:
    """Refuse a schema whose parts contain and refer to each other so that one value is compared with too many of
    them.

    `alternatives` has, for each part, the parts that are compared with the same value.
    """
    known: dict[int, int] = {}

    def count(part: int) -> int:
        if part not in known:
            # A circle of references is found later, when SchemaChecker checks the values in _OF_EACH_TYPE.
            known[part] = 0
            known[part] = min(1 + sum(map(count, alternatives.get(part, ()))), MAX_ALTERNATIVES + 1)
        return known[part]

    try:
        largest = max(map(count, alternatives), default=0)
    except RecursionError:
        raise SchemaRefused("too many of its references follow one another.") from None
    if largest > MAX_ALTERNATIVES:
        raise SchemaRefused(
            f"with its references followed, one value is compared with more than {MAX_ALTERNATIVES} parts of it."
        )


def _short(error: ValidationError) -> str:
    """Return the library's message, with long values cut."""
    value = repr(error.instance)
    sentence = error.message
    if len(value) > MAX_VALUE:
        sentence = sentence.replace(value, _cut(json.dumps(error.instance, ensure_ascii=False), MAX_VALUE))
    return _cut(sentence, MAX_QUOTE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
