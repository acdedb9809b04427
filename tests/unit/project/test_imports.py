"""Imports stand at the top of a file and lead one way: no file, and no package of models, imports what imports it."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = ("app", "tasks", "models", "training")


def sources() -> dict[str, Path]:
    """The files of the product, by their modules."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in modules.items()}


def imports_of(tree: ast.AST, modules: Iterable[str]) -> Iterator[str]:
    """The modules of the product that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph() -> dict[str, set[str]]:
    files = sources()
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in files.items()}
    return {name: {other for other in imports_of(tree, files) if other in files} for name, tree in trees.items()}


def reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [*edges[start]]
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += edges[name]
    return found


def test_nothing_is_imported_below_a_definition() -> None:
    late = []
    for name, path in sources().items():
        body = ast.parse(path.read_text(encoding="utf-8")).body
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        first = next((node.lineno for node in body if isinstance(node, kinds)), None)
        imports = [node.lineno for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        late += [f"{name}:{line}" for line in imports if first is not None and line > first]
    assert late == []


def test_no_file_imports_one_that_imports_it() -> None:
    edges = graph()
    circular = {name for name in edges if name in reachable(name, edges)}
    assert circular == set()


def test_no_package_of_models_imports_one_that_imports_it() -> None:
    files = sources()
    packages = {name: name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in files.items()}
    edges: dict[str, set[str]] = defaultdict(set)
    for name, others in graph().items():
        edges[packages[name]] |= {packages[other] for other in others} - {packages[name]}
    models = [package for package in edges if package.partition(".")[0] == "models"]
    assert [package for package in models if package in reachable(package, edges)] == []
