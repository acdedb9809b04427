"""The comparison of written tables with the API's answers counts each cell that is another, or that is missing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.extract.files import write
from app.extract.schemas import schema_of
from app.extract.state import PaperResult, Row
from bench.folder_runs import differing_cells

SCHEMA = schema_of("number, paid: boolean, items[what, price: number]")
ANSWERS = [
    Row("a", "a", PaperResult({"number": "1", "paid": True, "items": [{"what": "x", "price": 2}] * 2})),
    Row("b", "b", PaperResult(error="damaged")),
]
CELLS = 2 * len(("paper", "number", "paid", "sure by", "error")) + 2 * len(("paper", "row", "what", "price", "sure by"))


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        (None, 0),
        ("UPDATE papers SET number = '2' WHERE paper = 'a'", 1),
        ("UPDATE items SET price = price + 1", 2),
        ("DELETE FROM items WHERE row = 2", 5),
        ("INSERT INTO items VALUES ('b', 1, 'y', 3, NULL)", 5),
        ("UPDATE papers SET error = NULL", 1),
    ],
)
def test_each_cell_that_is_another_is_counted(tmp_path: Path, change: str | None, differing: int) -> None:
    out = tmp_path / "out.sqlite"
    write(out, SCHEMA, lambda: iter(ANSWERS))
    if change:
        with closing(sqlite3.connect(out)) as db, db:
            db.execute(change)
    assert differing_cells(out, SCHEMA, ANSWERS) == (CELLS, differing)
