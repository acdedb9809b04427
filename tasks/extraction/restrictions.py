"""Finds values of which nothing nearby states what the name of a field restricts it to: `Deposit: 300` for
`pet_deposit`, `Mileage: 48,210` for `previous_mileage`.

The label of such a value agrees with the rest of the field's name. The value may still be meant, because a rent is paid
monthly even if the document does not say so; so it is doubtful, and not avoided.
"""

import tomllib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.candidates import Candidates
from tasks.extraction.features import FieldText
from tasks.extraction.folding import folded_words
from tasks.extraction.opposites import SidesInWords

WORDS_AT_ONCE: Final = 100
"""One slice of the work examines this many words of a line."""
_LINES_ABOVE: Final = 10
"""A restriction counts as stated if its words are in the value's line, in the next line, or in this many lines above,
which include the headers of most columns and sections."""
_TABLE: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    Path(__file__).with_name("restrictions.toml").read_text("utf-8")
)
_ASKED = SidesInWords({name: {name: words["asked"]} for name, words in _TABLE.items()})
_STATED = SidesInWords({name: {name: words["stated"]} for name, words in _TABLE.items()})


class Restrictions:
    """The lines that state restrictions. Call `read` before `unstated`."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._lines: dict[str, dict[int, list[int]]] = {}
        """Indices of the lines that state a restriction, in ascending order, by the restriction and by the index of the
        passage."""

    def read(self, fields: Iterable[FieldText]) -> Slices[None]:
        """Find the lines that state what any of `fields` is restricted to."""
        wanted = frozenset(name for field in fields for name in _restrictions_of(field))
        for at, passage in enumerate(self._candidates.passages if wanted else ()):
            for index, line in enumerate(passage.lines):
                for start in range(0, len(line.words), WORDS_AT_ONCE):
                    yield
                    words = folded_words(" ".join(line.words[start : start + WORDS_AT_ONCE]))
                    for side in _STATED.of(words):
                        lines = self._lines.setdefault(side.group, {}).setdefault(at, [])
                        if lines[-1:] != [index]:
                            lines.append(index)

    def unstated(self, field: FieldText) -> frozenset[int]:
        """Return the indices of the places near which a restriction of `field` is not stated."""
        names = _restrictions_of(field)
        if not names:
            return frozenset()
        places = {id(passage): at for at, passage in enumerate(self._candidates.passages)}
        return frozenset(
            index
            for index, span in enumerate(self._candidates.spans)
            if not self._is_stated(names, places[id(span.passage)], span.passage.line_at(span.words[0]))
        )

    def _is_stated(self, names: Collection[str], passage: int, line: int) -> bool:
        for name in names:
            lines = self._lines.get(name, {}).get(passage, [])
            at = bisect_left(lines, line - _LINES_ABOVE)
            if at == len(lines) or lines[at] > line + 1:
                return False
        return True


def _restrictions_of(field: FieldText) -> frozenset[str]:
    return frozenset(side.group for name in field.names.own for side in _ASKED.of(name))
