"""Notations of the cells of tables."""

from tasks.notation.cells import is_missing
from tests.conftest import each_case


@each_case(
    ("cell", "expected"),
    [
        ("", True),
        (" – ", True),
        ("/ –", True),
        ("--", True),
        ("n/a", True),
        ("k.A.", True),
        ("0", False),
        ("A/-", False),
    ],
)
def test_dashes_and_strokes_are_no_value(cell: str, expected: bool) -> None:
    assert is_missing(cell) is expected
