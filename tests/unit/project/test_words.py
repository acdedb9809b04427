"""One noun is one class: no two classes of the product share a name."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.conftest import ROOT


def classes() -> dict[str, list[str]]:
    """The files that define each class of the product."""
    files = defaultdict(list)
    for folder in ("app", "tasks", "models", "training"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    files[node.name].append(str(path.relative_to(ROOT)))
    return files


def test_no_two_classes_share_a_name() -> None:
    assert {name: files for name, files in classes().items() if len(files) > 1} == {}


def test_unit_tests_mirror_the_tree() -> None:
    """Each of their folders is a folder of what they test, but for the tests of the repository itself."""
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")} - {Path("project")}
    assert {str(folder) for folder in folders if not (ROOT / folder).is_dir()} == set()
    assert list(unit.glob("test_*.py")) == []
