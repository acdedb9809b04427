"""docs/limits.md lists every bound: whoever adds a setting that bounds something says there what is beyond it."""

import re
import types
import typing

from app.settings import PREFIX, Settings
from tests.conftest import ROOT, each_case

PAGE = (ROOT / "docs" / "limits.md").read_text()
NO_BOUNDS = {
    "port",
    "metrics_port",
    "threads",
    "speech_batch",
    "card_mb",
}
"""Numbers that say how to work, and refuse nobody anything."""
NUMBERED = "llm_context_tokens"
"""Has no default: the LLM's server says it."""


def _is_a_number(annotation: object) -> bool:
    if isinstance(annotation, types.UnionType):
        return any(map(_is_a_number, typing.get_args(annotation)))
    return annotation in (int, float)


BOUNDS = sorted(
    name for name, field in Settings.model_fields.items() if _is_a_number(field.annotation) and name not in NO_BOUNDS
)


def rows_of(name: str) -> list[list[str]]:
    """The cells of the rows that name the setting."""
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|")
    return [row for row in rows if any(f"`{PREFIX}{name.upper()}`" in cell for cell in row)]


@each_case("name", BOUNDS)
def test_every_setting_that_bounds_something_says_what_is_beyond_it(name: str) -> None:
    rows = rows_of(name)
    assert rows, f"{PREFIX}{name.upper()} bounds something: docs/limits.md should say what a caller gets beyond it"
    assert all(len(row) == 4 and all(row) for row in rows)


@each_case("name", [name for name in BOUNDS if name != NUMBERED and Settings.model_fields[name].default is not None])
def test_the_page_has_the_defaults(name: str) -> None:
    shown = f"{Settings.model_fields[name].default:,}".removesuffix(".0")
    assert all(shown in re.findall(r"\d[\d.,]*\d|\d", row[1]) for row in rows_of(name))


def test_the_page_names_no_setting_that_is_not_there() -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)", PAGE))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_page_names_no_code_that_the_page_of_errors_does_not_have() -> None:
    errors = (ROOT / "docs" / "errors.md").read_text()
    codes = set(re.findall(r"\b[1-5]\d\d `([a-z_]+)`", PAGE))
    assert codes, "codes stand behind their status"
    assert {code for code in codes if f"`{code}`" not in errors} == set()
