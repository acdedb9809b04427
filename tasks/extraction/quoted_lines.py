"""Finds the lines of a mail that quote an earlier mail: `> Total: 99.00`, and all lines below `----- Original Message
-----`. Quoted lines answer a field only if the mail's own lines do not."""

import re

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates
from tasks.extraction.features import Matrix
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.second_choices import avoid_if_answered

_QUOTE = ">"
_RULE = re.compile(
    r"[-_]{2,} ?(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale"
    r"|mensagem original|oorspronkelijk bericht) ?[-_]{2,}",
    re.IGNORECASE,
)
"""Pattern of the line above a mail that is quoted as a whole, as Outlook and others write it."""
_LONGEST_RULE = 80


class QuotedLines:
    """The candidates in quoted lines. Call `read` before `avoid`."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._quoted: frozenset[int] = frozenset()

    def read(self) -> Slices[None]:
        quoting: set[tuple[int, int]] = set()
        for passage in self._candidates.passages:
            lines = yield from _quoted_lines(passage)
            # A mail in which every line is quoted only forwards another mail, so its lines do not count as quoted.
            if len(lines) < len(passage.lines):
                quoting.update((id(passage), line) for line in lines)
        quoted = []
        for index, span in enumerate(self._candidates.spans if quoting else ()):
            if index % SPANS_AT_ONCE == 0:
                yield
            if (id(span.passage), span.passage.line_at(span.words[0])) in quoting:
                quoted.append(index)
        self._quoted = frozenset(quoted)

    def avoid(self, logits: Matrix) -> frozenset[int]:
        """Prefer lines that are not quoted. Return the indices of the places in quoted lines."""
        avoid_if_answered(logits, self._quoted)
        return self._quoted


def _quoted_lines(passage: Passage) -> Slices[list[int]]:
    found = []
    is_below_rule = False
    for index, line in enumerate(passage.lines):
        if index % LINES_AT_ONCE == 0:
            yield
        if is_below_rule or (line.words and line.words[0].startswith(_QUOTE)):
            found.append(index)
        elif line.words and line.words[0][:2] in ("--", "__"):
            text = " ".join(line.words)
            is_below_rule = len(text) <= _LONGEST_RULE and _RULE.fullmatch(text) is not None
    return found
