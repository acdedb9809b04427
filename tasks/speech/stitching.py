"""Words of neighbouring stretches as one text, and words at the times at which somebody speaks."""

from collections.abc import Sequence
from dataclasses import replace

from models.speech.transcriber import Word
from tasks.speech.cutter import Span
from tasks.speech.phrases import separator

_OVERLAP_S = 1.0
"""On either side of a cut in mid-speech."""
_APART_S = 0.4
"""How far apart two hearings of one word may be in time."""
_GAP_S = 0.25
"""A pause inside a word is no part of it: the alignment gave it to the word that borders on it."""
_ASTRAY_S = 0.5
"""A word so far from all speech was made up."""
_SHORTEST_S = 0.02
_HEARD_S = 0.1
"""Less is the next word's beginning."""
_EACH_S = 0.3
_LETTER_S = 0.07
"""How long a word takes, and each of its letters, where nobody hurries."""
_NAME_LETTERS = 4
_SYLLABLES = 0x2E80
"""From here on a sign of Unicode is a syllable or more."""


def joined(before: Sequence[Word], after: Sequence[Word], cut: float) -> list[Word]:
    """The words of two stretches that overlap around the second `cut`, each word once.

    Where both heard the same word, the text goes from the first hearing's to the second's there; where they agree on
    none, each word is taken from the stretch on whose side of the cut it is.
    """
    tail = [index for index, word in enumerate(before) if word.end > cut - _OVERLAP_S]
    head = [index for index, word in enumerate(after) if word.start < cut + _OVERLAP_S]
    agreed = [
        (abs(middle(before[first]) - cut), first, second)
        for first in tail
        for second in head
        if _plain(before[first]) == _plain(after[second])
        and abs(middle(before[first]) - middle(after[second])) < _APART_S
    ]
    if agreed:
        _, first, second = min(agreed)
        return [*before[: first + 1], *after[second + 1 :]]
    return [
        *(word for word in before if middle(word) < cut),
        *(word for word in after if middle(word) >= cut),
    ]


def fitted(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """`words` of one hearing without the silence that their times hold, in order, none overlapping the next."""
    placed: list[Word] = []
    earliest = 0.0
    for word in words:
        span = _spoken(word, speech, is_first=word is words[0])
        if span is None:
            continue
        start = max(span[0], earliest)
        end = max(span[1], start + _SHORTEST_S)
        placed.append(replace(word, start=start, end=end))
        earliest = end
    return placed


def whole(words: Sequence[Word]) -> list[Word]:
    """`words` of one hearing, with what the engine writes without a space in between as one: "K-O-W" comes as three."""
    found: list[Word] = []
    for word in words:
        if found and not word.text[:1].isspace() and separator(found[-1].text, word.text):
            found[-1] = _as_one(found[-1], word)
        else:
            found.append(word)
    return found


def _as_one(first: Word, second: Word) -> Word:
    """The probability is the mean over the tokens."""
    weights = max(1, len(first.tokens)), max(1, len(second.tokens))
    probability = (weights[0] * first.probability + weights[1] * second.probability) / sum(weights)
    tokens = first.tokens + second.tokens
    return Word(first.text + second.text, first.start, second.end, probability, tokens)


def doubtful(words: Sequence[Word], speech: Sequence[Span], least_s: float) -> list[Span]:
    """Where somebody speaks for `least_s` or longer and there are no words, or too few to take that long: the times of
    words reach over what was not heard. All are in order of time, and none overlap."""
    stretched = [
        (word.start, word.end)
        for word in words
        if _seconds(speech, word.start, word.end) >= _EACH_S + _LETTER_S * _letters(word.text) + least_s
    ]
    found: list[Span] = []
    for start, end in sorted([*_unheard(words, speech, least_s), *stretched]):
        if found and start - found[-1][1] < _GAP_S:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _unheard(words: Sequence[Word], speech: Sequence[Span], least_s: float) -> list[Span]:
    edges = (
        [speech[0][0], *(edge for word in words for edge in (word.start, word.end)), speech[-1][1]] if speech else []
    )
    gaps = [(first, second) for first, second in zip(edges[::2], edges[1::2], strict=True) if second > first]
    found = []
    for start, end in gaps:
        if _seconds(speech, start, end) >= least_s:
            spoken = within(speech, start, end)
            found.append((spoken[0][0], spoken[-1][1]))
    return found


def without_neighbours(found: Sequence[Word], words: Sequence[Word], span: Span) -> list[Word]:
    """`found` in `span`, without what `words` have beside it: both hearings may have heard it."""
    before = [word for word in words if span[0] - _APART_S < word.end <= span[0]]
    after = [word for word in words if span[1] <= word.start < span[1] + _APART_S]
    kept = list(found)
    if kept and before and _plain(kept[0]) == _plain(before[-1]):
        del kept[0]
    if kept and after and _plain(kept[-1]) == _plain(after[0]):
        del kept[-1]
    return kept


def within(speech: Sequence[Span], start: float, end: float) -> list[Span]:
    return [(max(start, first), min(end, last)) for first, last in speech if first < end and last > start]


def _seconds(speech: Sequence[Span], start: float, end: float) -> float:
    """For how long somebody speaks in between."""
    return sum(last - first for first, last in within(speech, start, end))


def _letters(text: str) -> int:
    """As many as it takes to say it: of a digit, those of its name; of a sign of Chinese, those of its syllable."""
    return sum(_NAME_LETTERS if char.isdigit() or ord(char) >= _SYLLABLES else 1 for char in text if char.isalnum())


def _spoken(word: Word, speech: Sequence[Span], *, is_first: bool) -> Span | None:
    """The part of the word's time in which somebody speaks; None where nobody does anywhere near. The time of a first
    word reaches back to the beginning, whatever is left out there."""
    near = [span for span in speech if span[0] < word.end + _ASTRAY_S and span[1] > word.start - _ASTRAY_S]
    if not near:
        return None
    parts = within(near, word.start, word.end)
    if not parts:
        return word.start, word.end
    groups = [[parts[0]]]
    for part in parts[1:]:
        if part[0] - groups[-1][-1][1] < _GAP_S:
            groups[-1].append(part)
        else:
            groups.append([part])
    spans = [(group[0][0], group[-1][1]) for group in groups]
    if is_first and spans[-1][1] - spans[-1][0] >= _HEARD_S:
        return spans[-1]
    return max(spans, key=lambda span: span[1] - span[0])


def middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _plain(word: Word) -> str:
    return "".join(filter(str.isalnum, word.text.lower()))
