"""Recognises the addressees of letters and invoices by the form of address before their names: `Herrn`, `Spett.le`,
`t.a.v.`."""

import re
from collections.abc import Sequence

_FOR_ATTENTION = r"à l['’]attention|a la atención|att|attn|attention|fao|alla c\.? ?a|ao cuidado"
"""Words before the name of the person for whom a letter to a firm is meant."""
_FORM = re.compile(
    r"(?:an (?:die|das|den|herrn|frau)|herrn|frau|firma|familie|z\.? ?hd|z\. ?h"
    rf"|mme|mlle|monsieur|madame|{_FOR_ATTENTION}|a/a|mr|mrs|ms|miss"
    r"|spett\.? ?le|spettabile|egr(?:egio|\.)|gent(?:\.ma|\.mo|ile)|sig(?:\.ra|\.na|nora?)?|c\.a"
    r"|exm[oa]s?|il(?:mo|ustríssimo)|senhor|senhora|a/c|sr|sra|srta|d\.ª|dña"
    r"|t\.? ?a\.? ?v|de heer|dhr|mevr(?:ouw)?|mw|aan|szanown[yai]|sz\. ?p|pan|pani|till|til)"
    r"[.:]?(?:\([a-z]{1,3}\)\.?)?(?: |$)",
    re.IGNORECASE,
)
_ATTENTION = re.compile(
    rf"(?:(?:{_FOR_ATTENTION})(?: de)?|z\. ?hd|z\. ?h|t\. ?a\. ?v)[.:]{{0,2}}(?= |$)", re.IGNORECASE
)
"""Pattern of words that say whose attention a letter is for, without abbreviations that mean something else, too:
`Tav. 3` is a plate in a book."""
_ATTENTION_FIELDS = frozenset(("attention", "attn", "att", "zhd", "fao", "tav"))


def has_form_of_address(line: str) -> bool:
    """True if a line begins with a form of address."""
    return _FORM.match(line) is not None


def attention_mark(text: str) -> str:
    """Return the words at the beginning of a text that say whose attention a letter is for (`Attn:`, `t.a.v.`); empty
    if there are none."""
    found = _ATTENTION.match(text)
    return found[0] if found else ""


def asks_for_attention(words: Sequence[str]) -> bool:
    """True if the folded words of a field's name ask whose attention a letter is for."""
    return "".join(words) in _ATTENTION_FIELDS
