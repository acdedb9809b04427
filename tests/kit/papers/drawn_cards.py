"""Cards, forms and invoices with known lines, drawn for the tests.

A line is a text that a person reads in one go: a label with its value, a row of a table, or the pieces in a row of a
receipt. Texts beside a line are lines of their own if they have another size, belong to another block, or are a new
field after a wide gap.
"""

import random
from collections.abc import Callable, Iterator, Sequence

from models.vision.text import TextLine, Word
from tests.kit.papers.pages import Canvas, Page, noisy, skewed, typeface_of

_FIRST = ("Anna", "Ima", "Peter", "Maria", "Jonas", "Grace", "Tomas", "Alice", "Victor", "Nadia")
_LAST = ("Cardholder", "Lovelace", "Okafor", "Lindgren", "Moreau", "Tanaka", "Fischer", "Sample", "Rossi", "Kowalska")
_STREETS = ("Main Street", "Elm Road", "Station Lane", "Harbour Avenue", "Mill Hill", "Church Walk")
_CITIES = ("Springfield, IL", "Boston, MA", "Fresno, CA", "Austin, TX", "Denver, CO", "Salem, OR")
_STATES = ("California", "Nevada", "Oregon", "Texas", "Colorado", "Montana")
_COMPANIES = ("Northwind Traders", "Blue Harbour Ltd", "Acme Tools", "Silver Birch Foods", "Kite Logistics")
_GOODS = ("Steel bolts", "Copper wire", "Oak panel", "Garden hose", "Paint, white", "Door hinge", "Work gloves")
_FACES = ("sans", "vera", "serif", "times")


class _Sheet:
    """Canvas on which texts are placed by left end, baseline and size. Each text is one piece for a detector."""

    def __init__(self, width: int, height: int, rng: random.Random, paper: str = "white") -> None:
        self.rng = rng
        self.canvas = Canvas(width, height, paper)
        self.face = rng.choice(_FACES)
        self.lines: list[str] = []

    def say(self, text: str, left: int, baseline: int, size: int, face: str = "", ink: str = "black") -> int:
        """Draw one piece, and return its right end."""
        typeface = typeface_of(face or self.face, size)
        self.canvas.line(text.split(), left, baseline, typeface, ink)
        return left + round(typeface.getlength(text))

    def line(self, text: str, left: int, baseline: int, size: int, face: str = "", ink: str = "black") -> int:
        """Draw a piece that is a line by itself."""
        self.lines.append(text)
        return self.say(text, left, baseline, size, face, ink)

    def row(self, pieces: Sequence[tuple[str, int]], baseline: int, size: int, face: str = "") -> None:
        """Draw pieces that form one line, each with its left end; a negative number is the right end."""
        for text, left in pieces:
            width = round(typeface_of(face or self.face, size).getlength(text))
            self.say(text, left if left >= 0 else -left - width, baseline, size, face)
        self.lines.append(" ".join(text for text, _ in pieces))


Card = tuple[Page, tuple[str, ...]]
"""Page whose lines are the drawn pieces, and the true lines in reading order."""


def _done(sheet: _Sheet) -> Card:
    return sheet.canvas.page(), tuple(sheet.lines)


def _person(rng: random.Random) -> tuple[str, str]:
    return rng.choice(_FIRST), rng.choice(_LAST)


def _date(rng: random.Random, first: int = 1950, last: int = 2032) -> str:
    return f"{rng.randint(1, 12):02}/{rng.randint(1, 28):02}/{rng.randint(first, last)}"


def licence(seed: int) -> Card:
    """Draw a driver's licence: the state in large type beside the kind of card, a portrait, a signature beside
    fields."""
    rng = random.Random(seed)
    sheet = _Sheet(1000, 640, rng, rng.choice(("white", "#f4f0e0", "#e6eef8")))
    size = rng.choice((22, 24, 26))
    first, last = _person(rng)
    end = sheet.line(
        rng.choice(_STATES), 40, 86, 2 * size + rng.randint(0, 14), rng.choice(("sans-bold", "serif-bold")), "#113366"
    )
    sheet.line("DRIVER LICENSE", end + rng.choice((30, 70, 160)), 80, size + 4, "sans-bold")
    sheet.canvas.box(40, 120, 310, 450, "#9aa7b5")
    left, right, pitch = 350, 760, round(1.75 * size)
    y = 160
    sheet.line(f"DL I{rng.randint(1000000, 9999999)}", left, y, size + 2)
    y += pitch
    sheet.line(f"EXP {_date(rng, 2026)}", left, y, size)
    sheet.line(f"CLASS {rng.choice('ABC')}", right, y, size)
    y += pitch
    sheet.line(f"LN {last.upper()}", left, y, size)
    y += pitch
    sheet.line(f"FN {first.upper()}", left, y, size)
    for text in (
        f"{rng.randint(10, 9999)} {rng.choice(_STREETS).upper()}",
        f"{rng.choice(_CITIES).upper()} {rng.randint(10000, 99999)}",
    ):
        y += pitch
        sheet.line(text, left, y, size)
    y += pitch
    sheet.line(f"DOB {_date(rng, 1950, 2004)}", left, y, size)
    sheet.line("RSTR NONE", right, y, size)
    y = 520
    sheet.line(f"{first} {last}", 50, y + 10, 2 * size, "times-italic", "#222255")
    sheet.line(f"SEX {rng.choice('MF')}", 480, y, size)
    sheet.line(f"HGT 5'-{rng.randint(1, 11):02}\"", 480, y + pitch, size)
    return _done(sheet)


def member_card(seed: int) -> Card:
    """Draw an insurance or member's card: a brand beside a small tier, and fields in two columns."""
    rng = random.Random(seed)
    sheet = _Sheet(1000, 600, rng, rng.choice(("white", "#dfe8f2")))
    first, last = _person(rng)
    size = rng.choice((24, 26))
    end = sheet.line(rng.choice(_COMPANIES), 50, 110, 56, "serif-bold", "#223399")
    sheet.line(rng.choice(("GOLD PLAN", "FAMILY PLAN", "MEMBER")), end + rng.choice((40, 120)), 104, 24, "sans-bold")
    right = 560
    rows = (
        (f"Member: {first} {last}", f"Plan: {rng.choice(('PPO', 'HMO', 'EPO'))} {rng.randint(100, 900)}"),
        (f"ID: {rng.randint(10**8, 10**9 - 1)}", f"Group: {rng.randint(1000, 99999)}"),
        (f"Valid from: {_date(rng, 2024, 2026)}", f"Copay: ${rng.randint(10, 60)}"),
    )
    for k, (one, other) in enumerate(rows):
        sheet.line(one, 50, 230 + 70 * k, size)
        sheet.line(other, right, 230 + 70 * k, size)
    sheet.line(f"Customer service +1 800 555 {rng.randint(1000, 9999)}", 50, 530, 20)
    return _done(sheet)


def form(seed: int) -> Card:
    """Draw a form: labels with values, two to a row, and a signature on a rule with a date beside it."""
    rng = random.Random(seed)
    sheet = _Sheet(1240, 900, rng)
    (first, last), size = _person(rng), rng.choice((24, 26, 28))
    sheet.line(
        rng.choice(("Application for a library card", "Registration of residence", "Travel expenses")),
        80,
        110,
        46,
        "sans-bold",
    )
    left, right = 80, rng.choice((680, 720))
    value = 290 if rng.random() < 0.5 else 0
    rows = (
        (("First name:", first), ("Last name:", last)),
        (("Date of birth:", _date(rng, 1950, 2004)), ("Place of birth:", rng.choice(_CITIES))),
        (("Street:", f"{rng.randint(1, 99)} {rng.choice(_STREETS)}"), ("City:", rng.choice(_CITIES))),
        (("Phone:", f"555 {rng.randint(1000, 9999)}"), ("E-mail:", f"{first.lower()}@example.org")),
    )
    for k, pairs in enumerate(rows):
        for x, (label, said) in zip((left, right), pairs, strict=True):
            baseline = 220 + 80 * k
            if value:
                sheet.row(((label, x), (said, x + value - 60)), baseline, size)
            else:
                sheet.line(f"{label} {said}", x, baseline, size)
    y = 700
    sheet.line(f"{first} {last}", 110, y, 52, "times-italic", "#222266")
    sheet.line("Signature of applicant", 80, y + 60, 20)
    sheet.line(_date(rng, 2024, 2026), right + 20, y - 6, size)
    sheet.line("Date", right, y + 60, 20)
    sheet.canvas.rule(80, y + 24, 520, y + 24)
    sheet.canvas.rule(right, y + 24, right + 300, y + 24)
    return _done(sheet)


def invoice(seed: int) -> Card:
    """Draw an invoice: a name in large type beside the kind of document, two addresses side by side, a table,
    totals."""
    rng = random.Random(seed)
    sheet = _Sheet(1240, 1200, rng)
    size = rng.choice((22, 24))
    pitch = round(1.5 * size)
    sheet.line(rng.choice(_COMPANIES), 80, 120, 52, "sans-bold")
    sheet.line(f"Invoice {rng.randint(1000, 99999)}", 900, 114, 26)
    right = rng.choice((640, 700))
    for left, head in ((80, "Bill to:"), (right, "Ship to:")):
        first, last = _person(rng)
        address = f"{rng.randint(1, 99)} {rng.choice(_STREETS)}", f"{rng.choice(_CITIES)} {rng.randint(10000, 99999)}"
        for k, text in enumerate((head, f"{first} {last}", *address)):
            sheet.line(text, left, 220 + pitch * k, size, "sans-bold" if k == 0 else "")
    y = 480
    sheet.row((("Article", 80), ("Quantity", -720), ("Price", -900), ("Amount", -1140)), y, size, "sans-bold")
    total = 0.0
    for name in rng.sample(_GOODS, 4):
        y += round(1.9 * size)
        count, price = rng.randint(1, 20), rng.randint(100, 9000) / 100
        total += count * price
        sheet.row(((name, 80), (str(count), -720), (f"{price:.2f}", -900), (f"{count * price:.2f}", -1140)), y, size)
    for label, amount in (("Subtotal", total), ("VAT 20 %", 0.2 * total), ("Total", 1.2 * total)):
        y += 2 * size
        sheet.row(((label, 720), (f"{amount:.2f}", -1140)), y, size)
    return _done(sheet)


KINDS: dict[str, Callable[[int], Card]] = {make.__name__: make for make in (licence, member_card, form, invoice)}


def cards(each: int = 7) -> Iterator[tuple[str, Card]]:
    """Yield `each` cards of every kind, with names. Every third is slightly skewed, every fourth is a poor scan."""
    for name, make in KINDS.items():
        for seed in range(each):
            page, lines = make(seed)
            if seed % 3 == 2:
                page = skewed(page, (-1.5, 1.5)[seed % 2])
            if seed % 4 == 3:
                page = noisy(page, seed)
            yield f"{name} {seed}", (page, lines)


def perfect_lines(page: Page) -> list[TextLine]:
    """Return the lines that a perfect engine would find on `page`."""
    return [TextLine(tuple(Word(word.text, word.quad, 1.0) for word in one.words), one.quad) for one in page.lines]


def right_in_order(read: Sequence[str], truth: Sequence[str]) -> int:
    """Return how many lines of `truth` were read exactly and in order: the longest common subsequence."""
    best = [0] * (len(truth) + 1)
    for one in read:
        before = 0
        for place, other in enumerate(truth, 1):
            kept = best[place]
            best[place] = before + 1 if one == other else max(best[place], best[place - 1])
            before = kept
    return best[-1]
