"""Finds spans of text that may be values of fields: typed values, lines, parts of lines and blocks of lines."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.extraction.boxes import box_of
from tasks.extraction.concepts import CONCEPTS, PHRASES
from tasks.extraction.decimal_signs import decimal_sign
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import LabelLayout, layout_of, segments_of
from tasks.extraction.parts import parts_of_name, places_in
from tasks.extraction.passages import Passage, head_of
from tasks.notation.addresses import EMAIL, URI
from tasks.notation.clock_times import OTHER_CLOCKS, iso_moment
from tasks.notation.currencies import FORM as CURRENCY
from tasks.notation.dates import Day
from tasks.notation.numbers import Number
from tasks.notation.order_of_days import are_days_first, is_order_shown, order_of
from tasks.notation.words import NUMBERS, any_of
from tasks.notation.words import UNITS as UNITS_OF_TIME
from tasks.result import Box

Kind = Literal["line", "part", "piece", "word", "block", "day", "number", "time", "email", "uri"]
"""Kind of a candidate: a whole line; a `part`, which is the text after a label in its line; a `piece` of a line; a word
with digits; a block of lines; or a value of a known form."""
Slot = Literal["own", "left", "above"]
"""Place of a label: before the span in its line, left of its line, or above its line."""
KINDS: tuple[Kind, ...] = ("line", "part", "piece", "word", "block", "day", "number", "time", "email", "uri")

MAX_SEGMENTS = 1_500
"""At most this many segments of a page are examined, because the search for neighbours compares each of them with all
others."""
BOXES_AT_ONCE = 64
"""The neighbours of this many boxes are found in one slice of the work."""
MAX_SPAN_CHARS = 4_000
"""A candidate without a colon before it has at most this many characters. A longer candidate, such as a row of a table
of thousands of columns, answers no field, and each rule would read it again for each field."""
MAX_LABELLED_CHARS = 10_000
"""A candidate after a label with a colon, such as `Description:`, has at most this many characters."""
LONGEST_BLOCK = 6
"""A block has at most this many lines, because an address has up to six."""
MAX_WORDS_OF_SHORT_LINE = 8
"""A line with at most this many words is short. Any number of the first or last words of a short line is a candidate,
too."""
SENDERS = ("seller", "from")
"""Parties that send a document; all other parties receive it."""
LONGEST_PARTY = 60
"""Only this many characters of a label are compared with the names of parties."""
MAIL_PARTIES = {
    **dict.fromkeys(("from", "von", "de", "da", "van", "dari"), "from"),
    **dict.fromkeys(("to", "an", "à", "para", "per", "aan", "kepada"), "to"),
}
"""Party by the label of a line in the head of an e-mail: `From:`, `To:`."""
MAX_WORDS_BEFORE = 4
"""At most this many words before a value in a sentence count as the value's label."""
MAX_WORDS_OF_BLOCK = 200
"""A block has at most this many words. The lines of an address or of a paragraph have fewer together."""
BLOCK_GAP = 1.3
"""Largest gap between two lines of a block, in heights of the smaller line."""
SIGNS_AROUND = ".,;:()[]{}\"'“”‘’|*#-–— "
TICK_BOX_SIGNS = "☐☒☑"
SIGNS_OF_NAMES = ("&", "+")
"""Words of one sign that are part of a name."""

_CLOCK = re.compile(
    rf"(?<!\+)(?<!:\d\d:\d\d-)\b\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\b\.?)?|{OTHER_CLOCKS}",
    re.IGNORECASE,
)
"""Pattern of a time of day, but not of an offset: `23:50:00 +01:00`."""
_DIGITS = re.compile(r"(?<![\w.,])\+?\(?\d[\d ()./-]{5,20}\d(?![\w])")
"""Pattern of digits in groups, such as a telephone number or an account number."""
_ACCOUNT = re.compile(
    r"(?<![^\W_])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![^\W_])"
    r"|(?<![\d-])\d\d(?: \d{4}){4,6}(?![\d-])"
)
"""Pattern of an IBAN, with or without the letters of its country."""
_WRAPPED_ACCOUNT = re.compile(
    r"(?<![^\W_])[A-Z]{2}\d\d(?:\s?[A-Z]{4})?(?:\s?\d{4}){2,6}(?:\s?\d{1,3})?(?![^\W_])"
    r"|(?<![\d-])\d\d(?:\s\d{4}){6}(?![\d-])"
)
"""Pattern of an account number that may continue in the next line."""
_COUNTED = re.compile(
    rf"(?<![^\W_])(?:{any_of(NUMBERS)})(?=\s(?:\w+\s)?(?:{'|'.join(UNITS_OF_TIME.values())})(?![^\W_]))", re.IGNORECASE
)
"""Pattern of a count in words before a unit of time: `two months`."""
_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("time", _CLOCK),
    ("email", EMAIL),
    ("uri", URI),
    ("piece", _DIGITS),
    ("piece", _ACCOUNT),
    ("piece", CURRENCY),
)
_COLONS = frozenset(":：")
LABEL = re.compile(r"(?=[^:：]*[^\W\d_])[^:：]{1,60}[:：](?!//)")
"""Pattern of a label up to its colon; times of day and web addresses do not match."""
_NAME = re.compile(
    r"\b[^\W\d_a-zà-ÿ][\w'’&.-]*(?: (?:(?:de|of|von|van|der|la|del|and) ){0,3}[^\W\d_a-zà-ÿ][\w'’&.-]*)*"
)
"""Pattern of consecutive capitalised words, with small words between them, which are names in a sentence."""
_QUOTED = re.compile(r"[«“„\"] ?(?P<quoted>[^\W\d_][^«»“”„\"]{1,80}?) ?[»”“\"]")
"""Pattern of a title or another whole text in quotation marks."""
_GROUPED = re.compile(r"^\W?\d{1,3}[.,]\d{3}$")
_STOPS = re.compile(r"[.,;]*")
_BRACKETS = re.compile(r"(.{2,}?)(?<!\s)\s*+(?:\([^()]{1,40}\)|<[^<>]{1,100}>)\W*")


@dataclass(frozen=True, slots=True)
class LineSegment:
    """Words of one line without a wide gap between them."""

    passage: Passage
    words: tuple[int, ...]
    text: str
    box: Box | None
    left: int = -1
    """Index of the nearest segment to the left in the same row, or −1."""
    above: int = -1
    below: int = -1

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1] if self.box else 0


@dataclass(frozen=True, slots=True)
class CandidateSpan:
    kind: Kind
    passage: Passage
    words: tuple[int, ...]
    """Indices of the words that the span covers, ascending. Words that touch the text without white space are
    included."""
    text: str
    """The text in the form of a field's value, without the signs around it."""
    first: int
    """Index of the segment in which the span begins."""
    last: int
    label: str = ""
    """The text before the span that names it, as written on the page."""
    has_colon: bool = False
    """True if the label ends with a colon."""
    number: Number | None = None
    day: Day | None = None

    @property
    def text_before(self) -> str:
        """The last words before the span in its line."""
        return self.passage.text_before(self.words[0])


@dataclass(frozen=True)
class Candidates:
    """The segments of the texts that were read, and the spans in them that may be values of fields."""

    passages: Sequence[Passage]
    segments: list[LineSegment] = field(default_factory=list)
    spans: list[CandidateSpan] = field(default_factory=list)
    layouts: dict[int, LabelLayout] = field(default_factory=dict)
    """The layout of each passage, by the passage's identity."""

    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        """The folded words of the label at the beginning of each segment; empty for a segment without a label."""
        found = (LABEL.match(segment.text) for segment in self.segments)
        return [tuple(fold(label[0])) if label else () for label in found]

    @cached_property
    def labels_beside(self) -> list[dict[Slot, str]]:
        """The texts that may name each span (`labels_of`)."""
        return list(map(self.labels_of, self.spans))

    def labels_of(self, span: CandidateSpan) -> dict[Slot, str]:
        """Return the texts that may name a span: before it in its line, left of its line, and above its line.

        A text to the left of a line or above it names only the spans at the line's beginning.
        """
        first = self.segments[span.first]
        is_first = span.words[0] == first.words[0]
        left = self.segments[first.left].text if is_first and first.left >= 0 else ""
        above = self.segments[first.above].text if is_first and first.above >= 0 and not span.has_colon else ""
        labels: dict[Slot, str] = {"own": span.label, "left": left, "above": above}
        return {slot: text for slot, text in labels.items() if text}

    @cached_property
    def is_order_of_days_shown(self) -> bool:
        """True if the texts show the order of day and month in days such as `03/04/05`."""
        days = ((span.text, span.day) for span in self.spans if span.day is not None)
        return is_order_shown(days, [passage.text for passage in self.passages])

    @cached_property
    def has_days_first(self) -> bool:
        """True if days such as `03/04/05` have the day before the month."""
        return are_days_first(order_of(span.text, span.day) for span in self.spans if span.day is not None)

    @cached_property
    def blocks(self) -> list[int]:
        """Number of the block that each segment belongs to: the index of the block's first segment."""
        found: list[int] = []
        for index, segment in enumerate(self.segments):
            is_next = 0 <= segment.above < index and continues_block(self.segments[segment.above], segment)
            found.append(found[segment.above] if is_next else index)
        return found

    @cached_property
    def parties(self) -> list[str]:
        """The party that owns each segment: the one that a label at the beginning of the segment, or of a line above it
        in the same block, names; empty if none does."""
        return [self._party(index) for index in range(len(self.segments))]

    def _party(self, index: int) -> str:
        is_labelled = False
        for _ in range(LONGEST_BLOCK):
            segment = self.segments[index]
            left_text = self.segments[segment.left].text if segment.left >= 0 else ""
            # A label in a separate column has no text after it in its segment.
            is_label = left_text and not left_text.partition(":")[2].strip()
            if party := party_of(segment.text) or (is_label and party_of(left_text)):
                # Below "To: Bob", "Subject: Lunch" is not part of Bob's address.
                return "" if is_labelled and party in MAIL_PARTIES.values() else party
            if segment.above < 0 or not continues_block(self.segments[segment.above], segment):
                break
            is_labelled = is_labelled or LABEL.match(segment.text) is not None
            index = segment.above
        return ""


def party_of(text: str) -> str:
    """Return the party that a label names, or an empty text. Only the part of `text` before the first colon counts."""
    label, colon, _ = text.partition(":")
    words = tuple(fold(label[:LONGEST_PARTY]))
    if colon and len(words) == 1 and words[0] in MAIL_PARTIES:
        return MAIL_PARTIES[words[0]]
    name = PHRASES.get(words)
    return CONCEPTS[name].party if name else ""


def continues_block(above: LineSegment, below: LineSegment) -> bool:
    """True if a line belongs to the same block as the line above it."""
    if above.box and below.box:
        height = max(1, min(above.height, below.height))
        return below.box[1] - above.box[3] <= BLOCK_GAP * height and max(above.height, below.height) <= 2 * height
    return below.words[0] == above.words[-1] + 1


def find_candidates(passages: Sequence[Passage], most_spans: int = 6_000) -> Candidates:
    """Find the first `most_spans` candidates in `passages`. This takes about 25 ms per page.

    In each passage, only the first MAX_SEGMENTS segments within the first MAX_CHARS characters are searched.
    """
    heads: list[Passage] = []
    layouts = {}
    for passage in passages:
        head = _head_of(passage)
        heads.append(head)
        layouts[id(head)] = layout_of(head)
    passages = heads
    candidates = Candidates(passages)
    candidates.layouts.update(layouts)
    seen: set[tuple[int, tuple[int, ...], str]] = set()
    for passage in passages:
        if len(candidates.spans) == most_spans:
            break
        first = len(candidates.segments)
        segments = _split_into_segments(passage)
        candidates.segments.extend(_with_neighbours(segments, first))
        for span in _spans_of(passage, candidates, first):
            if len(candidates.spans) == most_spans:
                break
            if not 0 < len(span.text) <= (MAX_LABELLED_CHARS if span.has_colon else MAX_SPAN_CHARS):
                continue
            key = (id(passage), span.words, span.text)
            if key not in seen:
                seen.add(key)
                candidates.spans.append(span)
    _settle_numbers(candidates)
    return candidates


def _head_of(passage: Passage) -> Passage:
    """Return the part of a long passage in which candidates are searched. The tokens, numbers and other properties of a
    passage are computed for its whole text: for a book, this would take a minute, although only its first pages are
    searched."""
    lines = head_of(passage.lines[:MAX_SEGMENTS])
    if len(lines) == len(passage.lines) and (not lines or lines[-1] is passage.lines[-1]):
        return passage
    return Passage(passage.entry, passage.name, lines)


def _settle_numbers(candidates: Candidates) -> None:
    """Decide whether the sign in numbers like `9.800` separates thousands, by the other numbers of the page."""
    sign = decimal_sign(candidates.passages)
    if not sign:
        return
    for index, span in enumerate(candidates.spans):
        if (number := span.number) and len(number.readings) == 2 and _GROUPED.search(number.digits):
            value = (min if sign in number.digits else max)(number.readings, key=abs)
            candidates.spans[index] = replace(span, number=replace(number, readings=frozenset({value})))


def _split_into_segments(passage: Passage) -> list[LineSegment]:
    found: list[LineSegment] = []
    for line in range(len(passage.lines)):
        for words in segments_of(passage, line):
            text = " ".join([passage.words[word] for word in words])
            found.append(LineSegment(passage, tuple(words), text, box_of(passage, words)))
    return found[:MAX_SEGMENTS]


def _with_neighbours(segments: Sequence[LineSegment], offset: int) -> list[LineSegment]:
    """Return the segments with their neighbours. Without boxes, each line counts as below the preceding line."""
    boxes = [segment.box for segment in segments]
    placed = [index for index, box in enumerate(boxes) if box is not None]
    nearest = nearest_boxes(np.array([boxes[index] for index in placed], np.float32))
    neighbours = dict(zip(placed, nearest, strict=True))
    found: list[LineSegment] = []
    for index, segment in enumerate(segments):
        if index in neighbours:
            neighbour_indices = [placed[at] + offset if at >= 0 else -1 for at in neighbours[index]]
        else:
            above, below = index - 1, index + 1 if index + 1 < len(segments) else -1
            neighbour_indices = [-1, *(at + offset if at >= 0 and boxes[at] is None else -1 for at in (above, below))]
        found.append(LineSegment(segment.passage, segment.words, segment.text, segment.box, *neighbour_indices))
    return found


def nearest_boxes(boxes: NDArray[np.float32]) -> list[tuple[int, int, int]]:
    """Return, for each box, the indices of the nearest boxes to its left in the same row, above it and below it; −1 if
    there is none. A box above or below must be nearer than six times the height of the box."""
    found: list[tuple[int, int, int]] = []
    for start in range(0, len(boxes), BOXES_AT_ONCE):
        found += _nearest_to(boxes, slice(start, start + BOXES_AT_ONCE))
    return found


def _nearest_to(boxes: NDArray[np.float32], part: slice) -> list[tuple[int, int, int]]:
    left, top, right, bottom = boxes[part].T
    lefts, tops, rights, bottoms = boxes.T
    height = np.maximum(1, bottom - top)
    low = np.minimum(height[:, None], np.maximum(1, bottoms - tops)[None])
    is_beside = np.minimum(bottom[:, None], bottoms[None]) - np.maximum(top[:, None], tops[None]) > 0.5 * low
    overlaps = np.minimum(right[:, None], rights[None]) - np.maximum(left[:, None], lefts[None]) > 0
    is_left = is_beside & (rights[None] <= left[:, None] + 0.5 * low)
    # A single letter is no wider than the permitted overlap, and would count as left of itself.
    is_left[np.arange(len(left)), np.arange(len(boxes))[part]] = False
    distance = np.where(is_left, left[:, None] - rights[None], np.inf)
    middle, middles = (top + bottom)[:, None], (tops + bottoms)[None]
    rise = np.where(overlaps & (middles < middle) & ~is_beside, top[:, None] - bottoms[None], np.inf)
    fall = np.where(overlaps & (middles > middle) & ~is_beside, tops[None] - bottom[:, None], np.inf)
    found = []
    for distances, limit in ((distance, np.inf), (rise, 6 * height), (fall, 6 * height)):
        nearest = distances.argmin(axis=1)
        shortest = distances[np.arange(len(distances)), nearest]
        found.append(np.where(np.isfinite(shortest) & (shortest < limit), nearest, -1))
    return [(int(a), int(b), int(c)) for a, b, c in zip(*found, strict=True)]


def _spans_of(passage: Passage, candidates: Candidates, first: int) -> Iterator[CandidateSpan]:
    layout = candidates.layouts[id(passage)]
    segment_of = {
        word: index for index in range(first, len(candidates.segments)) for word in candidates.segments[index].words
    }
    yield from _typed_spans(passage, layout, segment_of, candidates)
    for index in range(first, len(candidates.segments)):
        segment = candidates.segments[index]
        own = list(_spans_of_line(segment, index))
        yield from own
        for start in own:
            if start.kind == "line" or start.has_colon:
                yield from _blocks_from(candidates, start)


def _typed_spans(
    passage: Passage, layout: LabelLayout, segment_of: dict[int, int], candidates: Candidates
) -> Iterator[CandidateSpan]:
    """Yield days, amounts, times and other values of a known form, and the values of labels within lines."""

    def span(
        kind: Kind, start: int, end: int, number: Number | None = None, day: Day | None = None
    ) -> CandidateSpan | None:
        words = passage.words_between(start, end)
        if words[0] not in segment_of or words[-1] not in segment_of:
            return None
        pair = next((layout.pair_of[word] for word in words if word in layout.pair_of), None)
        first, last = segment_of[words[0]], segment_of[words[-1]]
        segment, has_colon = candidates.segments[first], pair is not None and pair.has_colon
        # In a sentence, the words before a value name it: "due by 12 May".
        label = pair.label if pair else _words_before(segment, words[0])
        text = " ".join(passage.text[start:end].split("\n")).strip()
        return CandidateSpan(
            kind, passage, words, text, first=first, last=last, label=label, has_colon=has_colon, number=number, day=day
        )

    def spans() -> Iterator[CandidateSpan | None]:
        # A moment in ISO 8601 is one word, which is not cut into its day and its time.
        ends = [(iso_moment(passage.text, day.start) or (day.end, None))[0] for day in passage.days]
        within = {at for day, end in zip(passage.days, ends, strict=True) for at in range(day.end, end)}
        yield from (span("day", day.start, end, day=day) for day, end in zip(passage.days, ends, strict=True))
        yield from (span("number", number.start, number.end, number) for number in passage.numbers if number.readings)
        for match in _COUNTED.finditer(passage.text):
            count = Decimal(NUMBERS[match[0].lower()])
            yield span("number", *match.span(), Number(*match.span(), match[0], frozenset({count})))
        for match in _WRAPPED_ACCOUNT.finditer(passage.text):
            if "\n" in match[0]:
                yield span("piece", *match.span())
        for kind, form in _FORMS:
            for match in form.finditer(passage.text):
                if match.start() not in within:
                    yield span(kind, *match.span())

    yield from filter(None, spans())
    for pair in {id(pair): pair for pair in layout.pair_of.values()}.values():
        first = segment_of.get(pair.values[0])
        # The value of a label in the middle of a line ends at the next label or at the line's end.
        if first is not None and all(segment_of.get(word) == first for word in pair.values):
            # The pair leaves out words of signs. Some join two names, as in `Smith & Sons`.
            between = range(pair.values[0], pair.values[-1])
            joining = {word for word in between if passage.words[word] in SIGNS_OF_NAMES}
            words = tuple(sorted({*pair.values, *joining}))
            text = " ".join([passage.words[word] for word in words])
            head, colon, tail = text.partition(":")
            text = tail if colon and head.isalpha() else text
            yield CandidateSpan(
                "part",
                passage,
                words,
                without_signs(text),
                first=first,
                last=first,
                label=pair.label,
                has_colon=pair.has_colon,
            )


def _words_before(segment: LineSegment, word: int) -> str:
    index = bisect_left(segment.words, word)
    return " ".join([segment.passage.words[word] for word in segment.words[max(0, index - MAX_WORDS_BEFORE) : index]])


def _spans_of_line(segment: LineSegment, index: int) -> Iterator[CandidateSpan]:
    """Yield the candidates in a line: all of it ("line"), the text after its label ("part"), its pieces ("piece") and
    its words with digits ("word").

    Pieces end at commas and brackets; in a short line, any number of its first or last words is a piece, too. So are
    names, places, quoted texts and the cells of a row that have commas.
    """
    words, count = segment.words, len(segment.words)
    texts = [segment.passage.words[word] for word in words]
    begin, label, whole = 0, "", segment.text

    def span(
        text: str,
        start: int,
        size: int | None = None,
        text_before: str | None = None,
        *,
        kind: Kind = "piece",
        has_colon: bool | None = None,
    ) -> CandidateSpan:
        # By default, a span has as many words as its text, and the label of the line.
        end = start + (text.count(" ") + 1 if size is None else size)
        own_label = label if text_before is None else text_before
        is_after_colon = bool(label) if has_colon is None else has_colon
        text = without_signs(text)
        return CandidateSpan(kind, segment.passage, words[start:end], text, index, index, own_label, is_after_colon)

    def words_before(word: int, most: int) -> str:
        return " ".join(texts[max(0, word - most) : word])

    match = LABEL.match(whole)
    if whole.startswith((":", "：")):
        yield span(whole[1:], 0, count, kind="part", has_colon=True)
    elif match and whole[match.end() :].strip():
        label, tail = match[0].rstrip(":： "), whole[match.end() :]
        begin = match[0].rstrip().count(" ") + (tail[:1] == " ")
        own = span(tail, begin, count - begin, kind="part")
        # A text of signs only, like a dash for a missing value, is kept as written.
        yield own if own.text else replace(own, text=tail.strip())
        whole = tail.strip()
    line_text = segment.text if label else without_signs(segment.text)
    yield CandidateSpan("line", segment.passage, words, line_text, index, index)
    rest = whole.split() if label else texts
    if (bare := without_brackets(whole)) is not None:
        yield span(bare, begin, len(bare.split()))
    if 0 < whole.count(",") <= 5:
        at = begin
        for part in whole.split(","):
            size = max(1, len(part.split()))
            yield span(part, at, size)
            at = min(count - 1, at + size)
    if len(rest) == count - begin:
        for cut in range(1, len(rest)) if len(rest) <= MAX_WORDS_OF_SHORT_LINE else ():
            first, last = " ".join(rest[:cut]), " ".join(rest[cut:])
            yield span(first, begin, cut)
            yield span(last, begin + cut, len(rest) - cut, label or first)
        named = " ".join(rest)
        for text in parts_of_name(named).values():
            at = begin + named.count(" ", 0, named.find(text))
            yield span(text, at, text_before=label or " ".join(texts[:at]))
    label_of_cell = ""
    for start, end in cells_of(texts):
        cell = " ".join(texts[start:end])
        if "," in cell:
            has_colon = label_of_cell[-1:] in _COLONS
            yield span(cell, start, end - start, label_of_cell.rstrip(":： "), has_colon=has_colon)
        label_of_cell = cell
    for start, end in places_in(segment.text).values():
        at = segment.text.count(" ", 0, start)
        yield span(segment.text[start:end], at, text_before=words_before(at, 3), has_colon=False)
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    in_quotes: set[int] = set()
    for quoted in _QUOTED.finditer(segment.text):
        at = bisect_right(starts, quoted.start("quoted")) - 1
        in_quotes.update(range(at, at + quoted["quoted"].count(" ") + 1))
        yield span(quoted["quoted"], at, text_before=words_before(at, 3), has_colon=False)
    for name in _NAME.finditer(segment.text):
        at = bisect_right(starts, name.start()) - 1
        # Names at the beginning or end of a short line are candidates already.
        is_inside = count > MAX_WORDS_OF_SHORT_LINE or (at and texts[at - 1].islower())
        if is_inside and at not in in_quotes:
            yield span(name[0], at, text_before=words_before(at, 3), has_colon=False)
    for at, text in enumerate(texts):
        if any(map(str.isdigit, text)):
            head, colon, tail = text.partition(":")
            value = tail if colon and head.isalpha() and tail else text
            yield span(value, at, 1, label or words_before(at, 4), kind="word")


def cells_of(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the first word, and the end, of each filled cell in a row of a Markdown table. A row has strokes at both
    ends of its line."""
    strokes = [index for index, word in enumerate(words) if word == "|"]
    if strokes and (strokes[0], strokes[-1]) == (0, len(words) - 1):
        yield from ((before + 1, after) for before, after in pairwise(strokes) if after > before + 1)


def without_brackets(text: str) -> str | None:
    """Return `text` without a final part in brackets, such as a company's number, or None if there is no such part."""
    found = _BRACKETS.fullmatch(text)
    return found[1] if found else None


def without_signs(text: str) -> str:
    """Return the text without the signs around it; a closing bracket or quotation mark is kept if the opening one is in
    the text."""
    # A tick box alone may be the value, so it is kept. Next to a text, it only marks the option that the text names.
    bare = text.strip(SIGNS_AROUND)
    bare = bare.strip(SIGNS_AROUND + TICK_BOX_SIGNS) or bare
    end = text.find(bare) + len(bare)
    closing = text[end : end + 1]
    is_open = (closing == ")" and bare.count("(") > bare.count(")")) or (closing == '"' and bare.count('"') % 2 == 1)
    return bare + closing if is_open else bare


def _blocks_from(candidates: Candidates, start: CandidateSpan) -> Iterator[CandidateSpan]:
    """Yield the blocks of two or more lines that begin with the span `start`."""
    segment = candidates.segments[start.last]
    # A comma at the end of a line is inside the block: "55 Jalan Sagu,".
    stops = _STOPS.match(segment.text, max(0, segment.text.find(start.text)) + len(start.text))
    words, texts, last = start.words, [start.text + (stops[0] if stops else "")], start.last
    for _ in range(LONGEST_BLOCK - 1):
        below = segment.below
        if below < 0:
            return
        nxt = candidates.segments[below]
        if not continues_block(segment, nxt) or len(words) + len(nxt.words) > MAX_WORDS_OF_BLOCK:
            return
        words, last, segment = (*words, *nxt.words), below, nxt
        texts.append(nxt.text)
        text = without_signs(" ".join(texts))
        yield CandidateSpan(
            "block",
            start.passage,
            tuple(sorted(words)),
            text,
            first=start.first,
            last=last,
            label=start.label,
            has_colon=start.has_colon,
        )


def span_at(candidates: Candidates, lines: Sequence[int], words: Sequence[int]) -> CandidateSpan:
    """Return the span of `words`, which are in the segments `lines`."""
    segment = candidates.segments[lines[0]]
    ends = (line for line in lines if candidates.segments[line].words[0] <= words[-1])
    last = max(ends, key=lambda line: candidates.segments[line].words[0])
    text = without_signs(" ".join([segment.passage.words[word] for word in words]))
    index = bisect_left(segment.words, words[0])
    label = " ".join([segment.passage.words[word] for word in segment.words[max(0, index - 3) : index]])
    kind: Kind = "piece" if last == lines[0] else "block"
    return CandidateSpan(kind, segment.passage, tuple(words), text, first=lines[0], last=last, label=label)
