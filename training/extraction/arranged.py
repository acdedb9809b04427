"""Random templates for training, with the facts of a document in any order and any arrangement of labels and values."""

import random
from collections.abc import Iterator, Mapping, Sequence

BARE = frozenset(
    ("company", "address", "company_address", "customer", "name", "email", "phone", "website", "date", "title", "event")
)
"""Names of facts that documents sometimes print without a label."""
_STYLES = ("", "", "", "i", "w", "r", "a", "b", "c", "d")
_NUMBERS = frozenset(
    ("quantity", "unit_price", "amount", "tax_rate", "balance", "price", "total", "hours", "gross", "net", "value")
)


def arranged(rng: random.Random, facts: Sequence[str], tables: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Return the width, in the form of a template's option, and the rows.

    All `facts` and all columns of `tables` have labels.
    """
    names = rng.sample(facts, max(1, min(len(facts), round(len(facts) * rng.uniform(0.4, 1.0)))))
    parts = list(_parts(rng, names)) + [_table(rng, name, columns) for name, columns in tables.items()]
    if rng.random() < 0.7:
        rng.shuffle(parts)
    rows = [row for part in parts for row in (*part, *rng.choice(((), (), (".gap 1",), ("--------------------",))))]
    return str(rng.randint(34, 64)), "\n".join(rows)


def _parts(rng: random.Random, names: list[str]) -> Iterator[list[str]]:
    while names:
        taken, names = names[: (count := rng.randint(1, 5))], names[count:]
        yield rng.choice((_listed, _listed, _gridded, _columned, _beside, _run))(rng, taken)


def _listed(rng: random.Random, names: Sequence[str]) -> list[str]:
    style = rng.choice(_STYLES)
    return [_bare(rng, name) or f"&{style} {name}" for name in names]


def _bare(rng: random.Random, name: str) -> str | None:
    if name not in BARE or rng.random() < 0.4:
        return None
    return f"{rng.choice(('', '', '! ', '~ ', '^ ', '> '))}{{{name}}}"


def _gridded(rng: random.Random, names: Sequence[str]) -> list[str]:
    """Return a row of labels and a row of values."""
    size = "~ " if rng.random() < 0.4 else ""
    labels, values = ([form.format(name) for name in names[:4]] for form in ("{{#{0}}}", "{{{0}}}"))
    rows = [" | ".join(size + label for label in labels), " | ".join(values)]
    return [_columns(rng, len(labels)), *(rows if rng.random() < 0.8 else rows[::-1])]


def _columned(rng: random.Random, names: Sequence[str]) -> list[str]:
    """Return labels with their values in two or three columns."""
    across, style = rng.choice((2, 2, 3)), rng.choice((*_STYLES[:6], "a", "a"))
    cells = [f"&{style} {name}" for name in names]
    rows = [" | ".join(cells[at : at + across]) for at in range(0, len(cells), across)]
    return [_columns(rng, across), *rows]


def _columns(rng: random.Random, count: int) -> str:
    return ".cols " + " ".join(str(round(100 * at / count + (rng.uniform(-4, 4) if at else 0))) for at in range(count))


def _beside(rng: random.Random, names: Sequence[str]) -> list[str]:
    cut = (len(names) + 1) // 2
    return [
        f".side 0 {rng.randint(45, 60)}",
        *_listed(rng, names[:cut]),
        ".next",
        *_listed(rng, names[cut:]),
        ".end",
    ]


def _run(rng: random.Random, names: Sequence[str]) -> list[str]:
    """Return lines with two labels and their values each."""
    by, end = rng.choice(("  ", ", ", " / ", " - ")), rng.choice((":", ""))
    return [by.join(f"{{#{name}{end}}} {{{name}}}" for name in names[at : at + 2]) for at in range(0, len(names), 2)]


def _table(rng: random.Random, name: str, columns: Sequence[str]) -> list[str]:
    kept = rng.sample(columns, rng.randint(max(1, min(2, len(columns))), min(5, len(columns))))
    if rng.random() < 0.6:
        kept.sort(key=lambda column: column in _NUMBERS)
    right = rng.random() < 0.6
    sides = ["> " if right and column in _NUMBERS else "" for column in kept]
    head, row = (
        " | ".join(f"{side}{{{mark}{column}}}" for side, column in zip(sides, kept, strict=True)) for mark in ("#", "")
    )
    # Columns with long texts get more room.
    shares = [3 if column in ("description", "test", "item") else 1 for column in kept]
    starts = [round(100 * sum(shares[:at]) / sum(shares)) for at in range(len(kept))]
    heading = [head] if rng.random() < 0.9 else []
    return [f".cols {' '.join(map(str, starts))}", *heading, f".rows {name}", row, ".end"]
