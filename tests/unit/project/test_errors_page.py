"""docs/errors.md has every code that an error can have."""

import re

from tests.conftest import ROOT


def test_every_code_has_its_row() -> None:
    code = "\n".join(file.read_text("utf-8") for folder in ("app", "tasks") for file in (ROOT / folder).rglob("*.py"))
    codes = set(re.findall(r"\bcode(?:: str)? ?= ?\"([a-z_]+)\"", code))
    assert len(codes) > 35
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    columns = re.findall(r"^\| \d{3} \|[^|]*\|([^|]*)\|", page, re.MULTILINE)
    assert codes - {one for column in columns for one in re.findall(r"`(\w+)`", column)} == set()
