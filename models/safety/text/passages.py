"""A long text in passages that are judged one by one."""

LONGEST = 600
"""Characters of a text that is judged as a whole: what the head learned from is seldom longer."""
_PASSAGE = 320
"""Characters of a passage of a longer text: a question that hides in it should not be a small part of its passage."""
_STEP = 160
"""Characters by which passages advance; each reaches as far into the next, so that what is shorter stands whole in
one of them."""


def passages_of(text: str) -> list[str]:
    """All of `text`, which is one passage if it is short, else passages that begin and end between words where there
    are any."""
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
