"""Samples for the training of the encoder: tokens of a page and of fields, and the places of the fields' values."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.extraction.page_tokens import EncoderInput, FieldKind, Prompt, encoder_input, page_tokens
from tasks.extraction.prompts import prompt_text
from training.extraction.documents import MadeDocument, MadeField
from training.extraction.written import NUMBERS, AskedField, Page

WINDOW = 704
"""Largest number of a page's tokens in a sample, that of `models.extraction.page_encoder`."""


@dataclass(frozen=True)
class EncoderSample:
    """An input of the encoder, with the right answers."""

    given: EncoderInput
    answers: tuple[tuple[int, int, int], ...]
    """Field, first token and last token of each value, as indices into the input."""
    source: str = ""


def prompt_of(name: str, type_: str, in_list: bool, rng: random.Random) -> Prompt:
    """Return the prompt of a field. Its schema may not state the form of its values, and that of an absent field states
    any."""
    keys, _, told = name.partition("|")
    kind: FieldKind = "text"
    if type_ in NUMBERS or type_ == "integer":
        kind = "number" if rng.random() < 0.75 else "text"
    elif type_ == "date":
        kind = "date" if rng.random() < 0.7 else "text"
    elif type_ == "time":
        kind = "time" if rng.random() < 0.3 else "text"
    elif not type_:
        kind = rng.choice(("text", "text", "number", "date"))
    steps = keys.replace("[]", "").split(".")
    return Prompt(prompt_text(steps, told), kind, in_list)


def page_of(made: MadeDocument, rng: random.Random, most: int = 22) -> Page:
    """Return a generated document as a page, its pages one below the other, with at most so many of its fields."""
    lines = [line.text for line in made.lines]
    offsets: dict[int, float] = {}
    for line in made.lines:
        offsets[line.page] = max(offsets.get(line.page, 0.0), line.box[3] + 40.0)
    above = {page: sum(height for other, height in offsets.items() if other < page) for page in offsets}
    boxes = [
        (line.box[0], line.box[1] + above[line.page], line.box[2], line.box[3] + above[line.page])
        for line in made.lines
    ]

    def span(one: MadeField) -> tuple[int, int, int, int]:
        return one.sources[0].line, one.sources[0].start, one.sources[-1].line, one.sources[-1].end

    usual = [one for one in made.fields if one.type not in ("boolean", "enum") and one.sources]
    fields = [
        AskedField(rng.choice(one.names), one.type, False, (span(one),))
        for one in rng.sample(usual, min(len(usual), rng.randint(3, most - 4)))
    ]
    fields += [
        AskedField(rng.choice(one.names), one.type, False)
        for one in rng.sample(made.absent, min(len(made.absent), 3))
        if one.type not in ("boolean", "enum")
    ]
    for table in made.tables:
        for column in table.columns:
            spans = tuple(
                span(one) for row in table.rows for one in row if one.concept == column.concept and one.sources
            )
            fields.append(AskedField(f"items[].{rng.choice(column.names)}", column.type, True, spans))
    rng.shuffle(fields)
    return Page(lines, boxes, fields[:most], f"{made.kind}/{made.template}")


def sample_of(page: Page, tokenizer: Any, rng: random.Random, window: int = WINDOW) -> EncoderSample | None:
    """Return a sample of a page, and of a long page a part with one of the answers. None for an empty page."""
    words: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    of_line: list[list[tuple[int, int]]] = []
    for text, (left, top, right, bottom) in zip(page.lines, page.boxes, strict=True):
        at, own = 0, []
        for word in text.split():
            at = text.index(word, at)
            own.append((len(words), at))
            x0, x1 = (left + (right - left) * edge / len(text) for edge in (at, at + len(word)))
            words.append(word)
            boxes.append((x0, top, x1, bottom))
            at += len(word)
        of_line.append(own)
    tokens = page_tokens(tokenizer, words, boxes)
    if not len(tokens.ids):
        return None
    first_of_word = np.searchsorted(tokens.words, np.arange(len(words) + 1))

    def token_at(line: int, character: int, is_end: bool) -> int | None:
        found = None
        for word, start in of_line[line]:
            for token in range(first_of_word[word], first_of_word[word + 1]):
                if tokens.signs[token]:
                    continue
                begin = start + int(tokens.starts[token])
                if not is_end and begin >= character:
                    return token
                if is_end and begin < character:
                    found = token
        return found

    answers = []
    for index, asked in enumerate(page.fields):
        for first_line, start, last_line, end in asked.spans:
            first, last = token_at(first_line, start, False), token_at(last_line, end, True)
            if first is not None and last is not None and first <= last:
                answers.append((index, first, last))
    count = len(tokens.ids)
    begin = 0
    if count > window:
        begin = min(count - window, max(0, rng.choice(answers)[1] - rng.randint(50, window - 50))) if answers else 0
    part = tokens.part(begin, begin + window)
    prompts = [prompt_of(one.name, one.type, one.in_list, rng) for one in page.fields]
    given = encoder_input(tokenizer, prompts, part)
    shift = given.page_start - begin
    kept = tuple(
        (index, first + shift, last + shift)
        for index, first, last in answers
        if first >= begin and last < begin + window
    )
    return EncoderSample(given, kept, page.source)


def batches(samples: Iterator[EncoderSample], tokens: int, pool: int = 256) -> Iterator[list[EncoderSample]]:
    """Yield samples of similar lengths in batches with at most so many tokens, padding included."""
    rng = random.Random(0)
    while True:
        own = [sample for _, sample in zip(range(pool), samples, strict=False)]
        if not own:
            return
        own.sort(key=lambda one: len(one.given.ids))
        found: list[list[EncoderSample]] = [[]]
        for one in own:
            if (len(found[-1]) + 1) * len(one.given.ids) > tokens and found[-1]:
                found.append([])
            found[-1].append(one)
        rng.shuffle(found)
        yield from found


def collated(samples: Sequence[EncoderSample]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of a batch, padded, with the answers as flags of samples × fields × tokens."""
    longest = max(len(one.given.ids) for one in samples)
    longest += -longest % 64
    most = max(len(one.given.listed) for one in samples)
    names = ("ids", "positions", "segments", "kinds", "rows", "lefts", "rights", "sizes", "owners")
    found: dict[str, np.ndarray[Any, Any]] = {name: np.zeros((len(samples), longest), np.int64) for name in names}
    found["token"] = np.zeros((len(samples), longest), np.bool_)
    found["page"] = np.zeros((len(samples), longest), np.bool_)
    found["field"] = np.zeros((len(samples), most), np.bool_)
    found["listed"] = np.zeros((len(samples), most), np.bool_)
    for name in ("first", "last", "inside"):
        found[name] = np.zeros((len(samples), most, longest), np.bool_)
    for row, one in enumerate(samples):
        count, fields = len(one.given.ids), len(one.given.listed)
        for name in names:
            found[name][row, :count] = getattr(one.given, name)
        found["token"][row, :count] = True
        found["page"][row, one.given.page_start : count] = True
        found["field"][row, :fields] = True
        found["listed"][row, :fields] = one.given.listed
        for field, first, last in one.answers:
            found["first"][row, field, first] = True
            found["last"][row, field, last] = True
            found["inside"][row, field, first : last + 1] = True
    return found
