"""Words of neighbouring stretches as one text, and words at the times at which somebody speaks."""

from collections.abc import Sequence
from dataclasses import replace

from models.speech.transcriber import Word
from tasks.speech.cutter import Span

_OVERLAP_S = 1.0
"""On either side of a cut in mid-speech."""
_APART_S = 0.4
"""How far apart two hearings of one word may be in time."""
_GAP_S = 0.25
"""A pause inside a word is no part of it: the alignment gave it to the word that borders on it."""
_ASTRAY_S = 0.5
"""A word so far from all speech was made up."""
_SHORTEST_S = 0.02


def joined(before: Sequence[Word], after: Sequence[Word], cut: float) -> list[Word]:
    """The words of two stretches that overlap around the second `cut`, each word once.

    Where both heard the same word, the text goes from the first hearing's to the second's there; where they agree on
    none, each word is taken from the stretch on whose side of the cut it is.
    """
    tail = [index for index, word in enumerate(before) if word.end > cut - _OVERLAP_S]
    head = [index for index, word in enumerate(after) if word.start < cut + _OVERLAP_S]
    agreed = [
        (abs(_middle(before[first]) - cut), first, second)
        for first in tail
        for second in head
        if _plain(before[first]) == _plain(after[second])
        and abs(_middle(before[first]) - _middle(after[second])) < _APART_S
    ]
    if agreed:
        _, first, second = min(agreed)
        return [*before[: first + 1], *after[second + 1 :]]
    return [
        *(word for word in before if _middle(word) < cut),
        *(word for word in after if _middle(word) >= cut),
    ]


def fitted(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """`words` without the silence that their times hold, in order, none overlapping the next."""
    placed: list[Word] = []
    earliest = 0.0
    for word in words:
        span = _spoken(word, speech)
        if span is None:
            continue
        start = max(span[0], earliest)
        end = max(span[1], start + _SHORTEST_S)
        placed.append(replace(word, start=start, end=end))
        earliest = end
    return placed


def unheard(words: Sequence[Word], speech: Sequence[Span], least_s: float) -> list[Span]:
    """Where somebody speaks for `least_s` or longer and there are no words. Both are in order of time."""
    edges = (
        [speech[0][0], *(edge for word in words for edge in (word.start, word.end)), speech[-1][1]] if speech else []
    )
    gaps = [(first, second) for first, second in zip(edges[::2], edges[1::2], strict=True) if second > first]
    found = []
    for start, end in gaps:
        spoken = [(max(start, first), min(end, last)) for first, last in speech if first < end and last > start]
        if sum(last - first for first, last in spoken) >= least_s:
            found.append((spoken[0][0], spoken[-1][1]))
    return found


def _spoken(word: Word, speech: Sequence[Span]) -> Span | None:
    """The part of the word's time in which somebody speaks; None where nobody does anywhere near."""
    near = [span for span in speech if span[0] < word.end + _ASTRAY_S and span[1] > word.start - _ASTRAY_S]
    if not near:
        return None
    parts = [
        (max(word.start, first), min(word.end, last)) for first, last in near if first < word.end and last > word.start
    ]
    if not parts:
        return word.start, word.end
    groups = [[parts[0]]]
    for part in parts[1:]:
        if part[0] - groups[-1][-1][1] < _GAP_S:
            groups[-1].append(part)
        else:
            groups.append([part])
    longest = max(groups, key=lambda group: group[-1][1] - group[0][0])
    return longest[0][0], longest[-1][1]


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _plain(word: Word) -> str:
    return "".join(filter(str.isalnum, word.text.lower()))
