"""Wishes of a message, as the planner and the answers without a capable LLM see them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, ParamSpec, Self, TypeVar

from tasks.inputs.kinds import Kind
from tasks.wording.message import Message, blocks_of, sentences_in, split_message
from tasks.wording.summary import most_sentences_in
from tasks.wording.wishes import LIKELY, Label, WishModel, wish_model, wishes_in

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST_END: Final = 4_000
"""A wish is looked for in this many characters at each end of a message."""
LONG_CHARS: Final = 300
"""Finding the wish in a text of more characters may take milliseconds, so a thread does it."""
_MOST_SENTENCES: Final = 8
"""A message with more sentences than this is not searched for those that only greet."""
ASIDE: Final[frozenset[Label]] = frozenset({"greeting", "thanks"})
"""Wishes of a message that asks for nothing."""
BESIDE: Final[frozenset[Label]] = ASIDE | {"manner", "bare"}
"""Wishes of a sentence that does not belong to a question."""
WRITTEN: Final[frozenset[Label]] = frozenset({"prose", "title", "queries", "suggestions"})
"""Wishes of a text that only an LLM can write."""
APART: Final[frozenset[Label]] = ASIDE | WRITTEN | {"server", "fact", "search", "other"}
"""Wishes of a message that is not about the inputs of earlier messages."""
_ORDER_AND_DOCUMENT: Final = 2
"""Number of paragraphs of a message that is an order and a pasted text."""
_SENTENCES: Final = 3
"""A summary has at most this many sentences if the message says nothing of its length."""
ANSWERED_BY_TASKS: Final[frozenset[Label]] = frozenset({"translate", "read_out", "forecast", "run"})
"""Wishes that the results of tasks fulfil, without a word of an LLM."""


@dataclass(frozen=True, slots=True)
class Wish:
    labels: frozenset[Label] = frozenset()
    question: str = ""
    """The words that ask, without those that only greet or thank, and without the document in the message."""
    message: Message = field(default_factory=lambda: Message(""))
    probability: float = 0.0
    """Probability of the least likely of the labels."""
    counted_sentences: int | None = None
    """Number of sentences of a summary that the message gives in figures or as a word; None if it gives none."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of the inputs that the message was judged beside."""

    @classmethod
    async def of(cls, text: str, kinds: Sequence[Kind]) -> Self:
        """Return the wish of a message with inputs of these kinds."""
        return await off_loop(text, cls.read, text, kinds)

    @classmethod
    def read(cls, text: str, kinds: Sequence[Kind]) -> Self:
        if len(text) > 2 * _LONGEST_END:
            text = f"{text[:_LONGEST_END]}\n{text[-_LONGEST_END:]}"
        message = _with_document(split_message(text), text, wish_model())
        counted = most_sentences_in(message.words)
        return cls(frozenset(), _question(message, wish_model()), message, 0.0, counted).beside(kinds)

    def beside(self, kinds: Sequence[Kind], *, has_schema: bool = False) -> Self:
        """Return the wish of the same message beside inputs of these kinds. `has_schema` says that the answer has to
        satisfy a schema."""
        if not self.message.head and not self.message.document:
            labels = frozenset[Label]({"read_out"} if kinds else {"other"})
            return replace(self, labels=labels, probability=1.0, kinds=tuple(kinds))
        probabilities = wish_model().probabilities(self.message, kinds, has_schema=has_schema)
        labels = wishes_in(probabilities)
        if has_schema and kinds and labels == {"forecast"} and probabilities["forecast"] < LIKELY:
            # A forecast takes the place of reading a table, so a mere guess does not fill a schema. Of 100 held-out
            # orders to read a table beside a schema, 95 are right with this, 91 without; of 151 to forecast one, 124
            # and 132.
            labels = frozenset({"value"})
        probability = min(probabilities[label] for label in labels)
        return replace(self, labels=labels, probability=probability, kinds=tuple(kinds))

    @property
    def most_sentences(self) -> int:
        """A summary has at most this many sentences."""
        return self.counted_sentences or (1 if "one_sentence" in self.labels else _SENTENCES)

    def is_only(self, *labels: Label) -> bool:
        """True if the message wishes something, and nothing but these."""
        return bool(self.labels) and self.labels <= set(labels)


async def off_loop(text: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work`, which parses a text, in a thread unless the text is short."""
    if len(text) <= LONG_CHARS:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def _with_document(message: Message, text: str, model: WishModel) -> Message:
    """Return the message, of which a paragraph that neither asks nor orders is the document of the other one: the
    structure alone does not tell which of two short paragraphs is pasted."""
    parts = blocks_of(text)
    if message.document or len(parts) != _ORDER_AND_DOCUMENT:
        return message
    asks = [model.probabilities(split_message(part), ())["material"] < LIKELY for part in parts]
    if all(asks) or not any(asks):
        return message
    return replace(split_message(parts[asks.index(True)]), document=parts[asks.index(False)])


def _question(message: Message, model: WishModel) -> str:
    """Return the sentences that wish more than to greet or to say how to answer, whatever the inputs are."""
    sentences = [*sentences_in(message.head), *sentences_in(message.tail)]
    if message.tail and "\n" not in message.tail and model.labels(Message(message.head), ()) <= BESIDE:
        sentences = sentences_in(message.tail)
    if not 1 < len(sentences) <= _MOST_SENTENCES:
        return " ".join(sentences)
    kept = [one for one in sentences if not _is_beside(model.probabilities(split_message(one), ()))]
    return " ".join(kept or sentences)


def _is_beside(probabilities: Mapping[Label, float]) -> bool:
    return probabilities["material"] >= LIKELY or wishes_in(probabilities) <= BESIDE
