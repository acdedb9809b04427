"""Recognises the addressees of letters and invoices by the form of address before their names: `Herrn`, `Spett.le`,
`t.a.v.`."""

import re
from collections.abc import Sequence

_FORM = re.compile(
    r"(?:an (?:die|das|den|herrn|frau)|herrn|frau|firma|familie|z\.? ?hd|z\. ?h"
    r"|mme|mlle|monsieur|madame|à l['’]attention|a/a|a la atención|att|attn|attention|fao|mr|mrs|ms|miss"
    r"|spett\.? ?le|spettabile|egr(?:egio|\.)|gent(?:\.ma|\.mo|ile)|sig(?:\.ra|\.na|nora?)?|alla c\.? ?a|c\.a"
    r"|exm[oa]s?|il(?:mo|ustríssimo)|senhor|senhora|ao cuidado|a/c|sr|sra|srta|d\.ª|dña"
    r"|t\.? ?a\.? ?v|de heer|dhr|mevr(?:ouw)?|mw|aan|szanown[yai]|sz\. ?p|pan|pani|till|til)"
    r"[.:]?(?:\([a-z]{1,3}\)\.?)?(?: |$)",
    re.IGNORECASE,
)


def has_form_of_address(line: str) -> bool:
    """True if a line begins with a form of address."""
    return _FORM.match(line) is not None


_ATTENTION = re.compile(
    r"(?:z\. ?hd|z\. ?h|à l['’]attention(?: de)?|a la atención(?: de)?|att|attn|attention|fao|alla c\.? ?a"
    r"|ao cuidado(?: de)?|t\. ?a\. ?v)[.:]{0,2}(?= |$)",
    re.IGNORECASE,
)
_ATTENTION_FIELDS = frozenset(("attention", "attn", "att", "zhd", "fao", "tav"))


def attention_mark(text: str) -> str:
    """Return the words at the beginning of a text that say whose attention a letter is for (`Attn:`, `t.a.v.`); empty
    without any."""
    found = _ATTENTION.match(text)
    return found[0] if found else ""


def asks_for_attention(words: Sequence[str]) -> bool:
    """True if the folded words of a field's name ask whose attention a letter is for."""
    return "".join(words) in _ATTENTION_FIELDS
