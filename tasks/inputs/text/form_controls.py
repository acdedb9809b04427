"""Tells what a form's controls show (HTML, 4.10.5 and 4.10.7), which is often not what their attributes say."""

import re
from collections import defaultdict
from datetime import date
from math import isfinite

from bs4 import BeautifulSoup, Tag

_TEXTLESS_TYPES = frozenset({"hidden", "file", "color", "range", "image"})
"""Types of `input` elements that do not show their values as text."""
_DATE = r"\d{4}-(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?"
_VALUES = {
    "number": re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII),
    "date": re.compile(f"{_DATE}-{_DAY}", re.ASCII),
    "month": re.compile(_DATE, re.ASCII),
    "week": re.compile(r"\d{4}-W(?:0[1-9]|[1-4]\d|5[0-3])", re.ASCII),
    "time": re.compile(_TIME, re.ASCII),
    "datetime-local": re.compile(f"{_DATE}-{_DAY}[T ]{_TIME}", re.ASCII),
}
"""Patterns of the values that `input` elements of these types show. Others are discarded."""
_ROWS = 4
"""Number of options that a list of several choices shows unless it states another number."""


def type_of(control: Tag) -> str:
    """Return the type of an `input` element in small letters."""
    return str(control.get("type") or "").lower()


def value_shown(control: Tag) -> str:
    """Return the value that an `input` element shows; "" if it shows none."""
    kind, value = type_of(control), str(control.get("value") or "")
    pattern = _VALUES.get(kind)
    if kind in _TEXTLESS_TYPES or (pattern and not (pattern.fullmatch(value) and _exists(kind, value))):
        return ""
    return value.replace("\r", "").replace("\n", "")


def _exists(kind: str, value: str) -> bool:
    """False for a number that browsers do not represent, and for a day, a week or a year that no calendar has."""
    try:
        if kind == "number":
            return isfinite(float(value))
        if kind in ("date", "datetime-local"):
            date.fromisoformat(value[:10])
        elif kind == "week":
            date.fromisocalendar(int(value[:4]), int(value[-2:]), 1)
        return kind == "time" or int(value[:4]) > 0
    except ValueError:
        return False


def uncheck_others(soup: BeautifulSoup) -> None:
    """Leave only the last checked one of the radio buttons of each name in a form, as browsers do."""
    seen: set[tuple[int, str]] = set()
    forms: dict[int, int] = {}
    for tag in soup.find_all(True):
        forms[id(tag)] = id(tag) if tag.name == "form" else forms.get(id(tag.parent), 0)
    for control in reversed(soup.find_all("input", checked=True)):
        group = forms[id(control)], str(control.get("name") or "")
        if type_of(control) == "radio" and group[1]:
            if group in seen:
                del control["checked"]
            seen.add(group)


def show_labels(soup: BeautifulSoup) -> None:
    """Replace the text of options by their labels, which browsers show in its place."""
    for option in soup.find_all("option", label=True):
        if str(option["label"]):
            option.string = str(option["label"])


def options_out_of_view(soup: BeautifulSoup) -> list[Tag]:
    """Return the options that are seen only after opening or scrolling their list."""
    selects: dict[int, Tag] = {}  # by the identities of the elements within them
    options: defaultdict[int, list[Tag]] = defaultdict(list)
    for tag in soup.find_all(True):
        select = tag if tag.name == "select" else selects.get(id(tag.parent))
        if select is not None:
            selects[id(tag)] = select
            if tag.name == "option":
                options[id(select)].append(tag)
    return [option for some in options.values() for option in _out_of_view(selects[id(some[0])], some)]


def _out_of_view(select: Tag, options: list[Tag]) -> list[Tag]:
    selected = [option for option in options if option.has_attr("selected")]
    size = str(select.get("size") or "")
    stated = int(size) if size.isascii() and size.isdecimal() and len(size) < 9 else 0
    rows = stated or (_ROWS if select.has_attr("multiple") else 1)
    if rows == 1 and not select.has_attr("multiple"):
        chosen = selected[-1] if selected else None
        return [option for option in options if option is not chosen]
    if len(options) <= rows:
        return []
    # The list is scrolled to the option that is selected.
    return options if selected else options[rows:]
