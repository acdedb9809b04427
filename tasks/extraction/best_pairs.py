"""Pairs rows with columns so that the sum of their worths is largest: the fields of a list with the columns of a table.

This is the method of shortest augmenting paths (Crouse, "On implementing 2D rectangular assignment algorithms", 2016).
Of equally good pairs, it chooses those that SciPy chooses. SciPy itself is not used, because importing it takes two
seconds of a processor.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_pairs(worth: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Return the pairs of a row and a column of `worth`, by row, whose sum is largest. Each row and each column is in
    at most one pair. If there are fewer rows than columns, each row is in a pair; otherwise, each column is."""
    is_tall = worth.shape[0] > worth.shape[1]
    costs = -np.asarray(worth.T if is_tall else worth, np.float64)
    row_count, column_count = costs.shape
    row_prices, column_prices = np.zeros(row_count), np.zeros(column_count)
    column_of, row_of = np.full(row_count, -1), np.full(column_count, -1)
    for row in range(row_count):
        _add(row, costs, row_prices, column_prices, column_of, row_of)
    pairs = [(row, int(column)) for row, column in enumerate(column_of)]
    return sorted((column, row) for row, column in pairs) if is_tall else pairs


def _add(
    row: int,
    costs: Floats,
    row_prices: Floats,
    column_prices: Floats,
    column_of: NDArray[np.int64],
    row_of: NDArray[np.int64],
) -> None:
    """Give one more row a column, along the cheapest path of exchanges with other rows."""
    lengths = np.full(len(row_of), np.inf)
    rows_before = np.full(len(row_of), -1)
    open_columns = np.arange(len(row_of))[::-1].copy()
    open_count = len(row_of)
    passed: list[int] = []
    last_row, length = row, 0.0
    while True:
        columns = open_columns[:open_count]
        through = length + costs[last_row, columns] - row_prices[last_row] - column_prices[columns]
        is_shorter = through < lengths[columns]
        lengths[columns[is_shorter]] = through[is_shorter]
        rows_before[columns[is_shorter]] = last_row
        at = _nearest(lengths[columns], row_of[columns])
        column = int(columns[at])
        length = float(lengths[column])
        passed.append(column)
        open_count -= 1
        open_columns[at] = open_columns[open_count]
        if row_of[column] < 0:
            break
        last_row = int(row_of[column])
    row_prices[row] += length
    for one in passed[:-1]:
        row_prices[row_of[one]] += length - lengths[one]
    column_prices[passed] -= length - lengths[passed]
    while True:
        row_before = int(rows_before[column])
        row_of[column] = row_before
        column, column_of[row_before] = int(column_of[row_before]), column
        if row_before == row:
            return


def _nearest(lengths: Floats, rows: NDArray[np.int64]) -> int:
    """Return the index of the smallest length. If several are equal, it is the last one whose column has no row or, if
    all columns have one, the first."""
    nearest = np.flatnonzero(lengths == lengths.min())
    free = nearest[rows[nearest] < 0]
    return int(free[-1] if len(free) else nearest[0])
