"""The columns of tables are compared with the fields of a request's lists in bounded work."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tasks.extraction import assign
from tasks.extraction.column_values import values_of_column
from tasks.extraction.fields import WantedField, remembered
from tasks.extraction.names import names_of
from tasks.extraction.table_lists import FilledList, fill_lists
from tasks.extraction.table_readings import headed_tables
from tasks.extraction.written_tables import tables_in
from tasks.schema.paths import JsonPath
from tests.entries import entry_of


def filled_and_cells(
    lists: int, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> tuple[Mapping[JsonPath, FilledList], int]:
    """Return `lists` lists of the same fields filled from a table of 150 rows, and the number of cells that are read to
    compare its columns with the fields. `more` has further keywords of the schemas, each with a value for each list."""
    entry = entry_of("scraper", {"text": "name;price\n" + "\n".join(f"Item {row};{row}.50" for row in range(150))})
    wanted: dict[JsonPath, list[WantedField]] = {}
    for index in range(lists):
        schemas = {"name": {"type": "string"}, "price": {"type": "number"}}
        wanted[f"list{index}",] = [
            WantedField((f"list{index}", name), schema, names_of((name,), schema), lambda value: value is not None)
            for name, own in schemas.items()
            for schema in [{**own, **{keyword: values[index] for keyword, values in more.items()}}]
        ]
    readings = headed_tables(tables_in([entry]), [one for own in wanted.values() for one in own])
    likeness = {(one.path, str(one.path[-1])): 1.0 for own in wanted.values() for one in own}
    compared: list[str] = []

    def counting(column: Sequence[str], *args: Any, **named: Any) -> list[Any]:
        compared.extend(column)
        return values_of_column(column, *args, **named)

    monkeypatch.setattr(assign, "values_of_column", counting)
    filled = fill_lists(readings, wanted, likeness)
    return filled, len(compared)


def test_the_columns_of_a_table_are_compared_once_with_equal_fields_of_many_lists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, of_one = filled_and_cells(1, monkeypatch)
    filled, of_many = filled_and_cells(20, monkeypatch)
    assert of_many < 1.1 * of_one
    assert [len(one.rows) for one in filled.values()] == [150]


def test_fewer_rows_are_compared_with_many_different_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    _, of_one = filled_and_cells(1, monkeypatch)
    filled, of_many = filled_and_cells(20, monkeypatch, maxLength=range(100, 120))
    assert of_many > 15 * of_one
    monkeypatch.setattr(assign, "MAX_CELLS", 4 * of_one)
    fewer, bounded = filled_and_cells(20, monkeypatch, maxLength=range(100, 120))
    assert bounded < 0.4 * of_many
    assert [one.rows for one in fewer.values()] == [one.rows for one in filled.values()]


def test_a_value_is_checked_once_against_a_schema() -> None:
    checked: list[Any] = []
    fits = remembered(lambda value: not checked.append(value))
    assert [fits(value) for value in (1, 1.0, True, "1", 1, "1")] == [True] * 6
    assert checked == [1, 1.0, True, "1"]
    assert fits([1])
    assert fits([1])
    assert checked[4:] == [[1], [1]]
