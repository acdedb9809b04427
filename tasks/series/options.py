"""The options of the `forecast` task, and how words become them."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tasks.errors import InputTooLarge
from tasks.series.grid import TooManyCells
from tasks.series.horizon import Horizon, horizon_in, period_named
from tasks.series.inline import message_of
from tasks.series.plot import wants_plot
from tasks.wording.options import TaskOptions

MAX_INLINE_CHARS = 1_000_000
"""A text is searched for a series only if it has at most this many characters. The series in a longer text has to come
as a file."""


class ForecastOptions(TaskOptions):
    text: str = ""
    """The series, as CSV with a date and a value a line, or as numbers in a row. Give this or an input."""
    horizon: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of units to forecast. Default: the usual one for the step of the series."""
    unit: Literal["step", "hour", "day", "week", "month", "quarter", "year"] = "step"
    """Unit of the horizon; `step` is the distance of the values of the series."""
    series: Annotated[tuple[str, ...], Field(max_length=32)] = ()
    """Names of the columns or rows to forecast. Default: all."""
    plot: bool = False
    """Return a plot as well."""
    named_horizon: SkipJsonSchema[Horizon | None] = None
    """Horizon that words name, such as one until a date."""
    words: SkipJsonSchema[str] = ""
    """Words of the user, in which columns may be named."""

    @property
    def asked_horizon(self) -> Horizon | None:
        if self.horizon is None:
            return self.named_horizon
        return Horizon(self.horizon, None if self.unit == "step" else period_named(self.unit))

    @property
    def names(self) -> str:
        """Words that name the series to forecast."""
        return ", ".join(self.series) or self.words


def parse_forecast(words: str, has_sources: bool) -> ForecastOptions:
    """Return the options that a message asks for. Without inputs, the series is in it. Raises InputTooLarge."""
    if not has_sources:
        check_size(words)
    try:
        beside = message_of(words, MAX_INLINE_CHARS, has_sources=has_sources).words
    except TooManyCells as error:
        raise InputTooLarge(f"The table in the text {error}", param="messages") from error
    return options_beside("" if has_sources else words, beside)


def check_size(text: str) -> None:
    """Raise InputTooLarge if a text is too long to be searched for a series."""
    if len(text) > MAX_INLINE_CHARS:
        raise InputTooLarge(
            f"The text to find a series in has {len(text)} characters; the limit is {MAX_INLINE_CHARS}. Attach it as a "
            "CSV file.",
            param="messages",
        )


def options_beside(text: str, words: str) -> ForecastOptions:
    """Return the options for the series in `text`, if `words` stand beside it."""
    return ForecastOptions(text=text, named_horizon=horizon_in(words), plot=wants_plot(words), words=words)
