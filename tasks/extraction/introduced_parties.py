"""Scores candidates for the fields of a contract's party, such as `landlord_name`.

`named_parties` finds the parties in sentences like `Acme Ltd, 9 Quay Street (hereinafter "the Landlord")`. This module
makes the name, address or representative that such a sentence states more likely for the fields of this party, and less
likely for all other fields.
"""

from collections.abc import Mapping

from tasks.extraction.candidates import Candidates
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.named_parties import Aspect
from tasks.extraction.names import Names
from tasks.extraction.own_words import content_of, is_form_of

INTRODUCED: Mapping[Aspect, float] = {"name": 5.0, "representative": 4.0, "address": 2.0}
"""A candidate from a sentence that introduces a party gets a logit this much above all others if it states what the
field asks for. Its logit is lowered by this number if it states another aspect, or belongs to another party.

The number for an address is the smallest, because the end of an address in a sentence is less certain than the end of a
name."""
NAMES_OF_PARTIES = frozenset(
    fold(
        "name nom nombre nome naam nazwa imie nazwisko namn firma company entreprise denominazione denominacion"
        " razon social ragione sociale raison full legal voornaam bedrijf empresa societe designacao denominacao"
    )
)
"""Words of fields that ask for the name of a party."""
_ADDRESSES = frozenset(
    fold("address adresse anschrift adres direccion indirizzo morada endereco adress domicilio domicile siege wohnort")
)
_REPRESENTATIVE_STEMS = ("repr", "rappr", "vertret", "vertegen", "przedstaw")


def prefer_introduced(logits: Matrix, field: FieldText, candidates: Candidates) -> None:
    """Prefer `Acme Ltd` for `landlord_name` if a sentence says `Acme Ltd (hereinafter "the Landlord")`.

    All other candidates from such sentences become less likely.
    """
    for index, span in enumerate(candidates.spans):
        if span.party is not None:
            bonus = INTRODUCED[span.party.aspect]
            is_own = is_part_of(field.names, span.party.role, span.party.aspect)
            logits[index] = logits.max() + bonus if is_own else logits[index] - bonus


def is_part_of(names: Names, role: tuple[str, ...], aspect: Aspect) -> bool:
    """True if a field asks for the aspect (name, representative or address) of the party that a text calls `role`."""
    own = [tuple(without_accents(word) for word in words) for words in names.own]
    context_words = content_of(names.around)
    if not any(_is_called(words, role) for words in (context_words, *own) if words):
        return False
    for words in own:
        rest = list(words)
        if not _is_called(context_words, role):
            rest = [word for word in words if not _is_called((word,), role)]
        if not rest or set(rest) <= NAMES_OF_PARTIES:
            return aspect == "name"
        if set(rest) & _ADDRESSES and len(rest) == 1:
            return aspect == "address"
        if rest[0].startswith(_REPRESENTATIVE_STEMS):
            return aspect == "representative"
    return False


def _is_called(words: tuple[str, ...], role: tuple[str, ...]) -> bool:
    return any(is_form_of(word, one) for word in words for one in role)
