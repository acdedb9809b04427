"""Finds the lines of a mail that quote an earlier mail: `> Total: 99.00`, all lines below `----- Original Message
-----`, and the header of a forwarded mail, such as `From: …` and `Date: …` below the mail's own header. These lines
answer a field only if the mail's other lines do not."""

import re
from collections.abc import Mapping

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates
from tasks.extraction.features import Matrix
from tasks.extraction.folding import fold
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.second_choices import avoid_if_answered
from tasks.result import SourceLine

_QUOTE = ">"
_RULE = re.compile(
    r"[-_]{2,} ?(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale"
    r"|mensagem original|oorspronkelijk bericht) ?[-_]{2,}",
    re.IGNORECASE,
)
"""Pattern of the line above a mail that is quoted as a whole, as Outlook and others write it."""
_LONGEST_RULE = 80
_LABELS = {
    word: header
    for header, words in (
        ("from", "from von de da van dari od"),
        ("to", "to an à a para per aan kepada do"),
        ("cc", "cc kopie copie copia"),
        ("date", "date sent datum gesendet envoyé fecha enviado data inviato verzonden tanggal wysłano"),
        ("subject", "subject betreff objet asunto oggetto assunto onderwerp perihal temat"),
    )
    for word in words.split()
}
"""The header of a mail (RFC 5322, 3.6) by its label, as mail programs write it."""
_PREPOSITIONS = frozenset(("on", "am", "le", "el", "il", "op"))
"""Second words of such labels: `Gesendet am:`."""


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
            passage.forwarded_headers = yield from _forwarded_headers(passage)
            quoting.update((id(passage), line) for line in passage.forwarded_headers)
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


def _forwarded_headers(passage: Passage) -> Slices[frozenset[int]]:
    """Return the indices of the lines in headers of mails, without the first header of the passage, which is that of
    the mail itself."""
    found: list[dict[str, int]] = []
    header: dict[str, int] = {}
    for index, line in enumerate(passage.lines):
        if index % LINES_AT_ONCE == 0:
            yield
        name = _header_in(line)
        is_next = index > 0 and line.row <= passage.lines[index - 1].row + 1
        if header and not (name and name not in header and is_next):
            found += [header] if _is_header(header, passage) else []
            header = {}
        if name:
            header[name] = index
    found += [header] if _is_header(header, passage) else []
    return frozenset(index for other in found[1:] for index in other.values())


def _header_in(line: SourceLine) -> str:
    """Return the name of the mail's header in a line, or an empty text."""
    label, colon, _ = " ".join(line.words[:2]).partition(":")
    words = fold(label) if colon else []
    is_label = len(words) == 1 or (len(words) == 2 and words[1] in _PREPOSITIONS)
    return _LABELS.get(words[0], "") if is_label else ""


def _is_header(header: Mapping[str, int], passage: Passage) -> bool:
    """True if lines have the sender of a mail and either the sender's address or the mail's subject. `From: London` and
    `To: Paris` belong to a journey."""
    if "from" not in header:
        return False
    return "subject" in header or any("@" in word for word in passage.lines[header["from"]].words)
