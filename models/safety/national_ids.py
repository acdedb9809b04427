"""Recognises personal identification numbers that states assign, if they can be distinguished from other numbers.

The numbers are checked by python-stdnum, which is LGPL and therefore an extra. Without it, only numbers are recognised
whose form is evidence enough.

A tenth of all numbers has a right check digit by chance. A common form such as nine digits therefore counts only after
a word that names the number. A number counts by itself if nothing else has its form, or if it can be checked in several
ways.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from models.safety.account_numbers import NUMBER_END, NUMBER_START
from models.safety.number_labels import label

_ANY_NUMBER_WORDS = r"national id\w*|identity (?:card|number|no)|id card|personal (?:id|identity|identification)"
"""Words that may name any of the numbers."""


@dataclass(frozen=True, slots=True)
class NationalId:
    written: str
    """Pattern of the number."""
    modules: str = ""
    """Modules of python-stdnum, one of which must find the number valid; empty if the pattern is enough."""
    words: str = ""
    """Pattern of words, one of which must precede the number; empty if the number's form is evidence enough."""

    def is_named(self, before: str) -> bool:
        return not self.words or label(f"{self.words}|{_ANY_NUMBER_WORDS}").search(before) is not None

    def is_valid(self, number: str) -> bool:
        return not self.modules or any(_stdnum(name).is_valid(number) for name in self.modules.split())


@cache
def _stdnum(name: str) -> Any:
    return import_module(f"stdnum.{name}")


_ITIN = r"9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}"
_SSN = r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"

_ALL = (
    # The Americas.
    NationalId(f"{_SSN}|{_ITIN}"),
    NationalId(r"\d{3} ?\d{2} ?\d{4}", "us.ssn us.itin", r"ssn|social security|itin|taxpayer id\w*"),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"sin|nas|social insurance|assurance sociale"),
    NationalId(r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", "mx.curp"),
    NationalId(r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    NationalId(r"\d{9}-?\d{2}", "br.cpf", r"cpf"),
    NationalId(r"2[0347]-\d{8}-\d", "ar.cuit"),
    NationalId(r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", "cl.rut"),
    # Europe.
    NationalId(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", r"nhs"),
    NationalId(r"\d{7}[A-W][A-IW]?", "ie.pps", r"ppsn?|personal public service"),
    NationalId(r"(?:\d{8}|[XYZ][ -]?\d{7})[ -]?[A-HJ-NP-TV-Z]", "es.dni es.nie"),
    NationalId(r"\d{3} ?\d{3} ?\d{3}", "pt.nif", r"nif|contribuinte"),
    NationalId(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[23]\d|4[0-2]|[5-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    NationalId(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    NationalId(r"\d{11}", "be.nn", r"rijksregister\w*|registre national|nationalregister\w*"),
    NationalId(r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}", "nl.bsn", r"bsn|burgerservice\w*|sofi\w*"),
    NationalId(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", r"steuer\w*|steuer-id\w*|idnr|tax id\w*"),
    NationalId(r"756\.?\d{4}\.?\d{4}\.?\d{2}", "ch.ssn"),
    NationalId(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", "it.codicefiscale"),
    NationalId(r"\d{6}-?\d{4}", "dk.cpr", r"cpr"),
    NationalId(r"(?:\d{2})?\d{6}[-+]?\d{4}", "se.personnummer", r"personnummer|samordningsnummer|pnr|personal number"),
    NationalId(r"\d{6} ?\d{5}", "no.fodselsnummer"),
    NationalId(r"\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]", "fi.hetu"),
    NationalId(r"\d{11}", "pl.pesel", r"pesel"),
    NationalId(r"\d{6}/\d{4}", "cz.rc"),
    NationalId(r"[1-9]\d{12}", "ro.cnp", r"cnp"),
    NationalId(r"\d{10}", "bg.egn", r"egn|егн"),
    NationalId(r"[1-9]\d{10}", "tr.tckimlik", r"t\.?c\.?(?: kimlik)?|tckn|kimlik"),
    # Asia, Africa, Australia.
    NationalId(r"\d{9}", "il.idnr", r"(?:teudat )?zehut|ת\.?ז|תעודת זהות"),
    NationalId(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar", r"aadha?ar|uidai|आधार"),
    NationalId(r"\d{17}[\dX]", "cn.ric"),
    NationalId(r"\d{6}-[1-8]\d{6}", "kr.rrn"),
    NationalId(r"\d{4}[ -]?\d{4}[ -]?\d{4}", "jp.in_", r"my ?number|マイナンバー|個人番号"),
    NationalId(r"\d-\d{4}-\d{5}-\d{2}-\d", "th.pin"),
    NationalId(r"\d{6} ?\d{4} ?\d{3}", "za.idnr", r"id(?: number| no)?|identity"),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "au.tfn", r"tfn|tax file"),
)
"""All numbers that are recognised, where python-stdnum is installed."""


def recognised() -> tuple[NationalId, ...]:
    """Return the numbers that can be recognised here."""
    return tuple(known for known in _ALL if not known.modules or find_spec("stdnum") is not None)


_RECOGNISED = recognised()


def ids_in(text: str, start: int, end: int, before: Callable[[int], str]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each number in `text[start:end]`. `before` returns the words before a place."""
    if _form("|".join(known.written for known in _RECOGNISED)).search(text, start, end) is None:
        return
    for known in _RECOGNISED:
        for found in _form(known.written).finditer(text, start, end):
            if known.is_named(before(found.start())) and known.is_valid(found.group()):
                yield found.span()


@cache
def _form(written: str) -> re.Pattern[str]:
    """Return a pattern of whole numbers of a form."""
    return re.compile(rf"{NUMBER_START}(?:{written}){NUMBER_END}", re.ASCII)
