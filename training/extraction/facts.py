"""Random facts for documents: people, companies, addresses, dates and amounts in the notation of a country."""

import random
import tomllib
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from training.extraction.marked import Mark, Marked, all_of

Rows = list[dict[str, "Fact"]]
CURRENCIES = ("EUR", "USD", "GBP", "MYR", "SGD", "CHF", "BRL", "INR", "AUD", "MXN")
LANGUAGES = {"en": 60, "de": 7, "fr": 7, "es": 6, "it": 5, "pt": 5, "nl": 5, "ms": 5}
"""Percentage of the documents in each language."""


@dataclass(frozen=True, slots=True)
class Fact:
    type: str
    parts: tuple[Marked, ...]
    """Lines of the fact. A mark without a tag encloses the value; a mark with a tag encloses another field within the
    value."""
    value: Any = None
    """Value of the fact, or None if it is the text as written."""
    enum: tuple[str, ...] = ()
    priced: Marked | None = None
    """An amount with its currency."""


Facts = dict[str, Fact]
Told = tuple[Facts, dict[str, Rows]]
"""The single facts of a document, and its tables."""


@cache
def world() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("world.toml").read_text(encoding="utf-8"))


def said(text: str, kind: str = "string", value: Any = None) -> Fact:
    return Fact(kind, (all_of(text),), value)


class FactMaker:
    """Draws random facts in the notations of one document and its country."""

    def __init__(self, rng: random.Random, language: str):
        self.rng = rng
        self.language = language
        self.words: dict[str, Any] = world()["language"][language]
        self.country: dict[str, Any] = world()["country"][rng.choice(self.words["countries"])]
        self.day_style: str = rng.choice(self.country["dates"])
        self.money_style: str = rng.choice(self.country["money"])
        self.clock = rng.choice(("{h:02}:{m:02}", "{h:02}:{m:02}", "{h:02}:{m:02}:{s:02}", "{h}:{m:02}"))
        if language in ("en", "ms") and rng.random() < 0.4:
            self.clock = rng.choice(("{t}:{m:02} {half}", "{t:02}:{m:02}{half}", "{t}:{m:02}:{s:02} {half}"))
        if language == "fr" and rng.random() < 0.3:
            self.clock = "{h}h{m:02}"
        self.today = date(2012, 1, 1) + timedelta(days=rng.randrange(5200))
        self.currency: str = self.country["currency"]

    def pick(self, name: str) -> str:
        return str(self.rng.choice(self.words[name]))

    def pattern(self, pattern: str) -> str:
        letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
        return "".join(
            self.rng.choice("0123456789") if one == "#" else self.rng.choice(letters) if one == "?" else one
            for one in pattern
        )

    def code(self, *patterns: str) -> Fact:
        return said(self.pattern(self.rng.choice(patterns)))

    def chosen(self, name: str) -> Fact:
        return said(self.pick(name))

    def person(self, *, order: str = "given") -> Fact:
        """`order`: 'given' or 'surname' first, or 'either'."""
        given, family = self.pick("given"), self.pick("family")
        if self.rng.random() < 0.12 and order == "given":
            given += " " + self.rng.choice("ABCDEFGHJKLMPRST") + "."
        if order == "either":
            order = self.rng.choice(("given", "given", "surname", "comma"))
        if order == "given":
            text, first, last = f"{given} {family}", 0, len(given) + 1
        else:
            text = f"{family}{',' if order == 'comma' else ''} {given}"
            first, last = len(text) - len(given), 0
        marks = ((0, len(text), ""), (first, first + len(given), "given_names"), (last, last + len(family), "surname"))
        return Fact("string", (Marked(text, marks),))

    def plain_person(self) -> Fact:
        return said(f"{self.pick('given')} {self.pick('family')}")

    def brand(self) -> str:
        if self.rng.random() < 0.35:
            return "".join(self.rng.choice(world()["syllables"]) for _ in range(self.rng.randint(2, 3))).title()
        return str(self.rng.choice(world()["brands"]))

    def company(self, trade: str = "office") -> Fact:
        trades = self.words["trades"]
        kind = self.rng.choice(trades[trade])
        suffix = self.rng.choice(self.country["suffixes"]) if trade in ("office", "shop", "food") else ""
        first = self.rng.choice(
            (
                self.brand(),
                self.brand(),
                self.pick("family").split()[-1],
                f"{self.pick('family')} & {self.pick('family')}",
                str(self.rng.choice(self.country["towns"])).partition("|")[0],
            )
        )
        firsts = self.language in ("fr", "es", "it", "pt", "ms") or kind.startswith("The ")
        shapes = [f"{kind} {first}" if firsts else f"{first} {kind}"]
        if self.rng.random() < 0.2:
            shapes = [first]
        return said(f"{shapes[0]} {suffix}".strip())

    def address(self) -> Fact:
        town, region, postcode = str(self.rng.choice(self.country["towns"])).split("|")
        number = self.rng.choice((self.rng.randint(1, 99), self.rng.randint(1, 99), self.rng.randint(100, 2999)))
        small = self.rng.randint(1, 30)
        fill = {
            "no": str(number), "n": str(small), "nn": f"{small:02}", "town": town, "region": region,
            "postcode": self.pattern(postcode), "street": self.pick("streets"),
            "mystreet": self.rng.choice(self.country.get("mystreets", [""])).format(n=small),
            "sgstreet": self.rng.choice(self.country.get("sgstreets", [""])).format(n=small, nn=f"{small:02}"),
            "taman": self.rng.choice(self.country.get("tamans", [""])),
        }  # fmt: skip
        parts = []
        for line in self.rng.choice(self.country["addresses"]):
            text, marks = "", []
            for number_of, piece in enumerate(line.replace("}", "{").split("{")):
                put = fill[piece] if number_of % 2 else piece
                if number_of % 2 and piece in ("town", "postcode") and put:
                    marks.append((len(text), len(text) + len(put), piece))
                text += put
            text = text.rstrip(" -")
            if text.strip(" ,-."):
                marks = [(a, b, tag) for a, b, tag in marks if b <= len(text)]
                parts.append(Marked(text, ((0, len(text), ""), *marks)))
        last = parts[-1]
        parts[-1] = last.cut(0, len(last.text.rstrip(" ,.")))
        return Fact("string", tuple(parts))

    def phone(self) -> Fact:
        return self.code(*self.country["phones"])

    def site(self, company: Fact) -> Fact:
        text = self.rng.choice(("www.{}", "www.{}", "https://www.{}", "{}")).format(self.host(company))
        return said(text, "uri")

    def host(self, company: Fact) -> str:
        letters = "".join(one for one in company.parts[0].text.lower() if one.isascii() and one.isalnum())
        return f"{letters[:14] or 'firm'}.{self.rng.choice(world()['domains'])}"

    def email(self, company: Fact, person: Fact | None = None) -> Fact:
        names = person.parts[0].text.lower().split() if person else []
        names = ["".join(one for one in name if one.isascii() and one.isalpha()) for name in names]
        names = [name for name in names if name]
        user = self.rng.choice(("info", "office", "sales", "hello", "contact"))
        if names:
            user = self.rng.choice((".".join((names[0], names[-1])), names[0][0] + names[-1], names[0]))
        return said(f"{user}@{self.host(company)}", "email")

    def day(self, value: date, style: str | None = None) -> Fact:
        months = self.words["months"]
        text = (style or self.day_style).format(
            d=value.day, dd=f"{value.day:02}", m=value.month, mm=f"{value.month:02}", yyyy=value.year,
            yy=f"{value.year % 100:02}", month=months[value.month - 1], mon=months[value.month - 1][:3],
            wday=self.words["weekdays"][value.weekday()],
        )  # fmt: skip
        for ending, right in (("1th ", "1st "), ("2th ", "2nd "), ("3th ", "3rd ")):
            if not 10 < value.day < 20:
                text = text.replace(ending, right)
        return Fact("date", (all_of(text),), value.isoformat())

    def after(self, least: int, most: int) -> date:
        return self.today + timedelta(days=self.rng.randint(least, most))

    def birth(self) -> Fact:
        style = self.day_style if "wday" not in self.day_style else None
        return self.day(date(1940, 1, 1) + timedelta(days=self.rng.randrange(24000)), style or self.country["dates"][0])

    def at(self, hour: int | None = None) -> Fact:
        value = time(self.rng.randint(7, 22) if hour is None else hour % 24, self.rng.randrange(60))
        if "{s" in self.clock:
            value = value.replace(second=self.rng.randrange(60))
        text = self.clock.format(
            h=value.hour,
            m=value.minute,
            s=value.second,
            t=value.hour % 12 or 12,
            half="PM" if value.hour > 11 else "AM",
        )
        return Fact("time", (all_of(text),), value.isoformat() if "{s" in self.clock else value.isoformat("minutes"))

    def number(self, value: Decimal, places: int = 2) -> str:
        thousands, point = self.country["decimals"]
        grouped = f"{value:,.{places}f}"
        if self.rng.random() < 0.12:
            grouped = grouped.replace(",", "")
        return grouped.translate({ord(","): thousands, ord("."): point})

    def money(self, value: Decimal) -> Fact:
        text = self.number(value)
        before, after = self.money_style.split("{}")
        priced = Marked(before + text + after, ((len(before), len(before) + len(text), ""),))
        sign = before.strip() or after.strip()
        where = priced.text.index(sign) if before.strip() else priced.text.rindex(sign)
        priced = Marked(priced.text, (*priced.marks, (where, where + len(sign), "currency")))
        return Fact("number", (all_of(text),), value, priced=priced)

    def amount(self, least: float, most: float) -> Decimal:
        cents = self.rng.choice((5, 5, 10, 1, 100))
        units = int(self.rng.uniform(least, most) * 100) // cents * cents
        return Decimal(max(units, 1)) / 100

    def integer(self, value: int) -> Fact:
        return Fact("integer", (all_of(str(value)),), value)

    def real(self, value: Decimal, places: int, unit: str = "") -> Fact:
        text = self.number(value, places)
        return Fact("number", (Marked(text + unit, ((0, len(text), ""),)),), value)

    def coin(self) -> Fact:
        enum = tuple(self.rng.sample(CURRENCIES, 4))
        enum = enum if self.currency in enum else (*enum, self.currency)
        return Fact("enum", (all_of(self.currency),), self.currency, enum)

    def option(self, name: str, english: tuple[str, ...], *, boxes: bool = False) -> Fact:
        """Draw one of several words of the language. `english` has the words that the answer uses for them."""
        words = self.words["words"][name]
        index = self.rng.randrange(min(len(words), len(english)))
        if not boxes:
            return Fact("enum", (all_of(words[index]),), english[index], english)
        empty, full = self.rng.choice(
            (("☐", "☒"), ("☐", "☑"), ("□", "■"), ("[ ]", "[x]"), ("[ ]", "[X]"), ("( )", "(x)"))
        )
        text = ""
        marks: tuple[Mark, ...] = ()
        for number, word in enumerate(words[: len(english)]):
            text += ("   " if text else "") + (full if number == index else empty) + " "
            if number == index:
                marks = ((len(text), len(text) + len(word), ""),)
            text += word
        return Fact("enum", (Marked(text, marks),), english[index], english)

    def truth(self, *, boxes: bool) -> Fact:
        value = self.rng.random() < 0.5
        yes, no = self.words["words"]["yes"], self.words["words"]["no"]
        if not boxes:
            return Fact("boolean", (all_of(yes if value else no),), value)
        empty, full = self.rng.choice((("☐", "☒"), ("☐", "☑"), ("[ ]", "[x]"), ("[ ]", "[X]")))
        if self.rng.random() < 0.5:
            return Fact("boolean", (all_of(full if value else empty),), value)
        first, second = (full, empty) if value else (empty, full)
        start = 0 if value else len(f"{first} {yes}   ")
        text = f"{first} {yes}   {second} {no}"
        end = start + len(f"{full} {yes if value else no}")
        return Fact("boolean", (Marked(text, ((start, end, ""),)),), value)

    def iban(self) -> Fact:
        return self.code(
            "DE## #### #### #### #### ##", "GB## ???? #### #### #### ##", "FR## #### #### #### #### #### ###",
            "ES## #### #### #### #### ####", "NL##ABNA##########", "IT##?##########00000#######", "#### #### ####",
        )  # fmt: skip
