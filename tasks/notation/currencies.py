"""Table of currencies by the signs and codes in documents: `RM 12.50` is in ringgit, `$5` in dollars of some country.

>>> [one.code for one in find_currencies("RM 12.50, then 3 EUR")]
['MYR', 'EUR']
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SIGNS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "Rs.": "INR", "Rs": "INR", "RM": "MYR", "R$": "BRL", "S$": "SGD",
    "A$": "AUD", "C$": "CAD", "US$": "USD", "HK$": "HKD", "NZ$": "NZD", "$": "USD", "zł": "PLN", "Kč": "CZK",
    "₩": "KRW", "₺": "TRY", "₽": "RUB", "Fr.": "CHF", "SFr.": "CHF", "Rp": "IDR", "RMB": "CNY", "TL": "TRY",
    "CA$": "CAD", "zl": "PLN", "zt": "PLN",
}  # fmt: skip
"""Code of ISO 4217 by sign; OCR often reads the `ł` of `zł` as `l` or `t`."""
_CODES = (
    "AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY",
    "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH",
    "USD", "VND", "ZAR",
)  # fmt: skip
DOLLARS = frozenset(("USD", "AUD", "CAD", "SGD", "NZD", "HKD", "MXN", "TWD"))
"""Codes of the currencies that a bare `$` may mean."""
ANY = "|".join(map(re.escape, sorted((*_CODES, *_SIGNS), key=len, reverse=True)))
"""Regular expression of one code or sign; the longest alternatives come first."""
LONGEST = max(map(len, (*_CODES, *_SIGNS)))
"""Number of characters of the longest code or sign."""
FORM = re.compile(rf"(?<![^\W\d_$])(?:{ANY})(?![^\W\d_])")
"""Pattern of a code or sign that no other letters touch."""
_LEADERS = ".…·:()[]"
"""Brackets, and the fill characters between a label and its amount."""
_WORDS = frozenset(name.casefold().strip(_LEADERS) for name in (*_CODES, *_SIGNS))


class Currency(NamedTuple):
    start: int
    end: int
    code: str


def find_currencies(text: str) -> Iterator[Currency]:
    """Find the currencies in `text` that are separate words or touch a digit."""
    for found in FORM.finditer(text):
        if found is not None:
            yield Currency(*found.span(), _SIGNS.get(found[0], found[0]))


def currency_of(text: str) -> str:
    """Return the code of the currency if `text` is a sign or code and nothing else, or else an empty text."""
    found = FORM.fullmatch(text)
    return _SIGNS.get(found[0], found[0]) if found else ""


def is_currency(word: str) -> bool:
    """True if a word consists only of the sign or code of a currency, in capitals or not: `(RM)`, `....RM`, `eur`."""
    return word.casefold().strip(_LEADERS) in _WORDS


def may_be_in(written: str, code: str) -> bool:
    """True if `written`, the sign or code of a currency, may mean the currency with this code."""
    return (bool(code) and currency_of(written) == code) or (written == "$" and code in DOLLARS)
