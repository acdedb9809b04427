"""Writes what `tests/boxes/card/run` found into docs/gpu.md.

    python -m tests.boxes.card.page proof.json

The table of what was tried gets a row for the machine, in place of its last one; where a card was there, the page gets
a section with its engines, too.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.devices import put

PAGE = Path(__file__).parents[3] / "docs" / "gpu.md"
_COMMAND = "`tests/boxes/card/run`"


def row(found: Mapping[str, Any]) -> str:
    """Return the row of the table."""
    wrong = [one["engine"] for one in found["engines"] if not one["ok"]]
    wrong += [name for name in ("stream", "hang", "break") if not found[name]["ok"]]
    names = ", ".join(one["engine"] for one in found["engines"])
    said = f"{_COMMAND}: {names}, a stream, a call that hangs, a card that breaks"
    said += f"; not as they should be: {', '.join(wrong)}" if wrong else ""
    where = found["machine"] if found["card"] else f"no card: {found['machine']}"
    return f"| {said} | {where}, {found['day']}, {found['seconds']} s |"


def section(found: Mapping[str, Any]) -> str:
    """Return the section of a machine with a card."""
    rows = [
        f"| {one['capability']} | `{one['engine']}` | {'yes' if one['same'] else 'no'}, {one['difference']:.2g} | "
        f"{one['per_second']:,.2f} {one['unit']} | {_mb(one, 'free_loaded')} | {_mb(one, 'free_after')} | "
        f"{_mb(one, 'free_unloaded')} |"
        for one in found["engines"]
    ]
    head = ["| capability | engine | as on the CPU | a second | MB loaded | after work | unloaded |", f"|{'---|' * 7}"]
    stream = found["stream"]
    told = f"{found['day']}: {found['versions']}. "
    if "first_ms" in stream:
        told += f"The LLM's first word came after {stream['first_ms']:,} ms, "
        told += f"then {stream['pieces_per_second']} pieces a second. "
    ends = [f"{found[kind]['ended_after_s']} s" for kind in ("hang", "break")]
    told += f"The server ended {ends[0]} after a call that hangs began, and {ends[1]} after one that breaks the card."
    return "\n".join([f"## Proved on {found['machine']}", "", told, "", *head, *rows]) + "\n"


def _mb(one: Mapping[str, Any], when: str) -> str:
    return f"{(one['free_before'] - one[when]) / 1e6:,.0f}"


def with_proof(page: str, found: Mapping[str, Any]) -> str:
    """Return the page with the row of this machine, and with its section if a card was there."""
    new = row(found)
    where = found["machine"] if found["card"] else f"no card: {found['machine']}"
    kept = [line for line in page.splitlines() if not (line.startswith(f"| {_COMMAND}") and f"| {where}, " in line)]
    last = max(index for index, line in enumerate(kept) if re.match(r"\| (?!-)", line) and _in_tried(kept, index))
    text = "\n".join([*kept[: last + 1], new, *kept[last + 1 :]]) + "\n"
    return put(text, section(found)) if found["card"] else text


def _in_tried(lines: list[str], index: int) -> bool:
    return next(line for line in reversed(lines[:index]) if line.startswith("## ")) == "## What was tried"


if __name__ == "__main__":
    PAGE.write_text(with_proof(PAGE.read_text(), json.loads(Path(sys.argv[1]).read_text())))
