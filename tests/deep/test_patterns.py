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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import app
import models
import tasks

pytestmark = pytest.mark.deep

LENGTH = 30_000
CPU_S = 0.6
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
CONTAINED_SHARE = 0.3
"""Patterns in tables are many, and are tried on shorter texts."""
BLANKS = (" ", "\n", "\r")
"""Runs that are also tried after words of the pattern."""
WORDS_TRIED = 3
BOUNDED = {
    "models.native._LOADER_ERROR": "messages of this machine's loader",
    "tasks.extraction.doubts._LOSS_BEFORE": "the 100 characters before a number",
    **{f"tasks.extraction.line_pieces._TYPED[{index}]": "a line, of 600 characters" for index in (0, 16, 17)},
    "tasks.extraction.named_parties._PERSON": "600 characters",
    "tasks.extraction.opposites._OWN_LABEL": "81 characters",
    "tasks.extraction.own_words._CUT": "80 characters",
    "tasks.extraction.sums._AMOUNT": "searched for in 40 characters",
    "tasks.inputs.office.xlsx._DIGITS": "255 characters",
    "tasks.inputs.office.xlsx._TOKEN": "255 characters",
    "tasks.wording.named_languages._ARROW": "an instruction, of 400 characters",
    "tasks.wording.phrasebook._SIGNS": "phrases of the project's own tables",
    "tasks.wording.translation._BEFORE_OBJECT": "an instruction, of 400 characters",
    "tasks.wording.translation._BOUNDARY": "an instruction, of 400 characters",
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
            if not found.name.endswith("__main__"):
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


def texts_for(pattern: "re.Pattern[str]", length: int) -> Iterator[str]:
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\(\?P?<\w+>|\(\?[aimsux]+[:)]", "", pattern.pattern))
    for run in (*RUNS, *words[:WORDS_TRIED]):
        yield run * (length // len(run)) + END
    for word in [word for word in words if len(word) > 2 and word.islower()][:WORDS_TRIED]:
        yield from (word + blank * length + END for blank in BLANKS)


def try_patterns(patterns: Sequence[UsedPattern], progress: int) -> None:
    """Try each pattern on each text. A text that takes too long ends the process."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for one in patterns:
        os.write(progress, f"{one.name}\n".encode())
        for text in texts_for(one.pattern, int(one.share * LENGTH)):
            for method in one.methods:
                signal.setitimer(signal.ITIMER_PROF, one.share * CPU_S)
                if method == "finditer":
                    all(one.pattern.finditer(text))
                else:
                    getattr(one.pattern, method)(text)
                signal.setitimer(signal.ITIMER_PROF, 0)


def slow_patterns(patterns: Sequence[UsedPattern]) -> Iterator[str]:
    """Yield the names of the patterns that take too long. Each ends a process, and the next one tries the others."""
    while patterns:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                try_patterns(patterns, writing)
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
    assert len(patterns) > 400
    assert set(slow_patterns(patterns)) <= BOUNDED.keys()


def test_patterns_in_tables_take_linear_time_on_long_runs() -> None:
    patterns = list(contained_patterns())
    assert len(patterns) > 100
    assert set(slow_patterns(patterns)) <= BOUNDED.keys()
