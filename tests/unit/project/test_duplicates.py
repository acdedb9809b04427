"""No code stands in two places: what two modules need is in one that both import."""

import re
from collections.abc import Iterator

from tests.conftest import ROOT

AS_LONG = 10
"""Lines that count as a copy. Fewer are alike without being one: the options that two commands share, the fields of two
types."""
IMPORT = re.compile(r"^[ \t]*(?:from [\w.]+ )?import (?:\([^)]*\)|.*)", re.MULTILINE)


def lines_of(source: str) -> list[tuple[int, str]]:
    """The lines with their numbers, without indentation and without what is no code: blank lines, comments, imports,
    brackets alone."""
    source = IMPORT.sub(lambda found: "\n" * found[0].count("\n"), source)
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        said = " ".join(line.split())
        if said.strip("()[]{},:") and not said.startswith("#"):
            found.append((number, said))
    return found


def copies(sources: dict[str, str]) -> Iterator[str]:
    """Each place where as many lines stand as somewhere before."""
    seen: dict[tuple[str, ...], str] = {}
    for name, source in sources.items():
        lines, until = lines_of(source), 0
        for at in range(len(lines) - AS_LONG + 1):
            said = tuple(text for _, text in lines[at : at + AS_LONG])
            place = f"{name}:{lines[at][0]}"
            if said not in seen:
                seen[said] = place
            elif at >= until:
                yield f"{place} is a copy of {seen[said]}"
                until = at + AS_LONG


def test_a_copy_is_found_whatever_its_indentation_and_comments() -> None:
    body = [f"total_{number} = number * {number}" for number in range(AS_LONG)]
    one = "import json\n\n" + "\n".join(body)
    other = "def f(number):\n" + "\n".join(f"    # said\n\n    {line}" for line in body)
    assert list(copies({"one": one, "other": other})) == ["other:4 is a copy of one:3"]
    assert list(copies({"one": one, "other": "\n".join(body[1:])})) == []
    imports = "from a import (\n" + ",\n".join(body[0][:5] + str(n) for n in range(20)) + ")\n"
    assert list(copies({"one": imports, "other": imports})) == []


def test_nothing_stands_in_two_places() -> None:
    files = sorted(file for folder in ("app", "tasks", "models") for file in (ROOT / folder).rglob("*.py"))
    assert len(files) > 300
    assert list(copies({str(file.relative_to(ROOT)): file.read_text() for file in files})) == []
