"""Plots of forecasts, and words that ask for one."""

import pytest

from tasks.series.plot import wants_plot


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("and plot it", True),
        ("画图", True),
        ("Forecast", False),
        ("without a plot", False),
        ("don't draw anything", False),
    ],
)
def test_words_ask_for_a_picture_or_not(words: str, wanted: bool) -> None:
    assert wants_plot(words) is wanted
