"""Measures how many faults the unit tests of central modules find: each fault is one changed place of the module.

    python -m eval.mutation [--each 24] [--seed 7] [--only MODULE …] [--show]

A mutant is the module with one operator, number or condition replaced: `<` by `<=`, `and` by `or`, 3 by 4, a
condition by its opposite, a returned value by None. Only the module's own test file is run, up to the first failure, in
a process that is forked after the libraries have been imported. The sample of places is the same for the same seed, as
long as the module stays as it is.
"""

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    "app.access.admission": ("tests/unit/app/access/test_admission.py",),
    "app.access.keys": ("tests/unit/app/access/test_keys.py",),
    "app.batches.store": ("tests/unit/app/batches/test_store.py",),
    "app.chat.llm_answer": ("tests/unit/app/chat/test_llm_answer.py",),
    "app.chat.own_answer": ("tests/unit/app/chat/test_own_answer.py", "tests/unit/app/chat/test_value_answers.py"),
    "app.chat.pipeline": ("tests/unit/app/chat/test_pipeline.py",),
    "app.chat.structured_answers": ("tests/unit/app/chat/test_structured_answers.py",),
    "app.chat.value_answers": ("tests/unit/app/chat/test_value_answers.py",),
    "app.chat.plan": ("tests/unit/app/chat/test_plan.py", "tests/unit/app/chat/test_plan_table.py"),
    "app.chat.request_guard": ("tests/unit/app/chat/test_request_guard.py",),
    "app.chat.tool_loop": ("tests/unit/app/chat/test_tool_loop.py",),
    "app.files.store": ("tests/unit/app/files/test_store.py",),
    "app.folders.state": ("tests/unit/app/folders",),
    "app.http.protocol": ("tests/unit/app/http/test_protocol.py",),
    "app.state.counters": ("tests/unit/app/state/test_counters.py",),
    "models.concurrency": ("tests/unit/models/test_concurrency.py",),
    "models.hosts.host": ("tests/unit/models/hosts",),
    "models.queues": ("tests/unit/models/test_queues.py",),
    "models.safety.personal_data": ("tests/unit/models/safety/test_personal_data.py",),
    "models.workers.pool": ("tests/unit/models/workers",),
    "tasks.guardrails": ("tests/unit/tasks/test_guardrails.py",),
    "tasks.inputs.fetch.fetcher": ("tests/unit/tasks/inputs/fetch",),
    "tasks.inputs.fetch.url_policy": ("tests/unit/tasks/inputs/fetch",),
    "tasks.inputs.office.docx": ("tests/unit/tasks/inputs/office/test_docx.py",),
    "tasks.layout.lines": ("tests/unit/tasks/layout/test_lines.py",),
    "tasks.notation.numbers": ("tests/unit/tasks/notation/test_numbers.py",),
    "tasks.schema.checker": ("tests/unit/tasks/schema/test_checker.py",),
    "tasks.speech.turns": ("tests/unit/tasks/speech/test_turns.py", "tests/unit/tasks/speech/test_speakers.py"),
}
"""Files or folders of the tests of each module, by its name."""
LIBRARIES = (
    "PIL.Image",
    "aiohttp",
    "fastapi",
    "httpx",
    "hypothesis.strategies",
    "lxml.etree",
    "mcp.client",
    "numpy",
    "openai",
    "pandas",
    "pydantic_settings",
    "pytest_asyncio",
    "redis.asyncio",
    "structlog",
)
"""Libraries that are imported once for all mutants, because the tests of most modules import them."""
OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
MIN_SECONDS, TIMES = 30.0, 6
"""Time that the tests of a mutant may take: so many times what those of the module as it is take. A mutant that never
ends counts as found."""


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each node that can be changed, with the attribute of it that is."""
    annotations = {id(inner) for node in ast.walk(tree) for one in _annotations(node) for inner in ast.walk(one)}
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        match node:
            case ast.Compare(ops=[operator]) if type(operator) in OPPOSITE:
                yield node, "ops"
            case ast.BinOp(op=operator) | ast.BoolOp(op=operator) if type(operator) in OPPOSITE:
                yield node, "op"
            case ast.Constant(value=int() | float()):
                yield node, "value"
            case ast.Return(value=ast.expr()):
                yield node, "returned"
            case ast.If() | ast.While() | ast.IfExp():
                yield node, "test"


def _annotations(node: ast.AST) -> list[ast.AST]:
    found = [getattr(node, name, None) for name in ("annotation", "returns")]
    return [one for one in found if isinstance(one, ast.AST)]


def change(node: ast.AST, attribute: str) -> None:
    match node, attribute:
        case ast.Compare(), "ops":
            node.ops = [OPPOSITE[type(node.ops[0])]()]  # type: ignore[list-item]
        case ((ast.BinOp() | ast.BoolOp()), "op"):
            node.op = OPPOSITE[type(node.op)]()  # type: ignore[assignment]
        case ast.Constant(value=bool(value)), _:
            node.value = not value
        case ast.Constant(value=int() | float()), _:
            node.value += 1  # type: ignore[operator]
        case ast.Return(), _:
            node.value = ast.Constant(None)
        case ((ast.If() | ast.While() | ast.IfExp()), _):
            node.test = ast.UnaryOp(ast.Not(), node.test)


class _Mutant(SourceFileLoader):
    """Loader of a module that changes the place with the given number."""

    def __init__(self, name: str, path: str, number: int) -> None:
        super().__init__(name, path)
        self._number = number

    def get_code(self, fullname: str):  # type: ignore[no-untyped-def]
        tree = ast.parse(Path(self.path).read_bytes())
        change(*list(places(tree))[self._number])
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class _Finder:
    """Finder of the mutant, and of no other module."""

    def __init__(self, name: str, number: int) -> None:
        self._name, self._number = name, number

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        file = str(ROOT / f"{name.replace('.', '/')}.py")
        return importlib.util.spec_from_loader(name, _Mutant(name, file, self._number))


def is_found(module: str, number: int | None, seconds: float) -> bool:
    """True if the tests of the module fail for the mutant, in a process of its own. None: the module as it is."""
    if pid := os.fork():
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) != 0
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return True
    os.setpgid(0, 0)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    if number is not None:
        sys.meta_path.insert(0, _Finder(module, number))  # type: ignore[arg-type]
    import pytest

    status = 1
    with contextlib.suppress(BaseException):
        options = ["-x", "-q", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        status = int(pytest.main([*MODULES[module], *options]))
    os._exit(status)


def measure(module: str, each: int, seed: int, show: bool) -> tuple[int, int]:
    started = time.monotonic()
    if is_found(module, None, MIN_SECONDS * TIMES):
        raise SystemExit(f"the tests of {module} fail as it is")
    seconds = max(MIN_SECONDS, (time.monotonic() - started) * TIMES)
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text()
    everything = list(places(ast.parse(source)))
    numbers = sorted(random.Random(seed).sample(range(len(everything)), min(each, len(everything))))
    found = 0
    for number in numbers:
        caught = is_found(module, number, seconds)
        found += caught
        if show and not caught:
            node, attribute = everything[number]
            before = copy.deepcopy(node)
            change(node, attribute)
            print(f"  line {node.lineno}: {ast.unparse(before)[:70]!r} → {ast.unparse(node)[:70]!r}")  # type: ignore[attr-defined]
    return found, len(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=24, help="mutants of a module")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=list(MODULES), choices=list(MODULES))
    parser.add_argument("--show", action="store_true", help="print the mutants that no test found")
    options = parser.parse_args()
    for library in LIBRARIES:
        importlib.import_module(library)
    total = [0, 0]
    for module in options.only:
        found, tried = measure(module, options.each, options.seed, options.show)
        total = [total[0] + found, total[1] + tried]
        print(f"{module:32} {found:3} of {tried}", flush=True)
    print(f"{'all':32} {total[0]:3} of {total[1]}")


if __name__ == "__main__":
    main()
