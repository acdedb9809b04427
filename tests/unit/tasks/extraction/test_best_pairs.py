"""Rows and columns are paired as SciPy pairs them."""

import subprocess
import sys

import numpy as np
from scipy.optimize import linear_sum_assignment

from tasks.extraction.best_pairs import best_pairs


def test_pairs_are_those_of_scipy_even_among_equals() -> None:
    random = np.random.default_rng(1)
    for case in range(600):
        shape = random.integers(1, 12, 2)
        worth = random.random(shape) if case % 3 else random.integers(0, 3, shape).astype(np.float32)
        expected = [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(worth, True), strict=True)]
        assert best_pairs(worth) == expected
    assert best_pairs(np.zeros((0, 3))) == []


def test_lists_are_read_without_scipy() -> None:
    code = (
        "import sys, tasks.layout.tables, tasks.extraction.extract\n"
        "ruled = [((0.0, y), (200.0, y)) for y in (0.0, 40.0, 80.0)]\n"
        "ruled += [((x, 0.0), (x, 80.0)) for x in (0.0, 100.0, 200.0)]\n"
        "tasks.layout.tables.tables_on([], ruled)\n"
        "assert 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
