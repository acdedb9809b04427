"""One noun is one class: no two classes of the product share a name, but for those that a list names."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.conftest import ROOT

SHARED = ROOT / "tests" / "data" / "classes_that_share_a_name.txt"
"""A name a line. It only gets shorter: a new class takes a name of its own."""


def classes() -> dict[str, list[str]]:
    """The files that define each class of the product."""
    files = defaultdict(list)
    for folder in ("app", "tasks", "models", "training"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    files[node.name].append(str(path.relative_to(ROOT)))
    return files


def test_no_two_classes_share_a_name_but_those_that_are_listed() -> None:
    listed = set(SHARED.read_text(encoding="utf-8").split())
    shared = {name: files for name, files in classes().items() if len(files) > 1}
    assert {name: files for name, files in shared.items() if name not in listed} == {}
    assert listed - set(shared) == set(), "no longer shared: take them off the list"


def test_unit_tests_mirror_the_tree() -> None:
    """Each of their folders is a folder of what they test, but for the tests of the repository itself."""
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")} - {Path("project")}
    assert {str(folder) for folder in folders if not (ROOT / folder).is_dir()} == set()
    assert list(unit.glob("test_*.py")) == []
