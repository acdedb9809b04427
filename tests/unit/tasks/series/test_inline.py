"""Series in the text of a message."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tasks.series.inline import message_of

_PASTED = tomllib.loads((Path(__file__).parents[3] / "data" / "inline_series.toml").read_text("utf-8"))["series"]


@pytest.mark.parametrize("pasted", _PASTED, ids=[one["text"][:40] for one in _PASTED])
def test_a_series_is_found_as_people_paste_it(pasted: dict[str, Any]) -> None:
    table = message_of(pasted["text"], 1000, today=dt.date(2026, 7, 15)).table
    assert table is not None
    *dates, values = ([str(cell) for cell in column.cells] for column in table.columns)
    assert values == pasted["values"].split()
    assert dates == ([pasted["dates"].split()] if "dates" in pasted else [])


def test_a_year_that_was_assumed_is_told() -> None:
    message = message_of("Jan 10, Feb 12, Mar 15, Apr 11, May 14", 1000, today=dt.date(2026, 2, 1))
    assert message.note == "No year was given: the last value is assumed to be from 2025."


def test_a_list_that_begins_with_the_latest_value_tells_the_year_of_its_first() -> None:
    message = message_of("Dec 10, Nov 12, Oct 15", 1000, today=dt.date(2026, 2, 1))
    assert message.note == "No year was given: the first value is assumed to be from 2025."


def test_years_that_contradict_the_order_are_told_and_give_no_dates() -> None:
    message = message_of("Jan 2025: 5, Feb: 6, Jan 2024: 7, Mar: 8", 1000)
    assert message.table is not None
    assert [column.cells for column in message.table.columns] == [["5", "6", "7", "8"]]
    assert message.note == (
        "The years do not agree with the order of the values, so the values are used without dates."
    )


def test_dates_in_a_sentence_do_not_hide_a_longer_list_of_numbers() -> None:
    text = "Closed on Jan 5, Feb 3 and Mar 2. Sales: 12, 14, 15, 16, 17"
    table = message_of(text, 1000, today=dt.date(2026, 7, 15)).table
    assert table is not None
    assert [list(column.cells) for column in table.columns] == [["12", "14", "15", "16", "17"]]


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("form", ["{:02}.2023", "2023-{:02}", "2023/{}"])
@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "Item"), (",", ""), (";", "Item"), ("\t", "Item"), (" | ", "Item")]
)
def test_a_table_with_dates_across_is_found_in_a_message(delimiter: str, name: str, form: str, rows: int) -> None:
    head = [name, *(form.format(month) for month in range(1, 7)), "Total"]
    lines = [head, ["Sales", "10", "20", "30", "40", "50", "60", "210"], ["Costs", *"123456", "21"]][: rows + 1]
    message = message_of("\n".join(["Forecast 2 months:", *map(delimiter.join, lines), "Thanks"]), 1000)
    assert message.words == "Forecast 2 months:\nThanks"
    assert message.table is not None
    assert [[column.name, *column.cells] for column in message.table.columns[1:]] == [
        list(column) for column in zip(*lines, strict=True)
    ][1:]
