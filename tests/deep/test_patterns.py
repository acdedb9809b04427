"""Patterns take linear time on long runs, whatever a run is of.

`re` holds the interpreter while it searches. A pattern that is tried again at each character of a run thus stops the
whole server, for seconds on ten thousand blanks and for minutes on a hundred thousand.
"""

import ast
import importlib
import os
import pkgutil
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
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
BLANKS = (" ", "\n", "\r")
"""Runs that are also tried after words of the pattern."""
WORDS_TRIED = 3
BOUNDED = {
    "models.native._LOADER_ERROR": "messages of this machine's loader",
    "tasks.extraction.doubts._LOSS_BEFORE": "the 100 characters before a number",
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


def used_patterns() -> Iterator[UsedPattern]:
    """Yield the patterns in global variables, with the methods that their module calls."""
    for top in (app, models, tasks):
        for found in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            if found.name.endswith("__main__"):
                continue
            module = importlib.import_module(found.name)
            assert module.__file__
            methods: dict[str, set[str]] = {}
            for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    method = "finditer" if node.attr in SEARCHES else node.attr
                    methods.setdefault(node.value.id, set()).add(method)
            for variable, called in methods.items():
                pattern = getattr(module, variable, None)
                own = frozenset(called & {"finditer", "match", "fullmatch"})
                if own and isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                    yield UsedPattern(f"{found.name}.{variable}", pattern, own)


def texts_for(pattern: "re.Pattern[str]") -> Iterator[str]:
    for run in RUNS:
        yield run * (LENGTH // len(run)) + END
    for word in re.findall(r"[a-z]{3,}", pattern.pattern)[:WORDS_TRIED]:
        yield from (word + blank * LENGTH + END for blank in BLANKS)


def try_patterns(patterns: Sequence[UsedPattern], progress: int) -> None:
    """Try each pattern on each text. A text that takes too long ends the process."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for one in patterns:
        os.write(progress, f"{one.name}\n".encode())
        for text in texts_for(one.pattern):
            for method in one.methods:
                signal.setitimer(signal.ITIMER_PROF, CPU_S)
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
