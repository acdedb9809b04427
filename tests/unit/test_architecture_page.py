"""docs/architecture.md says where things are: what it names is there."""

import ast
import re
from pathlib import Path

from tests.conftest import each_case

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
BEHAVIOURS = re.findall(r"^\| [^|]+ \| `([\w/]+\.py)` \| `(\w+)` \|$", PAGE, re.MULTILINE)
FOLDERS = [
    folder for row in re.findall(r"^\| (`[^|]+) \| ", PAGE, re.MULTILINE) for folder in re.findall(r"`(\w[\w/]*)`", row)
]


def test_the_page_names_twenty_behaviours() -> None:
    assert len(BEHAVIOURS) == 20
    assert len({path for path, _ in BEHAVIOURS}) == 20


@each_case(("path", "name"), BEHAVIOURS)
def test_a_behaviour_is_where_the_page_says(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


@each_case("path", sorted(set(re.findall(r"`((?:app|tasks|models)/[\w/]+\.py)`", PAGE))))
def test_a_stop_is_a_file(path: str) -> None:
    assert (ROOT / path).is_file()


def test_folders_are_folders() -> None:
    assert len(FOLDERS) > 8
    assert [folder for folder in FOLDERS if not (ROOT / folder).is_dir()] == []


def test_no_folder_holds_more_than_twenty_modules() -> None:
    """Beside packages."""
    counts = {
        folder.relative_to(ROOT).as_posix(): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for root in ("app", "tasks", "models")
        for folder in [ROOT / root, *(path for path in (ROOT / root).rglob("*") if path.is_dir())]
    }
    assert {folder: count for folder, count in counts.items() if count > 20} == {}
