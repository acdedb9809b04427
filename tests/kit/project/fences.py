"""Code in README.md and docs/, one fence each, with the fence's mark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```(\w*)(?: (\w+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    place: str
    language: str
    how: str
    """Word after the language in the fence's mark, or ""."""
    code: str
    output: str
    """Content of the following fence, which states the output of this fence."""


def fences(path: Path) -> Iterator[Fence]:
    text = path.read_text("utf-8")
    found = list(_FENCE.finditer(text))
    for match, following in zip_longest(found, found[1:]):
        _, language, how, code = match.groups("")
        output = following[4] if following and following[3] == "output" else ""
        line = text.count("\n", 0, match.start()) + 1
        yield Fence(f"{path.relative_to(ROOT)}:{line}", language, how, code, output)


def printed(page: str, *parts: str) -> str:
    """Return the commands in the only fence of a page of docs/ that contains all `parts`."""
    shown = [fence.code for fence in fences(ROOT / "docs" / page) if fence.language == "sh"]
    [code] = [code for code in shown if all(part in code for part in parts)]
    return code
