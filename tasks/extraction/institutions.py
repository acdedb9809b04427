"""Prefers the names of institutions that say what the institution is: `Tarnbeck Water Laboratory` for a field
`laboratory`.

The name of an institution is often in the letterhead, without a label before it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import PHRASES
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, folded_words, without_accents
from tasks.extraction.names import Names
from tasks.extraction.rules import names_field

NAMED = 6.0
"""Bonus on the logit of a name that says what the field asks for. It exceeds the bonus of a label with the words of the
field's name (`own_words`), because a name at the top of a page has no label."""
LONGEST_NAME = 12
"""The name of an institution has at most this many words."""
MAX_CHARS = 90
"""The name of an institution has at most this many characters."""
_BREAKS = re.compile(r"[,;:·•|/@]|\s[–—-]\s|\d{3}")
"""Pattern of a sign that divides a name from an address or from other facts in the same line, or of three digits, which
are not in a name."""
_NAME_WORDS = frozenset(("name", "nom", "nombre", "nome", "naam", "nazwa", "namn"))
"""Words for "name", without accents."""
_DOCUMENTS: Final = frozenset(
    fold(
        "report policy certificate statement notice summary results card bill schedule receipt itinerary invoice order"
        " form list application contract agreement bericht befund auszug rechnung ausweis karte vertrag formular antrag"
        " bescheinigung mitteilung kontoauszug versicherungsschein itinéraire rapport police certificat attestation"
        " relevé avis résultats carte facture reçu formulaire contrat bulletin informe póliza certificado extracto"
        " resumen resultados tarjeta factura recibo formulario solicitud contrato justificante rapporto polizza"
        " certificato estratto risultati referto tessera fattura ricevuta modulo contratto polis overzicht uitslag"
        " kaart factuur formulier verslag polisa certyfikat wyciąg wyniki karta faktura paragon formularz umowa"
        " zaświadczenie apólice certidão extrato cartão fatura relatório boletim försäkringsbrev intyg"
        " utdrag besked resultat kort kvitto blankett avtal"
    )
)
"""Words of headings, such as `Laboratory Report`."""
_STREETS: Final = re.compile(
    r".*(?:straße|strasse|str|weg|platz|allee|gasse|straat|laan|gatan|vägen)"
    r"|street|st|road|rd|avenue|ave|lane|rue|calle|via|rua|ulica|ul"
)
"""Pattern of words that name streets, such as `Marktstraße`."""
_LONGEST_PHRASE = 4
"""A phrase in the table has at most this many words."""


class _Institution(NamedTuple):
    """A kind of institution, with words and phrases without accents."""

    field_names: frozenset[tuple[str, ...]]
    """Names of fields that ask for such an institution."""
    named: frozenset[tuple[str, ...]]
    """Words in the names of such institutions."""
    joined: tuple[str, ...]
    """Endings of words in the names of such institutions: `Raiffeisenkasse`."""


def _phrases(text: str) -> list[str]:
    return [phrase for phrase in text.split(", ") if phrase]


_INSTITUTIONS: Mapping[str, _Institution] = {
    kind: _Institution(
        frozenset(tuple(phrase.split()) for phrase in _phrases(row["field_names"])),
        frozenset(tuple(phrase.split()) for phrase in _phrases(row["named"])),
        tuple(_phrases(row["joined"])),
    )
    for kind, row in tomllib.loads(Path(__file__).with_name("institutions.toml").read_text("utf-8")).items()
}


class InstitutionNames:
    """The names of institutions among the candidates. They have to be read (`read`) before they are preferred."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._named: dict[str, list[int]] = {}
        """Indices of the spans that name an institution, by its kind."""

    def read(self, fields: Iterable[FieldText]) -> Slices[None]:
        """Find the names of those kinds of institution that a field asks for."""
        kinds = {kind for field in fields for kind in kinds_asked(field.names)}
        if not kinds:
            return
        for index, span in enumerate(self._candidates.spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            words = _words_of_name(span)
            for kind in kinds:
                if words and _names(words, _INSTITUTIONS[kind]):
                    self._named.setdefault(kind, []).append(index)

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Raise the logits of names that say what the field asks for.

        In `Laboratorio San Zeno`, the first word is not a label of the words after it, but part of the name. Therefore,
        the whole name gets at least the logit of its last words, plus NAMED. If any label on the page names the field,
        no logit is raised.
        """
        named = {index for kind in kinds_asked(field.names) for index in self._named.get(kind, ())}
        if not named or any(names_field(label, field) for label in self._candidates.labels):
            return
        spans = self._candidates.spans
        whole = {(spans[index].first, spans[index].words[-1]): index for index in sorted(named, key=self._size)}
        highest = {end: logits[index] for end, index in whole.items()}
        for span, logit in zip(spans, logits[:-1], strict=True):
            end = span.first, span.words[-1]
            if end in highest and not span.has_colon:
                highest[end] = max(highest[end], logit)
        for end, index in whole.items():
            logits[index] = highest[end] + NAMED

    def _size(self, index: int) -> int:
        return len(self._candidates.spans[index].words)


@lru_cache(maxsize=1024)
def kinds_asked(names: Names) -> tuple[str, ...]:
    """Return the kinds of institution that a field with these names asks for. `clinic_name`, and `name` in an object
    `clinic`, ask for a clinic."""
    around = _without_name_words(names.around)
    phrases = {_without_name_words(words) or around for words in names.own}
    return tuple(kind for kind, one in _INSTITUTIONS.items() if not phrases.isdisjoint(one.field_names))


def _without_name_words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(bare for bare in map(without_accents, words) if bare not in _NAME_WORDS)


def _words_of_name(span: CandidateSpan) -> tuple[str, ...]:
    """Return the words of a span that may be an institution's name, which has at least two words; empty for any other
    span."""
    text = span.text
    if span.first != span.last or not text[:1].isupper() or len(text) > MAX_CHARS or _BREAKS.search(text):
        return ()
    words = folded_words(text)
    if not 1 < len(words) <= LONGEST_NAME or words in PHRASES or not _DOCUMENTS.isdisjoint(words):
        return ()
    if any(map(_STREETS.fullmatch, words)):
        return ()
    return tuple(map(without_accents, words))


def _names(words: Sequence[str], institution: _Institution) -> bool:
    """True if the words of a name say that it is an institution of this kind."""
    if any(word.endswith(institution.joined) for word in words):
        return True
    phrases = (
        tuple(words[start : start + size])
        for size in range(1, _LONGEST_PHRASE + 1)
        for start in range(len(words) - size + 1)
    )
    return any(phrase in institution.named for phrase in phrases)
