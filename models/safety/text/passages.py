"""A text in windows, which are read at a time, and in passages, each of which is judged as a whole."""

import re

LONGEST = 600
"""Characters of a text that is judged as a whole: what the head learned from is seldom longer."""

_PASSAGE = 320
"""Characters of a passage of a longer text: a question that hides in it should not be a small part of its passage."""

_STEP = 160
"""Characters by which passages advance; each reaches as far into the next: what is shorter stands whole in one."""

WINDOW = 32 * 1024
"""Characters that are read at a time: some milliseconds for each regular expression."""

_SHARED = 2048
"""Characters that neighbouring windows have both: what is shorter stands whole in one of them."""

_LONG_RUN = WINDOW // 4

_GROUP = 24
"""Characters that are whole bytes, and pairs of bytes, in any of hexadecimal, base64, base32 and binary."""

_RUN = re.compile(r"[\w+/=%\\\-]*", re.ASCII)


def windows_of(text: str) -> list[str]:
    """All of `text`. A window ends between words and not within a short run of an encoding; a long run is cut where its
    bytes end."""
    windows, start = [], 0
    while len(text) - start > WINDOW:
        stop = start + WINDOW
        run = _RUN.match(text[start:stop][::-1])
        assert run is not None  # it may be empty
        is_cut = run.end() >= _LONG_RUN
        stop -= run.end() % _GROUP if is_cut else run.end()
        windows.append(text[start:stop])
        start = stop - _SHARED - (-_SHARED % _GROUP if is_cut else 0)
    return [*windows, text[start:]]


def passages_of(text: str) -> list[str]:
    """All of `text`: one passage if it is short, else passages that begin and end between words if there are any."""
    if len(text) <= LONGEST:
        return [text]
    passages, start = [], 0
    while len(text) - start > _PASSAGE:
        passages.append(text[start : _break(text, start + _PASSAGE, start + _STEP)])
        start = _break(text, start + _STEP, start + _STEP // 2)
    return [*passages, text[start:]]


def _break(text: str, stop: int, least: int) -> int:
    """The last place between two words in text[least:stop]; `stop` where there is none."""
    space = max(text.rfind(" ", least, stop), text.rfind("\n", least, stop))
    return space + 1 if space >= 0 else stop
