"""Tables and lines in Markdown."""

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]]) -> str:
    """`rows`, the first of which is the heading, as a pipe table as wide as the widest; "" without any."""
    rows = list(rows)
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    head, *body = [_row([*row, *[""] * (width - len(row))]) for row in rows]
    return "\n".join([head, _row(["---"] * width), *body])


def one_line(text: str) -> str:
    """`text` without line breaks and runs of white space."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """`text` as it may stand in a table."""
    return one_line(text).replace("|", "\\|")


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(cell, cells)) + " |"
