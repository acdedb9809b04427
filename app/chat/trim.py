"""Fits results into a language model's context. The passages that are about the question are kept, in their order.

Only the prompt is trimmed, never the `precontext` that the client gets. Equal arguments give equal texts.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import structlog

from models.base import ModelError
from models.embedding.embedder import Embedder
from tasks.precontext import Entry
from tasks.result import ResultLine

K1, B = 1.2, 0.75
"""Saturation and length normalisation of Okapi BM25, at their usual values (Robertson & Zaragoza 2009)."""
NEIGHBOUR_SHARE = 0.3
"""The neighbours of a passage get this share of its score in addition, because an answer may continue there."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_QUESTION_CHARS = 10_000
"""The words of a long question are looked for only in this many characters at each of its ends, where the actual
question usually is."""
MAX_PIECE_CHARS = 400
"""A piece has at most this many characters, which are about 100 tokens. A longer line is divided into several
pieces."""
HEAD_PIECES = 3
"""The first pieces of a result, up to this number, are kept before all others. They are often a title, a letterhead or
the first row of a table."""
HEAD_SHARE = 0.2
"""The first pieces of a result take at most this share of the budget."""
MAX_PIECES = 20_000
"""A result has about this many pieces at most. A longer result is divided into larger pieces."""
MAX_EMBEDDED = 64
"""At most this many passages are embedded, at 4 ms each on a core. The others are compared by their words alone."""
GAP = "[…]"
"""Mark that stands for text that was left out."""
_NO_END = "".join(
    rf"(?<!\b{before}\.)" for before in (r"\w", r"\d\d", "(?:Dr|Mr|Ms|St|Nr|Fr|Hr|Sr)", "(?:Mrs|Mme|Sra)")
)
SENTENCE_END = re.compile(rf"(?<=[.!?;]){_NO_END}\s+|(?<=[。！？；])")
"""Pattern of the space between two sentences. None ends with an initial, an ordinal such as `31.`, or a title."""

log = structlog.get_logger(__name__)


def words(text: str) -> list[str]:
    """Return the words of a text, case folded, without a plural s.

    Each Chinese, Japanese or Korean character is a word.
    """
    found = _WORD.findall(text.casefold())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]


def word_overlap(question: str, pieces: Sequence[str]) -> list[float]:
    """Return the BM25 score of each piece, 0 if the piece shares no word with the question.

    The rarity of a word is measured among these pieces. The time is linear in the pieces' length: each piece is read
    once, and its words are looked up among the words of the question.
    """
    if len(question) > 2 * _QUESTION_CHARS:
        question = f"{question[:_QUESTION_CHARS]}\n{question[-_QUESTION_CHARS:]}"
    places: dict[str, list[tuple[int, int]]] = {word: [] for word in words(question)}
    """The pieces that contain each word of the question, as pairs of a piece's index and the number of occurrences."""
    lengths: list[int] = []
    for index, piece in enumerate(pieces):
        found = words(piece)
        lengths.append(len(found))
        for word, often in Counter(word for word in found if word in places).items():
            places[word].append((index, often))
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    scores = [0.0] * len(pieces)
    for within in places.values():
        rarity = math.log(1 + (len(pieces) - len(within) + 0.5) / (len(within) + 0.5))
        for index, often in within:
            scores[index] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths[index] / mean))
    return scores


@dataclass(frozen=True, slots=True)
class _Result:
    pieces: Sequence[ResultLine]
    text: str
    """Text of all pieces."""
    need: int
    """Number of tokens of the text."""


def assemble(pieces: Sequence[ResultLine], kept: Iterable[int] | None = None) -> str:
    """Return the pieces with the ascending indexes `kept` (all by default), one per line, with gaps marked."""
    lines: list[str] = []
    heading, expected = "", 0
    for index in range(len(pieces)) if kept is None else kept:
        is_new_heading = pieces[index].heading != heading
        heading = pieces[index].heading
        is_continued = index > 0 and pieces[index - 1].heading == heading
        if is_new_heading and is_continued:
            lines.append(heading)
        if index != expected:
            lines.append(GAP)
        if is_new_heading and not is_continued:
            lines.append(heading)
        lines.append(pieces[index].text)
        expected = index + 1
    if expected < len(pieces):
        lines.append(GAP)
    return "\n".join(lines)


async def trim(
    entries: Sequence[Entry],
    question: str,
    budget_tokens: int,
    count: Callable[[str], int],
    embedder: Embedder | None = None,
) -> list[str]:
    """Return one text per entry. Together they have at most `budget_tokens`, as counted by `count`, and texts that fit
    are kept whole.

    With `embedder`, the meaning of passages counts as much as their words. If the embedder fails, only the words count.
    Texts are read in a thread, in time linear in their length.
    """
    results = await asyncio.to_thread(_count_results, entries, count)
    shares = fair_shares([result.need for result in results], budget_tokens)
    return [
        result.text if result.need <= share else await _shorten(result.pieces, question, share, count, embedder)
        for result, share in zip(results, shares, strict=True)
    ]


def _count_results(entries: Sequence[Entry], count: Callable[[str], int]) -> list[_Result]:
    results = []
    for entry in entries:
        pieces = join_lines(entry.result.pieces)
        text = assemble(pieces)
        results.append(_Result(pieces, text, count(text)))
    return results


def join_lines(lines_of: Callable[[], Iterable[ResultLine]]) -> list[ResultLine]:
    """Return the lines that `lines_of` yields, each time that it is called. Neighbours under one heading are joined if
    there are more than MAX_PIECES lines, so that millions of lines never become millions of objects."""
    count = chars = 0
    for line in lines_of():
        count += 1
        chars += len(line.text) + 1
    least = chars // MAX_PIECES if count > MAX_PIECES else 0
    return list(_join_to_length(lines_of(), least))


def _join_to_length(pieces: Iterable[ResultLine], least: int) -> Iterator[ResultLine]:
    """Yield neighbours under one heading, joined to pieces of at least `least` characters if there are enough lines."""
    for heading, run in groupby(pieces, key=attrgetter("heading")):
        texts: list[str] = []
        length = 0
        for piece in run:
            texts.append(piece.text)
            length += len(piece.text) + 1
            if length >= least:
                yield ResultLine("\n".join(texts), heading)
                texts, length = [], 0
        if texts:
            yield ResultLine("\n".join(texts), heading)


def fair_shares(needs: Sequence[int], budget: int) -> list[int]:
    """Return the share of the budget for each need. Small needs are met in full, and the rest is divided evenly."""
    shares = [0] * len(needs)
    remaining = max(0, budget)
    ascending = sorted(range(len(needs)), key=needs.__getitem__)
    for position, index in enumerate(ascending):
        shares[index] = min(needs[index], remaining // (len(needs) - position))
        remaining -= shares[index]
    return shares


async def _shorten(
    whole: Sequence[ResultLine],
    question: str,
    budget: int,
    count: Callable[[str], int],
    embedder: Embedder | None,
) -> str:
    pieces, scores, ranked = await asyncio.to_thread(_rank, whole, question)
    if embedder is not None and question.strip():
        promising = ranked[:MAX_EMBEDDED]
        similar = await similarities(question, [pieces[index].text for index in promising], embedder)
        best = max(scores, default=0.0) or 1.0
        scores = [score / best for score in scores] if similar else scores
        for index, similarity in zip(promising, similar, strict=False):
            scores[index] += max(0.0, similarity)
    return await asyncio.to_thread(_select_text, pieces, scores, budget, count)


def _rank(whole: Sequence[ResultLine], question: str) -> tuple[list[ResultLine], list[float], list[int]]:
    """Return pieces short enough to be selected, their scores by words, and their indexes by descending score."""
    longest = max(MAX_PIECE_CHARS, sum(len(piece.text) for piece in whole) // MAX_PIECES)
    pieces: list[ResultLine] = []
    for piece in whole:
        pieces += [ResultLine(part, piece.heading) for part in split_line(piece.text, longest)]
    overlap = word_overlap(question, [piece.text for piece in pieces])
    padded = [0.0, *overlap, 0.0]
    scores = [
        score + NEIGHBOUR_SHARE * (before + after)
        for before, score, after in zip(padded[:-2], overlap, padded[2:], strict=True)
    ]
    return pieces, scores, _best_first(scores)


def _select_text(
    pieces: Sequence[ResultLine], scores: Sequence[float], budget: int, count: Callable[[str], int]
) -> str:
    """Return the text of the pieces that fit in `budget`: the first pieces, then the others, beginning with the
    best."""
    kept = _choose(pieces, _best_first(scores), budget, count)
    # The whole text is counted again, because its number of tokens is not exactly the sum of its pieces' numbers.
    while kept and count(assemble(pieces, sorted(kept))) > budget:
        kept.pop()
    text = assemble(pieces, sorted(kept))
    return text if count(text) <= budget else ""


def _best_first(scores: Sequence[float]) -> list[int]:
    """Return the indexes by descending score. Pieces of equal score are taken in an order that spreads evenly over the
    text."""
    worth = [-score for score in scores]
    # Numbers are sorted instead of pairs, because sorting holds the interpreter's lock, and pairs take five times as
    # long.
    return sorted(_evenly_spread(len(scores)), key=worth.__getitem__)


def _choose(pieces: Sequence[ResultLine], ranked: Sequence[int], budget: int, count: Callable[[str], int]) -> list[int]:
    """Return the indexes of the selected pieces, the most important first. These are the head, and then the best pieces
    that still fit."""
    gap = count(GAP) + 1
    kept: list[int] = []
    members: set[int] = set()
    headings: set[str] = set()
    spent = gap

    def take(index: int, limit: float) -> None:
        nonlocal spent
        piece = pieces[index]
        cost = count(piece.text) + 1
        if not members & {index - 1, index + 1}:
            cost += gap
        if piece.heading not in headings:
            cost += count(piece.heading) + 1
        if index not in members and spent + cost <= limit:
            kept.append(index)
            members.add(index)
            headings.add(piece.heading)
            spent += cost

    for index in range(min(HEAD_PIECES, len(pieces))):
        take(index, budget * HEAD_SHARE)
    for index in ranked:
        if spent + gap >= budget:
            break
        take(index, budget)
    return kept


def split_line(text: str, longest: int = MAX_PIECE_CHARS) -> list[str]:
    """Return `text` in parts of at most `longest` characters, cut between sentences, else between words, else
    anywhere."""
    parts: list[str] = []
    for sentence in SENTENCE_END.split(text) if len(text) > longest else [text]:
        start = 0
        while len(sentence) - start > longest:
            cut = sentence.rfind(" ", start + 1, start + longest)
            cut = start + longest if cut < 0 else cut
            parts.append(sentence[start:cut])
            start = cut
            while start < len(sentence) and sentence[start].isspace():
                start += 1
        rest = sentence[start:]
        if rest and parts and len(parts[-1]) + len(rest) < longest:
            parts[-1] = f"{parts[-1]} {rest}"
        elif rest:
            parts.append(rest)
    return parts


async def similarities(question: str, texts: Sequence[str], embedder: Embedder) -> list[float]:
    """Return how similar in meaning each text is to the question, or an empty list if the embedder fails."""
    try:
        vectors = await embedder.embed([question, *texts])
    except ModelError as error:
        log.warning("relevance_failed", error=type(error).__name__)
        return []
    similar: list[float] = (vectors[1:] @ vectors[0]).tolist()
    return similar


def _evenly_spread(length: int) -> list[int]:
    """Return the numbers from 0 to `length` - 1, ordered so that the first n are evenly spread for every n.

    The order is van der Corput's sequence.
    """
    bits = max(1, (length - 1).bit_length())
    places = (int(f"{rank:0{bits}b}"[::-1], 2) for rank in range(1 << bits))
    return [place for place in places if place < length]
