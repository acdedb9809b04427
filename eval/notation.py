"""Measures how many days, numbers, periods, times and codes are read as the people of thirteen countries print them.

    .venv/bin/python -m eval.notation                       the figures
    .venv/bin/python -m eval.notation --show day period     … and each line of these kinds that is not read

`eval/notation.jsonl` has lines of print, their languages and what they say. Somebody who knows how each country prints
wrote them without sight of the readers.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasks.extraction.candidates import find_candidates
from tasks.extraction.records.pieces import cut_line
from tasks.extraction.words_on_page import rows_of
from tasks.notation.dates import find_days
from tasks.notation.numbers import find_numbers
from training.extraction.examples import passage_of

LINES = Path(__file__).with_suffix(".jsonl")

_TIMES = {"time", "times", "moment"}
_MONTHS = {"moment", "date", "day", "period"}


def _is_day_read(line: Mapping[str, Any]) -> bool:
    first = next(find_days(line["text"]), None)
    return first is not None and line["value"] in {day.isoformat() for day in first.readings}


def _is_number_read(line: Mapping[str, Any]) -> bool:
    readings = [float(reading) for number in find_numbers(line["text"]) for reading in number.readings]
    return any(abs(reading - float(line["value"])) < 1e-6 for reading in readings)


def _is_code_read(line: Mapping[str, Any]) -> bool:
    candidates = find_candidates([_printed(line["text"])])
    return line["value"] in {span.text for span in candidates.spans}


def _has_piece_of(kinds: set[str]) -> Callable[[Mapping[str, Any]], bool]:
    return lambda line: not kinds.isdisjoint(_kinds_of_pieces(line["text"]))


def _kinds_of_pieces(text: str) -> Iterator[str]:
    passage = _printed(text)
    for row in rows_of(passage):
        yield from (piece.kind for piece in cut_line(passage, row).pieces)


def _printed(text: str) -> Any:
    return passage_of([(0, 0, 10.0 * len(text), 20, text)])


READERS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "day": _is_day_read,
    "month": _has_piece_of(_MONTHS),
    "period": _has_piece_of({"period"}),
    "time": _has_piece_of(_TIMES),
    "amount": _is_number_read,
    "quantity": _is_number_read,
    "percent": _is_number_read,
    "code": _is_code_read,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--show", nargs="*", default=[], choices=READERS, help="kinds whose unread lines are shown")
    shown = parser.parse_args().show
    figures: dict[str, Counter[bool]] = defaultdict(Counter)
    for line in map(json.loads, LINES.read_text().splitlines()):
        kind = line["what"]
        is_read = READERS[kind](line)
        figures[kind][is_read] += 1
        if kind in shown and not is_read:
            print(f"{kind} {line['lang']}: {line['text']!r}, not {line['value']}")
    for kind, count in figures.items():
        print(f"{kind}: {count[True]} of {count.total()}")


if __name__ == "__main__":
    main()
