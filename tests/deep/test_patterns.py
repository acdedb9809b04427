"""Patterns take linear time on long runs, whatever a run is of.

`re` holds the interpreter while it searches. A pattern that is tried again at each character of a run thus stops the
whole server, for seconds on ten thousand blanks and for minutes on a hundred thousand.
"""

import ast
import dataclasses
import importlib
import os
import pkgutil
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import app
import models
import tasks
from tasks.wording.phrases import compiled

pytestmark = pytest.mark.deep

LENGTH = 10_000
CPU_S = 0.25
"""Processor time for one run. The slowest linear pattern takes a quarter of it, a quadratic one more than all of it."""
SEARCHES = {"search", "finditer", "findall", "split", "sub", "subn"}
RUNS = (
    *(" ", "\n", "\t", "\r", "\u00a0", "a", "A", "é", "中", "1", ".", ",", "-", ":", "=", "/", "(", "[", "<", '"', "'"),
    *("_", "*", "|", "\\", "a ", "A ", "1 ", "1.", "1,", "111 ", "111,", "a.", "A.", "a-", "a, ", " \n", "(a) "),
)
END = "¤€"
"""Signs at the end of each text, the first of which next to no pattern matches. Patterns of money look ahead to the
second."""
METHODS = {"finditer", "match", "fullmatch"}
MOST_NESTED = 5
SIGNS_OF_EXPRESSIONS = re.compile(r"[\\(*+?|]")
LAZY_SHARE = 0.7
"""Requests are searched for words in their first 20,000 characters."""
CONTAINED_SHARE = 0.3
"""Patterns in tables are many, and are tried on shorter texts."""
SHORT = 40
"""Number of repeats of a short text. Exponential time shows in it."""
LEAST_REPEATED = 6
"""A part that a pattern repeats up to this many times, or more often, is repeated in texts."""
MOST_REPEATS = 400
"""At most this many texts of repeated parts are made for a pattern."""
PER_CATEGORY = {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_WORD": "-"}
BLANKS = (" ", "\n", "\r")
"""Runs that are also tried after words of the pattern."""
WORDS_TRIED = 3
BOUNDED = {
    "models.devices.native._LOADER_ERROR": "messages of this machine's loader",
    **{f"tasks.extraction.records.pieces._TYPED[{index}]": "a line, of 600 characters" for index in (0, 7)},
    "tasks.extraction.sums._AMOUNT": "searched for in 40 characters",
    "tasks.inputs.office.xlsx._DIGITS": "255 characters",
    "tasks.inputs.office.xlsx._TOKEN": "255 characters",
    "tasks.series.inline._LISTS[3]": "a list that was found, in which each number has a comma",
    "tasks.wording.named_languages._ARROW": "an instruction, of 400 characters",
    "tasks.wording.translation._BEFORE_OBJECT": "an instruction, of 400 characters",
    "tasks.wording.translation._BOUNDARY": "an instruction, of 400 characters",
    "tasks.wording.translation._FIRST_CLAUSE": "an instruction, of 400 characters",
    "tasks.wording.translation._LAST_CLAUSE": "an instruction, of 400 characters",
    "tasks.wording.translation._LEAD": "an instruction, of 400 characters",
}
"""The texts of patterns that need not be linear, by the pattern's name."""


class UsedPattern(NamedTuple):
    name: str
    pattern: "re.Pattern[str]"
    methods: frozenset[str]
    share: float = 1.0
    """Part of LENGTH and of CPU_S that is used for the pattern."""


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    """Yield the project's modules, with their syntax trees."""
    for top in (app, models, tasks):
        for found in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            # alembic alone runs the script of the migrations.
            if not found.name.endswith(("__main__", ".migrations.env")):
                module = importlib.import_module(found.name)
                assert module.__file__
                yield module, ast.parse(Path(module.__file__).read_text("utf-8"))


def used_patterns() -> Iterator[UsedPattern]:
    """Yield the patterns in global variables, with the methods that their module calls."""
    for module, tree in modules():
        methods: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                method = "finditer" if node.attr in SEARCHES else node.attr
                methods.setdefault(node.value.id, set()).add(method)
        for variable, called in methods.items():
            pattern = getattr(module, variable, None)
            own = frozenset(called & METHODS)
            if own and isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                yield UsedPattern(f"{module.__name__}.{variable}", pattern, own)


def contained_patterns() -> Iterator[UsedPattern]:
    """Yield the patterns in tuples, lists, mappings and dataclasses in global variables.

    Their methods are those that a module with such a variable calls on the dataclass's field or, if it calls none on
    this field, on anything but a global pattern.
    """
    contained: dict[int, UsedPattern] = {}
    for module, tree in modules():
        methods: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in (METHODS | SEARCHES) - {"split"}:
                of = node.value
                name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
                if not isinstance(getattr(module, name, None), re.Pattern | ModuleType):
                    methods.setdefault(name, set()).add("finditer" if node.attr in SEARCHES else node.attr)
        for variable, value in vars(module).items():
            if isinstance(value, re.Pattern) or variable.startswith("__"):
                continue
            for index, (pattern, field) in enumerate(patterns_in(value)):
                known = contained.get(id(pattern))
                name = known.name if known else f"{module.__name__}.{variable}[{index}]"
                called = (field and methods.get(field)) or set().union(*methods.values())
                every = frozenset(called) | (known.methods if known else frozenset())
                contained[id(pattern)] = UsedPattern(name, pattern, every, CONTAINED_SHARE)
    yield from (one for one in contained.values() if one.methods)


def expressions(*, with_parts: bool) -> Iterator[UsedPattern]:
    """Yield the constant expressions that are compiled at their first use; `with_parts`, all other strings of their
    modules that may be expressions, or parts of them."""
    known = set()
    for module, tree in modules():
        if not hasattr(module, compiled.__name__):
            continue
        called = {
            node.args[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == compiled.__name__
            if isinstance(node.args[0], ast.Name)
        }
        for variable, value in vars(module).items():
            if variable.startswith("__") or not (with_parts or variable in called):
                continue
            for index, text in enumerate(strings_in(value)):
                if SIGNS_OF_EXPRESSIONS.search(text) and text not in known:
                    known.add(text)
                    with suppress(re.error):
                        name = f"{module.__name__}.{variable}[{index}]"
                        yield UsedPattern(name, re.compile(text, re.IGNORECASE), frozenset({"finditer"}), LAZY_SHARE)


def strings_in(value: object, depth: int = 0) -> Iterator[str]:
    members: Iterable[object] = ()
    match value:
        case str():
            yield value
        case Mapping():
            members = value.values()
        case tuple() | list() | set() | frozenset():
            members = value
    if depth < MOST_NESTED:
        for member in members:
            yield from strings_in(member, depth + 1)


def patterns_in(value: object, field: str = "", depth: int = 0) -> Iterator[tuple["re.Pattern[str]", str]]:
    """Yield the patterns in `value`, each with the field of a dataclass that it is in."""
    members: Iterable[tuple[object, str]] = ()
    match value:
        case re.Pattern():
            if isinstance(value.pattern, str):
                yield value, field
        case Mapping():
            members = [(member, field) for member in (*value.keys(), *value.values())]
        case tuple() | list() | set() | frozenset():
            members = [(member, field) for member in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            members = [(getattr(value, one.name, None), one.name) for one in dataclasses.fields(value)]
    if depth < MOST_NESTED:
        for member, own_field in members:
            yield from patterns_in(member, own_field, depth + 1)


def examples(tree: Iterable[tuple[Any, Any]]) -> list[str]:
    """Return some texts that a part of a pattern matches, look-arounds aside: one for each of its alternatives."""
    texts = [""]
    for op, value in tree:
        match op:
            case ops.LITERAL:
                own = [chr(value)]
            case ops.NOT_LITERAL | ops.ANY:
                own = ["a"]
            case ops.IN:
                own = [*dict.fromkeys(sign for one, of in value for sign in signs_of(one, of))] or ["a"]
            case ops.BRANCH:
                own = [text for branch in value[1] for text in examples(branch)]
            case ops.SUBPATTERN:
                own = examples(value[3])
            case ops.ATOMIC_GROUP:
                own = examples(value)
            case ops.MAX_REPEAT | ops.MIN_REPEAT | ops.POSSESSIVE_REPEAT:
                own = [text * count for count in {value[0], max(1, value[0])} for text in examples(value[2])]
            case _:
                own = [""]
        texts = [texts[n % len(texts)] + own[n % len(own)] for n in range(max(len(texts), len(own)))]
    return [*dict.fromkeys(texts)]


def signs_of(op: Any, value: Any) -> Iterator[str]:
    match op:
        case ops.LITERAL:
            yield chr(value)
        case ops.RANGE:
            yield chr(value[0])
        case ops.CATEGORY:
            yield PER_CATEGORY.get(str(value), "a")


def repeated_parts(tree: Iterable[tuple[Any, Any]], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts that a pattern repeats, each with a text that may come before it."""
    for op, value in tree:
        inner: Sequence[Any] = ()
        match op:
            case ops.MAX_REPEAT | ops.MIN_REPEAT | ops.POSSESSIVE_REPEAT:
                inner = [value[2]]
                if value[1] >= LEAST_REPEATED:
                    yield from ((before, text) for text in examples(value[2]) if text)
            case ops.SUBPATTERN:
                inner = [value[3]]
            case ops.ATOMIC_GROUP:
                inner = [value]
            case ops.BRANCH:
                inner = value[1]
            case ops.ASSERT | ops.ASSERT_NOT:
                inner = [value[1]]
        for part in inner:
            yield from repeated_parts(part, before)
        before += examples([(op, value)])[0]


def short_texts_for(pattern: "re.Pattern[str]", _: int) -> Iterator[str]:
    """Yield short texts of each part that the pattern repeats."""
    parts = dict.fromkeys(repeated_parts(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))
    return (before + text * SHORT + end for before, text in islice(parts, MOST_REPEATS) for end in (END, f"q{END}"))


def texts_for(pattern: "re.Pattern[str]", length: int) -> Iterator[str]:
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\(\?P?<\w+>|\(\?[aimsux]+[:)]", "", pattern.pattern))
    for run in (*RUNS, *words[:WORDS_TRIED]):
        yield run * (length // len(run)) + END
    for word in [word for word in words if len(word) > 2 and word.islower()][:WORDS_TRIED]:
        yield from (word + blank * length + END for blank in BLANKS)


Texts = Callable[["re.Pattern[str]", int], Iterator[str]]
"""Function that returns the texts for a pattern, with the length of long ones."""


def try_patterns(patterns: Sequence[UsedPattern], progress: int, texts: Texts) -> None:
    """Try each pattern on each text. A text that takes too long ends the process."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for one in patterns:
        os.write(progress, f"{one.name}\n".encode())
        for text in texts(one.pattern, int(one.share * LENGTH)):
            for method in one.methods:
                signal.setitimer(signal.ITIMER_PROF, one.share * CPU_S)
                if method == "finditer":
                    all(one.pattern.finditer(text))
                else:
                    getattr(one.pattern, method)(text)
                signal.setitimer(signal.ITIMER_PROF, 0)


def slow_patterns(patterns: Sequence[UsedPattern], texts: Texts = texts_for) -> Iterator[str]:
    """Yield the names of the patterns that take too long. Each ends a process, and the next one tries the others."""
    while patterns:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                try_patterns(patterns, writing, texts)
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as progress:
            names = progress.read().split()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if not status:
            return
        assert status == -signal.SIGPROF
        yield names[-1]
        patterns = patterns[len(names) :]


def test_patterns_take_linear_time_on_long_runs() -> None:
    patterns = list(used_patterns())
    assert len(patterns) > 380
    assert set(slow_patterns(patterns)) <= BOUNDED.keys()


def test_patterns_in_tables_take_linear_time_on_long_runs() -> None:
    patterns = list(contained_patterns())
    assert len(patterns) > 50
    assert set(slow_patterns(patterns)) <= BOUNDED.keys()


def test_expressions_take_linear_time_on_long_runs() -> None:
    patterns = list(expressions(with_parts=False))
    assert len(patterns) > 30
    assert set(slow_patterns(patterns)) <= BOUNDED.keys()


def test_patterns_take_no_exponential_time_on_their_own_repeats() -> None:
    """A few dozen signs would stop the server for ever, so texts of few characters are no exception."""
    patterns = [*used_patterns(), *contained_patterns(), *expressions(with_parts=True)]
    assert set(slow_patterns(patterns, short_texts_for)) == set()
