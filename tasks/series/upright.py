"""Tables whose dates run along the top, turned."""

from tasks.series.date_columns import YEAR_NAME, is_moment, is_month
from tasks.series.dates import MONTHS
from tasks.series.table import Cell, Column, Table

_LEAST_DATES = 5
_MOST_OTHERS = 3
"""Columns beside the dates that may say what a row is."""


def upright(table: Table) -> Table:
    """Tables whose dates run along the top: a row for each series, or a row for each year and a column for each
    month."""
    columns = table.columns
    months = [at for at, one in enumerate(columns) if is_month(one.name)]
    dated = [at for at, one in enumerate(columns) if is_moment(one.name)]
    if len(months) == 12 and (year := next((one for one in columns if YEAR_NAME.fullmatch(one.name.strip())), None)):
        cells = [(year.cells[row], columns[at], row) for row in range(len(year.cells)) for at in months]
        dates = [f"{_whole(of)}-{MONTHS[column.name.lower()]:02}" for of, column, _ in cells]
        values = [column.cells[row] for _, column, row in cells]
        return Table([Column("date", dates), Column("value", values)], table.comma_likely)
    if len(dated) < _LEAST_DATES or len(dated) < len(columns) - _MOST_OTHERS:
        return table
    names = [column for at, column in enumerate(columns) if at not in dated]
    turned = [Column("date", [columns[at].name for at in dated])]
    for row in range(len(columns[0].cells)):
        name = next((str(column.cells[row]) for column in names if isinstance(column.cells[row], str)), "")
        turned.append(Column(name[:80], [columns[at].cells[row] for at in dated]))
    return Table(turned, table.comma_likely)


def _whole(cell: Cell) -> str:
    return f"{cell:.0f}" if isinstance(cell, float) else str(cell).removesuffix(".0")
