"""Patterns of what people call the things that tasks do, from words.toml."""

import re
import tomllib
from pathlib import Path
from typing import Final

Pattern = re.Pattern[str]

_TABLE: Final[dict[str, list[str]]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _pattern(subject: str) -> Pattern:
    return re.compile("|".join(_TABLE[subject]), re.IGNORECASE)


TRANSLATE: Final = _pattern("translate")
SAY_IN: Final = _pattern("say_in")
WRITE: Final = _pattern("write")
FORECAST: Final = _pattern("forecast")
HORIZON: Final = _pattern("horizon")
PERIOD: Final = _pattern("period")
DETECT: Final = _pattern("detect")
LOOK_FOR: Final = _pattern("look_for")
WRITTEN: Final = _pattern("written")
GUI: Final = _pattern("gui")
SEARCH: Final = _pattern("search")
FRESH: Final = _pattern("fresh")
CHANGING: Final = _pattern("changing")
COSTS: Final = _pattern("costs")
CHANGES_ALWAYS: Final = _pattern("changes_always")
READ_OUT: Final = _pattern("read_out")
ALL_THAT_IS_WRITTEN: Final = _pattern("all_that_is_written")
ALSO: Final = _pattern("also")
ABOUT_DOING: Final = _pattern("about_doing")
DAY: Final = _pattern("day")
FIRST_PERSON: Final = _pattern("first_person")
QUESTION: Final = _pattern("question")
OWN_WORDS: Final = _pattern("own_words")
OPEN: Final = _pattern("open")
NOT_BEFORE: Final = _pattern("not_before")
NOT_AFTER: Final = _pattern("not_after")
