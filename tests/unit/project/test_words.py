"""One noun is one class: no two classes of the product share a name. A variable is named after what it holds."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

CLASS = {
    ".py": re.compile(r"^[ \t]*class[ \t]+(\w+)[ \t]*[(:\[]", re.MULTILINE),
    ".js": re.compile(r"^\s*(?:export\s+)?(?:default\s+)?class\s+(\w+)", re.MULTILINE),
}
"""The line that begins a class, by the suffix of the language's files."""

SAY_NOTHING = frozenset(("said", "told", "asked", "meant", "beside", "again", "together", "instead"))
"""Names of variables that could hold anything."""


@cache
def classes() -> dict[str, list[str]]:
    """The files that define each class of the product, in Python or in JavaScript."""
    files = defaultdict(list)
    for folder in ("app", "tasks", "models", "training"):
        for path in sorted((ROOT / folder).rglob("*")):
            for name in names_in(path):
                files[name].append(str(path.relative_to(ROOT)))
    return files


def names_in(path: Path) -> list[str]:
    return CLASS[path.suffix].findall(path.read_text(encoding="utf-8")) if path.suffix in CLASS else []


def test_classes_of_both_languages_are_read() -> None:
    assert classes()["Viewer"] == ["app/playground/viewer.js"]
    assert classes()["Settings"] == ["app/settings.py"]


def test_no_two_classes_share_a_name() -> None:
    assert {name: files for name, files in classes().items() if len(files) > 1} == {}


def functions_in(scope: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    """The functions and methods that are within no other function."""
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from functions_in(node)


def variables_in(function: ast.AST) -> set[str]:
    """The names of a function's variables and arguments, and of those within it."""
    nodes = list(ast.walk(function))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}


def test_variables_and_arguments_are_read() -> None:
    assert variables_in(ast.parse("def f(a, *, b):\n    for c, (d, *e) in a: (g := b)")) == set("abcdeg")


def test_functions_and_methods_are_read_once() -> None:
    tree = ast.parse("class A:\n  class B:\n    def f(self):\n      def g(): pass\nasync def h(): pass")
    assert [
        function.name for function in functions_in(tree) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    ] == ["f", "h"]


def test_a_variable_is_named_after_what_it_holds() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("app", "tasks", "models")
        for path in (ROOT / folder).rglob("*.py")
        for function in functions_in(ast.parse(path.read_text(encoding="utf-8")))
        for name in variables_in(function) & SAY_NOTHING
    }
    assert found == set()


def test_unit_tests_mirror_the_tree() -> None:
    """Each of their folders is a folder of what they test, but for the tests of the repository itself."""
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")} - {Path("project")}
    assert {str(folder) for folder in folders if not (ROOT / folder).is_dir()} == set()
    assert list(unit.glob("test_*.py")) == []
