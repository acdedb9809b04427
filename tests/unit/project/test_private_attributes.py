"""Tests assert what a caller can see: a private attribute may change while the behaviour stays."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

KNOWN = {
    ("engines/torch/test_paddleocr_vl.py", "_loaded"),
    ("cluster/test_server.py", "_factory"),
    ("unit/app/state/test_sqlite_entries.py", "_totals"),
}
"""Files that still assert a private attribute of another object. The list only gets shorter."""
PUBLIC = {"_replace", "_spTree"}
"""Attributes that libraries begin with an underscore, and document: of named tuples, and of python-pptx."""
OF_ANOTHER = re.compile(r"(?<!\bself)(?<!\bcls)\._")
"""What a file contains that names a private attribute of another object. Few do, and only these are parsed."""


def private_attributes(tree: ast.AST) -> Iterator[ast.Attribute]:
    """The private attributes in assertions, but for those of the object that asserts."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assert):
            for node in ast.walk(statement.test):
                if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                    is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                    if not is_own and node.attr not in PUBLIC:
                        yield node


def found_in(path: Path) -> set[tuple[str, str]]:
    source = path.read_text(encoding="utf-8")
    if not OF_ANOTHER.search(source):
        return set()
    name = path.relative_to(ROOT / "tests").as_posix()
    return {(name, node.attr) for node in private_attributes(ast.parse(source))}


def test_no_test_asserts_a_private_attribute() -> None:
    found = set[tuple[str, str]]().union(*(found_in(path) for path in (ROOT / "tests").rglob("*.py")))
    assert found == KNOWN


def test_a_private_attribute_is_found_wherever_it_stands_in_an_assertion() -> None:
    tree = ast.parse("assert len(store._a.b) == 1\nassert self._c._d\nassert pair._replace(x=1)\nstore._e = 1")
    assert {node.attr for node in private_attributes(tree)} == {"_a", "_d"}
