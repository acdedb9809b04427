"""Answers about documents that were not used for training, each judged: the extractor's, and simulated ones of an LLM.

They are scanned receipts, read from the picture by OCR and from annotated lines, with the field names of the data set;
and generated documents, with templates and field names that do not occur in training. A value is right if it has the
same letters and figures, or is the same number or day; it is near if at most a tenth of the characters differ.
"""

import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from rapidfuzz.fuzz import ratio

from models.embedding.capability import EMBEDDING, MINILM
from models.extraction.capability import field_reader
from models.extraction.network import ExtractionNetwork
from models.vision.text import TextLine, Word
from tasks.base import TaskRequest
from tasks.extraction.choice import choose_values
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import read_object_list
from tasks.extraction.probability import CalibrationInput, FieldScores, calibration_input, probability
from tasks.extraction.values import ValueForm
from tasks.inputs.source import Origin, Source
from tasks.notation.dates import parse_day
from tasks.notation.numbers import parse_number
from tasks.ocr_result import page_section, picture_result
from tasks.precontext import Entry
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread
from tasks.schema.paths import pointer_of
from tasks.tracing.find_evidence import find_evidence
from tasks.wording.page_range import OcrOptions
from training.extraction.documents import MadeDocument, documents
from training.extraction.examples import (
    Placed,
    Receipt,
    TrainingField,
    asked_of,
    is_for_calibration,
    is_held_out,
    receipts,
)
from training.extraction.kinds import KINDS
from training.services import quiet_services

STRING = {"type": "string"}
WRONG = 0.2

Split = Literal["validate", "test"]
Returned = TypeVar("Returned")


def same(value: Any, truth: Any) -> tuple[bool, bool]:
    """Return whether a value is right, and whether it is near."""
    if value is None or truth is None:
        return value == truth, value == truth
    if not isinstance(truth, str):
        return (abs(float(value) - float(truth)) < 1e-6,) * 2 if not isinstance(value, str) else (False, False)
    said, meant = str(value), truth
    one, other = parse_number(said), parse_number(meant)
    if one and other and one.readings & other.readings:
        return True, True
    day, true_day = parse_day(said), parse_day(meant)
    if day and true_day and day.readings[0] == true_day.readings[0]:
        return True, True
    said, meant = "".join(fold(said)), "".join(fold(meant))
    return said == meant, ratio(said, meant) >= 90


def fits_of(schema: Mapping[str, Any]) -> Any:
    if schema["type"] == "string":
        return lambda value: isinstance(value, str)
    return lambda value: isinstance(value, int | float)


def wanted_of(asked: Sequence[TrainingField]) -> list[WantedField]:
    return [
        WantedField(
            one.path, one.schema, names_of(one.path, one.schema), fits_of(one.schema), in_list=one.cells is not None
        )
        for one in asked
    ]


def text_lines(lines: Sequence[Placed]) -> list[TextLine]:
    """Return the lines as if they had been read. The box of a word is its share of the line's box."""
    found = []
    for left, top, right, bottom, text in lines:
        words, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            x0, x1 = (left + (right - left) * edge / len(text) for edge in (at, at + len(word)))
            at += len(word)
            words.append(Word(word, ((x0, top), (x1, top), (x1, bottom), (x0, bottom)), 1.0))
        if words:
            quad = ((left, top), (right, top), (right, bottom), (left, bottom))
            found.append(TextLine(tuple(words), quad))
    return found


def entry_of(lines: Sequence[Placed]) -> Entry:
    found = text_lines(lines)
    size = int(max((max(line[2], line[3]) for line in lines), default=1)) + 1
    return Entry("ocr", picture_result(page_section(found, 1, size, size)))


def in_columns(lines: Sequence[Placed]) -> str:
    """Return the text of a page with spaces that preserve its columns, as many programs write it."""
    letter = statistics.median((right - left) / max(1, len(text)) for left, _, right, _, text in lines)
    first = min(line[0] for line in lines)
    rows: list[list[Placed]] = []
    for line in sorted(lines, key=lambda line: line[1] + line[3]):
        beside = (
            row for row in rows[-4:] if min(row[0][3], line[3]) - max(row[0][1], line[1]) > (line[3] - line[1]) / 2
        )
        row = next(beside, None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    written = []
    for row in rows:
        text = ""
        for line in sorted(row):
            text = text.ljust(max(int((line[0] - first) / letter), len(text) + 2 * bool(text))) + line[4]
        written.append(text)
    return "\n".join(written)


@dataclass(frozen=True)
class JudgedAnswer:
    groups: tuple[str, ...]
    is_right: bool
    is_near: bool
    evidence_input: CalibrationInput | None
    """Evidence for the answer; None if no place contains it."""
    by: Literal["extractor", "llm", "wrong llm"]

    @property
    def probability(self) -> float:
        return probability(self.evidence_input) if self.evidence_input else 0.0


def made_documents(split: Split, count: int) -> Iterator[MadeDocument]:
    """Yield `count` documents. Half of the kinds of document are for calibration, the other half for the measurement.
    Training uses neither their templates nor the names of their fields."""
    made = documents(11, 3 * count, split="test", noise=0.3)
    own = (document for document in made if (sorted(KINDS).index(document.kind) % 2 == 0) == (split == "validate"))
    return islice(own, count)


class AnswerMaker:
    """Asks the extractor about documents. `folder` contains the receipts, if there are any."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.services = quiet_services()
        embedder = self.services.runtime.find(EMBEDDING, MINILM)
        self.extractor = Extractor(
            ExtractionNetwork(),
            embedder,
            most_spans=6_000,
            reader=field_reader(self.services.runtime),
        )
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.items: Counter[str] = Counter()

    async def answers(self, split: Split, made: int, rng: random.Random) -> AsyncIterator[JudgedAnswer]:
        """Yield the answers of the extractor and the answers of a simulated LLM. Of the simulated answers, four fields
        in five are right; the fifth has another value of the page or a value that the page does not contain."""
        keys = ("company", "date", "address", "total")
        for receipt in receipts(self.folder) if self.folder else ():
            if not is_held_out(receipt) or is_for_calibration(receipt) != (split == "validate"):
                continue
            name = "scans" if receipt.has_picture else "lines"
            entry = await self._read(receipt) if receipt.has_picture else entry_of(receipt.lines)
            asked = [TrainingField((key,), STRING, receipt.fields[key]) for key in keys if key in receipt.fields]
            async for answer in self._asked(entry, asked, name, rng, lambda one, name=name: (name, f"{name}: {one}")):
                yield answer
        for document in made_documents(split, made):
            lines = [(*map(float, line.box), line.text) for line in document.lines]
            entry = entry_of(lines)  # type: ignore[arg-type]
            kind = document.kind
            asked = asked_of(document, rng)
            async for answer in self._asked(entry, asked, "made", rng, lambda _, kind=kind: ("made", f"made: {kind}")):
                yield answer

    async def pasted(self, made: int, rng: random.Random) -> AsyncIterator[JudgedAnswer]:
        """Yield answers for generated documents that are the text of a message: once line by line, once with their
        columns."""
        for document in made_documents("test", made):
            lines = [(*map(float, line.box), line.text) for line in document.lines]
            read = entry_of(lines)  # type: ignore[arg-type]
            asked = asked_of(document, rng)
            for name, text in (("pasted by lines", read.result.text()), ("pasted with columns", in_columns(lines))):  # type: ignore[arg-type]
                entry = Entry("request", JsonResult({"messages": {"0": {"content": text}}}))
                async for answer in self._asked(entry, asked, name, rng, lambda _, name=name: (name,)):
                    yield answer

    async def count_lists(self, made: int, rng: random.Random) -> None:
        """Count right rows and cells in the lists of documents. All kinds of documents are used, because calibration
        uses no lists."""
        for document in documents(11, made, split="test", noise=0.3):
            asked = asked_of(document, rng)
            lines = [(*map(float, line.box), line.text) for line in document.lines]
            if document.tables:
                scored = await in_thread(self.extractor.score, [entry_of(lines)], wanted_of(asked))  # type: ignore[arg-type]
                self._count_items(scored, asked)

    async def _read(self, receipt: Receipt) -> Entry:
        assert self.folder is not None
        data = (self.folder / "images" / f"{receipt.id}.jpg").read_bytes()
        ocr = self.services.tasks.find("ocr")
        return Entry("ocr", await ocr.run(TaskRequest(OcrOptions(), (Source(Origin("scan"), data=data),))))

    async def _asked(
        self,
        entry: Entry,
        asked: Sequence[TrainingField],
        name: str,
        rng: random.Random,
        groups: Callable[[str], tuple[str, ...]],
    ) -> AsyncIterator[JudgedAnswer]:
        began = time.perf_counter()
        scored = await in_thread(self.extractor.score, [entry], wanted_of(asked))
        found = choose_values(scored)
        self.seconds[name].append(time.perf_counter() - began)
        for one in asked:
            if one.value is None and one.cells is None and one.schema["type"] == "string" and name == "made":
                choice = found.get(one.path)
                self.items["absent"] += 1
                self.items["left empty"] += choice is None or choice.value in (None, "")
        single = [one for one in asked if one.cells is None and one.value is not None]
        for one in single:
            choice = found.get(one.path)
            yield _answer(scored, entry, one, choice.value if choice else None, groups(one.path[0]), "extractor")
            lie = _lie(scored, one, single, rng) if rng.random() < WRONG else None
            value = one.value if lie is None else lie
            value = float(value) if isinstance(value, Decimal) else value
            yield _answer(scored, entry, one, value, groups(one.path[0]), "llm" if lie is None else "wrong llm")

    def _count_items(self, scored: FieldScores, asked: Sequence[TrainingField]) -> None:
        columns = [one for one in asked if one.cells is not None]
        for at in {one.path[:-1] for one in columns}:
            own = [one for one in columns if one.path[:-1] == at]
            rows = max(len(one.cells or ()) for one in own)
            truth = [{one.path[-1]: one.cells[row][0] for one in own if one.cells and row < len(one.cells)}
                     for row in range(rows)]  # fmt: skip
            said = read_object_list(scored, at).rows
            self.items["right"] += right_cells(said, truth)
            self.items["said"] += sum(value not in (None, "") for item in said for value in item.values())
            self.items["meant"] += sum(map(len, truth))
            self.items["lists"] += 1
            self.items["all rows"] += len(said) == len(truth)


def right_cells(said: Sequence[Mapping[str, Any]], truth: Sequence[Mapping[str, Any]]) -> int:
    """Return the largest number of right cells if rows are matched in order. Rows may be left out."""
    best = [[0] * (len(truth) + 1) for _ in range(len(said) + 1)]
    for at, item in enumerate(said):
        for row, meant in enumerate(truth):
            right = sum(item.get(name) is not None and same(item[name], value)[1] for name, value in meant.items())
            best[at + 1][row + 1] = max(best[at][row + 1], best[at + 1][row], best[at][row] + right)
    return best[-1][-1]


def _answer(
    scored: FieldScores, entry: Entry, one: TrainingField, value: Any, groups: tuple[str, ...], by: Any
) -> JudgedAnswer:
    right, near = same(value, one.value)
    evidence = evidence_of(scored, entry, one.path, value)
    place = scored.place(one.path, value, copied=by == "extractor")
    evidence_input = None
    if evidence and place:
        evidence_input = calibration_input(place, evidence["score"], evidence["label"], evidence.get("confidence", 1.0))
    return JudgedAnswer(groups, right, near, evidence_input, by)


def evidence_of(scored: FieldScores, entry: Entry, path: tuple[str, ...], value: Any) -> Any:
    whole: Any = value
    for step in reversed(path):
        whole = {step: whole}
    request = entry if entry.name == "request" else None
    read = [] if request else [entry]
    found, _ = find_evidence(whole, read, None, most_chars=10**9, support=scored.place, request=request)
    return found.fields.get(pointer_of(path))


def _lie(scored: FieldScores, one: TrainingField, others: Sequence[TrainingField], rng: random.Random) -> Any:
    """Return a wrong value: the value of another field, another value of the same type on the page, or the true value
    with a changed digit."""
    truth = one.value
    draw = rng.random()
    if draw < 0.25:
        values = [other.value for other in others if not same(other.value, truth)[1]]
    elif draw < 0.75:
        form = ValueForm.of(one.schema, names_of(one.path, one.schema))
        values = [
            next(form.values_of(span, scored.candidates.has_days_first), None) for span in scored.candidates.spans
        ]
        values = [value for value in values if value not in (None, "") and not same(value, truth)[1]]
    else:
        values = []
    if values:
        return rng.choice(values)
    if not isinstance(truth, str):
        return float(truth) + rng.choice([1, 10, -1, 0.1])
    figures = [at for at, letter in enumerate(truth) if letter.isalnum()]
    at = rng.choice(figures or [0])
    changed = str((int(truth[at]) + 3) % 10) if truth[at].isdigit() else rng.choice("aeiounrst")
    return truth[:at] + changed + truth[at + 1 :] if truth[at].isdigit() else truth[:at] + changed * 3 + truth[at + 2 :]
