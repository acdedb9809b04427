"""Tables as files of Parquet: their columns have the types of the schema, and no value is lost."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.folders import files
from app.folders.failures import Failed
from app.folders.files import check
from app.folders.schemas import schema_of
from tests.conftest import ROOT

PYARROW = next((ROOT / ".venv-client").glob("lib/python*/site-packages/pyarrow"), ROOT / "none")
"""Apart from the packages of this process: pandas takes another way for texts where pyarrow is installed."""
SCHEMA = schema_of("number, date, total: number, count: integer, paid: boolean, tags: texts, lines[what, day: date]")
PROGRAM = """
import json, sys
from pathlib import Path
from pyarrow import parquet
from app.folders.files import write
from app.folders.reviews import PaperResult
from app.folders.state import Row

schema, results = json.load(sys.stdin)
rows = [Row(f"{number}.pdf", f"{number}.pdf", PaperResult(**one)) for number, one in enumerate(results)]
written = write(Path("out.parquet"), schema, lambda: iter(rows))
read = {file.name: parquet.read_table(file) for file in written}
told = {
    name: {"types": {one.name: str(one.type) for one in table.schema}, "rows": table.to_pylist()}
    for name, table in read.items()
}
print(json.dumps(told, default=str))
"""

needs_pyarrow = pytest.mark.skipif(
    not PYARROW.is_dir(), reason="needs the environment of pyarrow: `make .venv-client/.ready`"
)


def written(folder: Path, schema: Any, results: Any) -> Mapping[str, Any]:
    """Write a table with a row for each of `results` in another process, and return its files as they are read."""
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    for part in PYARROW.parent.glob("pyarrow*"):
        if not (packages / part.name).exists():
            (packages / part.name).symlink_to(part)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([schema, results]), env={"PYTHONPATH": f"{packages}:{ROOT}", "PATH": ""},
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@needs_pyarrow
def test_a_file_a_list_has_the_types_of_the_schema_and_all_values(tmp_path: Path) -> None:
    answer = {
        "number": "A-17", "date": "2026-03-12", "total": 12, "count": 3, "paid": True, "tags": ["a", "b"],
        "lines": [{"what": "=1+1", "day": "2026-03-01"}, {"what": None, "day": None}],
    }  # fmt: skip
    evidence = {"/total": {"probability": 0.8, "page": 2, "text": "12"}, "/lines/0/what": {"probability": 0.5}}
    told = written(tmp_path, SCHEMA, [{"answer": answer, "evidence": evidence}, {"error": "damaged"}])
    assert [*told] == ["out.parquet", "out.lines.parquet", "out.probabilities.parquet"]
    papers, lines, probabilities = told.values()
    assert papers["types"] == {
        "paper": "string", "number": "string", "date": "date32[day]", "total": "double", "count": "int64",
        "paid": "bool", "tags": "string", "sure by": "double", "error": "string",
    }  # fmt: skip
    assert [[*row.values()] for row in papers["rows"]] == [
        ["0.pdf", "A-17", "2026-03-12", 12.0, 3, True, "a; b", 0.8, None],
        ["1.pdf", None, None, None, None, None, None, None, "damaged"],
    ]
    assert [[*row.values()] for row in lines["rows"]] == [
        ["0.pdf", 1, "=1+1", "2026-03-01", 0.5],
        ["0.pdf", 2, None, None, None],
    ]
    assert lines["types"]["row"] == "int64"
    assert probabilities["rows"][0] == {
        "paper": "0.pdf",
        "field": "total",
        "probability": 0.8,
        "page": 2,
        "text": "12",
    }


def test_without_the_package_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_spec", lambda _: None)
    with pytest.raises(Failed, match=r"^out\.parquet needs the package pyarrow: run `openfaze install parquet`"):
        check(Path("out.parquet"))
    check(Path("out.csv"))
