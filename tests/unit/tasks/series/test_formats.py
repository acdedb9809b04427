"""Series in tables: of every form that files and messages have."""

import datetime as dt
import io
import json

import openpyxl
import pytest

from tasks.errors import InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import XLSX
from tasks.inputs.source import Blob
from tasks.series import formats
from tasks.series.columns import Mentions, ObservedSeries, series_in
from tasks.series.formats import delimited_table, json_table
from tasks.series.grid import SeriesTable, TooManyCells
from tasks.series.inline import message_of
from tasks.series.reading import workbook_series
from tests.conftest import each_case

VALUES = [3.0, 5.0, 4.0, 6.0, 7.0]
CELLS = MediaLimits().cells
DAYS = [f"2024-01-0{day}" for day in range(1, 6)]


def series(table: SeriesTable | None, words: str = "") -> dict[str, list[float | None]]:
    assert table is not None
    return {one.name: list(one.values) for one in series_in(table, Mentions(words))}


def only(table: SeriesTable | None, words: str = "") -> ObservedSeries:
    assert table is not None
    [one] = series_in(table, Mentions(words))
    return one


def rows(separator: str = ",", head: str = "date,sold") -> str:
    lines = [head, *(f"{day},{value:g}" for day, value in zip(DAYS, VALUES, strict=True))]
    return "\n".join(lines).replace(",", separator)


@each_case(
    "text",
    [
        rows(),
        rows(";"),
        rows("\t"),
        rows(", "),
        '"' + rows().replace(",", '","').replace("\n", '"\n"') + '"',
        "Sales report\n" + rows() + "\n",
        "| date | sold |\n|---|---:|\n" + "\n".join(f"| {d} | {v:g} |" for d, v in zip(DAYS, VALUES, strict=True)),
        "\n".join(rows().splitlines()[1:]),
    ],
)
def test_any_delimiter_is_found(text: str) -> None:
    one = only(delimited_table(text, CELLS))
    assert list(one.values) == VALUES
    assert one.times is not None
    assert one.times[0] == dt.datetime(2024, 1, 1)
    assert one.times[-1] == dt.datetime(2024, 1, 5)


SHOPS = "date,shop,sold,visitors\n" + "\n".join(
    f"2024-01-0{day},{shop},{day * scale},{day}" for day in (1, 2, 3) for shop, scale in (("Berlin", 1), ("Rome", 10))
)


IDS = "unique_id,ds,y\n" + "\n".join(f"{name},2024-01-0{day},{day}" for name in "AB" for day in (1, 2, 3))


@each_case(
    ("text", "words", "expected"),
    [
        # Decimal commas.
        ("Datum;Umsatz\n01.02.2024;1.234,50\n02.02.2024;999,25\n", "", {"Umsatz": [1234.5, 999.25]}),
        ("12,5\n11,5\n13,5\n", "", {"": [12.5, 11.5, 13.5]}),
        ("1,12\n2,14\n3,13\n", "", {"": [12.0, 14.0, 13.0]}),
        ("1998,5\n2003,7\n2011,2\n", "", {"": [1998.5, 2003.7, 2011.2]}),
        ("Preis\n1.012,50 €\n1.100,20 €\n1.204,00 €\n", "", {"Preis": [1012.5, 1100.2, 1204.0]}),
        # Missing values; words and row numbers; rows that are series.
        ("date,v\n2024-01-01,1\n2024-01-02,NA\n2024-01-03,\n2024-01-04,4", "", {"v": [1.0, None, None, 4.0]}),
        ("id,date,shop,sold\n1,2024-01-01,A,5\n2,2024-01-02,A,6\n3,2024-01-03,A,9\n", "", {"sold": [5.0, 6.0, 9.0]}),
        ("name,2019,2020,2021,2022,2023\na,1,2,3,4,5\nb,6,7,8,9,0\n", "", {"a": [1, 2, 3, 4, 5], "b": [6, 7, 8, 9, 0]}),
        # Columns and rows that the request names.
        (SHOPS, "How many will be Sold?", {"sold": [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]}),
        (SHOPS, "Forecast the visitor numbers", {"visitors": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]}),
        (SHOPS, "sold in Rome", {"Rome": [10.0, 20.0, 30.0]}),
        (SHOPS, "forecast sold by shop", {"Berlin": [1.0, 2.0, 3.0], "Rome": [10.0, 20.0, 30.0]}),
        (IDS, "", {"A": [1.0, 2.0, 3.0], "B": [1.0, 2.0, 3.0]}),
    ],
)
def test_the_series_of_a_table(text: str, words: str, expected: dict[str, list[float | None]]) -> None:
    assert series(delimited_table(text, CELLS), words) == expected


def test_all_columns_of_numbers_are_series_unless_some_are_named() -> None:
    assert list(series(delimited_table(SHOPS, CELLS))) == ["sold", "visitors"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("year,quarter,gdp\n1959,1,10\n1959,2,11\n1959,3,12\n", dt.datetime(1959, 1, 1)),
        ("Jahr;Monat;Wert\n1959;Apr;10\n1959;Mai;11\n", dt.datetime(1959, 4, 1)),
        ("year,month,day,v\n2024,1,30,5\n2024,1,31,6\n", dt.datetime(2024, 1, 30)),
        ("YEAR,SUNACTIVITY\n1700,5\n1701,11\n1702,16\n", dt.datetime(1700, 1, 1)),
        ("timestamp,v\n1704067200,5\n1704070800,6\n", dt.datetime(2024, 1, 1)),
        ("yyyymmdd,v\n20240131,5\n20240201,6\n", dt.datetime(2024, 1, 31)),
        ("1959,10\n1960,11\n1961,9\n", dt.datetime(1959, 1, 1)),
    ],
)
def test_numbers_are_dates_where_their_columns_say_so(text: str, first: dt.datetime) -> None:
    one = only(delimited_table(text, CELLS))
    assert one.times is not None
    assert one.times[0] == first


def test_years_down_and_months_across_are_one_series() -> None:
    months = "JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC"
    numbers = ",".join(str(number) for number in range(1, 13))
    one = only(delimited_table(f"YEAR,{months}\n1950,{numbers}\n1951,{numbers}\n", CELLS))
    assert list(one.values) == [float(number) for number in range(1, 13)] * 2
    assert one.times is not None
    assert one.times[13] == dt.datetime(1951, 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        '[{"d": "2024-01-01", "v": 3}, {"d": "2024-01-02", "v": 5}]',
        '{"d": ["2024-01-01", "2024-01-02"], "v": [3, 5]}',
        '{"meta": {"unit": "kg"}, "data": {"rows": [{"d": "2024-01-01", "v": 3}, {"d": "2024-01-02", "v": 5}]}}',
        '{"2024-01-01": 3, "2024-01-02": 5, "2024-01-03": null}',
        '{"v": {"2024-01-01": 3, "2024-01-02": 5}}',
        '{"d": "2024-01-01", "v": 3}\n{"d": "2024-01-02", "v": 5}\n',
    ],
)
def test_json_is_a_table_in_each_of_its_forms(text: str) -> None:
    one = only(json_table(text, CELLS))
    assert list(one.values)[:2] == [3.0, 5.0]
    assert one.times is not None
    assert one.times[1] == dt.datetime(2024, 1, 2)


@pytest.mark.parametrize("text", ["", "{", "[]", "12", '"a"', "[" * 5000, '{"a": {"b": {}}}', "[true, false]"])
def test_json_without_a_table_has_no_series(text: str) -> None:
    table = json_table(text, CELLS)
    assert table is None or series_in(table, Mentions("")) == []


@each_case(
    ("text", "words", "values"),
    [
        ("Predict the next 3 values: 3, 5, 4, 6, 7", "Predict the next 3 values:", VALUES),
        ("3 5 4 6 7 → next 2?", "→ next 2?", VALUES),
        ("Weiter: 3,5; 4,5; 6,25", "Weiter:", [3.5, 4.5, 6.25]),
        ("Forecast 2 days:\n" + rows(), "Forecast 2 days:", VALUES),
        ("Forecast the next 2 days of this: " + rows(), "Forecast the next 2 days of this:", VALUES),
        ("```csv\n" + rows() + "\n```\nGo on for 2 days", "Go on for 2 days", VALUES),
        ("Continue [3, 5, 4, 6, 7] for 2 steps", "Continue for 2 steps", VALUES),
    ],
)
def test_a_message_is_told_from_the_numbers_in_it(text: str, words: str, values: list[float]) -> None:
    message = message_of(text, CELLS)
    assert " ".join(message.words.split()) == words
    assert list(only(message.table).values) == values


def test_addresses_are_no_words_and_numbers_beside_sources_are() -> None:
    assert message_of("Forecast https://a.example/sold-2024.csv now", CELLS).words.split() == ["Forecast", "now"]
    assert message_of("the next 5, 6, 7", CELLS, has_sources=True).table is None


def workbook(*sheets: list[list[object]], hidden: bool = False) -> Blob:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, cells in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number + 1}")
        for row in cells:
            sheet.append(row)
    if hidden:
        book.worksheets[0].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return Blob(buffer.getvalue(), XLSX, "book.xlsx", "p")


TITLED: list[list[object]] = [
    ["Report"],
    [],
    ["Month", "Units", "Share"],
    *[[dt.datetime(2024, month, 1), month * 10, month / 3] for month in range(1, 7)],
]


def test_a_sheet_has_its_values_unrounded_below_its_title() -> None:
    found = {one.name: one.values for one in workbook_series(workbook(TITLED), MediaLimits(), "").series}
    assert found["Units"] == [10, 20, 30, 40, 50, 60]
    assert found["Share"] == pytest.approx([month / 3 for month in range(1, 7)], rel=1e-12)


def test_hidden_sheets_are_left_out() -> None:
    found = workbook_series(workbook([["Hidden"], *([[1]] * 6)], TITLED, hidden=True), MediaLimits(), "")
    assert [one.name for one in found.series] == ["Units", "Share"]
    assert "Hidden" not in found.column_names


@each_case(
    ("rows", "cells"),
    [
        (TITLED, 10),
        ([["x"] * 300, *[[1]] * 190], 400),
        ([["x"] * 200, *[[*[None] * 199, 1]] * 150], 1_400),
    ],
)
def test_a_workbook_with_too_many_cells_or_places_is_refused(rows: list[list[object]], cells: int) -> None:
    with pytest.raises(InputTooLarge, match=f"more than {cells} cells"):
        workbook_series(workbook(rows), MediaLimits(cells=cells), "")


def test_empty_columns_of_a_workbook_do_not_count() -> None:
    rows: list[list[object]] = [["day", *[None] * 200, "sold"], *[[at, *[None] * 200, 2 * at] for at in range(9)]]
    (series,) = workbook_series(workbook(rows), MediaLimits(cells=200), "sold").series
    assert list(series.values) == [2.0 * at for at in range(9)]


@each_case(
    "value",
    [
        [{f"a{at}": 1} for at in range(1001)],
        [[1] * 1001, *[[1]] * 1001],
        {f"a{at}": {f"b{at}": 1, f"c{at}": 2} for at in range(1001)},
    ],
)
def test_a_table_that_would_be_larger_than_its_text_is_refused_before_it_is_made(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0

    def counted(cell: object) -> object:
        nonlocal made
        made += 1
        return cell

    monkeypatch.setattr(formats, "cell_of", counted)
    text = json.dumps(value)
    with pytest.raises(TooManyCells, match="more than 1000000 cells, the limit"):
        json_table(text, CELLS)
    with pytest.raises(TooManyCells):
        message_of(f"forecast {text}", CELLS)
    assert made < 10_000


@pytest.mark.parametrize(
    ("head", "months", "last"),
    [
        ("Monat;Umsatz", [f"{month:02}.2023" for month in range(1, 11)], ""),
        ("Monat;Umsatz", [f"2023.{month:02}" for month in range(10, 0, -1)], ""),
        ("Monat;Umsatz", [f"{month:02}.2023" for month in range(1, 11)], "Summe;2450\n"),
        ("Monat;Umsatz", [f"{month:02}.2023" for month in range(1, 11)], "2023;2450\n"),
        ("Monat;Umsatz", [f"{month:02}/2023" for month in range(1, 11)], "∑;2450,40\n"),
    ],
)
def test_months_with_dots_are_dates_and_a_sum_is_no_value(head: str, months: list[str], last: str) -> None:
    values = [200.0 + 10 * place for place in range(10)]
    text = "".join(f"{month};{value:.0f}\n" for month, value in zip(months, values, strict=True))
    found = only(delimited_table(f"{head}\n{text}{last}", CELLS))
    assert found.times is not None
    assert {time and time.month for time in found.times[:10]} == {*range(1, 11)}
    assert [value for time, value in zip(found.times, found.values, strict=True) if time and value] == values


@pytest.mark.parametrize(
    ("last", "is_value"), [("Total;60", False), ("Total;61", True), (";60", True), ("Jun 2024;60", True)]
)
def test_only_a_labelled_sum_is_left_out(last: str, is_value: bool) -> None:
    names = [f"{name} 2024" for name in ("Jan", "Feb", "Mar")] if "2024" in last else ["North", "South", "West"]
    rows = "".join(f"{name};{value}\n" for name, value in zip(names, (10, 20, 30), strict=True))
    found = only(delimited_table(f"Where;Sold\n{rows}{last}\n", CELLS))
    assert found.count == 3 + is_value


@pytest.mark.parametrize("form", ["{:02}.2023", "2023-{:02}"])
def test_a_column_of_sums_is_no_date_of_a_table_across(form: str) -> None:
    months = ";".join(form.format(month) for month in range(1, 9))
    found = only(delimited_table(f"Posten;{months};Summe\nUmsatz;1;2;3;4;5;6;7;8;36\n", CELLS))
    assert (found.name, list(found.values)) == ("Umsatz", [1, 2, 3, 4, 5, 6, 7, 8])


@pytest.mark.parametrize("form", ["01.{:02}.2023", "{}/1/2023"])
def test_a_sum_does_not_hide_the_order_of_day_and_month(form: str) -> None:
    rows = "".join(f"{form.format(month)};{10 * month + 3}\n" for month in range(1, 13))
    found = only(delimited_table(f"Monat;kWh\n{rows}Summe;816\n", CELLS))
    assert found.times is not None
    assert [time and (time.month, time.day) for time in found.times] == [*((month, 1) for month in range(1, 13)), None]


def test_decimals_are_no_months() -> None:
    assert only(delimited_table("n;share\n1;1.2023\n2;1.1950\n3;2.0100\n4;1.1999\n", CELLS), "share").times is None
