"""Imports stand at the top of a file and lead one way: no file, and no package of models, imports what imports it."""

import ast
import functools
from collections import defaultdict
from collections.abc import Container, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = ("app", "tasks", "models", "training")


def sources() -> dict[str, Path]:
    """The files of the product, by their modules."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in modules.items()}


def imports_of(tree: ast.AST, modules: Container[str]) -> Iterator[str]:
    """The modules of the product that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@functools.cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in sources().items()}


@functools.cache
def graph() -> dict[str, set[str]]:
    return {name: {other for other in imports_of(tree, trees()) if other in trees()} for name, tree in trees().items()}


def test_nothing_is_imported_below_a_definition() -> None:
    late = []
    for name, tree in trees().items():
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        first = next((node.lineno for node in tree.body if isinstance(node, kinds)), None)
        imports = [node.lineno for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        late += [f"{name}:{line}" for line in imports if first is not None and line > first]
    assert late == []


def test_no_file_imports_one_that_imports_it() -> None:
    TopologicalSorter(graph()).prepare()


def test_no_package_of_models_imports_one_that_imports_it() -> None:
    files = sources()
    packages = {name: name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in files.items()}
    edges: dict[str, set[str]] = defaultdict(set)
    for name, others in graph().items():
        if packages[name].partition(".")[0] == "models":
            edges[packages[name]] |= {packages[other] for other in others} - {packages[name]}
    TopologicalSorter(edges).prepare()
