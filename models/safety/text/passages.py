"""Divides a text into windows, which are read one at a time, and into passages, each of which is judged as a whole."""

LONGEST = 600
"""A text with at most this many characters is judged as a whole. The texts that the head was trained on are seldom
longer."""

_PASSAGE_CHARS = 320
"""Largest length of a passage of a longer text, in characters. A question that hides in a passage must not be too small
a part of it."""

_STEP = 160
"""Two successive passages begin at most this many characters apart, and overlap by about as many. In a text with
spaces, nearly every part up to this length is therefore complete in one passage."""

WINDOW = 16 * 1024
"""A text is read in windows of this many characters, which take some milliseconds for each regular expression."""

_WINDOW_OVERLAP = 2048
"""Neighbouring windows share this many characters, so that every part of a text up to this length is complete in one of
them."""

_LONGEST_WORD = 256
"""A window ends between words, or anywhere if its last word is longer than this."""


def windows_of(text: str) -> list[str]:
    """Return windows that cover all of `text`."""
    windows, start = [], 0
    while len(text) - start > WINDOW:
        stop = _break(text, start + WINDOW, start + WINDOW - _LONGEST_WORD)
        windows.append(text[start:stop])
        start = stop - _WINDOW_OVERLAP
    return [*windows, text[start:]]


def passages_of(text: str) -> list[str]:
    """Return passages that cover all of `text`: one passage if it is short, else passages that begin and end between
    words if there are any."""
    if len(text) <= LONGEST:
        return [text]
    passages, start = [], 0
    while len(text) - start > _PASSAGE_CHARS:
        passages.append(text[start : _break(text, start + _PASSAGE_CHARS, start + _STEP)])
        start = _break(text, start + _STEP, start + _STEP // 2)
    return [*passages, text[start:]]


def _break(text: str, stop: int, least: int) -> int:
    """Return the last place between two words in text[least:stop]; `stop` if there is none."""
    space = max(text.rfind(" ", least, stop), text.rfind("\n", least, stop))
    return space + 1 if space >= 0 else stop
